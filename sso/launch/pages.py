"""The link of an app: /apps/ID."""

from django.http import Http404, HttpResponse

from accounts.session import arrival
from accounts.session.account_page import PersonRequest, account_page
from kit.onward import refresh_answer
from sso import refusals
from sso.models import App


@account_page(safe_only=True)
def launch(request: PersonRequest, pk: str) -> HttpResponse:
    """Leads whoever is let in on to the app with this client id, where the app begins its own sign-in.

    By a page with a Refresh, never by a redirect: people come here out of forms. The link holds nothing that is worth
    stealing, so it may be passed on. Who may not use the app gets the 403 page that says why. Raises Http404 if there
    is no such app.
    """
    app = find(request, pk)
    refusal = app.refusal(request.person, has_code=arrival.read(request).has_code)
    return refusals.page(request, app, refusal) if refusal else refresh_answer(request, app.start_url, app.name)


def find(request: PersonRequest, pk: str) -> App:
    """Returns the app with this client id, as the person finds it. Raises Http404 if there is none."""
    app = App.objects.with_access_of(request.person).by_id(pk).first()
    if app is None:
        raise Http404
    return app
