"""manage.py send_invites"""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts import addresses
from accounts.forms import same_site
from accounts.ids import uuid7
from accounts.models import User
from invites.management.report import Report
from invites.models import Invite
from mail.models import Suppression


class Command(BaseCommand):
    help = "Invites people: one mail each. Who is in or invited already, or stands in the list twice, is skipped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("emails", nargs="*", metavar="EMAIL")
        parser.add_argument("--file", type=Path, help="a file with one address a line; - for standard input")
        parser.add_argument("--invited-by", metavar="NAME", help="the username of who invites")
        parser.add_argument("--note", default="", help="a sentence for the mail, 200 characters at most")
        parser.add_argument("--language", default="", choices=list(dict(settings.LANGUAGES)), help="of mail and pages")
        parser.add_argument("--again", action="store_true", help="also those who are invited already")
        parser.add_argument("--next", default="", metavar="PATH", help="where on this site the invitation leads")
        Report.add_arguments(parser)

    def handle(self, *args: Any, emails: list[str], **options: Any) -> None:
        if not emails and options["file"] is None:
            raise CommandError("Whom? Give addresses, or a file with --file.", returncode=2)
        report = Report("send_invites", dry_run=options["dry_run"], batch=f"b_{uuid7().hex}")
        given = self.given(options) | {"batch": report.batch}
        seen: set[str] = set()
        for typed in [*emails, *lines(options["file"])]:
            self.invite(typed, seen, given, report, again=options["again"])
        report.finish(self, options["format"])

    def given(self, options: dict[str, Any]) -> dict[str, Any]:
        name = options["invited_by"]
        inviter = User.objects.by_login(name) if name else None
        if name and inviter is None:
            raise CommandError(f"There is nobody called {name}.", returncode=2)
        if len(options["note"]) > 200 or not options["note"].isprintable():
            raise CommandError("The note must be one line of 200 characters or less.", returncode=2)
        if options["next"] != same_site(options["next"]):
            raise CommandError("--next must be a path of this site, like /account.", returncode=2)
        return {
            "invited_by": inviter,
            "note": options["note"],
            "language": options["language"],
            "next": options["next"],
        }

    def invite(self, typed: str, seen: set[str], given: dict[str, Any], report: Report, *, again: bool) -> None:
        try:
            email = addresses.normalize(typed)
        except ValidationError as error:
            return report.failed(typed, error.messages[0])
        if meant := addresses.suggestion(email):
            self.stderr.write(f"{email}: did you mean {meant}?")
        if email in seen:
            return report.skipped(email, "repeated")
        seen.add(email)
        if User.objects.filter(email=email).exists():
            return report.skipped(email, "has an account")
        if suppression := Suppression.objects.of(email):
            return report.failed(email, suppression.summary)
        if not again and Invite.objects.pending().filter(email=email).exclude(source=Invite.Source.SELF).exists():
            return report.skipped(email, "already invited")
        if not report.dry_run:
            Invite.objects.issue(email, source=Invite.Source.COMMAND, **given)
        return report.queued(email)


def lines(file: Path | None) -> Iterable[str]:
    """The lines of a file that hold anything. Raises CommandError when it can't be read."""
    if file is None:
        return []
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} can't be read: {error}", returncode=2) from None
    return [line for line in text.splitlines() if line.strip()]
