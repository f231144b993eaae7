"""Forms of two-step verification: the code at sign-in, and the proof that changing it takes."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.models.second_factor import proves
from accounts.password.forms import WithProof
from accounts.second_factor import guesses
from kit.form import VERBATIM, RequestForm

LABEL, HINT = gettext_lazy("Code"), gettext_lazy("From your authenticator app, or one of your recovery codes")


class CodeField(forms.CharField):
    def __init__(self, label: Any, help_text: Any = "") -> None:
        super().__init__(
            label=label,
            help_text=help_text,
            error_messages={"required": gettext_lazy("Enter a code")},
            widget=forms.TextInput(attrs=VERBATIM | {"autocomplete": "one-time-code", "inputmode": "numeric"}),
        )


class CodeForm(RequestForm):
    """The form for the second step of sign-in: a code, and whether to trust this browser."""

    code = CodeField(LABEL, HINT)
    trust = forms.BooleanField(label=gettext_lazy("Don’t ask again in this browser for 30 days"), required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.kind = ""
        if not self.is_bound:
            self.fields["code"].widget.attrs["autofocus"] = True

    def clean_code(self) -> str:
        """Returns the right code as typed, and sets `kind` (guesses.check). Raises ValidationError for a wrong one.

        Raises Limited after too many tries, and Superseded if all sessions of the account have ended meanwhile.
        """
        self.kind = guesses.check(self.request, self.user, self.cleaned_data["code"])
        if not self.kind:
            raise mismatch()
        return str(self.cleaned_data["code"])


class WithCode(WithProof):
    """A form to change two-step verification: it asks for what WithProof asks for, and for a code."""

    code = CodeField(LABEL, HINT)
    field_order = ("password", "code")

    def clean(self) -> dict[str, Any]:
        """Checks the code, but only if all else is right: a code works once.

        Raises Limited after too many tries, and Superseded if all sessions of the account have ended meanwhile.
        """
        cleaned = super().clean()
        if not self.errors and not guesses.check(self.request, self.user, cleaned["code"]):
            self.add_error("code", mismatch())
        return cleaned


class AppForm(WithProof):
    """A form to set up an authenticator app, whose first code shows that it has the key.

    `secret` is that key in base32. `replaces` says that the app replaces another: then a code of the old app is asked
    for too, or a recovery code.
    """

    code = CodeField(gettext_lazy("Code from the app"), gettext_lazy("The six digits that it shows now"))
    current = CodeField(
        gettext_lazy("Code from your old app"), gettext_lazy("Or one of your recovery codes, if you don’t have it")
    )
    field_order = ("code", "current", "password")

    def __init__(self, *args: Any, secret: str, replaces: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.secret = secret
        if not replaces:
            del self.fields["current"]

    def clean_code(self) -> str:
        """Returns the code that the new app shows. Raises ValidationError if it does not fit the secret."""
        code = str(self.cleaned_data["code"])
        if not proves(self.secret, code):
            raise ValidationError(
                _("That is not the code the app shows. Check that it has this key and that the phone’s clock is right"),
                code="mismatch",
            )
        return code

    def clean(self) -> dict[str, Any]:
        """Checks the code of the old app, where it is asked for, but only if all else is right: a code works once.

        Raises Limited after too many tries, and Superseded if all sessions of the account have ended meanwhile.
        """
        cleaned = super().clean()
        asked = "current" in self.fields and not self.errors
        if asked and not guesses.check(self.request, self.user, cleaned["current"]):
            self.add_error("current", mismatch())
        return cleaned


def mismatch() -> ValidationError:
    """Returns the one error for a wrong code, for a used one, and for one whose key this site has lost."""
    return ValidationError(
        _("That code didn’t work. Each works once: enter the next one from your app, or a recovery code"),
        code="mismatch",
    )
