"""What makes a login alive, as a condition for PostgreSQL: its session, its person, and access to its app."""

from datetime import timedelta
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.lookups import IsNull
from django.utils import timezone

from accounts.models import Session
from accounts.session.arrival import SHOWN_FACTORS
from sso.models.app import App

OFFLINE_LASTS = timedelta(days=30)  # of a login that outlives its session


def is_alive() -> Q:
    """Returns the condition that the row of a login meets if it is alive (LoginQuerySet.alive())."""
    session = Session.objects.filter(user=OuterRef("person"), handle=OuterRef("handle"), expire_date__gt=timezone.now())
    outlives = Q(offline=True, app__offline=True, made_at__gt=timezone.now() - OFFLINE_LASTS)
    goes_on = Q(there_is(session)) | outlives
    there = Q(ended_at=None, person__is_active=True, epoch=F("person__session_epoch"))
    return Q(goes_on, is_let_in(), there)


def is_let_in() -> Q:
    """Returns the condition that the app of a login is on and still lets its person in, as App.refusal() has it."""
    mine = App.groups.through.objects.filter(app=OuterRef("app"), group__user=OuterRef("person"))
    staff = Q(person__is_staff=True) | Q(person__is_superuser=True)
    return (
        Q(Q(app__everybody=True) | Q(there_is(mine)), app__is_active=True)
        & (Q(app__staff_only=False) | staff)
        & (Q(app__second_factor=False) | Q(factor__in=SHOWN_FACTORS))
    )


def there_is(rows: QuerySet[Any, Any]) -> IsNull:
    """Returns a condition that is true if `rows`, which refer to the row outside, has one.

    PostgreSQL asks it for each row outside, by an index. For an EXISTS beside an OR it may read all rows and hash them,
    such as all members of all groups, to learn of one person.
    """
    return IsNull(Subquery(rows.values("pk")[:1]), False)
