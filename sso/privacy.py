"""What the room knows about somebody, for the export of their data."""

from django.db.models import F

from accounts.models import User
from accounts.privacy.export import Rows
from sso.models import AccessRequest, Consent, Login


def consents(user: User) -> Rows:
    """Returns which apps may learn what about the user, and since when."""
    rows = Consent.objects.filter(person=user).order_by("at")
    return rows.values("scopes", "at", name=F("app__client__name")).iterator()


def logins(user: User) -> Rows:
    """Returns when the user has signed in to which app, how, and until when that lasted; no hash, code or token."""
    rows = Login.objects.filter(person=user, used_at__isnull=False).order_by("id")
    columns = ("way", "factor", "auth_time", "scopes", "offline", "made_at", "refreshed_at", "ended_at")
    return rows.values(*columns, sub=F("person"), name=F("app__client__name")).iterator()


def requests(user: User) -> Rows:
    """Returns which apps the user asks to be let into, what they wrote, and when somebody answered."""
    rows = AccessRequest.objects.filter(person=user).order_by("asked_at")
    return rows.values("words", "asked_at", "answered_at", name=F("app__client__name")).iterator()
