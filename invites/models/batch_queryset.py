"""Queries for batches, and making a batch of a list."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from accounts.models import User
from invites.models.counts import Counts
from invites.models.entries import LED, pack
from invites.models.queryset import Entry
from kit import each_language
from kit.each_language import Words

if TYPE_CHECKING:
    from invites.batch.lists import Line
    from invites.models.batch import Batch

PREVIEW_KEPT = timedelta(days=1)  # for a list that was checked and never sent
REFUSED_KEPT = timedelta(days=30)  # for the unreadable lines of a list that was sent
KEPT = timedelta(days=365)  # for a batch that was sent


class BatchQuerySet(models.QuerySet["Batch"]):
    """Queries for batches, and making a batch of a list."""

    def check_list(
        self, lines: "Iterable[Line]", by: User | None, *, name: str = "", remarks: Sequence[Words] = (), **common: Any
    ) -> "Batch":
        """Stores a list as a batch of `by`, with what would become of each of its lines. Returns the batch.

        `remarks` are lazy sentences on how the list was read. `common` are values of Entry (note, language, lifetime)
        for lines that leave them empty, and entries.LED, where all are led whose line does not say it. Of lines that
        name an address again, only the first counts. Sends nothing.
        """
        batch = self.model(
            created_by=by, name=name, remarks=list(map(each_language.write, remarks)), common=pack(Entry(""), common)
        )
        given = {name: value for name, value in common.items() if name not in LED}
        seen = set[str]()
        for line in lines:
            if line.entry is None:
                batch.refused.append({**line.said, "line": line.number, "problem": each_language.write(line.problem)})
                continue
            row = pack(line.entry, given) | {"line": line.number}
            row |= {"meant": line.meant} if line.meant else {}
            batch.entries.append(row | ({"fate": "repeated"} if line.entry.email in seen else {}))
            seen.add(line.entry.email)
        batch.counts = Counts(unreadable=len(batch.refused))
        batch.recount()
        batch.save()
        return batch

    def prunable(self) -> "BatchQuerySet":
        """Returns batches to prune: made over a day ago and not sent, or sent more than a year ago."""
        now = timezone.now()
        unsent = models.Q(sent_at=None, created_at__lt=now - PREVIEW_KEPT)
        return self.filter(unsent | models.Q(sent_at__lt=now - KEPT))

    def forget_refused(self) -> None:
        """Empties the unreadable lines and the remarks of batches that were sent more than 30 days ago.

        They may hold addresses of people of whom nothing else is known here.
        """
        old = self.filter(sent_at__lt=timezone.now() - REFUSED_KEPT)
        old.exclude(refused=[], remarks=[]).update(refused=[], remarks=[])
