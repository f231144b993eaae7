"""Forms of two-step verification: the code at sign-in, and the proof that changing it takes."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.codes import guesses
from accounts.codes.field import HINT, LABEL, CodeField, mismatch
from accounts.models import User
from accounts.models.second_factor import proves
from accounts.password.forms import WithPassword
from kit.form import RequestForm


class CodeForm(RequestForm):
    """The form for the second step of sign-in of `user`: a code, and whether to trust this browser.

    Once the form is valid, `kind` is the kind of the code, TOTP or RECOVERY (accounts.models.second_factor).
    """

    code = CodeField(LABEL, HINT)
    trust = forms.BooleanField(label=gettext_lazy("Don’t ask again in this browser for 30 days"), required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.kind = ""
        if not self.is_bound:
            self.fields["code"].widget.attrs["autofocus"] = True

    @property
    def factor(self) -> str:
        """The second factor that the valid form has shown, as accounts.session.arrival names it."""
        return guesses.FACTORS[self.kind]

    def clean_code(self) -> str:
        """Returns the right code as typed, uses it up, and sets `kind` to TOTP or RECOVERY.

        Raises ValidationError for a wrong code, which is recorded, Limited after too many tries, and Superseded if all
        sessions of the account have ended, or it was deleted, meanwhile.
        """
        self.kind = guesses.check(self.request, self.user, self.cleaned_data["code"])
        if not self.kind:
            raise mismatch()
        return str(self.cleaned_data["code"])


class WithCode(WithPassword):
    """A form to change two-step verification: it asks for a code, always, and for the password as WithPassword does."""

    code = CodeField(LABEL, HINT)
    field_order = ("password", "code")

    def clean(self) -> dict[str, Any]:
        """Returns the cleaned data. Checks and uses up the code, but only if all else is right: a code works once.

        A wrong code becomes an error of its field. Raises ValidationError for a user who must prove ownership by a
        mailed link first, Limited after too many tries, and Superseded if all sessions of the account have ended, or it
        was deleted, meanwhile.
        """
        cleaned = super().clean()
        if not self.errors and not guesses.check(self.request, self.user, cleaned["code"]):
            self.add_error("code", mismatch())
        return cleaned


class AppForm(WithPassword):
    """A form to set up an authenticator app, whose first code shows that it has the secret; and proof of ownership.

    `secret` is that secret in base32. `replaces` says that the app replaces another: then a code of the old app is
    asked for too, or a recovery code.
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
        """Returns the code that the new app shows, as typed. Raises ValidationError if it does not fit `secret`."""
        code = str(self.cleaned_data["code"])
        if not proves(self.secret, code):
            raise ValidationError(
                _("That is not the code the app shows. Check that it has this key and that the phone’s clock is right"),
                code="mismatch",
            )
        return code

    def clean(self) -> dict[str, Any]:
        """Returns the cleaned data. Checks and uses up the old app's code, if it is asked for and all else is right.

        A code works once, so it comes last; a wrong one becomes an error of its field. Raises ValidationError for a
        user who must prove ownership by a mailed link first, Limited after too many tries, and Superseded if all
        sessions of the account have ended, or it was deleted, meanwhile.
        """
        cleaned = super().clean()
        asked = "current" in self.fields and not self.errors
        if asked and not guesses.check(self.request, self.user, cleaned["current"]):
            self.add_error("current", mismatch())
        return cleaned
