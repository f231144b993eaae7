"""Finding the app that a request names, with all that the answer depends on, in one statement."""

from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, Subquery

from accounts.models import User
from sso import went_wrong
from sso.authorize.redirects import is_registered
from sso.models import App, Consent, Login

SHOWN = 500  # characters of what was sent: an address of an app has no more


class Unknown(Exception):
    """No app has this id, or the app does not have this address: nobody may be led there, not even with an error."""


class Found(NamedTuple):
    """An app as a visitor finds it."""

    app: App
    agreed: frozenset[str] = frozenset()  # the scopes to which the person has agreed
    is_open_here: bool = False  # whether this session has a login in it already


class Amiss(NamedTuple):
    """What a request names that no app has, for whoever runs the site. Without `app`, no app has the id."""

    client_id: str
    redirect_uri: str
    app: App | None


def amiss(sent: dict[str, str]) -> Amiss:
    """Returns why find() has found nothing for these parameters."""
    client_id = sent.get("client_id", "")
    app = App.objects.select_related("client").by_id(client_id).first()
    return Amiss(client_id[:SHOWN], sent.get("redirect_uri", "")[:SHOWN], app)


def find(sent: dict[str, str], user: User | AnonymousUser, handle: str) -> Found:
    """Returns the app that the parameters name, if it has their redirect_uri; else raises Unknown.

    `handle` is the name of the session of `user`. Costs one statement.
    """
    rows = App.objects.select_related("client").by_id(sent.get("client_id", ""))
    if user.is_authenticated:
        agreed = Consent.objects.filter(app=OuterRef("pk"), person=user.pk).values("scopes")[:1]
        here = Login.objects.open().filter(app=OuterRef("pk"), person=user.pk, handle=handle)
        rows = rows.with_access_of(user).annotate(agreed=Subquery(agreed), is_open_here=Exists(here))
    app: Any = rows.first()
    if app is None:
        raise Unknown
    if not is_registered(app, sent.get("redirect_uri", "")):
        went_wrong.note(app.pk, "redirect_uri is none of the addresses that are set here")
        raise Unknown
    return Found(app, frozenset(app.agreed or []), app.is_open_here) if user.is_authenticated else Found(app)
