"""Continue with Google: there, back, and what its answer means here. The rules are those of every door."""

import logging
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import format_html
from django.utils.translation import gettext as _

from accounts import limits
from accounts.google import client as google
from accounts.models import ConnectedElsewhere, Superseded, User
from accounts.session import sessions
from accounts.session.notes import GOOGLE_IDENTITY
from invites import purposes
from invites.google import trip
from invites.google.join import new_account
from invites.google.trip import GOOGLE_TRIP
from invites.link import opened
from invites.models import MagicLink, NotInvited, Unavailable
from kit import tokens, visitor
from kit.form import same_site
from kit.page import page

log = logging.getLogger("frontdoor.invites")

UNVERIFIED, CONFLICT, CLOSED, WRONG_ACCOUNT = "unverified", "conflict", "closed", "wrong_account"
PAGES = {
    UNVERIFIED: ("invites/google/unverified.html", 403),
    CONFLICT: ("invites/google/conflict.html", 200),
    CLOSED: ("invites/google/closed.html", 403),
}


@page(limits.GOOGLE_PER_NETWORK)
def start(request: HttpRequest) -> HttpResponse:
    """To Google; by a link only after a button, so that no other site can send people there unasked."""
    if not settings.GOOGLE_CLIENT_ID:
        raise Http404
    typed = request.POST if request.method == "POST" else request.GET
    next_url, link = same_site(typed.get("next", "")), opened.find_pending(request)
    if request.user.is_authenticated:  # in another tab, perhaps as another than the one who was invited
        return redirect(tokens.path(purposes.SIGNUP, link.pk) if link else next_url or "account")
    if request.method != "POST":
        return render(request, "invites/google/start.html", {"next": next_url, "token": typed.get("token", "")})
    return trip.begin(request, next_url, link)


@page(safe_only=True)
def response(request: HttpRequest) -> HttpResponse:
    """Where Google sends people back to: somebody comes in, or connects an account."""
    if not settings.GOOGLE_CLIENT_ID:
        raise Http404
    try:
        identity, data = google.answer(request)
    except google.Failed as failure:
        return failed(request, failure)
    if data.get("purpose") == "connect":
        return connect(request, identity, data)
    return enter(request, identity, data)


def failed(request: HttpRequest, failure: google.Failed) -> HttpResponse:
    """Nothing was made, and the other ways in are on the page."""
    if not failure.is_cancelled:
        log.warning("google did not say who it is: %s ip=%s", failure, visitor.ip(request))
    if request.user.is_authenticated:
        messages.warning(request, _("Google was not connected. Nothing has changed."))
        return redirect("account")
    if failure.is_cancelled:
        messages.info(request, _("You cancelled signing in with Google. Nothing has changed."))
    else:
        said = _("Google didn’t complete the sign-in. Try again, or use a link from your email.")
        messages.warning(request, said)
    if link := link_of(GOOGLE_TRIP.read(request)):
        back = tokens.path(purposes.SIGNUP, link.pk)
        messages.info(request, format_html('<a href="{}">{}</a>', back, _("Back to your invitation")))
    return redirect("account_login")


def enter(request: HttpRequest, identity: google.Identity, data: dict[str, str]) -> HttpResponse:
    """Signs in, joins, or says why neither."""
    user = User.objects.by_google(identity.uid)
    if user is None and not identity.is_verified:
        return leave(request, UNVERIFIED, identity.email, data)
    link = link_of(data)
    if link and link.email not in {identity.email, user.email if user else ""}:
        if identity.is_verified:
            GOOGLE_IDENTITY.keep(request, uid=identity.uid, email=identity.email, to_connect=False)
        # Never the address of the account, which may be another: it has not been entered yet.
        return leave(request, WRONG_ACCOUNT, identity.email, data)
    GOOGLE_TRIP.drop(request)
    next_url = data.get("next") or (link.leads_to if link else "")
    if user:
        return sessions.start(request, user, next_url, sessions.GOOGLE)
    account = User.objects.filter(email=identity.email).first()
    return connect_or_ask(request, account, identity, next_url) if account else join(request, identity, data)


def connect_or_ask(request: HttpRequest, account: User, identity: google.Identity, next_url: str) -> HttpResponse:
    """Connects an account that has the address already, as soon as its owner has signed in.

    Coming by Google is enough for that if the address is Google's own to give.
    """
    if request.user.is_authenticated:  # in another tab; what is kept must outlive that
        sessions.end(request)
    GOOGLE_IDENTITY.keep(request, uid=identity.uid, email=identity.email, to_connect=True)
    if not identity.is_authority:
        return leave(request, CONFLICT, identity.email, {"next": next_url})
    connected = account.google.account
    if connected and connected.uid != identity.uid:  # else another press has made the account just now
        return elsewhere(request)
    account.prove_address()
    return sessions.start(request, account, next_url, sessions.GOOGLE)


def elsewhere(request: HttpRequest) -> HttpResponse:
    said = _(
        "The account with this address is connected to another Google account. "
        "Use that one, or sign in another way and change it."
    )
    messages.warning(request, said)
    return redirect("account_login")


def join(request: HttpRequest, identity: google.Identity, data: dict[str, str]) -> HttpResponse:
    """An account without a password, under the name that is nearest to the address."""
    try:
        account, invite = new_account(request, identity, link_of(data))
    except NotInvited:
        return leave(request, CLOSED, identity.email, data)
    except (IntegrityError, ConnectedElsewhere, Unavailable):  # somebody was faster: the account, name or invitation
        return enter(request, identity, data)
    messages.success(request, _("Your account is ready."))
    next_url = data.get("next") or (invite.next if invite else "")
    return sessions.start(request, account, next_url, sessions.SIGNUP, new=True)


def leave(request: HttpRequest, outcome: str, email: str, data: dict[str, str]) -> HttpResponse:
    """To the page that says why somebody is not in: Google's answer works once, and pages are loaded again."""
    going = {"next": data.get("next", ""), "link": data.get("link", "")}
    GOOGLE_TRIP.keep(request, outcome=outcome, email=email, **going)
    return redirect("google_outcome")


@page(safe_only=True)
def outcome(request: HttpRequest) -> HttpResponse:
    """Why the last visit to Google has led no further, and the ways on."""
    note = GOOGLE_TRIP.read(request)
    link = link_of(note)
    if request.user.is_authenticated and note.get("outcome") != WRONG_ACCOUNT:
        return redirect("account")  # perhaps as another than whom Google has seen
    if note.get("outcome") == WRONG_ACCOUNT and link:
        return opened.wrong_account(request, link, note["email"])
    if note.get("outcome") not in PAGES:
        return redirect("entry")
    template, status = PAGES[note["outcome"]]
    context = {"email": note["email"], "next": note["next"]}
    if link:
        context |= {"token": tokens.sign(purposes.SIGNUP, link.pk), "back": tokens.path(purposes.SIGNUP, link.pk)}
    return render(request, template, context, status=status)


def link_of(data: dict[str, str]) -> MagicLink | None:
    """The link by which somebody came, if it is pending still."""
    try:
        link = opened.read(data["link"])
    except (KeyError, ValidationError, MagicLink.DoesNotExist):
        return None
    return link if link.state == MagicLink.State.PENDING else None


def connect(request: HttpRequest, identity: google.Identity, data: dict[str, str]) -> HttpResponse:
    """What accounts.google.pages has begun, for the same session of the same account."""
    user = cast("User", request.user)
    if not user.is_authenticated or [user.pk.hex, str(user.session_epoch)] != [data.get("user"), data.get("epoch")]:
        return failed(request, google.Failed("connecting another account"))
    try:
        user.google.connect(identity.uid, identity.email, **visitor.trace(request))
    except ConnectedElsewhere:
        messages.warning(request, _("That Google account is connected to another account here. Nothing has changed."))
    except Superseded:
        sessions.end(request)
        return failed(request, google.Failed("all sessions have ended"))
    else:
        messages.success(request, _("Google is connected."))
    return redirect("account")
