"""Forms with passwords: a new one, and the current one by which a signed-in user proves ownership."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import limits
from accounts.models import User
from accounts.password.backend import record_wrong_password
from accounts.session import sessions
from accounts.session.account_page import PersonRequest
from kit.form import VERBATIM, Form, RequestForm


class NewPasswordField(forms.CharField):
    """A field for a new password. Its hint states the rules; WithNewPassword checks them, once the name is known."""

    def __init__(self, label: Any) -> None:
        super().__init__(
            label=label,
            strip=False,
            error_messages={"required": gettext_lazy("Enter a password")},
            widget=forms.PasswordInput(attrs=VERBATIM | {"autocomplete": "new-password"}),
        )

    def prepare(self, *, shown: bool) -> None:
        """Sets the hint and attributes that state PASSWORD_MIN_LENGTH; `shown` displays what is typed."""
        least = settings.PASSWORD_MIN_LENGTH
        self.help_text = _("%(min)s characters or more, like four random words") % {"min": least}
        self.widget.attrs["passwordrules"] = f"minlength: {least}; allowed: unicode;"
        if shown:
            self.widget.input_type = "text"


class WithNewPassword(Form):
    """A form with one NewPasswordField, whose value it checks by the site's rules for new passwords.

    `show_password` displays what is typed. A subclass declares the field, and owner().
    """

    def __init__(self, *args: Any, show_password: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.new = next(name for name, field in self.fields.items() if isinstance(field, NewPasswordField))
        self.fields[self.new].prepare(shown=show_password)  # type: ignore[attr-defined]

    def owner(self) -> User:
        """Returns the user whose password it will be: it must not be little more than their name or address.

        Each subclass defines this; here it raises NotImplementedError.
        """
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        """Returns the cleaned data. Each rule that the new password breaks becomes an error of its field."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.new in cleaned:
            try:
                validate_password(cleaned[self.new], self.owner())
            except ValidationError as error:
                self.add_error(self.new, error)
        return cleaned


class CurrentPasswordForm(RequestForm):
    """A form in which a signed-in user proves ownership of the account by their password."""

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
        """Returns the right password. Raises ValidationError for a wrong one, which is logged and recorded.

        Raises Limited after more tries than PASSWORD_PER_USER allows, right ones included.
        """
        limits.PASSWORD_PER_USER.check(self.request, self.user.pk.hex)
        if not self.user.check_password(self.cleaned_data["password"]):
            record_wrong_password(self.request, self.user)
            raise ValidationError(_("Password is not correct"), code="password")
        return str(self.cleaned_data["password"])


class WithProof(CurrentPasswordForm):
    """A form that asks a signed-in user for their password, unless they have proven ownership in the last 15 minutes.

    `proven` says that they have, and that no password was sent: one that is sent must be right all the same. For a user
    who has neither a password nor such a proof the form is invalid, and `must_ask_mailbox` says that a mailed link must
    come first. Checking the form raises Limited after too many passwords.
    """

    def __init__(self, request: PersonRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        proven = sessions.is_proven(request)
        self.proven = proven and not self.data.get("password")  # a password that is sent must be right all the same
        # A user without a password has no other proof than a mailed link.
        self.must_ask_mailbox = not proven and not self.user.has_usable_password()
        if self.proven or self.must_ask_mailbox:
            del self.fields["password"]

    def clean(self) -> dict[str, Any]:
        """Returns the cleaned data. Raises ValidationError for a user who must first ask for a mailed link."""
        if self.must_ask_mailbox:
            raise ValidationError(_("Ask for a link first: it proves that the account is yours"), code="proof")
        return super().clean() or {}


class PasswordForm(WithProof, WithNewPassword):
    """The form to change the password, or to set the first one."""

    chosen = NewPasswordField(gettext_lazy("New password"))
    field_order = ("password", "chosen")

    def owner(self) -> User:
        return self.user


class ResetForm(WithNewPassword):
    """The form for a new password of `user`, whose mailbox a link has proven; it asks for no other proof."""

    password = NewPasswordField(gettext_lazy("New password"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def owner(self) -> User:
        return self.user
