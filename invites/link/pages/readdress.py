"""An invitation whose holder uses another address: asking its sender to send it there, and the sender's answer."""

from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language

from accounts import groups
from accounts.session.notes import GOOGLE_IDENTITY
from invites import limits, purposes
from invites.link import dead, opened
from invites.link.readdressing import Readdressing
from invites.models import Invite, MagicLink, Unavailable
from kit import tokens
from kit.page import page


@page(limits.ASK_PER_NETWORK)
@opened.opened_by_link(purposes.SIGNUP)
def ask(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Mails the sender that the holder wants the invitation at another address, and shows that; a GET leads back.

    The holder has proven that address here, by being signed in or by Google. The sender is asked once: a second press
    leads back to the link's page, too. When the invitation has just ended, a page says so (410). Raises Limited after
    too many requests, presses or bad tokens.
    """
    email = request.user.email if request.user.is_authenticated else opened.proven_by_google(request)
    invite = link.invite
    if request.method != "POST" or not email or invite is None or not Readdressing(invite).is_possible(email):
        return redirect(tokens.path(purposes.SIGNUP, link.pk))
    Readdressing(invite).ask(email, get_language() or "")
    GOOGLE_IDENTITY.drop(request)
    context = {"invite": invite, "email": email}
    return render(request, "invites/link/readdress_asked.html", context)


def for_sender(view: opened.InviteView) -> opened.View:
    """Returns the view for an invitation's sender, with the token of the mail that asks for another address.

    A GET shows both buttons, a POST hands the invitation to `view`. An invalid token (404), an invitation that needs no
    answer any more, and the view's Unavailable (both 410) get pages that say so. Raises Limited after too many presses
    or bad tokens.
    """

    @page()
    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponse:
        invite = opened.find_invite(request, opened.sent_token(request), purposes.READDRESS)
        if invite is None:
            return dead.broken_page(request)
        sender = invite.invited_by
        waiting = invite.readdress_to and invite.state in {Invite.State.PENDING, Invite.State.EXPIRED}
        if not waiting or sender is None or not sender.is_usable:
            return render(request, "invites/link/readdress_over.html", status=dead.GONE)
        if request.method != "POST":
            return question(request, invite)
        limits.PRESS_PER_LINK.check(request, invite.pk.hex)
        try:
            return view(request, invite)
        except Unavailable:
            return render(request, "invites/link/readdress_over.html", status=dead.GONE)

    return wrapper


def question(request: HttpRequest, invite: Invite, *, status: int = 200) -> HttpResponse:
    """Returns the page that shows the sender both buttons.

    Instead of the first it shows the way to the desk, if the invitation gives rights there: whoever holds the mail must
    not be able to send these elsewhere.
    """
    context = {
        "invite": invite,
        "token": tokens.sign(purposes.READDRESS, invite.pk),
        "at_desk": gives_rights(invite) and reverse("admin:invites_invite_correct", args=[invite.current.pk]),
    }
    return render(request, "invites/link/readdress.html", context, status=status)


def gives_rights(invite: Invite) -> bool:
    """Returns whether the invitation, or the open one in its place, is into a group that grants permissions."""
    return groups.grant_power(invite.current.group_ids)


@for_sender
def approve(request: HttpRequest, invite: Invite) -> HttpResponse:
    """Shows the sender both buttons. Its POST withdraws the invitation, sends one to the other address, and says so.

    When the sender has answered, or the invitation has ended, a page says so (410). One that gives rights at the desk
    goes nowhere by this: the page says where that can be done (403). Raises Limited after too many presses or bad
    tokens.
    """
    if gives_rights(invite):
        return question(request, invite, status=403)
    Readdressing(invite).approve()
    return render(request, "invites/link/readdress_done.html", {"email": invite.readdress_to, "moved": True})


@for_sender
def decline(request: HttpRequest, invite: Invite) -> HttpResponse:
    """Shows the sender both buttons. Its POST leaves the invitation with its own address, and mails the other about it.

    When the sender has answered, or the invitation has ended, a page says so (410). Raises Limited after too many
    presses or bad tokens.
    """
    Readdressing(invite).refuse()
    return render(request, "invites/link/readdress_done.html", {"email": invite.email, "moved": False})
