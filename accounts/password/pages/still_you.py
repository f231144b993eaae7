"""The page on which somebody who is signed in shows once more that it is them, and is then led on."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.password import again
from accounts.password.forms import WithProof
from accounts.session import arrival, proof, sessions
from accounts.session.account_page import PersonRequest, account_page
from accounts.session.notes import STILL_YOU
from kit.form import STORED, safe_path
from kit.lane import Full
from kit.page import bind_form, typed
from kit.rate_limit import Limited

# In the query, in place of a path that is too long for a mailed link to store: this session has noted that.
NOTED = "noted"


def next_of(request: HttpRequest) -> str:
    """Returns where the visitor was going, as the request says or this session has noted; "" if neither does."""
    if NOTED in request.GET:
        return str(STILL_YOU.read(request).get("next", ""))
    sent = request.POST if request.method == "POST" else typed(request) or request.GET
    return safe_path(sent.get("next", "") or request.GET.get("next", ""))


def to_login(request: HttpRequest, *, ended: bool) -> HttpResponse:
    """Redirects to the sign-in page, which leads to where the visitor was going; says so if a session has `ended`."""
    if ended:
        messages.info(request, _(sessions.ENDED))
    return sessions.back_to_login(next_of(request))


@account_page(secret=("password", "code"), asks=False, refuse=to_login)
def ask(request: PersonRequest) -> HttpResponse:
    """Asks for the password, and for a code if two-step verification is on; the POST leads to `next`.

    It counts as proof, from which the session has 12 hours more, and gets a new id. Whoever has no password is sent to
    Google, if they have connected it, or mailed a link: either is a new sign-in, after which only the code is asked
    for. Visitors who are not signed in are led to sign-in. After too many passwords or codes (429), and while too many
    hashes wait (503), the page says when to try again. Raises Limited after too many POSTs.
    """
    next_url, missing = next_of(request), proof.everything(request, google_counts=True)
    if NOTED in request.GET and is_answered(request):
        return lead_on(request, next_url)
    limit: Limited | Full | None = None
    form = bind_form(WithProof, request, missing=missing)
    try:
        is_proven = form.is_valid()
    except (Limited, Full) as reached:
        is_proven, limit, form = False, reached, WithProof(request, missing=missing)
    if is_proven:
        proof.give(request, form.way)
        return lead_on(request, next_url)
    context = {"form": form, "next": next_url, "mailed_next": mailed_next(request, next_url)}
    context["by_google"] = form.must_ask_mailbox and settings.GOOGLE_CLIENT_ID and request.person.google.account
    return again.page(request, "accounts/password/still_you.html", context, limit)


def is_answered(request: PersonRequest) -> bool:
    """Returns whether somebody has shown who they are since this session noted where they were going.

    So they have if the note is gone: the link was opened in another browser, which has just signed in by it.
    """
    note = STILL_YOU.read(request)
    return not note or arrival.read(request).shown_at > note["shown_at"]


def lead_on(request: PersonRequest, next_url: str) -> HttpResponse:
    """Redirects to `next_url`, or if it is "" to where people are led after signing in."""
    STILL_YOU.drop(request)
    return redirect(next_url or sessions.landing(request.person))


def mailed_next(request: PersonRequest, next_url: str) -> str:
    """Returns the path that a mailed link is to lead to. One that is too long to be stored is noted in this session."""
    if len(next_url) <= STORED:
        return next_url or sessions.usual_landing()
    STILL_YOU.keep(request, next=next_url, shown_at=arrival.read(request).shown_at)
    return f"{request.path}?{NOTED}"
