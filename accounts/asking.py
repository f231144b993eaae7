"""What a site must ask of people before they go on, once: to agree to its terms, and what it needs to know of them."""

from typing import TYPE_CHECKING

from accounts import profile_fields, terms

if TYPE_CHECKING:
    from accounts.models import User


def is_asked(user: "User") -> bool:
    """Returns whether something is still to be asked of the user. Costs no query."""
    return terms.are_asked(user) or bool(profile_fields.missing(user))
