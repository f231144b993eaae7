"""What a site must ask of people before they go on, once: to agree to its terms, and what it needs to know of them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import profile_fields, terms

if TYPE_CHECKING:
    from accounts.models import User


def is_asked(user: "User") -> bool:
    """Returns whether something is still to be asked of the user. Costs no query."""
    return terms.are_asked(user) or bool(profile_fields.missing(user))


def missing(user: "User") -> list[str]:
    """Returns what is still to be asked of the user, by its names in JSON: "terms", "name", "profile.job".

    Costs no query.
    """
    names = profile_fields.json_names()
    asked = [field.name for field in profile_fields.missing(user)]
    about = [names.get(profile_fields.PREFIX + name, name) for name in asked]
    return [terms.KEY, *about] if terms.are_asked(user) else about


def store(user: "User", cleaned: Mapping[str, Any], **trace: Any) -> None:
    """Stores what the user has answered: terms, name and details among the cleaned data of a form. Others stay.

    `trace` is the ip and device of the request. Raises Superseded if all sessions of the account have ended since the
    user was read.
    """
    with transaction.atomic():
        if version := cleaned.get(terms.KEY):
            user.accept_terms(version, **trace)
        if profile_fields.NAME in cleaned:
            user.call(cleaned[profile_fields.NAME], **trace)
        user.fill_in(profile_fields.values(cleaned), **trace)
