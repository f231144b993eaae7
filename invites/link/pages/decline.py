"""Declining an invitation, or all mail of this site, and allowing mail again."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from accounts.limits import POST_PER_NETWORK
from accounts.models import User
from invites import limits, purposes
from invites.link import dead, opened
from invites.link.decline_form import DeclineForm
from invites.models import Invite, Unavailable
from kit import tokens
from kit.page import bind_form, page
from outbox.mail.compose import ONE_CLICK_BODY
from outbox.models import Suppression

DECLINABLE = (Invite.State.PENDING, Invite.State.EXPIRED, Invite.State.REVOKED)


@opened.opened_by_invite(purposes.DECLINE, *DECLINABLE)
def decline(request: HttpRequest, invite: Invite) -> HttpResponse:
    """Shows a field for a reason, a box for a holder who wants no mail at all, and a button that declines.

    Its POST declines the invitation, which its inviter is told, and says so. With `never` the POST also stops all mail
    to the address; an address with an account has no such box. An invitation that can't be declined any more gets a
    page that says why (410). Raises Limited after too many presses or bad tokens.
    """
    form = bind_form(DeclineForm, request)
    if not form.is_valid():
        return decline_page(request, invite, form)
    invite.decline(**form.cleaned_data)
    return declined_page(request, invite)


@csrf_exempt  # a mail program has neither cookie nor form: the token in the URL is the proof (RFC 8058 §3.2)
@page(POST_PER_NETWORK)
def one_click(request: HttpRequest) -> HttpResponseBase:
    """Declines the invitation of the URL's token for good, by the POST that mail programs send (RFC 8058).

    That is "decline, never again", without a reason. The body must be "List-Unsubscribe=One-Click"; any other (400),
    and a GET, which mail scanners send too, change nothing and show the page of decline(). An invitation that was
    declined or accepted before gets the same answer (200), an invalid token a page (404). Raises Limited when a network
    has posted too often, or too many bad tokens, or when the link was pressed too often.
    """
    return press(request) if request.method == "POST" else look(request)


@opened.opened_by_invite(purposes.ONE_CLICK, *DECLINABLE)
def look(request: HttpRequest, invite: Invite) -> HttpResponse:
    """Returns the page of decline(), for the token of a mail's header. Other states are answered as there."""
    return decline_page(request, invite, DeclineForm())


def press(request: HttpRequest) -> HttpResponse:
    """Returns the answer to a POST of one_click()."""
    invite = opened.find_invite(request, request.GET.get("token", ""), purposes.ONE_CLICK)
    if invite is None:
        return dead.broken_page(request)
    limits.PRESS_PER_LINK.check(request, invite.pk.hex)
    name, _equals, value = ONE_CLICK_BODY.partition("=")
    if request.POST.dict() != {name: value}:
        return decline_page(request, invite, DeclineForm(), status=400)
    try:
        invite.decline(never=True)
    except Unavailable:  # it was accepted
        invite.refresh_from_db(fields=["accepted_at"])
        answer = dead.gone_page(request, Invite.State.ACCEPTED, invite, invite.accepted_at)
        answer.status_code = 200  # a mail program would take any other for a failure
        return answer
    return declined_page(request, invite)


def decline_page(request: HttpRequest, invite: Invite, form: DeclineForm, status: int = 200) -> HttpResponse:
    """Returns the page with the button that declines. Its form leads to decline()."""
    context = {
        "invite": invite,
        "form": form,
        "token": tokens.sign(purposes.DECLINE, invite.pk),
        "can_stop": not User.objects.filter(email=invite.email).exists(),
    }
    return render(request, "invites/link/decline.html", context, status=status)


def declined_page(request: HttpRequest, invite: Invite) -> HttpResponse:
    """Returns the page that says that the invitation was declined. A wish for no mail can be undone there."""
    never = Suppression.objects.has_opted_out(invite.email)
    context = {"never": never, "token": tokens.sign(purposes.DECLINE, invite.pk)}
    return render(request, "invites/link/declined.html", context)


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
