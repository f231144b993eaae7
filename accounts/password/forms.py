"""Forms with passwords: a new one, and the current one by which a signed-in user proves ownership."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import limits
from accounts.codes import guesses as codes
from accounts.codes.field import HINT, LABEL, CodeField, mismatch
from accounts.models import User
from accounts.password import guesses
from accounts.password.field import PasswordField
from accounts.session import devices, proof, sessions
from accounts.session.account_page import PersonRequest
from kit import rate_limit
from kit.form import Form, RequestForm
from kit.lane import Full


class NewPasswordField(PasswordField):
    """A field for a new password. Its hint states the rules; WithNewPassword checks them, once the name is known."""

    def __init__(self, label: Any) -> None:
        super().__init__(label, gettext_lazy("Enter a password"), "new-password")

    def prepare(self, *, shown: bool) -> None:
        """Sets the hint and attributes that state PASSWORD_MIN_LENGTH; `shown` displays what is typed."""
        least = settings.PASSWORD_MIN_LENGTH
        self.help_text = _("%(min)s characters or more, like four random words") % {"min": least}
        self.widget.attrs["passwordrules"] = f"minlength: {least}; allowed: unicode;"
        if shown:
            self.widget.input_type = "text"


class WithNewPassword(Form):
    """A form with one NewPasswordField, whose value it checks by the site's rules for new passwords.

    `show_password` displays what is typed. A subclass declares the field, and owner(). Once the form is valid,
    `encoded` is the hash to store. It is made before a code or a link is used up, as too many may wait for hashes.
    """

    encoded: str

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
        """Returns the cleaned data. Each rule that the new password breaks becomes an error of its field.

        Raises kit.lane.Full while too many hashes wait.
        """
        cleaned: dict[str, Any] = super().clean() or {}
        if self.new in cleaned:
            try:
                validate_password(cleaned[self.new], self.owner())
            except ValidationError as error:
                self.add_error(self.new, error)
        if not self.errors:
            self.encoded = make_password(cleaned[self.new])
        return cleaned


class WithPassword(RequestForm):
    """A form that asks a signed-in user for their password, unless they have just shown that they are the owner.

    `missing` is what they have not shown, by default since their sign-in, which does not count. A password that is sent
    must be right all the same. For a user who has neither a password nor such a proof the form is
    invalid, and `must_ask_mailbox` says that a mailed link must come first. Checking the form raises Limited after too
    many passwords.
    """

    proofs: ClassVar[tuple[str, ...]] = ("password",)  # the fields that ask for proof

    password = PasswordField(gettext_lazy("Your password"), gettext_lazy("Enter your password"), "current-password")

    def __init__(self, request: PersonRequest, *args: Any, missing: proof.Missing | None = None, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.user = request.person
        self.missing = missing or proof.missing(request, sign_in_counts=False)
        # A user without a password has no other proof than a mailed link.
        self.must_ask_mailbox = self.missing.first and not self.user.has_usable_password()
        if self.must_ask_mailbox or not (self.missing.first or self.sent("password")):
            del self.fields["password"]

    @property
    def proven(self) -> bool:
        """Whether the user has just shown that they are the owner, so that the form asks for nothing more."""
        return not self.must_ask_mailbox and "password" not in self.fields

    def unsent(self) -> dict[str, str]:
        """Returns what is asked for as proof and was not sent: the names of fields, each with what to say of it."""
        asked = {name: self.fields[name] for name in self.proofs if name in self.fields}
        return {name: str(field.error_messages["required"]) for name, field in asked.items() if not self.sent(name)}

    def sent(self, name: str) -> bool:
        """Returns whether anything was sent for the field `name`."""
        return bool(self.data.get(self.add_prefix(name)))

    @property
    def way(self) -> str:
        """The first factor that this checked form has shown, as proof.give() takes it; "" if it has asked for none."""
        return sessions.PASSWORD if self.cleaned_data.get("password") else ""

    def clean_password(self) -> str:
        """Returns the right password. Raises ValidationError for a wrong one, which is logged and recorded.

        As at sign-in, a wrong one counts towards LOGIN_IN_A_ROW on a device that the account has not been used on: a
        thief has the cookie of the session alone. There every password raises ValidationError (code "shut") once the
        account is shut to unknown devices; a mailed link proves as much. Raises Limited after more tries than
        PASSWORD_PER_USER allows, right ones included.
        """
        tries = (limits.PASSWORD_PER_USER, self.user.pk.hex)
        rate_limit.take_all(tries)
        known = bool(devices.known_key(self.request, self.user))
        held = None if known else guesses.find(self.user)
        if held and held.is_shut:
            raise ValidationError(guesses.SHUT, code="shut")
        try:
            is_right = self.user.check_password(self.cleaned_data["password"])
        except Full:  # nothing was tried
            rate_limit.give_back_all(tries)
            raise
        if not is_right:
            guesses.record(self.request, held or guesses.find(self.user), known=known)
            raise ValidationError(_("Password is not correct"), code="password")
        return str(self.cleaned_data["password"])

    def clean(self) -> dict[str, Any]:
        """Returns the cleaned data. Raises ValidationError for a user who must first ask for a mailed link."""
        if self.must_ask_mailbox:
            raise ValidationError(_("Ask for a link first: it proves that the account is yours"), code="proof")
        return super().clean() or {}


class WithProof(WithPassword):
    """A form that asks a signed-in user for every factor that they have not just shown: the password, and a code.

    A code that is sent must be right, too. It is checked last, as it works once.
    """

    proofs = ("password", "code")

    code = CodeField(LABEL, HINT)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not (self.missing.code or self.sent("code")):
            del self.fields["code"]

    @property
    def proven(self) -> bool:
        return super().proven and "code" not in self.fields

    def clean(self) -> dict[str, Any]:
        """Returns the cleaned data. Checks and uses up the code, if it is asked for and all else is right.

        A wrong code becomes an error of its field. Raises what WithPassword.clean() raises, Limited after too many
        codes, and Superseded if all sessions of the account have ended, or it was deleted, meanwhile.
        """
        cleaned = super().clean()
        asked = "code" in self.fields and not self.errors
        if asked and not codes.check(self.request, self.user, cleaned["code"]):
            self.add_error("code", mismatch())
        return cleaned


class PasswordForm(WithProof, WithNewPassword):
    """The form to change the password, or to set the first one."""

    chosen = NewPasswordField(gettext_lazy("New password"))
    field_order = ("password", "code", "chosen")

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
