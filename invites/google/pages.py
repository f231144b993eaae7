"""The pages of "Continue with Google": going there, coming back, and why nobody was signed in.

What Google's answer means here follows the rules of every other way in.
"""

import logging
from typing import cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from accounts import limits
from accounts.google import client as google
from accounts.models import ConnectedElsewhere, Superseded, User
from accounts.session import sessions
from accounts.session.notes import GOOGLE_IDENTITY, STILL_YOU
from invites import purposes, who_may_join
from invites.ask_for_link.asked import LinkRequest
from invites.ask_for_link.sent import ask_or_wait
from invites.google import trip
from invites.google.join import new_account
from invites.google.trip import GOOGLE_TRIP
from invites.link import opened, stored
from invites.models import MagicLink, NotInvited, Unavailable
from kit import tokens, visitor
from kit.form import STORED, safe_path
from kit.page import page, typed

log = logging.getLogger("frontdoor.invites")

UNVERIFIED, CLOSED, WRONG_ACCOUNT = "unverified", "closed", "wrong_account"
PAGES = {
    UNVERIFIED: ("invites/google/unverified.html", 403),
    CLOSED: ("invites/google/closed.html", 403),
}


@page(limits.GOOGLE_PER_NETWORK)
def start(request: HttpRequest) -> HttpResponse:
    """Shows one button, whose POST leads to Google: so no other site can send people there unasked.

    A person who is signed in is led to the link's page or to `next` instead. Raises Http404 where Google is not
    offered, and Limited when a network has posted too often, or too many invalid tokens.
    """
    if not settings.GOOGLE_CLIENT_ID:
        raise Http404
    sent = request.POST if request.method == "POST" else typed(request) or request.GET
    next_url, link = safe_path(sent.get("next", "")), opened.find_pending(request)
    if request.user.is_authenticated:  # in another tab, and perhaps not as the person who was invited
        return redirect(tokens.path(purposes.SIGNUP, link.pk) if link else sessions.landing(request.user, next_url))
    if request.method != "POST":
        return render(request, "invites/google/start.html", {"next": next_url, "token": sent.get("token", "")})
    return trip.begin(request, next_url, link)


@page(safe_only=True)
def response(request: HttpRequest) -> HttpResponse:
    """Takes Google's answer (GET): signs in, signs up or connects the Google account, and leads on.

    If nobody can be signed in, leads to a page that says why. Raises Http404 where Google is not offered.
    """
    if not settings.GOOGLE_CLIENT_ID:
        raise Http404
    try:
        identity, data = google.answer(request)
    except google.Failed as failure:
        return answer_failure(request, failure)
    if data.get("purpose") == "connect":
        return connect(request, identity, data)
    if data.get("purpose") == "again":
        return again(request, identity, data)
    return enter(request, identity, data)


def answer_failure(request: HttpRequest, failure: google.Failed) -> HttpResponse:
    """Leads to the sign-in page with the other ways in, or a signed-in person to their account, and says what failed.

    Who was to show that it is still them is led back to the page that asks for it. Nothing has changed; a failure that
    the visitor did not choose is logged.
    """
    if not failure.is_cancelled:
        log.warning("google did not say who it is: %s ip=%s", failure, visitor.ip(request))
    still_you = STILL_YOU.read(request) if request.user.is_authenticated else {}
    if request.user.is_authenticated and not still_you.get("google"):
        messages.warning(request, _("Google was not connected. Nothing has changed."))
        return redirect("account")
    if failure.is_cancelled:
        messages.info(request, _("You cancelled signing in with Google. Nothing has changed."))
    else:
        said = _("Google didn’t complete the sign-in. Try again, or use a link from your email.")
        messages.warning(request, said)
    if still_you:
        return ask_still_you(request, still_you["next"])
    if link := link_of(GOOGLE_TRIP.read(request)):
        back = tokens.path(purposes.SIGNUP, link.pk)
        messages.info(request, format_html('<a href="{}">{}</a>', back, _("Back to your invitation")))
    return redirect("account_login")


def enter(request: HttpRequest, identity: google.Identity, data: dict[str, str]) -> HttpResponse:
    """Signs in to the account of a Google identity, or connects or makes one for its address, and leads on.

    Google's word about an address is enough only if Google itself gives it out. Any other is proven by a mailed link:
    by the one that the visitor came from, if they join, else by one that is mailed now. If nobody can be signed in,
    leads to the page that says why. `data` was sent along to Google: `next`, the path to lead to, and `link`, the id of
    the mailed link. An account that is connected already needs no address.
    """
    user = User.objects.by_google(identity.uid)
    if user is None and not identity.is_verified:
        return leave(request, UNVERIFIED, identity.email, data)
    link = link_of(data)
    if link and link.email not in {identity.email, user.email if user else ""}:
        if identity.is_authority:
            GOOGLE_IDENTITY.keep(request, uid=identity.uid, email=identity.email, to_connect=False)
        # Not the account's own address, which may differ: nobody has signed in to the account yet.
        return leave(request, WRONG_ACCOUNT, identity.email, data)
    GOOGLE_TRIP.drop(request)
    next_url = data.get("next") or (link.leads_to if link else "")
    if user:
        return sessions.start(request, user, next_url, sessions.GOOGLE)
    account = User.objects.filter(email=identity.email).first()
    if account is None and (identity.is_authority or link):
        return join(request, identity, data)
    if account is None or not identity.is_authority:
        return ask_mailbox(request, identity, next_url)
    return connect_by_address(request, account, identity, next_url)


def ask_mailbox(request: HttpRequest, identity: google.Identity, next_url: str) -> HttpResponse:
    """Mails a link to the address that Google named, and leads to the page that says so.

    The answer is the same whoever has the address: the visitor has not proven that it is theirs. If its owner signs in
    or up in this browser soon, the Google account is connected. When the address was mailed too often, the page says
    when to ask again (429). Ends any other session here.
    """
    note_to_connect(request, identity)
    return ask_or_wait(request, LinkRequest(identity.email, next=safe_path(next_url, STORED)))


def connect_by_address(request: HttpRequest, account: User, identity: google.Identity, next_url: str) -> HttpResponse:
    """Signs in to `account`, whose address Google itself gives out to the identity, and connects the two.

    If the account has another Google account, leads to the sign-in page, which says so; if all its sessions have just
    ended, it leads there, too. Ends any other session here.
    """
    connected = account.google.account
    if connected and connected.uid != identity.uid:  # if equal, another press has connected it just now
        return elsewhere(request)
    try:
        account.address.prove()
    except Superseded:
        return answer_failure(request, google.Failed("all sessions have ended"))
    note_to_connect(request, identity)
    return sessions.start(request, account, next_url, sessions.GOOGLE)


def note_to_connect(request: HttpRequest, identity: google.Identity) -> None:
    """Notes the identity, to be connected when the owner of its address signs in here. Ends any other session here."""
    if request.user.is_authenticated:  # in another tab; the note must outlive that session
        sessions.end(request)
    GOOGLE_IDENTITY.keep(request, uid=identity.uid, email=identity.email, to_connect=True)


def elsewhere(request: HttpRequest) -> HttpResponse:
    """Leads to the sign-in page, and says that the account has another Google account. None waits to be connected."""
    GOOGLE_IDENTITY.drop(request)
    said = _(
        "The account with this address is connected to another Google account. "
        "Use that one, or sign in another way and change it."
    )
    messages.warning(request, said)
    return redirect("account_login")


def join(request: HttpRequest, identity: google.Identity, data: dict[str, str]) -> HttpResponse:
    """Makes an account without a password for the identity, signs in to it and leads on.

    `data` was sent along to Google: the visitor is led to its `next`, or else to where the invitation leads. Without
    the invitation that is needed, leads to the page that says so. When another press was faster, the answer is that of
    enter().
    """
    try:
        account, invite = new_account(request, identity, link_of(data))
    except NotInvited:
        return leave(request, CLOSED, identity.email, data)
    except (IntegrityError, ConnectedElsewhere, Unavailable):  # another press was faster
        return enter(request, identity, data)
    messages.success(request, _("Your account is ready."))
    next_url = data.get("next") or (invite.leads_to if invite else "")
    return sessions.start(request, account, next_url, sessions.SIGNUP, new=True)


def leave(request: HttpRequest, outcome: str, email: str, data: dict[str, str]) -> HttpResponse:
    """Notes why nobody was signed in, and leads to the page that says so.

    `outcome` is the reason, such as CLOSED, `email` the address that Google named, `data` what was sent along to
    Google. Google's answer works once, but a page may be loaded again: so the reason is on a page of its own.
    """
    going = {"next": data.get("next", ""), "link": data.get("link", "")}
    GOOGLE_TRIP.keep(request, outcome=outcome, email=email, **going)
    return redirect("google_outcome")


@page(safe_only=True)
def outcome(request: HttpRequest) -> HttpResponse:
    """Shows why the last visit to Google has signed nobody in, and the ways on.

    Without such a visit in the last 15 minutes, leads to the start page. A person who is signed in is led to their
    account, unless the reason is that the mailed link is for another address.
    """
    note = GOOGLE_TRIP.read(request)
    link = link_of(note)
    if request.user.is_authenticated and note.get("outcome") != WRONG_ACCOUNT:
        return redirect("account")  # in another tab, and perhaps not as the person that Google named
    if note.get("outcome") == WRONG_ACCOUNT and link:
        proven = opened.proven_by_google(request) == note["email"]
        return opened.wrong_account(request, link, note["email"], proven=proven)
    if note.get("outcome") not in PAGES:
        return redirect("entry")
    template, status = PAGES[note["outcome"]]
    context = {"email": note["email"], "next": note["next"]}
    context |= {"refusal": who_may_join.refusal_by_domain(note["email"]), "can_ask": who_may_join.can_ask()}
    if link:
        context |= {"token": tokens.sign(purposes.SIGNUP, link.pk), "back": tokens.path(purposes.SIGNUP, link.pk)}
    return render(request, template, context, status=status)


def link_of(data: dict[str, str]) -> MagicLink | None:
    """Returns the mailed link that the visitor came from, by the id in `data`, if it is still pending; else None."""
    try:
        link = stored.read(data["link"])
    except (KeyError, ValidationError, MagicLink.DoesNotExist):
        return None
    return link if link.state == MagicLink.State.PENDING else None


def connect(request: HttpRequest, identity: google.Identity, data: dict[str, str]) -> HttpResponse:
    """Connects the Google account to the signed-in person's account, leads there and says whether it was connected.

    `data` names the account, and its session epoch, that accounts.google.pages sent to Google: nothing is connected to
    any other. If all sessions of the account have ended meanwhile, this one ends too, and the visitor is led to the
    sign-in page.
    """
    user = cast("User", request.user)
    if not google.is_for(user, data):
        return answer_failure(request, google.Failed("connecting another account"))
    try:
        user.google.connect(identity.uid, identity.email, **visitor.trace(request))
    except ConnectedElsewhere:
        messages.warning(request, _("That Google account is connected to another account here. Nothing has changed."))
    except Superseded:
        sessions.end(request)
        return answer_failure(request, google.Failed("all sessions have ended"))
    else:
        messages.success(request, _("Google is connected."))
    return redirect("account")


def again(request: HttpRequest, identity: google.Identity, data: dict[str, str]) -> HttpResponse:
    """Takes a Google account as proof that it is still the person who is signed in, and leads on to `next` in `data`.

    It is a new sign-in, as by a mailed link: with two-step verification the page that asks for proof still wants the
    code. Another Google account than the one that is connected proves nothing, and leads back to that page.
    """
    user, next_url = cast("User", request.user), data.get("next", "")
    if not google.is_for(user, data):
        return answer_failure(request, google.Failed("proving another account"))
    STILL_YOU.drop(request)
    account = user.google.account
    if account is None or account.uid != identity.uid:
        messages.warning(request, _("That is not the Google account that is connected here. Nothing has changed."))
        return ask_still_you(request, next_url)
    if user.second_factor.is_on:
        next_url = still_you_path(next_url)
    return sessions.start(request, user, next_url, sessions.GOOGLE)


def ask_still_you(request: HttpRequest, next_url: str) -> HttpResponse:
    """Redirects to the page that asks whether it is still the person who is signed in; it leads on to `next_url`."""
    STILL_YOU.drop(request)
    return redirect(still_you_path(next_url))


def still_you_path(next_url: str) -> str:
    """Returns the path of that page."""
    return f"{reverse('account_login_again')}?{urlencode({'next': next_url})}"
