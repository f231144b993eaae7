"""The field for a code of an authenticator app or a recovery code, and what is said of a wrong one."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.form import VERBATIM

LABEL, HINT = gettext_lazy("Code"), gettext_lazy("From your authenticator app, or one of your recovery codes")


class CodeField(forms.CharField):
    """A field for a code of an authenticator app or a recovery code. It checks only that something is typed."""

    def __init__(self, label: Any, help_text: Any = "") -> None:
        super().__init__(
            label=label,
            help_text=help_text,
            error_messages={"required": gettext_lazy("Enter a code")},
            widget=forms.TextInput(attrs=VERBATIM | {"autocomplete": "one-time-code", "inputmode": "numeric"}),
        )


def mismatch() -> ValidationError:
    """Returns the one ValidationError for a wrong code, a used one, and one whose key this site has lost."""
    return ValidationError(
        _("That code didn’t work. Each works once: enter the next one from your app, or a recovery code"),
        code="mismatch",
    )
