"""The base of commands that act on many invitations, a page of ids at a time, so that they can be interrupted."""

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
from kit.commands.progress import Progress, is_watched
from kit.worker_loop import stop_on_signals


class Command(command.Command):
    """A command that acts on the invitations its filters choose. It ends with a report.

    Each command says in among() which invitations it may act on, and in steer() what it does to a page of them.
    """

    states: ClassVar[Sequence[str]] = STATES
    doing, word = "Sending", "queued"
    onwards = "Go on with the same and --after-id {}."
    last: UUID | None = None  # id of the last invitation of the last finished page
    suppressed_fail = True  # so that the operator looks at addresses to which no mail goes

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
        """Goes through all pages of the chosen invitations, with a line of progress on stderr.

        If the database fails, prints what was done and how to go on, and raises OperationalError or InterfaceError.
        """
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
        """Acts on one page of ids after another, and counts each in the report and the progress.

        On SIGTERM or Ctrl-C it finishes the page in hand first, so that all that was done is also reported. Raises
        OperationalError or InterfaceError if the database fails.
        """
        stop = threading.Event()
        with stop_on_signals(stop):
            for page in self.filters.pages(self.among()):
                if stop.is_set() and self.last:
                    report.stopped = self.onwards.format(self.last)
                    return
                outcome, self.last = self.steer(Invite.objects.filter(pk__in=page)), page[-1]
                report.add(outcome, suppressed_fail=self.suppressed_fail)
                self.stdout.write(report.each(outcome, self.options["format"]), ending="")
                progress.update(report.rows, report.failed_rows)

    def total(self) -> int | None:
        """Returns how many invitations are chosen; None if more than MANY, or if no terminal shows the progress."""
        if not is_watched(self.stderr, self.options):
            return None
        count = command.count_rows(self.filters.rows(self.among()), self.options["limit"])
        return None if count > command.MANY else count

    def before(self) -> None:
        """Asks or reads what must be known before anything is done. Raises CommandError to go no further.

        Here it does nothing.
        """

    def among(self) -> InviteQuerySet:
        """Returns the invitations among which the filters choose."""
        raise NotImplementedError

    def steer(self, rows: InviteQuerySet) -> Outcome:
        """Acts on one page of the chosen invitations, or only rehearses with --dry-run. Returns the outcome."""
        raise NotImplementedError
