"""Made-up facts for pages, to see what they look like."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts import limits, terms
from accounts.models import Event, User
from accounts.models.leaving import WAIT
from accounts.models.second_factor import new_secret
from accounts.second_factor import setup
from invites import who_may_join
from invites.models import Invite, MagicLink, Plea
from kit.lane import Full
from kit.rate_limit import Limited
from operations.desk import sample_forms
from operations.desk.sample_mail import EMAIL, INVITER, NAME
from sso.models.app import OFFLINE, SCOPES

NOWHERE = "#"  # where links lead, and what stands there for a token
OTHER = "hopper@example.com"
# Pages whose address is another than the person's own.
OF_ANOTHER = {"readdress-asked", "email-code", "wrong-account", "as-me"}
CODES = [f"{number:04} {9999 - number:04}" for number in range(1234, 10_000, 900)]  # ten, for recovery


def somebody() -> User:
    """Returns a made-up person, not stored, who has agreed to terms of before and told nothing about themselves."""
    return User(username=NAME.lower(), email=EMAIL, terms=[terms.acceptance("")])


def leaving() -> User:
    """Returns a made-up person, not stored, whose account is to be deleted."""
    return User(username=NAME.lower(), email=EMAIL, leaves_at=timezone.now() + WAIT)


def invitation() -> Invite:
    """Returns an invitation of a made-up person by another, in the active language, which is not stored."""
    inviter = User(username=INVITER, email=f"{INVITER}@example.com")
    expires_at = timezone.now() + timedelta(days=7)
    said = {"note": _("Glad to have you here!"), "language": get_language() or ""}
    return Invite(email=EMAIL, invited_by=inviter, expires_at=expires_at, **said)


def facts(request: HttpRequest, name: str) -> dict[str, Any]:
    """Returns what the page of this name may say, in the active language. `request` is of whoever sees it."""
    person, now = somebody(), timezone.now()
    invite = invitation()
    invite.readdress_to = OTHER if name.startswith("readdress") else ""
    link = MagicLink(email=EMAIL, expires_at=invite.expires_at, invite=None if name == "owner" else invite)
    link.purpose = MagicLink.Purpose.OWNER if name == "owner" else MagicLink.Purpose.INVITE
    common = {
        "link": link,
        "invite": link.invite,
        "account": person,
        "email": OTHER if name in OF_ANOTHER else EMAIL,
        "other": OTHER,
        "username": person.username,
        "groups": "Editors",
        "when": now,
        "used_at": now,
        "can_accept": request.user.is_authenticated,
        "can_ask": True,
        "can_stop": True,
        "moved": True,
        "expired": True,
        "agreed": terms.last_agreed(person),
        "changes": terms.changes(),
        "limit": Limited(limits.POST_PER_NETWORK, seconds=600) if name == "429" else None,
        "words": Full.words,
        "code": "0123456789ab",
        "doing": _("Change your username"),
        "there": settings.SIGNED_IN_URL or NOWHERE,
        "app": settings.PRODUCT_NAME,
        "left": len(CODES),
        "batch": 1,
    }
    places = dict.fromkeys(("token", "decline_token", "decline_url", "here", "show_url"), NOWHERE)
    nothing = dict.fromkeys(("next", "mailed_next", "back", "at_desk"), "")
    return common | places | nothing | more(name, person) | {"form": sample_forms.form(request, name, link, person)}


def more(name: str, person: User) -> dict[str, Any]:
    """Returns what one page alone says."""
    if name == "app":
        return setup.ways(person, new_secret())
    if name == "not-me":
        kind = Event.Kind.PASSWORD_CHANGED
        event = Event.objects.compose(kind, person, ip="203.0.113.7", device="Firefox", told=EMAIL)
        return {"event": event, "factor_goes": True, "codes_go": True, "invites": True}
    if name.startswith("keep"):
        return {"account": leaving()}
    asked = {"scopes": (*SCOPES, OFFLINE), "path": NOWHERE, "query": ""}
    app = {"app": {"name": "Grafana", "pk": "grafana", "lets_in": False}}
    alone: dict[str, dict[str, Any]] = {
        "consent": app | {"host": "grafana.example.com", "asked": asked, "details": []},
        "no-access": app | {"why": "no_access", "how_many": 1, "again": NOWHERE},
        "app-refused": app | {"why": "no_access"},
        "app-sign-out": app | {"wish": {"query": "", "is_refused": False}},
        "not-me-done": {"google": "grace@example.org"},
        "recovery-codes": {"codes": CODES},
        "closed": {"refusal": who_may_join.refusal(EMAIL), "can_ask": who_may_join.can_ask()},
        "elsewhere": {"code": "K7WQ-3MTD", "device": "Firefox/Windows", "here_url": NOWHERE},
        "ask-confirm": {"plea": Plea(person.username, _("Glad to have you here!"))},
        "csrf": {"again": [("note", "")]},
    }
    return alone.get(name, {})
