"""What must be so before an app learns who somebody is, step by step, and the page for each that is not so yet."""

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts import asking
from accounts.session import arrival, sessions
from accounts.session.account_page import PersonRequest
from sso import claims, hint, refusals
from sso.authorize import fresh
from sso.authorize.asked import Asked
from sso.authorize.redirects import any_program_can_take
from sso.models import App, Refusal


class Visit(NamedTuple):
    """Somebody who is signed in, and the app that has sent them here."""

    request: PersonRequest
    app: App
    asked: Asked
    agreed: frozenset[str]


class Step(NamedTuple):
    """Something that must be so, else the person gets a page, and an app that asks silently the error."""

    error: str
    is_missing: Callable[[Visit], bool]
    page: Callable[[Visit], HttpResponse]


def is_somebody_else(visit: Visit) -> bool:
    """Returns whether the app expects another person, as the ID token says that it brings."""
    expected = hint.read(visit.asked.id_token_hint, visit.asked.client_id).get("sub")
    return expected is not None and expected != str(visit.request.person.pk)


def refusal(visit: Visit) -> Refusal | None:
    """Returns why the person may not use the app; None if they may."""
    return visit.app.refusal(visit.request.person, has_code=arrival.read(visit.request).has_code)


def must_agree(visit: Visit) -> bool:
    """Returns whether the person is to be asked before the app learns who they are.

    They are asked once, and again for more scopes, and if the app wants that; and each time where another program could
    have sent them, and would get the answer. An app of the house never asks by itself.
    """
    asked, app = visit.asked, visit.app
    must = not set(asked.scopes) <= visit.agreed or any_program_can_take(app, asked.redirect_uri)
    return asked.wants_a_look or (app.asks_consent and must)


def consent_page(visit: Visit) -> HttpResponse:
    """Returns the page that says what the app will learn. Its form is for the address of consent, with the query."""
    request, app, asked, _agreed = visit
    mine = request.person.groups.filter(apps=app.pk) if "groups" in asked.scopes else []
    context = {
        "app": app,
        "email": request.person.email,
        "asked": asked,
        "host": host_of(asked.redirect_uri),
        "details": claims.labels_told(request.person) if "profile" in asked.scopes else [],
        "groups": ", ".join(sorted(group.name for group in mine)),
    }
    return render(request, "sso/authorize/consent.html", context)


def refused(visit: Visit, why: Refusal) -> HttpResponse:
    """Returns the page that says why the person may not use the app."""
    return refusals.page(visit.request, visit.app, why, visit.asked.path)


def host_of(uri: str) -> str:
    """Returns the host that an address leads to; "" for a program on the person's own machine."""
    host = urlsplit(uri).hostname if uri.startswith(("https:", "http:")) else None
    return "" if host in {None, "127.0.0.1", "::1"} else str(host)


STEPS = (
    Step("login_required", is_somebody_else, lambda visit: refused(visit, Refusal.OTHER_ACCOUNT)),
    Step(
        "login_required",
        lambda visit: not fresh.is_fresh(visit.request, visit.asked),
        lambda visit: fresh.send(visit.request, visit.asked),
    ),
    Step(
        "interaction_required",
        lambda visit: asking.is_asked(visit.request.person),
        lambda visit: redirect(sessions.to_gate(visit.asked.path)),
    ),
    Step(
        "access_denied",
        lambda visit: refusal(visit) in {Refusal.OFF, Refusal.NO_ACCESS},
        lambda visit: refused(visit, refusal(visit) or Refusal.NO_ACCESS),
    ),
    Step(
        "interaction_required",
        lambda visit: refusal(visit) is Refusal.SECOND_FACTOR,
        lambda visit: refused(visit, Refusal.SECOND_FACTOR),
    ),
)
CONSENT = Step("consent_required", must_agree, consent_page)
