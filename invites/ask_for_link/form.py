"""The address form on the start page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from kit import addresses
from kit.form import STORED, VERBATIM, Form, NextField


def address_field(help_text: Any, **attributes: str) -> forms.CharField:
    """Returns a form field for the visitor's own address; `attributes` are those of its input."""
    return forms.CharField(
        label=gettext_lazy("Email address"),
        required=False,  # addresses.normalize refuses an empty one, in our words
        help_text=help_text,
        widget=forms.EmailInput(attrs=VERBATIM | {"autocomplete": "email"} | attributes),
    )


class EmailForm(Form):
    """A form for one address. `leave_empty` catches programs, `next` is where the link leads.

    `sure` holds the address in which a probable typo was pointed out.
    """

    email = address_field(gettext_lazy("We only use it for your account. No newsletters"), enterkeyhint="send")
    # People never see this field, and no browser knows how to fill it in: only a program does.
    leave_empty = forms.CharField(
        label=gettext_lazy("Leave this field empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    # The address whose probable typo was pointed out; sent again, it is believed.
    sure = forms.CharField(required=False, widget=forms.HiddenInput)
    next = NextField(STORED)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:  # else the focus belongs to the error
            self.fields["email"].widget.attrs["autofocus"] = True

    def clean_email(self) -> str:
        """Returns the normalized address. Raises ValidationError for a missing or malformed one."""
        return addresses.normalize(self.cleaned_data["email"])

    def doubt(self) -> str:
        """Returns the address that was probably meant; "" if none is likelier, or the typo was pointed out before.

        The form must be valid.
        """
        email = self.cleaned_data["email"]
        return "" if self.cleaned_data["sure"] == email else addresses.suggestion(email)
