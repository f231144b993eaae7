"""Trying mail again because staff ask for it."""

from collections import Counter
from itertools import batched

from django.db import models, transaction
from django.db.models import Case, Value, When
from django.utils.translation import gettext_lazy as _

from outbox.models import OutboxMessage, Suppression
from outbox.models.queryset import OutboxQuerySet

BATCH = 500  # rows locked in one transaction; more would be kept from the workers for too long


class Outcome(models.TextChoices):
    """What became of the request to try one mail again."""

    QUEUED = "queued", _("queued")
    SENT = "sent", _("handed over already")
    TOO_OLD = "too_old", _("too old: send it again")
    SUPPRESSED = "suppressed", _("to a suppressed address")
    BUSY = "busy", _("being tried just now")


OUTCOME = Case(
    When(sent_at__isnull=False, then=Value(Outcome.SENT)),
    When(parts={}, then=Value(Outcome.TOO_OLD)),
    default=Value(Outcome.QUEUED),
)


def retry(rows: OutboxQuerySet, *, dry_run: bool = False) -> Counter[str]:
    """Makes mail due now that waits or was given up. Returns how many rows had which Outcome.

    Leaves alone what was handed over, is too old, or goes to an address that is suppressed; also rows that a worker has
    locked, without waiting for them (Outcome.BUSY). Each BATCH has its own transaction. With `dry_run` nothing changes.
    """
    outcomes = Counter[str]()
    for keys in batched(rows.values_list("pk", flat=True).iterator(), BATCH):
        outcomes += _retry(keys, dry_run=dry_run)
    return outcomes


@transaction.atomic
def _retry(keys: tuple[int, ...], *, dry_run: bool) -> Counter[str]:
    rows = OutboxMessage.objects.filter(pk__in=keys)
    # A row that another process has locked is being tried. A row that we have locked, nobody can mark meanwhile.
    found = list(rows.select_for_update(skip_locked=True).values_list("pk", "recipient", OUTCOME))
    suppressed = Suppression.objects.among({recipient for _pk, recipient, _outcome in found})
    queued = [pk for pk, to, outcome in found if outcome == Outcome.QUEUED and to not in suppressed]
    outcomes = Counter(outcome for _pk, _to, outcome in found)
    outcomes[Outcome.SUPPRESSED] = outcomes[Outcome.QUEUED] - len(queued)
    outcomes[Outcome.QUEUED] = len(queued)
    outcomes[Outcome.BUSY] = len(keys) - len(found)
    if not dry_run:
        rows.filter(pk__in=queued).requeue()
    return +outcomes
