"""manage.py prune"""

import threading
from argparse import ArgumentParser
from itertools import batched
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.db.models import Model, QuerySet

from accounts.models import Event, Session
from invites.models import Batch, Invite, MagicLink
from kit.commands import arguments, command
from kit.worker_loop import stop_on_signals
from outbox.models import OutboxEvent, OutboxMessage, Webhook, WebhookDelivery


class Command(command.Command):
    help = (
        "Deletes what is over: ended sessions, history older than a year, links that people asked for and never used, "
        "and the rows of mail that was handed over or given up; the last two after 30 days. Links that were used, "
        "invitations of members that nobody accepted, and mail about what is kept, go after a year; so do lists of "
        "people that were invited, and those that were only checked after a day. Empties mail and webhook "
        "deliveries that were given up a week ago, and deletes events that were published or delivered then. Run it "
        "once a day."
    )
    examples: ClassVar[tuple[str, ...]] = ("", "--dry-run", "--batch-size 1000 --format json")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch-size", type=arguments.positive, default=5000, help="rows in one transaction")
        arguments.rehearsal(parser)
        arguments.answer(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stop = threading.Event()
        with stop_on_signals(self.stop):
            count = self.count_prunable() if options["dry_run"] else self.prune_all(options["batch_size"])
        self.tell(count, self.summary(**count))
        if self.stop.is_set():
            raise CommandError("Interrupted. Run it again to go on.", returncode=command.INTERRUPTED)

    def summary(self, *, emptied_mails: int, **deleted: int) -> str:
        word = command.count_in_words if self.options["dry_run"] else "{:,}".format
        said = ", ".join(f"{word(number)} {name.replace('_', ' ')}" for name, number in deleted.items())
        return f"{said} deleted, {emptied_mails} mails emptied"

    def prunable(self) -> dict[str, QuerySet[Any]]:
        return {
            "sessions": Session.objects.prunable(),
            "events": Event.objects.prunable(),
            "invites": Invite.objects.prunable(),
            "links": MagicLink.objects.prunable(),
            "mails": OutboxMessage.objects.prunable(Invite.objects.remembered(), MagicLink.objects.remembered()),
            "batches": Batch.objects.prunable(),
            "published_events": OutboxEvent.objects.prunable(),
            "webhook_deliveries": WebhookDelivery.objects.prunable(),
        }

    def count_prunable(self) -> dict[str, int]:
        count = {name: command.count_rows(rows) for name, rows in self.prunable().items()}
        return count | {"emptied_mails": OutboxMessage.objects.stale().count()}

    def prune_all(self, batch_size: int) -> dict[str, int]:
        MagicLink.objects.forget_plans()
        Batch.objects.forget_refused()
        WebhookDelivery.objects.overdue().give_up()
        WebhookDelivery.objects.stale().empty()
        Webhook.objects.forget_former_secrets()
        count = {name: self.prune(rows, batch_size) for name, rows in self.prunable().items()}
        return count | {"emptied_mails": 0 if self.stop.is_set() else OutboxMessage.objects.stale().empty()}

    def prune(self, rows: QuerySet[Model], batch_size: int) -> int:
        """In short transactions, so that nobody waits for it and an interruption keeps what was done."""
        total = 0
        # They are looked for once: what stays may be a million rows, to be read for each batch anew.
        for batch in batched(rows.order_by().values_list("pk", flat=True).iterator(), batch_size):
            if self.stop.is_set():
                break
            _all, deleted = rows.filter(pk__in=list(batch)).delete()  # what is over still, that is
            total += deleted.get(rows.query.get_meta().label, 0)  # not what goes with them
        return total
