"""manage.py prune"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Model, QuerySet

from accounts.models import Event, Session
from invites.models import Invite
from mail.models import OutboxEvent, OutboxMessage


def positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise CommandError("--batch-size must be 1 or more", returncode=2)
    return int(text)


class Command(BaseCommand):
    help = (
        "Deletes what is over: ended sessions, history older than a year, links that people asked for and never used, "
        "and the rows of mail that was handed over or given up; the last two after 30 days. Links that were used, and "
        "mail about an invite that is kept, go after a year. Empties mail that was given up a week ago, and deletes "
        "events that were published then. Run it once a day."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch-size", type=positive, default=5000, help="rows in one transaction")
        parser.add_argument("--dry-run", action="store_true", help="count, and delete nothing")
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        over: dict[str, QuerySet[Any]] = {
            "sessions": Session.objects.over(),
            "events": Event.objects.over(),
            "invites": Invite.objects.over(),
            "mails": OutboxMessage.objects.over(Invite.objects.remembered()),
            "published_events": OutboxEvent.objects.over(),
        }
        stale = OutboxMessage.objects.stale()
        if not options["dry_run"]:
            Invite.objects.forget_plans()
        count = {
            name: rows.count() if options["dry_run"] else self.prune(rows, options["batch_size"])
            for name, rows in over.items()
        }
        count["emptied_mails"] = stale.count() if options["dry_run"] else stale.forget()
        if options["format"] == "json":
            self.stdout.write(json.dumps({"command": "prune", "dry_run": options["dry_run"], **count}))
        else:
            emptied = count.pop("emptied_mails")
            said = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in count.items())
            self.stdout.write(f"{'DRY RUN  ' if options['dry_run'] else ''}{said} deleted, {emptied} mails emptied")

    def prune(self, rows: QuerySet[Model], batch_size: int) -> int:
        """In short transactions, so that nobody waits for it and an interruption keeps what was done."""
        total = 0
        while batch := list(rows.order_by().values_list("pk", flat=True)[:batch_size]):
            total += rows.filter(pk__in=batch).delete()[0]  # what is over still, that is
        return total
