"""Which batches there are, and how a list becomes one."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from accounts.models import User
from invites.models.counts import Counts
from invites.models.entries import packed

if TYPE_CHECKING:
    from invites.batch.lists import Line
    from invites.models.batch import Batch

PREVIEW_KEPT = timedelta(days=1)  # a list that was checked and never sent
REFUSED_KEPT = timedelta(days=30)  # what could not be read of a list that was sent
KEPT = timedelta(days=365)


class BatchQuerySet(models.QuerySet["Batch"]):
    def check_list(self, lines: "Iterable[Line]", by: User | None, **given: Any) -> "Batch":
        """Stores a list and what would become of it; `given` stands for what a line leaves open. Sends nothing."""
        batch, entries = self.model(created_by=by), {}
        repeated = 0
        for line in lines:
            if line.entry is None:
                batch.refused.append([line.number, line.text, line.problem])
            elif line.entry.email in entries:
                repeated += 1
            else:
                entries[line.entry.email] = packed(line.entry, given)
                if line.meant:
                    entries[line.entry.email] |= {"meant": line.meant, "line": line.number}
        batch.entries = list(entries.values())
        batch.counts = Counts(repeated=repeated, unreadable=len(batch.refused))
        batch.recount()
        batch.save()
        return batch

    def prunable(self) -> "BatchQuerySet":
        """Lists that were checked and never sent, and those that were sent long ago."""
        now = timezone.now()
        unsent = models.Q(sent_at=None, created_at__lt=now - PREVIEW_KEPT)
        return self.filter(unsent | models.Q(sent_at__lt=now - KEPT))

    def forget_refused(self) -> None:
        """Empties what could not be read of lists sent a while ago: addresses of people nobody knows may be in it."""
        self.filter(sent_at__lt=timezone.now() - REFUSED_KEPT).exclude(refused=[]).update(refused=[])
