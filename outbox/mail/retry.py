"""Trying mail again on somebody's wish, and what came of the wish."""

from collections import Counter
from itertools import batched

from django.db import models, transaction
from django.db.models import Case, Exists, OuterRef, Value, When
from django.utils.translation import gettext_lazy as _

from outbox.models import OutboxMessage, Suppression
from outbox.models.queryset import OutboxQuerySet

BATCH = 500  # rows in one transaction, so that no worker misses them for long


class Outcome(models.TextChoices):
    QUEUED = "queued", _("queued")
    SENT = "sent", _("handed over already")
    TOO_OLD = "too_old", _("too old: send it anew")
    SUPPRESSED = "suppressed", _("mail to the address came back")
    BUSY = "busy", _("being tried just now")


SUPPRESSED = Exists(Suppression.objects.filter(recipient=OuterRef("recipient")))
OUTCOME = Case(
    When(sent_at__isnull=False, then=Value(Outcome.SENT)),
    When(parts={}, then=Value(Outcome.TOO_OLD)),
    When(SUPPRESSED, then=Value(Outcome.SUPPRESSED)),
    default=Value(Outcome.QUEUED),
)


def retry(rows: OutboxQuerySet, *, dry_run: bool = False) -> Counter[str]:
    """Has mail tried now that waits or was given up; counts the outcomes. Waits for no worker."""
    outcomes = Counter[str]()
    for keys in batched(rows.values_list("pk", flat=True).iterator(), BATCH):
        outcomes += _retry(keys, dry_run=dry_run)
    return outcomes


@transaction.atomic
def _retry(keys: tuple[int, ...], *, dry_run: bool) -> Counter[str]:
    rows = OutboxMessage.objects.filter(pk__in=keys)
    # What somebody else has locked is being tried, and what we have locked nobody can mark meanwhile.
    found = dict(rows.select_for_update(skip_locked=True).values_list("pk", OUTCOME))
    if not dry_run:
        rows.filter(pk__in=[key for key, outcome in found.items() if outcome == Outcome.QUEUED]).requeue()
    return Counter(found.values()) + Counter({Outcome.BUSY.value: len(keys) - len(found)})
