"""What people have agreed to is stored, and goes into their history, as does their way into an app."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Event, User
from sso.authorize.found import Found
from sso.models import App, Consent


def store(person: User, here: Found, scopes: tuple[str, ...], **trace: Any) -> None:
    """Stores that the person lets the app learn what the scopes name, besides what they have agreed to before.

    `trace` is the ip and device of the request.
    """
    if set(scopes) <= here.agreed:
        return
    row = Consent(person=person, app=here.app, scopes=sorted(here.agreed | set(scopes)), at=timezone.now())
    with transaction.atomic():
        Consent.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["person", "app"], update_fields=["scopes", "at"]
        )
        Event.objects.record(Event.Kind.APP_AGREED, person, app=here.app.name, **trace)


def sign_in_event(person: User, app: App, **trace: Any) -> Event:
    """Returns the line of the history that the person went into the app, not stored yet.

    There is one for each session: apps ask many times a day.
    """
    return Event.objects.compose(Event.Kind.APP_SIGNED_IN, person, app=app.name, **trace)
