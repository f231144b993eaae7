"""The form with which an invited person declines."""

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kit import plain_line
from kit.form import Form


class DeclineForm(Form):
    """A form for a reason, one plain line or "", and whether the person wants no mail at all."""

    reason = forms.CharField(
        label=_("Why? (optional)"),
        required=False,
        help_text=_("One line for the person who invited you, 200 characters or less, without links"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    never = forms.BooleanField(required=False)

    def clean_reason(self) -> str:
        """Returns the reason. Raises ValidationError if it is too long, holds a link or is not one plain line."""
        return plain_line.plain(self.cleaned_data["reason"], what=gettext("The reason"))
