"""The form for what others read of a user: their name."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import display_names
from kit.form import Form


class NameField(forms.CharField):
    """A field for the name that others read; it may be empty."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"autocomplete": "name", "dir": "auto", "spellcheck": "false"})
        super().__init__(label=_("Name"), required=False, widget=widget, **options)

    def clean(self, value: Any) -> str:
        """Returns the name with single spaces in it. Raises ValidationError if it breaks a rule of display_names."""
        return display_names.normalize(super().clean(value))


class ProfileForm(Form):
    """The form for what others read of a user."""

    name = NameField(help_text=_("Other people see it in place of your username. Leave it empty to have none"))
