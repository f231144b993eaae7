"""The sign-in form, and what all our forms share."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts.models import User

# Nothing typed here is prose in a natural direction: browsers must neither correct nor mirror it.
VERBATIM = {"autocapitalize": "none", "spellcheck": "false", "dir": "ltr"}


class Form(forms.Form):
    """Our forms check on the server, in our words: no `required`, no `maxlength`, no colon after a label."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"label_suffix": ""})


class NextField(forms.CharField):
    """Where to go afterwards. Anything but a path of this site becomes "": nobody typed it, so nobody is told."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)

    def clean(self, value: str | None) -> str:
        return same_site(value or "")


def same_site(url: str) -> str:
    """`url` if it is a printable path of this site that fits the row, else ""."""
    safe = url.startswith("/") and url.isprintable() and len(url) <= 500
    return url if safe and url_has_allowed_host_and_scheme(url, allowed_hosts=None) else ""


class LoginForm(Form):
    login = forms.CharField(
        label=_("Email or username"),
        error_messages={"required": _("Enter your email or username")},
        widget=forms.TextInput(attrs=VERBATIM | {"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        error_messages={"required": _("Enter your password")},
        widget=forms.PasswordInput(attrs=VERBATIM | {"autocomplete": "current-password", "enterkeyhint": "go"}),
    )
    next = NextField()

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.user: User | None = None
        if not self.is_bound:  # else what there is to say about it has the focus
            self.fields["login"].widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            self.user = authenticate(self.request, username=cleaned["login"], password=cleaned["password"])
            if self.user is None:
                raise self.mismatch()
        return cleaned

    def mismatch(self) -> ValidationError:
        """One sentence, at both fields, for a wrong name or password, a deactivated and a password-less account."""
        for name in ("login", "password"):
            self.fields[name].widget.attrs |= {"aria-invalid": "true", "aria-describedby": "errors"}
        return ValidationError(
            _("Those details don’t match an account. Check them and try again, or use a link from your email"),
            code="mismatch",
        )
