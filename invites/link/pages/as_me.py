"""The page on which somebody who is signed in accepts an invitation that went to another address of theirs."""

from typing import cast
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.session import sessions
from accounts.session.account_page import PersonRequest, account_page
from invites import limits, purposes
from invites.link import as_me, opened
from invites.models import MagicLink
from kit import tokens
from kit.addresses import readable
from kit.page import bind_form
from kit.rate_limit import Due


@account_page(Due(limits.ASK_PER_NETWORK))
@opened.opened_by_link(purposes.SIGNUP)
def ask(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Mails a code to the invited address, and leads to the page that takes it; a GET leads back to the invitation.

    So does a POST for an invitation that can't be accepted like this. One that is over gets a page that says why (410).
    Raises Limited after too many mails, requests, presses or bad tokens.
    """
    person = cast("PersonRequest", request).person
    if request.method != "POST" or link.invite is None or not as_me.is_possible(link, person):
        return redirect(tokens.path(purposes.SIGNUP, link.pk))
    as_me.mail_code(request, link.invite, person)
    query = urlencode({"token": tokens.sign(purposes.SIGNUP, link.pk)})
    return redirect(f"{reverse('invite_as_me_code')}?{query}")


@account_page()
@opened.opened_by_link(purposes.SIGNUP, secret=("code",))
def code(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Shows a field for the code. Its POST accepts the invitation for the person, and leads to where that leads.

    An invitation that can't be accepted like this leads back to its own page. One that is over, also if another press
    was faster, gets a page that says why (410). Raises Limited after too many presses or bad tokens.
    """
    person = cast("PersonRequest", request).person
    if link.invite is None or not as_me.is_possible(link, person):
        return redirect(tokens.path(purposes.SIGNUP, link.pk))
    form = bind_form(as_me.CodeForm, request, invite=link.invite, person=person)
    if not form.is_valid():
        context = {"link": link, "form": form, "email": person.email, "token": tokens.sign(purposes.SIGNUP, link.pk)}
        return render(request, "invites/link/as_me.html", context | {"back": tokens.path(purposes.SIGNUP, link.pk)})
    as_me.accept(link, person)
    messages.success(request, _("You’re in, as %(me)s.") % {"me": readable(person.email)})
    return redirect(sessions.landing(person, link.leads_to))
