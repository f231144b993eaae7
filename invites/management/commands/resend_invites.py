"""manage.py resend_invites"""

import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.models import User
from invites.management.report import Report
from invites.models import Invite
from mail.models import Suppression

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def age(text: str) -> timedelta:
    """ "3d", "12h" or "90m"."""
    match = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if not match:
        raise ArgumentTypeError("must look like 3d, 12h or 90m")
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError("must be 0 or more")
    return int(text)


class Command(BaseCommand):
    help = "Sends invitations again that nobody has used; their time starts anew, and their older links go on working."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", help="only the invitation to this address")
        parser.add_argument("--state", choices=["pending", "expired"], help="only those in this state")
        parser.add_argument("--older-than", type=age, metavar="AGE", help="last sent longer ago: 3d, 12h, 90m")
        parser.add_argument("--limit", type=count, help="at most this many, the oldest first")
        Report.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        report = Report("resend_invites", dry_run=options["dry_run"])
        for invite in self.chosen(options).iterator(chunk_size=500):
            self.resend(invite, report)
        if options["email"] and not (report.done or report.skips or report.failures):
            self.stderr.write(f"There is no open invitation to {options['email']}.")
        report.finish(self, options["format"])

    def chosen(self, options: dict[str, Any]) -> Any:
        """Invitations only: what people asked for themselves, they can ask for again."""
        chosen = Invite.objects.standing().exclude(source=Invite.Source.SELF).order_by("id")
        now = timezone.now()
        if options["email"]:
            chosen = chosen.filter(email=options["email"].strip().lower())
        if options["state"] == "pending":
            chosen = chosen.filter(expires_at__gt=now)
        if options["state"] == "expired":
            chosen = chosen.filter(expires_at__lte=now)
        if options["older_than"]:
            chosen = chosen.filter(sent_at__lt=now - options["older_than"])
        return chosen[: options["limit"]] if options["limit"] is not None else chosen

    def resend(self, invite: Invite, report: Report) -> None:
        if User.objects.filter(email=invite.email).exists():
            return report.skipped(invite.email, "has an account")
        if suppression := Suppression.objects.of(invite.email):
            return report.failed(invite.email, suppression.summary)
        if not report.dry_run:
            Invite.objects.issue(invite.email, source=invite.source)
        return report.queued(invite.email)
