"""The address to which apps send people (the authorization endpoint), and the form by which people agree."""

from functools import partial
from urllib.parse import urlencode

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from accounts import limits
from accounts.session import arrival
from accounts.session.account_page import PersonRequest, for_person
from kit.page import page
from kit.rate_limit import Limited
from sso import codes, went_wrong
from sso.authorize import agreement, asked, found, fresh, redirects
from sso.authorize.asked import Asked, Refused, Unreadable
from sso.authorize.found import Found, Unknown
from sso.authorize.steps import CONSENT, STEPS, Visit
from sso.limits import SENT_BY_APP_PER_NETWORK, SENT_BY_APP_PER_PERSON

# Errors by which an app learns what the person has said, or would have to be asked: nothing is wrong with it.
ANSWERS = {"access_denied", "login_required", "consent_required", "interaction_required", "temporarily_unavailable"}
CANCEL = "cancel"  # the name of the button by which the person does not agree


@csrf_exempt
@page(limits.POST_PER_NETWORK)
def authorize(request: HttpRequest) -> HttpResponse:
    """Leads the person who is signed in back to the app with a code, or first to what must be so before.

    A form that an app has sent becomes a query: cookies don't come along with forms of other sites, and a reload must
    not send it again. It changes nothing, so it needs no CSRF token.
    """
    if request.method != "POST":
        return answer(request)
    query = asked.as_query(request.POST)
    return redirect(f"{reverse('sso_authorize')}?{query}") if len(query) <= asked.LONGEST_QUERY else unknown(request)


@page(limits.POST_PER_NETWORK)
def consent(request: HttpRequest) -> HttpResponse:
    """Takes the answer to the page that asks the person, which is posted here with the app's query.

    A GET, as by a reload, is as one of authorize().
    """
    return answer(request)


def answer(request: HttpRequest) -> HttpResponse:
    """Returns the answer to what the query asks for.

    An unknown app, an address that it has not registered, and a parameter given twice are told on a page: they never
    redirect (RFC 6749 §4.1.2.1). What else is wrong is told to the app.
    """
    try:
        sent = asked.once(request.GET)
    except Unreadable:
        return unknown(request)
    try:
        here = found.find(sent, request.user, arrival.read(request).handle)
    except Unknown:
        return unknown(request, sent)
    try:
        wanted = asked.read(sent, here.app)
        to_login = partial(sign_in, asked=wanted)
        return for_person(partial(go_on, here=here, asked=wanted), to_login)(request)
    except Refused as refused:
        if refused.error not in ANSWERS:
            went_wrong.note(here.app.pk, refused.why)
        said = {"error": refused.error, "error_description": refused.why, "state": asked.state_of(sent)}
        return redirects.to_app(codes.answer(sent["redirect_uri"], **said), here.app)
    except IntegrityError:  # the app, or the person, has been deleted meanwhile
        return unknown(request)


def unknown(request: HttpRequest, sent: dict[str, str] | None = None) -> HttpResponse:
    """Returns the 400 page for what leads to no app.

    Staff who may see apps also read which of the parameters `sent` is amiss: they may be setting up the app just now.
    """
    context: dict[str, object] = {}
    if sent is not None and request.user.is_staff and request.user.has_perm("sso.view_app"):
        context = {"amiss": found.amiss(sent)}
    return render(request, "sso/authorize/unknown.html", context, status=400)


def sign_in(request: HttpRequest, *, ended: bool, asked: Asked) -> HttpResponse:
    """Redirects to the sign-in page, which leads back here. `ended` or not, there is nothing that could be lost.

    Whoever has no account yet is to come back by the app's own page: a mail is read in another browser, perhaps, where
    the app would refuse the answer. Raises Refused if nobody must be shown anything.
    """
    if asked.is_silent:
        raise Refused("login_required")
    if "login" in asked.prompts or asked.max_age is not None:
        SENT_BY_APP_PER_NETWORK.check_network(request)
        fresh.note(request, asked)
    query = {"next": asked.path, "mailed_next": reverse("sso_app", args=[asked.client_id])}
    query |= {"login_hint": asked.login_hint} if asked.login_hint else {}
    return redirect(f"{reverse('account_login')}?{urlencode(query)}")


def go_on(request: PersonRequest, here: Found, asked: Asked) -> HttpResponse:
    """Leads back to the app with a code, or shows the page of the first step that is missing.

    Raises Refused if the app must be told: nobody may be shown anything, or the person has not agreed.
    """
    visit = Visit(request, here.app, asked, here.agreed)
    answered = request.method == "POST"
    for step in STEPS if answered else (*STEPS, CONSENT):
        if step.is_missing(visit):
            if asked.is_silent:
                raise Refused(step.error)
            return step.page(visit)
    if answered and CANCEL in request.POST:
        raise Refused("access_denied", "the person has cancelled")
    if answered:
        agreement.store(request.person, here, asked.scopes, **request.trace)
    return lead_back(request, here, asked)


def lead_back(request: PersonRequest, here: Found, asked: Asked) -> HttpResponse:
    """Redirects to the app with a code. The first one of a session goes into the person's history.

    Raises Limited when the person is sent here too often, or Refused where nobody may be shown that.
    """
    try:
        SENT_BY_APP_PER_PERSON.check(request, request.person.pk.hex)
    except Limited as limit:
        if asked.is_silent:
            raise Refused("temporarily_unavailable", "too often") from limit
        raise
    fresh.forget(request)
    for_engine = codes.Asked(
        asked.client_id, asked.redirect_uri, asked.scopes, asked.state, asked.nonce, asked.code_challenge
    )
    news = [] if here.is_open_here else [agreement.sign_in_event(request.person, here.app, **request.trace)]
    there = codes.issue(request, here.app, for_engine, *news)
    return redirects.to_app(there, here.app)
