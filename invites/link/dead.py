"""The pages of links that work no longer: each says why, and what the visitor can do now."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.session import sessions
from invites import purposes, who_may_join
from invites.link import browser
from invites.models import Invite, MagicLink
from kit import addresses, tokens
from kit.tokens import Purpose
from outbox.models import Suppression

GONE = 410
SECOND_PRESS = timedelta(minutes=2)  # how long a double click, or an answer lost on the way, may take

ENDED = "ended"  # a revoked link that its holder had asked for: no invitation was withdrawn

PAGES = {
    "used": "invites/link/dead/used.html",
    "accepted": "invites/link/dead/used.html",
    "declined": "invites/link/dead/declined.html",
    "revoked": "invites/link/dead/revoked.html",
    ENDED: "invites/link/dead/ended.html",
}
OWNER_PAGE = "invites/link/dead/owner.html"


def closed_page(request: HttpRequest, email: str = "") -> HttpResponse:
    """Returns the page (403) that says why this address, or "" for any, needs an invitation to join."""
    context = {"refusal": who_may_join.refusal(email), "can_ask": who_may_join.can_ask()}
    return render(request, "invites/link/dead/closed.html", context, status=403)


def broken_page(request: HttpRequest) -> HttpResponse:
    """Returns the page (404) for an invalid token, or for a link whose person has left."""
    return render(request, "invites/link/dead/broken.html", status=404)


def page(request: HttpRequest, link: MagicLink, purpose: Purpose) -> HttpResponse:
    """Returns the answer to a link that works no longer: a page (410) that says why, or the way on.

    `purpose` is that of the token it was opened by. A signed-in person who has used the link is led to where it leads.
    A second press in the same browser gets the answer of the first, which may sign in again. A link that works again by
    now leads to its own page.
    """
    link.read_use()
    if link.used_at and link.used_by_id and link.used_by_id == request.user.pk:
        tell_first_name(request, request.user)
        return redirect(sessions.landing(request.user, link.leads_to))
    password = request.POST.get("password", "")
    if request.method == "POST" and link.used_by and is_second_press(request, link, purpose, password):
        return second_press(request, link, link.used_by, purpose)
    if purpose == purposes.OWNER:
        return render(request, OWNER_PAGE, status=GONE)
    if link.state == MagicLink.State.EXPIRED:
        return expired_page(request, link, purpose)
    if link.state == MagicLink.State.PENDING:  # its invitation was sent again just now
        return redirect(tokens.path(purpose, link.pk))
    return gone_page(request, ENDED if link.was_ended else link.state, link.invite, link.used_at)


def invitation(request: HttpRequest, invite: Invite) -> HttpResponse:
    """Returns the answer to an invitation that can't be declined any more: a page (410) that says why, or the way on.

    A signed-in person who has accepted the invitation is led to where it leads. One that is pending or expired by now
    leads to the start page.
    """
    if invite.accepted_by_id and invite.accepted_by_id == request.user.pk:
        return redirect(sessions.landing(request.user, invite.leads_to))
    if invite.state in {Invite.State.PENDING, Invite.State.EXPIRED}:  # it has just changed, or was replaced
        return redirect("entry")
    return gone_page(request, invite.state, invite, invite.accepted_at)


def gone_page(request: HttpRequest, state: str, invite: Invite | None, used_at: datetime | None) -> HttpResponse:
    """Returns the page (410) of a link or an invitation whose `state` is used, accepted, declined, revoked or ENDED.

    `invite` is the invitation, or that of the link; `used_at` is when it was used or accepted, if it was. A holder who
    has also asked for no more mail can undo that there.
    """
    context: dict[str, Any] = {"invite": invite, "used_at": used_at}
    if invite and state == Invite.State.DECLINED and Suppression.objects.has_opted_out(invite.email):
        context |= {"wants_no_mail": True, "decline_token": tokens.sign(purposes.DECLINE, invite.pk)}
    return render(request, PAGES[state], context, status=GONE)


def is_second_press(request: HttpRequest, link: MagicLink, purpose: Purpose, password: str = "") -> bool:
    """Returns whether this POST repeats the one that used the link moments ago: same browser, same page.

    It does so after a double click, or when the answer got lost on the way. `purpose` is that of the page. For a reset,
    `password` must be the one that was saved. Returns False if the account was turned off, or all its sessions have
    ended, since.
    """
    here, account, now = browser.identify(request, purpose), link.used_by, timezone.now()
    if not (here and here == link.used_in and link.used_at and now < link.used_at + SECOND_PRESS):
        return False
    if not (account and account.is_active and account.session_epoch == link.epoch):  # signed out everywhere since
        return False
    return purpose != purposes.RESET or account.check_password(password)


def second_press(request: HttpRequest, link: MagicLink, account: User, purpose: Purpose) -> HttpResponse:
    """Returns the answer that the first press of a double click got, on the page for `purpose`.

    Where the first press signed in to `account`, this one signs in again.
    """
    if purpose == purposes.RESET:
        return to_login_with_new_password(request)
    if purpose == purposes.CONFIRM and link.username:
        return to_login_confirmed(request, link)
    tell_first_name(request, account)
    way = sessions.LINK if purpose == purposes.CONFIRM else sessions.SIGNUP
    return sessions.start(request, account, link.leads_to, way)


def tell_first_name(request: HttpRequest, account: User) -> None:
    """Adds a message if this press of the sign-up form brings another username than the one that made the account."""
    sent = request.POST.get("username", "")
    if sent and addresses.key(sent) != account.username:
        said = _("You pressed twice, and the first press counts: your username is %(username)s.")
        change = format_html('<a href="{}">{}</a>', reverse("account_change_username"), _("Change it"))
        messages.info(request, format_html("{} {}", said % {"username": account.username}, change))


def to_login_confirmed(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Leads to the sign-in page, with a message that the address is confirmed: the planned account has been made.

    From there, signing in leads on to where the link leads.
    """
    messages.success(request, _("Email address confirmed. Sign in to carry on."))
    return sessions.back_to_login(link.leads_to)


def to_login_with_new_password(request: HttpRequest) -> HttpResponse:
    """Leads to the sign-in page, with a message that the password was changed."""
    messages.success(request, _("Password changed. Sign in with the new one."))
    return redirect("account_login")


def expired_page(request: HttpRequest, link: MagicLink, purpose: Purpose) -> HttpResponse:
    """Returns the page (410) that offers to mail a fresh link.

    A token for `purpose` in its form names the address, so the visitor types nothing.
    """
    when = min(link.expires_at, timezone.now())
    context = {"link": link, "when": when, "token": tokens.sign(purpose, link.pk)}
    return render(request, "invites/link/dead/expired.html", context, status=GONE)


def signed_in_since_page(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Returns the page (410) of a reset link whose owner has signed in since it was mailed; it offers a fresh one.

    No sign-in ends the fresh link, as its token has proven that the visitor reads the mailbox.
    """
    context = {"link": link, "token": tokens.sign(purposes.RESET, link.pk)}
    return render(request, "invites/link/dead/signed_in_since.html", context, status=GONE)
