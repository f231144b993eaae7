"""What a member sends."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from kit import addresses, plain_line
from kit.form import VERBATIM, Form


class InvitePersonForm(Form):
    email = forms.CharField(
        label=gettext_lazy("Their email address"),
        required=False,  # addresses.normalize says what is missing
        widget=forms.EmailInput(attrs=VERBATIM | {"autocomplete": "off"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Note (optional)"),
        required=False,
        strip=False,
        help_text=gettext_lazy("One line that stands in the email, 200 characters or less, without links"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    # The address whose typo was pointed out; sent again, it goes through.
    sure = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_email(self) -> str:
        return addresses.normalize(self.cleaned_data["email"])

    def clean_note(self) -> str:
        return plain_line.plain(self.cleaned_data["note"])

    def clean(self) -> None:
        """Points out what looks like a typo, once."""
        email = self.cleaned_data.get("email")
        if not email or self.errors or self.cleaned_data["sure"] == email:
            return
        if meant := addresses.suggestion(email):
            said = _("Did you mean %(meant)s? If not, press the button again.")
            self.add_error("email", ValidationError(said, params={"meant": meant}, code="typo"))
            self.data = {**self.data, "email": email, "note": self.cleaned_data["note"], "sure": email}
