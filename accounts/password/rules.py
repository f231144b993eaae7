"""Rules for a new password, in the words of the sign-up page. Every door checks them: AUTH_PASSWORD_VALIDATORS.

Length does most of the work (NIST SP 800-63B-4); there are no composition rules.
"""

import re

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator, MinimumLengthValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts import passwords
from accounts.models import User
from accounts.password import breaches
from accounts.password.strength import REPEATS, estimate, repeated

SHORT = 3  # letters; parts of names below that are found in too many words


class LengthValidator(MinimumLengthValidator):
    """Django's check that a password has at least `min_length` characters, with our message."""

    def get_error_message(self) -> str:
        return _("Password must be %(min)s characters or more") % {"min": self.min_length}


class GuessableValidator(CommonPasswordValidator):
    """A check against passwords that are long enough, and yet easy to guess. It names the first reason that it finds.

    A password is easy if it is little more than the user's name or address, if it is on Django's list of common ones,
    if a guesser who knows the site and the user needs few guesses, or if it has leaked (PASSWORD_BREACHES_FILE).
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError for a password that is easy to guess, by somebody who knows `user` if there is one."""
        if len(password) < settings.PASSWORD_MIN_LENGTH:
            return  # LengthValidator says so, and that is enough to say
        typed = passwords.normalize(password)
        if user and _is_little_more_than_a_name(typed.lower(), user):
            raise ValidationError(self.get_help_text(), code="password_too_similar")
        if not self.passwords.isdisjoint(_with_unit(typed.lower().strip())):
            raise ValidationError(self.get_error_message(), code="password_too_common")
        if 0 < len(repeated(typed)) < settings.PASSWORD_MIN_LENGTH:  # typed twice, what is too short is still too easy
            raise ValidationError(_advise(str(REPEATS)), code="password_too_weak")
        strength = estimate(typed, words_about(user))
        if strength.guesses < enough_guesses():
            raise ValidationError(_advise(strength.why), code="password_too_weak")
        if breaches.is_breached(typed):
            raise ValidationError(
                _("That password has leaked somewhere, and attackers try leaked ones first. Choose a different one"),
                code="password_breached",
            )

    def get_error_message(self) -> str:
        return _("That password is on lists attackers try first. Choose a different one")

    def get_help_text(self) -> str:
        return _("Password must not contain your username or email address")


def enough_guesses() -> int:
    """Returns how many guesses a password must take at least: 10^10, which zxcvbn calls very unguessable.

    A site that allows passwords too short for that asks for a tenth of what the best of them take.
    """
    return int(10 ** min(10, settings.PASSWORD_MIN_LENGTH - 1))


def words_about(user: User | None) -> list[str]:
    """Returns the words that a guesser tries first: of the site, of `user`, and of whoever has invited them.

    Names and addresses stand there whole and in parts: "ada.lovelace@example.com", "ada", "lovelace", "example".
    """
    wholes = [settings.SITE_NAME, settings.SITE_HOST]
    if user:
        wholes += [user.username, user.name, user.email, user.inviter_name]
    parts = [part for whole in wholes for part in re.split(r"[\W_]+", whole) if len(part) >= SHORT]
    joined = ["".join(re.split(r"[\W_]+", whole)) for whole in wholes]
    return [word.lower() for word in dict.fromkeys([*wholes, *parts, *joined]) if word]


def _is_little_more_than_a_name(typed: str, user: User) -> bool:
    """Returns whether `typed` is the user's name or address, or its part before "@", with a little added.

    Little is fewer than PASSWORD_MIN_LENGTH further characters. A long passphrase may hold a short name by chance.
    """
    names = {user.username, user.email, user.email.partition("@")[0]} - {""}
    return any(name in typed and len(typed.replace(name, "")) < settings.PASSWORD_MIN_LENGTH for name in names)


def _with_unit(typed: str) -> set[str]:
    """Returns the typed password, and the unit that it repeats: "abc" in "abcabcabc"."""
    return {typed, typed[: (typed + typed).find(typed, 1)]}


def _advise(why: str) -> str:
    """Returns the message for a password that is easy to guess because of `why`, a sentence or ""."""
    why = why or _("That password is easy to guess.")
    advice = _("Use four random words, or let your browser or password manager make one up")
    return f"{why} {advice}"
