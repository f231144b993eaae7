"""manage.py prune"""

import logging
import threading
from argparse import ArgumentParser
from itertools import batched
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.db import DatabaseError
from django.db.models import Model, QuerySet

from accounts.models import Event, HeldName, Session, User
from invites.models import Batch, Invite, JoinRequest, MagicLink
from kit.commands import arguments, command
from kit.worker_loop import stop_on_signals
from outbox.models import OutboxEvent, OutboxMessage, Webhook, WebhookDelivery
from sso.models import AccessRequest, Login, LogoutCall, SigningKey, expired_tokens

log = logging.getLogger("frontdoor.operations")


class Command(command.Command):
    help = (
        "Deletes old rows, and the accounts of people who have left and not come back in time. At once: sessions and "
        "tokens of apps that have ended, and names that are held no longer. After a day: lists of people that "
        "were checked and never sent, links of requests to join that nobody confirmed, codes of apps that were never "
        "used, and keys after all that they signed is over. After a week: events that were published or delivered, "
        "sign-outs that apps were told of, and requests, to join or for access to apps, that were answered. After 30 "
        "days: links that people asked for and never used, wrong passwords for names that no account has, mail that "
        "was handed over or given up, events that webhooks did not take, sign-outs that apps did not take, and "
        "sign-ins to apps that have ended. After 90 days: requests that nobody answered. After a year: all other "
        "history, links that were used, invitations of members that nobody accepted, lists that were sent, and mail "
        "about invitations or links that still exist. Empties mail and webhook deliveries a week after they were "
        "given up. Also tells other services which invitations have expired. Run it once a day."
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
        """Returns in words how many rows of each name were deleted, and how many mails emptied.

        A rehearsal counts up to command.MANY rows only.
        """
        word = command.count_in_words if self.options["dry_run"] else "{:,}".format
        said = ", ".join(f"{word(number)} {name.replace('_', ' ')}" for name, number in deleted.items())
        return f"{said} deleted, {emptied_mails} mails emptied"

    def prunable(self) -> dict[str, QuerySet[Any]]:
        """Returns the rows to delete, by the names that the summary and the JSON give them."""
        return {
            "sessions": Session.objects.prunable(),
            "events": Event.objects.prunable(),
            "invites": Invite.objects.prunable(),
            "join_requests": JoinRequest.objects.prunable(),  # before the links, which are kept as long as these
            "links": MagicLink.objects.prunable(),
            "mails": OutboxMessage.objects.prunable(Invite.objects.remembered(), MagicLink.objects.remembered()),
            "batches": Batch.objects.prunable(),
            "published_events": OutboxEvent.objects.prunable(),
            "webhook_deliveries": WebhookDelivery.objects.prunable(),
            "app_tokens": expired_tokens(),
            "app_requests": AccessRequest.objects.prunable(),
            "app_logins": Login.objects.prunable(),
            "logout_calls": LogoutCall.objects.prunable(),
            "signing_keys": SigningKey.objects.prunable(),
            "held_names": HeldName.objects.prunable(),
        }

    def count_prunable(self) -> dict[str, int]:
        """Returns how many rows prune_all() would delete or empty, by name. Changes nothing.

        Rows to delete are counted up to command.MANY + 1 of a kind.
        """
        count = {"accounts": command.count_rows(User.objects.to_finish())}
        count |= {name: command.count_rows(rows) for name, rows in self.prunable().items()}
        return count | {"emptied_mails": OutboxMessage.objects.stale().count()}

    def prune_all(self, batch_size: int) -> dict[str, int]:
        """Deletes prunable rows, empties stale mail, and returns how many of each; fewer if a signal interrupts it.

        First it announces to other services which invitations have expired, forgets old plans of links, refused lines
        of lists and former secrets of webhooks, empties old webhook deliveries, and gives those up that are overdue.
        """
        Invite.objects.announce_expired()
        MagicLink.objects.forget_plans()
        Batch.objects.forget_refused()
        WebhookDelivery.objects.overdue().give_up()
        WebhookDelivery.objects.stale().empty()
        Webhook.objects.forget_former_secrets()
        count = {"accounts": self.finish_leaving()}
        count |= {name: self.prune(rows, batch_size) for name, rows in self.prunable().items()}
        return count | {"emptied_mails": 0 if self.stop.is_set() else OutboxMessage.objects.stale().empty()}

    def finish_leaving(self) -> int:
        """Deletes the accounts of people who have left and not come back in time; returns how many they were.

        Each is a transaction of its own. One that fails, such as for a row that stays locked, is left for the next run.
        """
        total = 0
        for person in User.objects.to_finish().order_by("leaves_at").iterator():
            if self.stop.is_set():
                break
            try:
                total += person.leaving.finish()
            except DatabaseError:
                log.exception("deleting the account %s failed", person.pk)
        return total

    def prune(self, rows: QuerySet[Model], batch_size: int) -> int:
        """Deletes the rows and returns how many they were; rows that go with them do not count.

        Each batch is a short transaction, so that nobody waits long for its locks. If a signal interrupts it, it stops
        after the batch in hand, and what is deleted stays deleted.
        """
        total = 0
        # One query finds all keys: a query for each batch would read the rows that stay, perhaps a million, every time.
        for batch in batched(rows.order_by().values_list("pk", flat=True).iterator(), batch_size):
            if self.stop.is_set():
                break
            _all, deleted = rows.filter(pk__in=list(batch)).delete()  # by `rows` again: a row may have changed
            total += deleted.get(rows.query.get_meta().label, 0)  # without the rows that a cascade deletes
        return total
