"""The pages of links that are over: each says why, and what now."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.session import sessions
from invites import purposes
from invites.link import browser
from invites.models import Invite
from kit import tokens
from kit.tokens import Purpose
from outbox.models import Suppression

GONE = 410

PAGES = {
    Invite.State.CLAIMED: "invites/link/dead/used.html",
    Invite.State.DECLINED: "invites/link/dead/declined.html",
    Invite.State.REVOKED: "invites/link/dead/revoked.html",
}
OWNER_PAGE = "invites/link/dead/owner.html"


def closed(request: HttpRequest) -> HttpResponse:
    return render(request, "invites/link/dead/closed.html", status=403)


def broken(request: HttpRequest) -> HttpResponse:
    return render(request, "invites/link/dead/broken.html", status=404)


def page(request: HttpRequest, invite: Invite, purpose: Purpose) -> HttpResponse:
    """The page of an invite that is over; for the one who used it, the way on."""
    if invite.claimed_at and invite.claimed_by_id and invite.claimed_by_id == request.user.pk:
        return redirect(invite.next or "account")
    if request.method == "POST" and invite.claimed_by and invite.claimed_just_now(browser.identify(request)):
        return second_press(request, invite, invite.claimed_by, purpose)
    if purpose == purposes.OWNER:
        return render(request, OWNER_PAGE, status=GONE)
    if invite.state == Invite.State.EXPIRED:
        return expired(request, invite, purpose)
    if invite.state == Invite.State.PENDING:  # sent once more in this moment, or no longer declined
        return redirect(tokens.path(purpose, invite.pk))
    context: dict[str, Any] = {"invite": invite}
    if invite.state == Invite.State.DECLINED and Suppression.objects.wished_by(invite.email):
        context |= {"wants_no_mail": True, "decline_token": tokens.sign(purposes.DECLINE, invite.pk)}
    return render(request, PAGES[invite.state], context, status=GONE)


def second_press(request: HttpRequest, invite: Invite, account: User, purpose: Purpose) -> HttpResponse:
    """What the first press of a double click has answered."""
    if purpose == purposes.RESET:
        return password_changed(request)
    if purpose == purposes.CONFIRM and invite.username:
        return confirmed(request, invite)
    way = sessions.LINK if purpose == purposes.CONFIRM else sessions.SIGNUP
    return sessions.start(request, account, invite.next, way)


def confirmed(request: HttpRequest, invite: Invite) -> HttpResponse:
    """A planned account stands: to sign-in, with a word of success."""
    messages.success(request, _("Email address confirmed. Sign in to carry on."))
    return redirect_to_login(invite.next) if invite.next else redirect("account_login")


def password_changed(request: HttpRequest) -> HttpResponse:
    messages.success(request, _("Password changed. Sign in with the new one."))
    return redirect("account_login")


def expired(request: HttpRequest, invite: Invite, purpose: Purpose) -> HttpResponse:
    """Offers to mail a fresh link: the token has proven the address once, so there is nothing to type."""
    when = min(invite.expires_at, timezone.now())
    context = {"invite": invite, "when": when, "token": tokens.sign(purpose, invite.pk)}
    return render(request, "invites/link/dead/expired.html", context, status=GONE)
