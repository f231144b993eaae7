"""The link of an app: /apps/ID."""

from django.db import IntegrityError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from accounts.session import arrival
from accounts.session.account_page import PersonRequest, account_page
from kit.onward import refresh_answer
from kit.page import bind_form
from sso import access, refusals
from sso.models import App, Refusal


@account_page(safe_only=True)
def launch(request: PersonRequest, pk: str) -> HttpResponse:
    """Leads whoever is let in on to the app with this client id, where the app begins its own sign-in.

    By a page with a Refresh, never by a redirect: people come here out of forms. The link holds nothing that is worth
    stealing, so it may be passed on. Who may not use the app gets the 403 page that says why. Raises Http404 if there
    is no such app.
    """
    app = find(request.person, pk)
    refusal = app.refusal(request.person, has_code=arrival.read(request).has_code)
    return refusals.page(request, app, refusal) if refusal else refresh_answer(request, app.start_url, app.name)


@account_page(changes=True)
def ask(request: PersonRequest, pk: str) -> HttpResponse:
    """Stores, on POST, that the person asks to be let into the app, and leads to its link, which then says so.

    Does nothing if no group would let them in. Raises Http404 if there is no such app, Limited (the 429 page) after too
    many POSTs.
    """
    app = find(request.person, pk)
    if request.method != "POST" or not access.may_ask(app, request.person):
        return redirect("sso_app", app.pk)
    form = bind_form(access.AskForm, request)
    if not form.is_valid():
        return refusals.page(request, app, Refusal.NO_ACCESS, form=form)
    try:
        access.ask(app, request.person, form.cleaned_data["words"], **request.trace)
    except IntegrityError:  # deleted meanwhile: the app, or the person, whom account_page() finds gone
        find(request.person, pk)
        raise
    return redirect("sso_app", app.pk)


def find(person: User, pk: str) -> App:
    """Returns the app with this client id, as the person finds it. Raises Http404 if there is none."""
    app = App.objects.with_access_of(person).by_id(pk).first()
    if app is None:
        raise Http404
    return app
