"""What an app learns of a person: the claims of ID tokens and of userinfo, by the scopes that it was given."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group

from accounts import profile_fields
from accounts.models import User

# Names that claims have in the standards: a field of PROFILE_FIELDS that is called like one is not told under it.
STANDARD = {
    *("iss", "sub", "aud", "exp", "iat", "nbf", "jti", "nonce", "azp", "acr", "amr", "auth_time", "at_hash", "c_hash"),
    *("sid", "events", "name", "preferred_username", "email", "email_verified", "groups", "updated_at"),
}


def of(person: User, client_id: str, scopes: Iterable[str]) -> dict[str, Any]:
    """Returns the claims about a person that these scopes give an app, the same in ID token and userinfo.

    `sub` is the id that forward-auth sends as X-Auth-User-Id. `groups` are only those that the app is set up with, so
    that no app learns of the rest.
    """
    given = set(scopes)
    claims: dict[str, Any] = {"sub": str(person.pk)}
    if "profile" in given:
        claims |= _profile(person)
    if "email" in given:
        # An account has one address, and is made only once that is proven.
        claims |= {"email": person.email, "email_verified": True}
    if "groups" in given:
        known = Group.objects.filter(apps=client_id, user=person.pk)
        claims["groups"] = sorted(known.values_list("name", flat=True))
    return claims


def labels_told(person: User) -> list[str]:
    """Returns what the claims of the scope `profile` tell besides name and username, in the words of the site."""
    held = profile_fields.held(person)
    return [str(field.label) for field in profile_fields.own() if held[field.name] and field.name not in STANDARD]


def _profile(person: User) -> dict[str, Any]:
    """Returns name and username, and what the site asks people about themselves, where they have said it."""
    asked = {name: value for name, value in profile_fields.held(person).items() if value and name not in STANDARD}
    return {**asked, "name": person.shown_name, "preferred_username": person.username}
