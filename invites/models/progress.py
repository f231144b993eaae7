"""Counts what became of many invitations, and of their mails."""

from typing import TYPE_CHECKING

from django.db.models import Count, Q

from invites.models.states import OPEN
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from invites.models.queryset import InviteQuerySet

STATES = {
    "invited": Q(),
    "open": OPEN,
    "opened": Q(opened_at__isnull=False) | Q(accepted_at__isnull=False),
    "accepted": Q(accepted_at__isnull=False),
    "declined": Q(declined_at__isnull=False),
    "revoked": Q(revoked_at__isnull=False),
}
MAILS = {
    "queued": Q(sent_at=None, given_up_at=None),
    "handed": Q(sent_at__isnull=False, bounced_at=None),
    "bounced": Q(bounced_at__isnull=False),
    "given_up": Q(given_up_at__isnull=False, sent_at=None, bounced_at=None),
}


def progress(invites: "InviteQuerySet") -> dict[str, int]:
    """Returns how many of these invitations fit each name of STATES, and how many of their newest mails one of MAILS.

    Takes two statements. `invites` must be sliced or few: the statements read all of them.
    """
    keys = invites.values("pk")
    newest = OutboxMessage.objects.filter(about__in=keys).order_by("about", "-id").distinct("about")
    mails = OutboxMessage.objects.filter(pk__in=newest.values("pk")).aggregate(**counts(MAILS))
    return invites.model.objects.filter(pk__in=keys).aggregate(**counts(STATES)) | mails


def counts(conditions: dict[str, Q]) -> dict[str, Count]:
    return {name: Count("pk", filter=condition or None) for name, condition in conditions.items()}
