"""Declining an invitation, or all mail of this site, and allowing mail again."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import User
from invites import purposes
from invites.link import opened
from invites.models import Invite
from kit import tokens
from outbox.models import Suppression


@opened.opened_by_invite(purposes.DECLINE, Invite.State.PENDING, Invite.State.EXPIRED, Invite.State.REVOKED)
def decline(request: HttpRequest, invite: Invite) -> HttpResponse:
    """Shows one button, and a box for a holder who wants no mail at all. Its POST declines the invitation, and says so.

    With `never` the POST also stops all mail to the address; an address with an account has no such box. An invitation
    that can't be declined any more gets a page that says why (410). Raises Limited after too many presses or bad
    tokens.
    """
    if request.method == "POST":
        invite.decline(never="never" in request.POST)
        wish = {"never": Suppression.objects.has_opted_out(invite.email), "token": request.POST["token"]}
        return render(request, "invites/link/declined.html", wish)
    context = {
        "invite": invite,
        "token": tokens.sign(purposes.DECLINE, invite.pk),
        "can_stop": not User.objects.filter(email=invite.email).exists(),
    }
    return render(request, "invites/link/decline.html", context)


@opened.opened_by_invite(purposes.DECLINE, *Invite.State)
def write_again(request: HttpRequest, invite: Invite) -> HttpResponse:
    """Shows one button. Its POST allows mail to the invitation's address again, and a page says so.

    It undoes "never write to me again", whatever became of the invitation: its token has proven the mailbox. Raises
    Limited after too many presses or bad tokens.
    """
    if request.method == "POST":
        Suppression.objects.undo_opt_out(invite.email)
        return render(request, "invites/link/write_again_done.html")
    return render(request, "invites/link/write_again.html", {"token": tokens.sign(purposes.DECLINE, invite.pk)})
