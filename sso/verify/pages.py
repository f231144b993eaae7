"""The answer to proxies in front of other services that ask who is signed in (docs/forward-auth.md)."""

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts import preferences
from accounts.models import User
from accounts.session import identity, store
from accounts.session.arrival import SHOWN_FACTORS
from sso.models import App, Refusal

log = logging.getLogger("frontdoor.sso")

ASKED = frozenset({"app", identity.SIGN_IN})  # all that a proxy may ask


@cache_control(no_store=True)
@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """Answers 204 with the user in headers (identity.headers) if somebody is signed in, else 401.

    With `?sign-in` it redirects instead of the 401: see identity.unknown(). With `?app=ID` only whoever may use that
    app gets the 204, with those of its groups that they are in; others get 403 with a page. Everybody does for an app
    that does not exist, for two at once, and for a query that asks anything else: a misspelt rule must open to nobody.
    The proxy writes the query, so it must not come from the visitor. Costs one statement, or two with an app. Of the
    middleware, only config.edge.middleware.answer_at_once and what stands before it has run.
    """
    user = store.owner(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))
    if user is None:
        return identity.unknown(request)
    if ASKED.issuperset(request.GET) and "app" not in request.GET:
        return HttpResponse(status=204, headers=identity.headers(user))
    named = request.GET.getlist("app")
    app = find(named[0], user) if ASKED.issuperset(request.GET) and len(named) == 1 else None
    if app is None:
        log.warning("a proxy asks for no app that there is query=%.200r", request.GET.urlencode())
    refusal = app.refusal(user, has_code=user.shown_factor in SHOWN_FACTORS) if app else Refusal.OFF
    if app and not refusal:
        return HttpResponse(status=204, headers=identity.headers(user, app.common_groups))
    return refused(request, user, app, refusal or Refusal.OFF)


def find(client_id: str, user: User) -> App | None:
    """Returns the app with this client id, as the user finds it; None if there is none."""
    return App.objects.with_access_of(user).with_groups_of(user).by_id(client_id).first()


def refused(request: HttpRequest, user: User, app: App | None, refusal: Refusal) -> HttpResponse:
    """Returns the 403 page that names the app and links to its own page here, which says why and what can be done.

    Proxies show it in place of the service, under the same host. It has no form: no CSRF cookie may come with it.
    """
    context = {"app": app, "why": refusal.value, "user": user, "csrf_token": ""}
    with preferences.override(user.settings):
        return render(request, "sso/verify/refused.html", context, status=403)
