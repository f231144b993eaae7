"""The apps to which somebody is connected, and their end."""

from datetime import datetime
from typing import Any, NamedTuple

from django.db import models, transaction
from django.db.models import Exists, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Event, User
from kit.prepared import Given, Prepared
from sso import any_app
from sso.models import App, Consent, Login
from sso.models.app_queryset import AppQuerySet

MOST = 100  # apps in one list


class Connection(NamedTuple):
    """An app to which somebody is connected: since when, and the scopes of what it knows of them."""

    app: App
    since: datetime
    seen: list[str]


def list_of(person: User) -> list[Connection]:
    """Returns the apps to which the person is connected, by name, at most MOST. Costs one statement.

    These are the apps to which they have agreed, and those in which they are signed in. Each app has `last_used`; of
    the rest, only its id, name and logout address are read. Costs nothing on a site without apps.
    """
    if any_app.is_missing(person):
        return []
    return [Connection(app, app.since, app.seen) for app in CONNECTED.read(person=person.pk)]  # type: ignore[attr-defined]


def _connected() -> AppQuerySet:
    person = Given("person", models.UUIDField())
    consents = Consent.objects.filter(app=OuterRef("pk"), person=person)
    logins = Login.objects.open().filter(app=OuterRef("pk"), person=person, used_at__isnull=False)
    first = logins.order_by().values("app").annotate(first=Min("made_at")).values("first")
    newest = logins.order_by("-made_at").values("scopes")[:1]
    rows: AppQuerySet = (
        App.objects.filter(Q(Exists(consents)) | Q(Exists(logins)))
        .select_related("client")
        .with_last_use(person)
        .annotate(
            since=Coalesce(Subquery(consents.values("at")), Subquery(first)),
            seen=Coalesce(Subquery(consents.values("scopes")), Subquery(newest)),
        )
        .only("client__name", "logout_uri")
        .order_by("client__name", "pk")[:MOST]
    )
    return rows


CONNECTED = Prepared(_connected)


def disconnect(person: User, client_id: str, **trace: Any) -> App | None:
    """Ends what the person has with an app: their logins in it, with its tokens, and what they have agreed to.

    The app is told, if it listens. Returns the app, or None if they were not connected to it. `trace` is the ip and
    device of the request.
    """
    app = App.objects.select_related("client").by_id(client_id).first()
    if app is None:
        return None
    with transaction.atomic():
        ended = Login.objects.filter(person=person, app=app).end()
        forgotten, _rows = Consent.objects.filter(person=person, app=app).delete()
        if not ended and not forgotten:
            return None
        Event.objects.record(Event.Kind.APP_DISCONNECTED, person, app=app.name, **trace)
    return app
