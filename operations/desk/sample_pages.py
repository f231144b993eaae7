"""Pages that a mailed link opens, with made-up facts, to see what they look like."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts import terms
from accounts.gate.form import GateForm
from accounts.models import User
from accounts.password.forms import ResetForm
from invites.link.decline_form import DeclineForm
from invites.models import Invite, MagicLink
from kit.form import Form
from operations.desk.sample_mail import EMAIL, INVITER, NAME

NOWHERE = "#"  # where links lead, and what stands there for a token
OTHER = "hopper@example.com"

# Each page by its name: its words, and its template.
PAGES: dict[str, tuple[str | Promise, str]] = {
    "confirm": (gettext_lazy("Sign in by a link"), "invites/link/confirm.html"),
    "expired": (gettext_lazy("Link that has expired"), "invites/link/dead/expired.html"),
    "used": (gettext_lazy("Link that was used"), "invites/link/dead/used.html"),
    "signed-in-since": (gettext_lazy("Link of before a sign-in"), "invites/link/dead/signed_in_since.html"),
    "ended": (gettext_lazy("Link that was ended"), "invites/link/dead/ended.html"),
    "closed": (gettext_lazy("Accounts are by invitation"), "invites/link/dead/closed.html"),
    "withdrawn": (gettext_lazy("Invitation that was withdrawn"), "invites/link/dead/revoked.html"),
    "turned-down": (gettext_lazy("Invitation that was declined"), "invites/link/dead/declined.html"),
    "groups": (gettext_lazy("Invitation into a group"), "invites/link/into_groups.html"),
    "wrong-account": (gettext_lazy("Invitation of somebody else"), "invites/link/wrong_account.html"),
    "decline": (gettext_lazy("Decline an invitation"), "invites/link/decline.html"),
    "declined": (gettext_lazy("Declined"), "invites/link/declined.html"),
    "readdress": (gettext_lazy("Another address is asked for"), "invites/link/readdress.html"),
    "readdress-asked": (gettext_lazy("Asked for another address"), "invites/link/readdress_asked.html"),
    "readdress-done": (gettext_lazy("Sent to another address"), "invites/link/readdress_done.html"),
    "password": (gettext_lazy("Choose a new password"), "invites/reset_password/choose.html"),
    "not-me-done": (gettext_lazy("“This was not me” is done"), "invites/link/not_me_done.html"),
    "google-closed": (gettext_lazy("Google account without an invitation"), "invites/google/closed.html"),
    "google-unverified": (gettext_lazy("Google account without a proven address"), "invites/google/unverified.html"),
    "turned-off": (gettext_lazy("Account that is turned off"), "accounts/session/inactive.html"),
    "gate": (gettext_lazy("Terms and details"), "accounts/gate/complete.html"),
}


def show(request: HttpRequest, name: str) -> HttpResponse:
    """Returns one of PAGES, by its name. Nothing of it is stored."""
    return render(request, PAGES[name][1], facts(name))


def invitation(inviter: User) -> Invite:
    """Returns an invitation of a made-up person by `inviter`, in the active language, which is not stored."""
    expires_at = timezone.now() + timedelta(days=7)
    said = {"note": _("Glad to have you here!"), "language": get_language() or ""}
    return Invite(email=EMAIL, invited_by=inviter, expires_at=expires_at, **said)


def somebody() -> User:
    """Returns a made-up person, not stored, who has agreed to terms of before and told nothing about themselves."""
    return User(username=NAME.lower(), email=EMAIL, terms=[terms.acceptance("")])


def facts(name: str) -> dict[str, Any]:
    """Returns what any of PAGES may say, in the active language."""
    person = somebody()
    invite = invitation(User(username=INVITER, email=f"{INVITER}@example.com"))
    invite.readdress_to = OTHER if name.startswith("readdress") else ""
    link = MagicLink(email=EMAIL, expires_at=invite.expires_at, invite=invite)
    forms: dict[str, Callable[[], Form]] = {
        "decline": DeclineForm,
        "password": lambda: ResetForm(user=person),
        "gate": lambda: GateForm(user=person),
    }
    return {
        "link": link,
        "invite": invite,
        "account": person,
        "email": OTHER if name == "readdress-asked" else EMAIL,
        "other": OTHER,
        "username": person.username,
        "groups": "Editors",
        "when": timezone.now(),
        "used_at": timezone.now(),
        "token": NOWHERE,
        "decline_token": NOWHERE,
        "decline_url": NOWHERE,
        "here": NOWHERE,
        "next": "",
        "show_url": NOWHERE,
        "back": "",
        "at_desk": "",
        "can_ask": True,
        "can_stop": True,
        "moved": True,
        "form": forms[name]() if name in forms else None,
        "agreed": terms.last_agreed(person),
        "changes": terms.changes(),
    }
