"""The pages of links that are over: each says why, and what now."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.session import sessions
from invites import purposes
from invites.link import browser
from invites.models import Invite, MagicLink
from kit import tokens
from kit.tokens import Purpose
from outbox.models import Suppression

GONE = 410

PAGES = {
    "used": "invites/link/dead/used.html",
    "accepted": "invites/link/dead/used.html",
    "declined": "invites/link/dead/declined.html",
    "revoked": "invites/link/dead/revoked.html",
}
OWNER_PAGE = "invites/link/dead/owner.html"


def closed(request: HttpRequest) -> HttpResponse:
    return render(request, "invites/link/dead/closed.html", status=403)


def broken(request: HttpRequest) -> HttpResponse:
    return render(request, "invites/link/dead/broken.html", status=404)


def page(request: HttpRequest, link: MagicLink, purpose: Purpose) -> HttpResponse:
    """The page of a link that is over; for whoever used it, the way on."""
    link.read_use()
    if link.used_at and link.used_by_id and link.used_by_id == request.user.pk:
        return redirect(link.leads_to or "account")
    if request.method == "POST" and link.used_by and is_second_press(request, link, purpose):
        return second_press(request, link, link.used_by, purpose)
    if purpose == purposes.OWNER:
        return render(request, OWNER_PAGE, status=GONE)
    if link.state == MagicLink.State.EXPIRED:
        return expired(request, link, purpose)
    if link.state == MagicLink.State.PENDING:  # its invitation was sent again just now, or is no longer declined
        return redirect(tokens.path(purpose, link.pk))
    return gone(request, link.state, link.invite, link.used_at)


def invitation(request: HttpRequest, invite: Invite) -> HttpResponse:
    """The page of an invitation that can't be declined any more; for whoever accepted it, the way on."""
    if invite.accepted_by_id and invite.accepted_by_id == request.user.pk:
        return redirect(invite.next or "account")
    if invite.state in {Invite.State.PENDING, Invite.State.EXPIRED}:  # it has just changed, or something took its place
        return redirect("entry")
    return gone(request, invite.state, invite, invite.accepted_at)


def gone(request: HttpRequest, state: str, invite: Invite | None, used_at: datetime | None) -> HttpResponse:
    context: dict[str, Any] = {"invite": invite, "used_at": used_at}
    if invite and state == Invite.State.DECLINED and Suppression.objects.wished_by(invite.email):
        context |= {"wants_no_mail": True, "decline_token": tokens.sign(purposes.DECLINE, invite.pk)}
    return render(request, PAGES[state], context, status=GONE)


def is_second_press(request: HttpRequest, link: MagicLink, purpose: Purpose) -> bool:
    """Whether this browser sends the same once more."""
    here = browser.identify(request, purpose)
    if purpose == purposes.RESET:
        return link.chose_just_now(here, request.POST.get("password", ""))
    return link.used_just_now(here)


def second_press(request: HttpRequest, link: MagicLink, account: User, purpose: Purpose) -> HttpResponse:
    """What the first press of a double click has answered."""
    if purpose == purposes.RESET:
        return password_changed(request)
    if purpose == purposes.CONFIRM and link.username:
        return confirmed(request, link)
    way = sessions.LINK if purpose == purposes.CONFIRM else sessions.SIGNUP
    return sessions.start(request, account, link.leads_to, way)


def confirmed(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """A planned account stands: to sign-in, with a word of success."""
    messages.success(request, _("Email address confirmed. Sign in to carry on."))
    return sessions.back_to_login(link.leads_to)


def password_changed(request: HttpRequest) -> HttpResponse:
    messages.success(request, _("Password changed. Sign in with the new one."))
    return redirect("account_login")


def expired(request: HttpRequest, link: MagicLink, purpose: Purpose) -> HttpResponse:
    """Offers to mail a fresh link: the token has proven the address once, so there is nothing to type."""
    when = min(link.expires_at, timezone.now())
    context = {"link": link, "when": when, "token": tokens.sign(purpose, link.pk)}
    return render(request, "invites/link/dead/expired.html", context, status=GONE)
