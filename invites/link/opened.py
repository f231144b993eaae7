"""A mailed link: from its token to a pending invite, or to a dead page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from invites import limits, mails, purposes
from invites.link import browser, dead, opens
from invites.models import Invite, InviteUnavailable, NotInvited
from kit import tokens, visitor
from kit.tokens import Purpose

View = Callable[[HttpRequest, Invite], HttpResponse]


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
                return dead.broken(request)
            if request.method == "POST":
                limits.PRESS_PER_INVITE.check(request, invite.pk.hex)
            if invite.state not in (states or {Invite.State.PENDING}):
                return dead.page(request, invite, purpose)
            opens.note(request, invite)
            try:
                return view(request, invite)
            except NotInvited:
                return dead.closed(request)
            except InviteUnavailable:  # somebody was faster, perhaps this very browser
                invite.refresh_from_db()
                return dead.page(request, invite, purpose)

        return wrapper

    return decorator


def sent_token(request: HttpRequest) -> str:
    """That of the address, or of the form's hidden field."""
    return (request.POST if request.method == "POST" else request.GET).get("token", "")


def find(request: HttpRequest, token: str, *allowed: Purpose) -> tuple[Invite | None, Purpose | None]:
    """The invite of a token, and for which of these purposes it was made; counts the bad ones. Raises Limited."""
    for purpose in allowed:
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
    return render(request, "invites/link/wrong_account.html", context)


def newcomer(request: HttpRequest) -> dict[str, Any]:
    """What a request says of somebody who joins, as Invite.accept takes it."""
    chosen = {"language": get_language()}
    return {"browser": browser.identify(request), "trace": visitor.trace(request), "settings": chosen}
