"""The pages on which strangers ask to join, prove their address, and take their request back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from invites import limits, purposes, who_may_join
from invites.ask_for_link.ask import log
from invites.ask_for_link.asked import remember
from invites.ask_for_link.sent import ask_or_wait
from invites.join_requests.form import PleaForm
from invites.link import browser, dead, opened
from invites.models import AlreadyIn, JoinRequest, MagicLink, Plea
from kit import tokens, visitor
from kit.form import login_hint
from kit.page import bind_form, page
from kit.rate_limit import Due
from outbox.mail import lateness


@page(Due(limits.ASK_PER_NETWORK))
def ask(request: HttpRequest) -> HttpResponse:
    """Shows the form. Its POST mails a link there, and leads to the page that says where it went.

    Nothing depends on whose the address is: the mail to one with an account signs in, that to an invited one is the
    invitation. A probable typo is pointed out once. A program that fills in the hidden field gets the usual answer, but
    no mail is sent. Leads to the start page where anybody may join, and for a person who is signed in. When the address
    was mailed too often, the page says when to ask again (429). Raises Limited when a network has posted, or too many
    people have asked, too often.
    """
    if not who_may_join.can_ask() or request.user.is_authenticated:
        return redirect("entry")
    form = bind_form(PleaForm, request, initial={"email": login_hint(request)})
    if not form.is_valid():
        return form_page(request, form)
    if suggestion := form.doubt():
        form.data = {**form.data.dict(), "sure": form.cleaned_data["email"]}  # type: ignore[attr-defined]
        return form_page(request, form, suggestion)
    if form.cleaned_data["leave_empty"]:
        log.warning("a program asked to join ip=%s", visitor.ip(request))
        return remember(request, redirect("invite_sent"), form.asked())
    return ask_or_wait(request, form.asked(), **form.plan(request))


def form_page(request: HttpRequest, form: PleaForm, suggestion: str = "") -> HttpResponse:
    """Returns the page with the form. `suggestion` is the address that was probably meant, or ""."""
    context = {"form": form, "suggestion": suggestion, "minutes_late": lateness.minutes()}
    return render(request, "invites/join_requests/ask.html", context)


@page()
def confirm(request: HttpRequest) -> HttpResponse:
    """Shows, for the token of the mail, what is asked, and one button. Its POST proves the address.

    Then staff see the request, and the page says so: the same to who has asked before, or was declined. Who can come in
    by now reads that instead. A link that works no longer, and an invalid token, get pages of their own. Raises Limited
    after too many presses or bad tokens.
    """
    return opened.opened_by(find, {MagicLink.State.PENDING}, over, prove)(request)


def find(request: HttpRequest) -> MagicLink | None:
    """Returns the link of the request's token, in whatever state; None if it is none to ask to join."""
    return opened.find_link(request, opened.sent_token(request), purposes.REQUEST)


def prove(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Shows what is asked with the link; its POST proves the address. Raises Unavailable if the link is over."""
    if request.method != "POST":
        context = {"link": link, "plea": Plea.unpack(link.details), "token": tokens.sign(purposes.REQUEST, link.pk)}
        return render(request, "invites/join_requests/confirm.html", context)
    try:
        is_new = JoinRequest.objects.prove(link, browser.identify(request, purposes.REQUEST))
    except AlreadyIn:
        return render(request, "invites/join_requests/already_in.html", {"email": link.email})
    return done(request, link, already=not is_new)


def over(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Returns the answer to a link that works no longer: of a used one, what became of the request."""
    if link.state == MagicLink.State.USED and JoinRequest.objects.stands(link.email):
        return done(request, link)
    return dead.page(request, link, purposes.REQUEST)


def done(request: HttpRequest, link: MagicLink, *, already: bool = False) -> HttpResponse:
    """Returns the page that says that the request is in, with a button that takes it back.

    `already` says that another was there before this one.
    """
    context = {"email": link.email, "already": already, "token": tokens.sign(purposes.REQUEST, link.pk)}
    return render(request, "invites/join_requests/done.html", context)


@page()
def take_back(request: HttpRequest) -> HttpResponse:
    """Deletes, on POST, the request of the token's address, and leads to the start page with a message.

    It does not say whether there was one, or whether it was answered before. A GET leads to the form. An invalid token
    gets a page (404). Raises Limited after too many presses or bad tokens.
    """
    if request.method != "POST":
        return redirect("ask")

    def delete(request: HttpRequest, link: MagicLink) -> HttpResponse:
        JoinRequest.objects.filter(email=link.email).take_back()
        messages.success(request, _("Your request is deleted."))
        return redirect("entry")

    return opened.opened_by(find, set(MagicLink.State), over, delete)(request)
