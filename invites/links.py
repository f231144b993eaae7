"""A mailed link: from its token to a pending invite, or to the page that says why not and what now."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.session import sessions
from invites import limits, mails, openings, purposes
from invites.models import Invite, InviteUnavailable, NotInvited
from kit import tokens, visitor
from kit.tokens import Purpose
from outbox.models import Suppression

View = Callable[[HttpRequest, Invite], HttpResponse]

GONE = 410

PAGES = {
    Invite.State.CLAIMED: "invites/dead/used.html",
    Invite.State.DECLINED: "invites/dead/declined.html",
    Invite.State.REVOKED: "invites/dead/revoked.html",
}
OWNER_PAGE = "invites/dead/owner.html"


def opened_by_link(purpose: Purpose, *states: Invite.State) -> Callable[[View], Callable[[HttpRequest], HttpResponse]]:
    """Gives a view the invite of `?token=` or of the form's hidden field, if it is pending, or else in one of `states`.

    Answers for every other state.

    Some mail servers open links to look for malware, so a GET or HEAD only shows: nothing here writes.
    """

    def decorator(view: View) -> Callable[[HttpRequest], HttpResponse]:
        @never_cache
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def wrapper(request: HttpRequest) -> HttpResponse:
            invite, _purpose = find(request, sent_token(request), purpose)
            if invite is None:
                return broken(request)
            if request.method == "POST":
                limits.PRESS_PER_INVITE.check(request, invite.pk.hex)
            if invite.state not in (states or {Invite.State.PENDING}):
                return dead(request, invite, purpose)
            openings.note(request, invite)
            try:
                return view(request, invite)
            except NotInvited:
                return closed(request)
            except InviteUnavailable:  # somebody was faster, perhaps this very browser
                invite.refresh_from_db()
                return dead(request, invite, purpose)

        return wrapper

    return decorator


def sent_token(request: HttpRequest) -> str:
    """That of the address, or of the form's hidden field."""
    return (request.POST if request.method == "POST" else request.GET).get("token", "")


def find(request: HttpRequest, token: str, *purposes: Purpose) -> tuple[Invite | None, Purpose | None]:
    """The invite of a token, and for which of these purposes it was made; counts the bad ones. Raises Limited."""
    for purpose in purposes:
        try:
            pk = tokens.load(purpose, token)
            invites = Invite.objects.select_related("claimed_by", "invited_by").exclude(source=Invite.Source.SHADOW)
            return invites.exclude(email="").get(pk=pk), purpose  # "": of who has left
        except (tokens.BadToken, Invite.DoesNotExist):
            continue
    if request.method == "POST":
        limits.BAD_LINK_PER_NETWORK.check(request, visitor.network(request))
    return None, None


def press(request: HttpRequest, invite: Invite) -> None:
    """Counts one more press of its link. Raises Limited, or InviteUnavailable when it is over."""
    limits.PRESS_PER_INVITE.check(request, invite.pk.hex)
    if invite.state != Invite.State.PENDING:
        raise InviteUnavailable


def pending(request: HttpRequest) -> Invite | None:
    """The pending invite of a sign-up link whose token came along, if there is one."""
    token = sent_token(request)
    invite, _purpose = find(request, token, purposes.SIGNUP) if token else (None, None)
    return invite if invite and invite.state == Invite.State.PENDING else None


def expired_address(request: HttpRequest) -> tuple[str, str]:
    """The address to mail a fresh link to, and what was wished, from the token of one that ran out; or "" for both."""
    invite, purpose = find(request, sent_token(request), purposes.SIGNUP, purposes.CONFIRM, purposes.RESET)
    if invite is None or invite.state not in {Invite.State.EXPIRED, Invite.State.PENDING}:
        return "", ""
    planned = mails.REGISTER if purpose == purposes.CONFIRM and invite.password else mails.LINK
    return invite.email, mails.RESET if purpose == purposes.RESET else planned


def closed(request: HttpRequest) -> HttpResponse:
    return render(request, "invites/dead/closed.html", status=403)


def came_as_another(request: HttpRequest, invite: Invite, purpose: Purpose) -> HttpResponse | None:
    """The page for somebody signed in to an account with another address than the one that was invited."""
    email = other_address(request, invite)
    return wrong_account(request, invite, email, purpose) if email else None


def other_address(request: HttpRequest, invite: Invite) -> str:
    """That of who is signed in, if it is not the one that was invited; or ""."""
    email = request.user.email if request.user.is_authenticated else ""
    return "" if email == invite.email else email


def wrong_account(request: HttpRequest, invite: Invite, email: str, purpose: Purpose = purposes.SIGNUP) -> HttpResponse:
    """For who holds the link to one address and uses another: nothing is used up, and both are named."""
    context = {
        "invite": invite,
        "email": email,
        "token": tokens.sign(purpose, invite.pk),
        "here": tokens.path(purpose, invite.pk),
        "can_ask": invite.can_be_readdressed_to(email),
    }
    return render(request, "invites/wrong_account.html", context)


def broken(request: HttpRequest) -> HttpResponse:
    return render(request, "invites/dead/broken.html", status=404)


def dead(request: HttpRequest, invite: Invite, purpose: Purpose) -> HttpResponse:
    """The page of an invite that is over; for the one who used it, the way on."""
    if invite.claimed_at and invite.claimed_by_id and invite.claimed_by_id == request.user.pk:
        return redirect(invite.next or "account")
    if request.method == "POST" and invite.claimed_by and invite.claimed_just_now(browser(request)):
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
    return render(request, "invites/dead/expired.html", context, status=GONE)


def browser(request: HttpRequest) -> str:
    """What stays the same between two presses in one browser and nobody else knows: its CSRF cookie, hashed."""
    cookie = request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
    return salted_hmac("frontdoor.invites.browser", cookie, algorithm="sha256").hexdigest() if cookie else ""


def newcomer(request: HttpRequest) -> dict[str, Any]:
    """What a request says of somebody who joins, as Invite.accept takes it."""
    chosen = {"language": get_language()}
    return {"browser": browser(request), "trace": visitor.trace(request), "settings": chosen}
