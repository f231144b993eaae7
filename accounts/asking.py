"""What a site must ask of people before they go on, once: what it needs to know about them (PROFILE_FIELDS)."""

from typing import TYPE_CHECKING

from accounts import profile_fields

if TYPE_CHECKING:
    from accounts.models import User


def is_asked(user: "User") -> bool:
    """Returns whether something is still to be asked of the user. Costs no query."""
    return bool(profile_fields.missing(user))
