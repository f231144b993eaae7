"""The address form on the start page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from kit import addresses
from kit.form import VERBATIM, Form, NextField


class EmailForm(Form):
    email = forms.CharField(
        label=gettext_lazy("Email address"),
        required=False,  # addresses.normalize says what is missing
        help_text=gettext_lazy("We only use it for your account. No newsletters"),
        widget=forms.EmailInput(attrs=VERBATIM | {"autocomplete": "email", "enterkeyhint": "send"}),
    )
    # People never see this field, and no browser knows what it might be; whoever fills it in is a program.
    leave_empty = forms.CharField(
        label=gettext_lazy("Leave this field empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    # The address whose typo was pointed out; typed again, it goes through.
    sure = forms.CharField(required=False, widget=forms.HiddenInput)
    next = NextField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:  # else what there is to say about it has the focus
            self.fields["email"].widget.attrs["autofocus"] = True

    def clean_email(self) -> str:
        return addresses.normalize(self.cleaned_data["email"])

    def doubt(self) -> str:
        """The address that was probably meant, once; then "" for the same typed address."""
        email = self.cleaned_data["email"]
        return "" if self.cleaned_data["sure"] == email else addresses.suggestion(email)
