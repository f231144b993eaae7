"""A mailed link: from its token to a pending invite, or to the page that says why not and what now."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import clients, limits, sessions
from invites import tokens
from invites.models import Invite, InviteUnavailable, NotInvited

View = Callable[[HttpRequest, Invite], HttpResponse]

GONE = 410

PAGES = {
    Invite.State.CLAIMED: "invites/dead/used.html",
    Invite.State.DECLINED: "invites/dead/declined.html",
    Invite.State.REVOKED: "invites/dead/revoked.html",
}
OWNER_PAGE = "invites/dead/owner.html"


def opened_by_link(purpose: str) -> Callable[[View], Callable[[HttpRequest], HttpResponse]]:
    """Gives a view the pending invite of `?token=` or of the form's hidden field; answers for every other state.

    Some mail servers open links to look for malware, so a GET or HEAD only shows: nothing here writes.
    """

    def decorator(view: View) -> Callable[[HttpRequest], HttpResponse]:
        @never_cache
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def wrapper(request: HttpRequest) -> HttpResponse:
            invite = find(request, purpose)
            if invite is None:
                return broken(request)
            if request.method == "POST":
                limits.PRESS_PER_INVITE.check(request, invite.pk.hex)
            if invite.state != Invite.State.PENDING:
                return dead(request, invite, purpose)
            try:
                return view(request, invite)
            except NotInvited:
                return closed(request)
            except InviteUnavailable:  # somebody was faster, perhaps this very browser
                invite.refresh_from_db()
                return dead(request, invite, purpose)

        return wrapper

    return decorator


def find(request: HttpRequest, *purposes: str) -> Invite | None:
    """The invite whose token, for one of these purposes, came with the request; counts the bad ones."""
    token = (request.POST if request.method == "POST" else request.GET).get("token", "")
    for purpose in purposes:
        try:
            return Invite.objects.select_related("claimed_by", "invited_by").get(pk=tokens.load(purpose, token))
        except (tokens.BadToken, Invite.DoesNotExist):
            continue
    if request.method == "POST":
        limits.BAD_LINK_PER_NETWORK.check(request, clients.network(request))
    return None


def expired_address(request: HttpRequest) -> str:
    """The address to mail a fresh link to, from the token of one that ran out; or ""."""
    invite = find(request, tokens.SIGNUP, tokens.CONFIRM)
    return invite.email if invite and invite.state in {Invite.State.EXPIRED, Invite.State.PENDING} else ""


def closed(request: HttpRequest) -> HttpResponse:
    return render(request, "invites/dead/closed.html", status=403)


def broken(request: HttpRequest) -> HttpResponse:
    return render(request, "invites/dead/broken.html", status=404)


def dead(request: HttpRequest, invite: Invite, purpose: str) -> HttpResponse:
    """The page of an invite that is over; for the one who used it, the way on."""
    if invite.claimed_at and invite.claimed_by_id and invite.claimed_by_id == request.user.pk:
        return redirect(invite.next or "account")
    if request.method == "POST" and invite.claimed_by and invite.claimed_just_now(browser(request)):
        return sessions.start(request, invite.claimed_by, invite.next)
    if purpose == tokens.OWNER:
        return render(request, OWNER_PAGE, status=GONE)
    if invite.state == Invite.State.EXPIRED:
        return expired(request, invite, purpose)
    return render(request, PAGES[invite.state], {"invite": invite}, status=GONE)


def expired(request: HttpRequest, invite: Invite, purpose: str) -> HttpResponse:
    """Offers to mail a fresh link: the token has proven the address once, so there is nothing to type."""
    when = min(invite.expires_at, timezone.now())
    context = {"invite": invite, "when": when, "token": tokens.sign(purpose, invite.pk)}
    return render(request, "invites/dead/expired.html", context, status=GONE)


def browser(request: HttpRequest) -> str:
    """What stays the same between two presses in one browser and nobody else knows: its CSRF cookie, hashed."""
    cookie = request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
    return salted_hmac("frontdoor.invites.browser", cookie, algorithm="sha256").hexdigest() if cookie else ""
