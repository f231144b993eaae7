"""The field for a password, as every form has it."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts import passwords
from kit.form import VERBATIM
from kit.typed import MAX_LENGTH, check_legible


def check_length(typed: str) -> None:
    """Raises ValidationError, with the code "max_length", for a password of more than MAX_LENGTH characters."""
    if len(typed) > MAX_LENGTH:
        said = _("Password must be %(max)s characters or less") % {
            "max": number_format(MAX_LENGTH, force_grouping=True)
        }
        raise ValidationError(said, code="max_length")


class PasswordField(forms.CharField):
    """A field for a password. Its cleaned value is in the one spelling of accounts.passwords.

    `missing` is the message for an empty one, `autocomplete` tells browsers which password is meant; `attrs` are
    further attributes of the input.
    """

    def __init__(self, label: Any, missing: Any, autocomplete: str, **attrs: str) -> None:
        super().__init__(
            label=label,
            strip=False,
            error_messages={"required": missing},
            validators=[check_length, check_legible],
            widget=forms.PasswordInput(attrs=VERBATIM | {"autocomplete": autocomplete, **attrs}),
        )

    def to_python(self, value: Any) -> str:
        return passwords.normalize(super().to_python(value) or "")
