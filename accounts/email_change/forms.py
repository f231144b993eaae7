"""Another address: where to, and the code that came there. allauth's forms, in our words."""

from typing import Any

from allauth.account.forms import AddEmailForm
from allauth.account.forms import ConfirmEmailVerificationCodeForm as AllauthCodeForm
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.password.forms import WithProof
from kit import addresses
from kit.form import VERBATIM


class EmailForm(WithProof, AddEmailForm):
    """The new address, and the password."""

    email = forms.CharField(
        label=gettext_lazy("New email address"),
        required=False,  # addresses.normalize says what is missing
        help_text=gettext_lazy("We’ll send a code there. Nothing changes until you enter it"),
        widget=forms.EmailInput(attrs=VERBATIM | {"autocomplete": "email"}),
    )
    field_order = ("email", "password")

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)

    def clean_email(self) -> str:
        """Says nothing of addresses that others have: the mail to their owner does."""
        email = addresses.normalize(self.cleaned_data["email"])
        if email == self.user.email:
            raise ValidationError(_("Enter an address that is different from your current one"), code="same")
        return email


class CodeForm(AllauthCodeForm):
    use_required_attribute = False
    code = forms.CharField(
        label=gettext_lazy("Code from the email"),
        error_messages={"required": gettext_lazy("Enter the code from the email")},
        widget=forms.TextInput(attrs=VERBATIM | {"autocomplete": "one-time-code", "autocapitalize": "characters"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"label_suffix": ""})
