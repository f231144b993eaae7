"""The page that says where the mail went, and waits: for a code, or until this browser has come in by itself."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from invites import limits, purposes
from invites.ask_for_link import waiting
from invites.ask_for_link.ask import ask_again
from invites.ask_for_link.asked import LinkRequest, recall, remember
from invites.ask_for_link.sent import limited_page, sent_page
from invites.ask_for_link.typed_code import CodeForm, used
from invites.link import carrying_on, dead, opened, stored
from invites.models import MagicLink, NotInvited, Unavailable
from kit import rate_limit
from kit.framing import in_frame, with_frame
from kit.page import BY_ITSELF, bind_form, page, typed
from kit.rate_limit import Due


@with_frame
@page(Due(limits.ASK_PER_NETWORK))
def sent(request: HttpRequest) -> HttpResponse:
    """Shows where the last link went. Its POST mails a fresh one there and says so, or says when it can be (429).

    With the token of an expired link, the POST mails a fresh one to the address of that link; if its form was out of
    date, it leads back to that link. Without an address to mail, it leads to the start page. Raises Limited when a
    network has posted too often, or too many invalid tokens.
    """
    if request.method != "POST":
        return opened.own_page(typed(request).get("token", "")) or sent_page(request, recall(request), framed=True)
    instead, asked = None, recall(request)
    if "token" in request.POST:
        instead, purpose = opened.find_expired(request, opened.sent_token(request))
        asked = LinkRequest(instead.email, purpose, opened.onward(instead)) if instead else LinkRequest()
    if not asked.email:
        return redirect("entry")
    try:
        ask_again(request, asked, instead)
    except rate_limit.Limited as limit:
        return limited_page(request, asked, limit)
    return remember(request, sent_page(request, asked, resent=True, framed=True), asked)


@with_frame
@page(secret=("code",))
def code(request: HttpRequest) -> HttpResponse:
    """Takes the code that the page of the link shows elsewhere. Its POST does here what that page's button would do.

    So it signs in, makes the account planned here, or leads to the page where more is to be chosen. A wrong code, and
    one that was used, is an error beside the field; after limits.CODE_PER_ASKING wrong ones, only the link helps. A GET
    leads to the page with the field.
    """
    asked = recall(request)
    form = bind_form(CodeForm, request, asked=asked)
    if form.is_valid():
        return carry_on(request, asked, form)
    return (
        sent_page(request, asked, form=form, framed=True)
        if form.is_bound or typed(request)
        else redirect("invite_sent")
    )


def carry_on(request: HttpRequest, asked: LinkRequest, form: CodeForm) -> HttpResponse:
    """Returns the answer to a right code. A link that works no longer is answered as its own page would."""
    link = form.link
    try:
        if link.state == MagicLink.State.PENDING:
            return carrying_on.by_code(request, link)
    except NotInvited:
        return dead.closed_page(request, link.email)
    except Unavailable:  # another press was faster, perhaps of this very browser
        link = stored.read(link.pk)
    link.read_use()
    mine = link.used_by_id and link.used_by_id == request.user.pk
    if link.state == MagicLink.State.USED and not mine and not dead.is_second_press(request, link, purposes.CONFIRM):
        form.add_error("code", used())
        return sent_page(request, asked, form=form, framed=True)
    return dead.page(request, link, purposes.CONFIRM)


@page(safe_only=True)
@in_frame()
def state(request: HttpRequest) -> HttpResponse:
    """Shows, in a frame, whether this browser has come in, and nothing else. It looks again by itself, for ten minutes.

    With "still" in the query it has stopped looking.
    """
    asked = recall(request)
    context = {"still": True, "url": waiting.way_on(request, asked)}
    looks = waiting.looks_left(request)
    if context["url"] or not looks:
        return render(request, "invites/ask_for_link/state.html", context)
    response = render(request, "invites/ask_for_link/state.html", context | {"still": False})
    response["Refresh"] = f"{waiting.PAUSE}; url=?{BY_ITSELF}={looks - 1}"
    return response
