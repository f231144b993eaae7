"""The sign-in form."""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.password.field import PasswordField
from kit.form import VERBATIM, NextField, RequestForm
from kit.typed import check_legible


class LoginForm(RequestForm):
    """The form to sign in with an address or username and a password; `next` is where to go afterwards.

    Once the form is valid, `user` is the user; else it is None.
    """

    login = forms.CharField(
        label=_("Email or username"),
        error_messages={"required": _("Enter your email or username")},
        validators=[check_legible],
        widget=forms.TextInput(attrs=VERBATIM | {"autocomplete": "username"}),
    )
    password = PasswordField(_("Password"), _("Enter your password"), "current-password", enterkeyhint="go")
    next = NextField()

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.user: User | None = None
        if not self.is_bound:  # in a bound form the message about it has the focus
            self.fields["login"].widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        """Returns the cleaned data, and sets `user` to the active user with this name or address and password.

        Raises ValidationError, made by mismatch(), if there is none, and Limited after too many tries. If a field is
        empty, nothing is tried.
        """
        cleaned: dict[str, Any] = super().clean() or {}
        if not self.errors:
            self.user = authenticate(self.request, username=cleaned["login"], password=cleaned["password"])
            if self.user is None:
                raise self.mismatch()
        return cleaned

    def mismatch(self) -> ValidationError:
        """Returns the ValidationError for details that match no account, and marks both fields as invalid.

        It is one and the same for a wrong name or password, and for a deactivated or password-less account.
        """
        for name in ("login", "password"):
            self.fields[name].widget.attrs |= {"aria-invalid": "true", "aria-describedby": "errors"}
        return ValidationError(
            _("Those details don’t match an account. Check them and try again, or reset your password"),
            code="mismatch",
        )
