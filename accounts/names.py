"""Usernames: their rules, and the search for a free one."""

import re
import secrets
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from kit import hosts
from kit.typed import fold

MIN_LENGTH, MAX_LENGTH = 3, 30  # characters

# Names that seem to speak for the site, or that a path or a mailbox of the site could have.
RESERVED = frozenset(
    "abuse account accounts admin administrator anonymous api auth billing confirm contact frontdoor healthz help "
    "hostmaster info invite invites login logout mail me moderator noc null owner postmaster readyz root security "
    "settings signin signout signup staff static status support system team undefined webmaster www".split()
) | {""}  # what is left of a name of dots and dashes alone


def normalize(typed: str) -> str:
    """Returns a typed username in lower case, without white space and invisible characters around it.

    Raises ValidationError, in words for the person who typed it, for a name that is missing, malformed, too short or
    long, reserved, or that reads as a web address.
    """
    name = fold(typed)
    if not name:
        raise ValidationError(_("Enter a username"), code="required")
    # ASCII before lower-casing: "K" (U+212A) lower-cases to "k", and two accounts must never look the same.
    if not re.fullmatch(r"[a-z0-9._-]+", name, re.IGNORECASE | re.ASCII):
        raise ValidationError(
            _("Username must only include letters, digits, dots, hyphens and underscores"), code="invalid"
        )
    if not MIN_LENGTH <= len(name) <= MAX_LENGTH:
        raise ValidationError(
            _("Username must be between %(min)s and %(max)s characters"),
            params={"min": MIN_LENGTH, "max": MAX_LENGTH},
            code="length",
        )
    if is_reserved(name):
        raise ValidationError(_("Choose a different username. This one is reserved"), code="reserved")
    # It stands in mails of this site, whose readers' programs would make a link of it.
    if hosts.reads_as_host(name):
        said = _("Username must not read like a web address. Use a hyphen in place of the dot")
        raise ValidationError(said, code="link")
    return name.lower()


def taken_error(suggestion: str) -> ValidationError:
    """Returns the ValidationError for a username that another user has.

    Its message offers `suggestion`, a free username, unless that is "".
    """
    if not suggestion:
        return ValidationError(_("That username is taken. Choose another one"), code="taken")
    return ValidationError(
        _("That username is taken. %(suggestion)s is free"), params={"suggestion": suggestion}, code="taken"
    )


def is_reserved(name: str) -> bool:
    """Returns whether RESERVED has the name, in any case and with any dots, dashes and underscores in it."""
    return re.sub("[._-]", "", name.lower()) in RESERVED  # ".admin_" must not pass for "admin"


def candidates(wish: str) -> list[str]:
    """Returns usernames made from a wished name or an address, best first: well-formed, but perhaps not free.

    The last one is random, and so is free for certain.
    """
    stem = re.sub(r"[^a-z0-9._-]+", ".", wish.partition("@")[0].partition("+")[0].lower()).strip("._-")
    long, short = (_without_host(stem[: MAX_LENGTH - digits]) for digits in (2, 4))
    numbers = [*range(2, 50), *(secrets.randbelow(9000) + 1000 for _ in range(20))]
    names = [long or "user", *(f"{short or 'user'}{n}" for n in numbers), f"user-{secrets.token_hex(8)}"]
    return [name for name in names if len(name) >= MIN_LENGTH and not is_reserved(name)]


def _without_host(stem: str) -> str:
    return stem.replace(".", "-") if hosts.reads_as_host(stem) else stem


def first_free(names: Iterable[str], taken: Iterable[str]) -> str:
    """Returns the first of `names` that is not in `taken`, or "" if all are."""
    gone = set(taken)
    return next((name for name in names if name not in gone), "")
