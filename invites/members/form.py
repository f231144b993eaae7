"""The form with which a member invites another person."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invites import who_may_join
from kit import addresses, plain_line, sure
from kit.form import VERBATIM, Form
from kit.sure import SureField


class InvitePersonForm(Form):
    """A form for the address of the person to invite, and a note to them."""

    email = forms.CharField(
        label=gettext_lazy("Their email address"),
        required=False,  # addresses.normalize words the error for an empty field
        widget=forms.EmailInput(attrs=VERBATIM | {"autocomplete": "off"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Note (optional)"),
        required=False,
        strip=False,
        help_text=gettext_lazy("One line that stands in the email, 200 characters or less, without links"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    sure = SureField()

    def clean_email(self) -> str:
        """Returns the normalized address. Raises ValidationError for a missing or malformed one.

        Also for one whose domain is blocked or known for disposable mailboxes: only staff may invite there.
        """
        email = addresses.normalize(self.cleaned_data["email"])
        if who_may_join.obstacle(email) in who_may_join.FOR_STAFF_ALONE:
            raise ValidationError(_("Only staff may invite addresses of this domain. Enter another one"), code="closed")
        return email

    def clean_note(self) -> str:
        """Returns the note. Raises ValidationError if it is too long, holds a link or is not one plain line."""
        return plain_line.plain(self.cleaned_data["note"])

    def clean(self) -> None:
        """Adds an error that points out a likely typo in the address, unless it was pointed out just before.

        The form then holds the address in `sure`, so that submitting it unchanged goes through.
        """
        email = self.cleaned_data.get("email")
        if not email or self.errors:
            return
        try:
            sure.ask(self, email)
        except ValidationError as error:
            self.add_error("email", error)
            self.data = {**self.data, "email": email, "note": self.cleaned_data["note"]}
