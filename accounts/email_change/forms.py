"""Forms to change the address: the new one, and the code that was mailed there."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.email_change.change import Change, is_right
from accounts.password.forms import WithProof
from kit import addresses, sure
from kit.form import VERBATIM, RequestForm
from kit.sure import SureField


class EmailForm(WithProof):
    """The form for the new address, which also asks for proof of ownership."""

    email = forms.CharField(
        label=gettext_lazy("New email address"),
        required=False,  # addresses.normalize says what is missing
        help_text=gettext_lazy("We’ll send a code there. Nothing changes until you enter it"),
        widget=forms.EmailInput(attrs=VERBATIM | {"autocomplete": "email"}),
    )
    field_order = ("email", "password", "code")

    def clean_email(self) -> str:
        """Returns the normalized address. Raises ValidationError if it is missing, malformed, or the user's own.

        Says nothing about addresses that others have: the mail to their owner does.
        """
        email = addresses.normalize(self.cleaned_data["email"])
        if email == self.user.email:
            raise ValidationError(_("Enter an address that is different from your current one"), code="same")
        return email


class PageForm(EmailForm):
    """EmailForm on its page, which points out a likely typo once; a program is believed at once."""

    sure = SureField()

    def clean_email(self) -> str:
        """Returns the normalized address. Raises ValidationError as EmailForm does, and for a likely typo."""
        email = super().clean_email()
        sure.ask(self, email)
        return email


class CodeForm(RequestForm):
    """The form for the code that was mailed to the new address; `change` is the change of address that waits for it."""

    code = forms.CharField(
        label=gettext_lazy("Code from the email"),
        error_messages={"required": gettext_lazy("Enter the code from the email")},
        widget=forms.TextInput(attrs=VERBATIM | {"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, change: Change, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.change = change

    def clean_code(self) -> str:
        """Returns the right code as typed. Raises ValidationError for a wrong one.

        Raises TooManyTries at the last wrong code that is allowed, and after it; the change of address has ended then.
        """
        code = str(self.cleaned_data["code"])
        if not is_right(self.request, self.change, code):
            said = _("That is not the code from the newest email. Check it and try again")
            raise ValidationError(said, code="mismatch")
        return code


def taken_error() -> ValidationError:
    """Returns the ValidationError for an address that another account has taken before the code was entered."""
    return ValidationError(_("This address can’t be used any more. Choose another one"), code="taken")
