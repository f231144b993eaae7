"""The numbers of the desk's home: counted no further than needed, in one statement, for all staff together."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Event, User
from invites.models import Batch, Invite, JoinRequest
from kit.ids import earliest
from kit.list_filter import COUNTED
from operations.desk.counting import count
from operations.desk.remembered import remembered
from outbox.models import OutboxMessage, Suppression, Webhook
from sso.models import AccessRequest

REMEMBERED = 30  # seconds
WEEK = timedelta(days=7)

Numbers = Mapping[str, int]


def look(request: HttpRequest) -> Numbers:
    """Returns the numbers of rows() by their names, up to 30 seconds old; one above COUNTED means "more than that".

    A site that is just being set up is counted each time: it shows what its owner has done a moment ago.
    """
    return remembered(
        "numbers", REMEMBERED, read, lambda: count(request, rows(), COUNTED), lambda numbers: not is_first_day(numbers)
    )


def is_first_day(numbers: Numbers) -> bool:
    """Returns whether nobody was invited yet, and nobody is here but one person."""
    return not numbers["invitations"] and numbers["people"] <= 1


def read(stored: Any) -> dict[str, int]:
    """Returns the numbers that were stored, by name. Raises TypeError, ValueError or KeyError for anything else."""
    return {name: int(stored[name]) for name in rows()}


def rows() -> dict[str, QuerySet[Any]]:
    """Returns the rows that are counted, by the names of their numbers. Each query has an index.

    All of a long table are in the order of its ids, so that their index is read, and not the table.
    """
    now = timezone.now()
    invites = Invite.objects.order_by()
    ending = invites.ending()
    return {
        "invitations": Invite.objects.order_by("-pk"),
        "pending": invites.pending(),
        "undelivered": invites.undelivered(),
        "ending": ending,
        "ending_opened": ending.filter(opened_at__isnull=False),
        "ending_unopened": ending.filter(opened_at=None),
        "accepted": Event.objects.filter(kind=Event.Kind.ACCEPTED, id__gte=earliest(now - WEEK)),
        "requests": JoinRequest.objects.waiting().order_by(),
        "readdressing": Invite.objects.readdressing(),
        "batches": Batch.objects.filter(begun_at__isnull=False),
        "people": User.objects.order_by("-pk"),
        "groups": Group.objects.all(),
        "mails_waiting": OutboxMessage.objects.waiting(),
        "suppressed": Suppression.objects.all(),
        "access_requests": AccessRequest.objects.waiting().order_by(),
        "webhooks": Webhook.objects.all(),
        "webhooks_paused": Webhook.objects.filter(is_active=True, paused_until__isnull=False),
    }
