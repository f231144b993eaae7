"""Usernames: what they may look like, and which are free."""

import re
import secrets
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

MIN_LENGTH, MAX_LENGTH = 3, 30  # characters

# Names that speak for the site, or that a path or a mailbox of the site could have.
RESERVED = frozenset(
    "abuse account accounts admin administrator anonymous api auth billing confirm contact frontdoor healthz help "
    "hostmaster info invite invites login logout mail me moderator noc null owner postmaster readyz root security "
    "settings signin signout signup staff static status support system team undefined webmaster www".split()
) | {""}  # of dots and dashes alone


def normalize(typed: str) -> str:
    """The lower-case name somebody typed. Raises ValidationError, with words for the person who typed it."""
    name = typed.strip()
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
    return name.lower()


def taken(suggestion: str) -> ValidationError:
    """That somebody else has the name, and which one near it is free."""
    return ValidationError(
        _("That username is taken. %(suggestion)s is free"), params={"suggestion": suggestion}, code="taken"
    )


def is_reserved(name: str) -> bool:
    return re.sub("[._-]", "", name.lower()) in RESERVED  # ".admin_" must not pass for "admin"


def candidates(wish: str) -> list[str]:
    """Names made from a wish or an address, best first; all are well-formed, none is checked to be free."""
    stem = re.sub(r"[^a-z0-9._-]+", ".", wish.partition("@")[0].partition("+")[0].lower()).strip("._-")
    stem = stem[: MAX_LENGTH - 2] or "user"
    numbers = [*range(2, 50), *(secrets.randbelow(9000) + 1000 for _ in range(20))]
    names = [stem, *(f"{stem[: MAX_LENGTH - 4]}{n}" for n in numbers)]
    return [name for name in names if len(name) >= MIN_LENGTH and not is_reserved(name)]


def first_free(names: Iterable[str], taken: Iterable[str]) -> str:
    """The first of some names that is not taken, or ""."""
    gone = set(taken)
    return next((name for name in names if name not in gone), "")
