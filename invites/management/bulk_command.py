"""Commands that do one thing to many invites: a chunk at a time, to be interrupted and gone on with."""

import threading
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db import InterfaceError, OperationalError

from invites.management.filters import STATES, Filters
from invites.management.report import Report
from invites.models import Invite, InviteQuerySet, Outcome
from kit.commands import command
from kit.commands.progress import Progress, wanted
from kit.worker_loop import told_to


class Command(command.Command):
    """What all of them share. Each says among which invites its filters choose, and what it does to some of them."""

    states: ClassVar[Sequence[str]] = STATES
    doing, word = "Sending", "queued"
    onwards = "Go on with the same and --after-id {}."
    last: UUID | None = None  # of what is done
    suppressed_fail = True  # an address that no mail goes to is for somebody to look at

    def add_arguments(self, parser: ArgumentParser) -> None:
        Filters.add_arguments(parser, self.states)
        Report.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        self.options = options
        self.filters = Filters(options)
        self.before()
        report = Report(options, self.word)
        self.work(report)
        if options["email"] and not report.rows:
            self.stderr.write(f"There is no such invitation to {options['email']}.")
        report.finish(self)

    def work(self, report: Report) -> None:
        """Goes through all pages, or says how to go on after the last that was done."""
        progress = Progress(self.stderr, self.doing, self.total(), self.options)
        try:
            self.go_through(report, progress)
        except (OperationalError, InterfaceError):
            if self.last:
                self.stderr.write(f"Done before: {self.dry}{report.as_text()}\n{self.onwards.format(self.last)}")
            raise
        finally:
            progress.end()

    def go_through(self, report: Report, progress: Progress) -> None:
        """A page in hand is finished before it stops, so what is done is done and counted."""
        stop = threading.Event()
        with told_to(stop):
            for page in self.filters.pages(self.among()):
                if stop.is_set() and self.last:
                    report.stopped = self.onwards.format(self.last)
                    return
                outcome, self.last = self.steer(Invite.objects.filter(pk__in=page)), page[-1]
                report.add(outcome, suppressed_fail=self.suppressed_fail)
                self.stdout.write(report.each(outcome, self.options["format"]), ending="")
                progress.moved(report.rows, report.failed_rows)

    def total(self) -> int | None:
        """Only somebody who watches wants to know before."""
        if not wanted(self.stderr, self.options):
            return None
        count = command.counted(self.filters.rows(self.among()), self.options["limit"])
        return None if count > command.MANY else count

    def before(self) -> None:
        """What must be asked, or known, before anything is done. Raises CommandError."""

    def among(self) -> InviteQuerySet:
        raise NotImplementedError

    def steer(self, rows: InviteQuerySet) -> Outcome:
        raise NotImplementedError
