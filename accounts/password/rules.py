"""Rules for a new password, in the words of the sign-up page.

Length does most of the work (NIST SP 800-63B-4); there are no composition rules.
"""

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator, MinimumLengthValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import User


class LengthValidator(MinimumLengthValidator):
    """Django's check that a password has at least `min_length` characters, with our message."""

    def get_error_message(self) -> str:
        return _("Password must be %(min)s characters or more") % {"min": self.min_length}


ROWS = ("0123456789" * 4, "abcdefghijklmnopqrstuvwxyz" * 2, "qwertyuiopasdfghjklzxcvbnm" * 2)


class CommonValidator(CommonPasswordValidator):
    """A check against Django's list of common passwords, and against what its short words become in a long password.

    Also refused are a word of that list repeated ("abcabcabc"), and a run of digits, of the alphabet or of a keyboard's
    row, also backwards.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError for a common password, whoever `user` is."""
        typed = password.lower().strip()
        if any(typed in row or typed[::-1] in row for row in ROWS) or not self.passwords.isdisjoint(_units(typed)):
            raise ValidationError(self.get_error_message(), code="password_too_common")

    def get_error_message(self) -> str:
        return _("That password is on lists attackers try first. Choose a different one")


class SimilarityValidator:
    """A check that the password is more than the user's name or address with a little added."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError for the name or address of `user`, or its part before "@", with little added.

        Little is fewer than PASSWORD_MIN_LENGTH further characters. Without a `user` every password passes.
        """
        typed = password.lower()
        for known in {user.username, user.email, user.email.partition("@")[0]} if user else ():
            # A long passphrase may hold a short name by chance, so what counts is what is left without it.
            if known and known in typed and len(typed.replace(known, "")) < settings.PASSWORD_MIN_LENGTH:
                raise ValidationError(self.get_help_text(), code="password_too_similar")

    def get_help_text(self) -> str:
        return _("Password must not contain your username or email address")


def _units(typed: str) -> set[str]:
    """Returns the typed password, the unit that it repeats ("abc" in "abcabcabc"), and that unit two and six times.

    The list has some short units only in repeated form: "abcabc", "111111".
    """
    repeats = (typed + typed).find(typed, 1)  # the length of the unit
    return {typed, typed[:repeats], typed[:repeats] * 2, typed[:repeats] * 6}
