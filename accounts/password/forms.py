"""Passwords: a new one, and the current one where somebody signed in must prove to be who they are."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import limits
from accounts.models import User
from accounts.password.backend import refused
from accounts.session import sessions
from accounts.session.account_page import PersonRequest
from kit.form import VERBATIM, Form, RequestForm


class NewPasswordField(forms.CharField):
    """Its hint says what is asked; WithNewPassword does the asking, once the name is known too."""

    def __init__(self, label: Any) -> None:
        super().__init__(
            label=label,
            strip=False,
            error_messages={"required": gettext_lazy("Enter a password")},
            widget=forms.PasswordInput(attrs=VERBATIM | {"autocomplete": "new-password"}),
        )

    def prepare(self, *, shown: bool) -> None:
        least = settings.PASSWORD_MIN_LENGTH
        self.help_text = _("%(min)s characters or more, like four random words") % {"min": least}
        self.widget.attrs["passwordrules"] = f"minlength: {least}; allowed: unicode;"
        if shown:
            self.widget.input_type = "text"


class WithNewPassword(Form):
    """A form with one field for a new password."""

    def __init__(self, *args: Any, show_password: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.new = next(name for name, field in self.fields.items() if isinstance(field, NewPasswordField))
        self.fields[self.new].prepare(shown=show_password)  # type: ignore[attr-defined]

    def owner(self) -> User:
        """Whose password it will be: it must not be little more than their name or address."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.new in cleaned:
            try:
                validate_password(cleaned[self.new], self.owner())
            except ValidationError as error:
                self.add_error(self.new, error)
        return cleaned


class CurrentPasswordForm(RequestForm):
    """Somebody signed in shows to be the owner."""

    password = forms.CharField(
        label=gettext_lazy("Your password"),
        strip=False,
        error_messages={"required": gettext_lazy("Enter your password")},
        widget=forms.PasswordInput(attrs=VERBATIM | {"autocomplete": "current-password"}),
    )

    def __init__(self, request: PersonRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.user = request.person

    def clean_password(self) -> str:
        """Raises Limited."""
        limits.PASSWORD_PER_USER.check(self.request, self.user.pk.hex)
        if not self.user.check_password(self.cleaned_data["password"]):
            refused(self.request, self.user)
            raise ValidationError(_("Password is not correct"), code="password")
        return str(self.cleaned_data["password"])


class WithProof(CurrentPasswordForm):
    """A form that somebody signed in fills in with their password, unless they have just shown to be the owner."""

    def __init__(self, request: PersonRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        proven = sessions.is_proven(request)
        self.proven = proven and not self.data.get("password")  # one that is given must be right all the same
        # Without a password, a mailed link is the only proof.
        self.must_ask_mailbox = not proven and not self.user.has_usable_password()
        if self.proven or self.must_ask_mailbox:
            del self.fields["password"]

    def clean(self) -> dict[str, Any]:
        if self.must_ask_mailbox:
            raise ValidationError(_("Ask for a link first: it proves that the account is yours"), code="proof")
        return super().clean() or {}


class PasswordForm(WithProof, WithNewPassword):
    """Changing the password, or setting the first one."""

    chosen = NewPasswordField(gettext_lazy("New password"))
    field_order = ("password", "chosen")

    def owner(self) -> User:
        return self.user


class ResetForm(WithNewPassword):
    """A new password for somebody whose mailbox a link has proven."""

    password = NewPasswordField(gettext_lazy("New password"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def owner(self) -> User:
        return self.user
