"""manage.py invite_report: prints the sign-up funnel."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.utils import timezone

from invites.funnel import count
from invites.management.filters import find_app
from kit.commands import arguments, command

USUAL = {"day": 14, "week": 8 * 7}  # days to look back, if --since is not given


class Command(command.Command):
    help = "Counts how far people get: asked for a link, mail handed over, opened, joined, came back."
    examples: ClassVar[tuple[str, ...]] = ("", "--by week --source csv", "--since 2026-11-01 --format csv > funnel.csv")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--since", type=day, metavar="DATE", help="the first day, like 2026-11-01; else two weeks, or eight by week"
        )
        parser.add_argument("--by", choices=list(count.DAYS), default="day")
        parser.add_argument(
            "--source",
            choices=list(count.SOURCES),
            default="",
            help="only those that were made in this way; self: links that people asked for without an invitation",
        )
        parser.add_argument(
            "--app", metavar="NAME", default="", help="only those invited to it, by its name or client ID"
        )
        arguments.answer(parser, ["text", "json", "csv"])

    def handle(self, *args: Any, by: str, source: str, app: str, **options: Any) -> None:
        since = options["since"] or count.start(by, USUAL[by])
        self.check_since(since, by)
        numbers = count.look(by, since, source, find_app(app) if app else "")
        head = {"since": since.isoformat(), "by": by, "source": source, "app": app}
        self.show(head | as_dict(numbers), as_text(numbers, **head), as_table(numbers))

    def check_since(self, since: date, by: str) -> None:
        """Raises CommandError unless `since` is within the period that can be counted, today included."""
        earliest = count.start(by, count.DAYS[by])
        if not earliest <= since <= timezone.localdate():
            said = f"--since must be a day from {earliest} to today. By week it may be longer ago than by day."
            raise CommandError(said, returncode=2)


def as_text(numbers: count.Funnel, *, since: str, by: str, source: str, app: str) -> str:
    """Returns the funnel for people: a line for each step, then tables by cohort and by source."""
    chosen = (f", source {source}" if source else "") + (f", app {app}" if app else "")
    lines = [f"Sign-up funnel since {since}{chosen}"]
    names = [str(step.label) for step in numbers.steps]
    width = max(map(len, names))
    for name, step in zip(names, numbers.steps, strict=True):
        took = "" if step.median is None else f"  half of them within {step.median}"
        shares = f"{step.of_all:>4} % of all {step.of_before:>4} % of the step before"
        lines.append(f"{name:<{width}} {step.people:>9,} {shares} {step.left:>9,} left here{took}")
    return "\n".join([*lines, *cohorts(f"by {by}", numbers.cohorts), *cohorts("by source", numbers.sources)])


def cohorts(title: str, rows: Iterable[tuple[Any, list[int]]]) -> Iterator[str]:
    """Yields the lines of one table: a header, then each key with the number of people at each step."""
    yield f"\n{title:<12}" + "".join(f"{name:>10}" for name in count.STEPS)
    for key, people in rows:
        yield f"{key!s:<12}" + "".join(f"{number:>10,}" for number in people)


def as_dict(numbers: count.Funnel) -> dict[str, Any]:
    """Returns the funnel for JSON: each step, and the people at each step by cohort and by source."""
    return {
        "steps": [
            {
                "step": step.name,
                "people": step.people,
                "percent_of_all": step.of_all,
                "percent_of_step_before": step.of_before,
                "left": step.left,
                "median_seconds": None if step.median is None else int(step.median.total_seconds()),
            }
            for step in numbers.steps
        ],
        "cohorts": [{"from": key.isoformat(), **named(people)} for key, people in numbers.cohorts],
        "sources": [{"source": key, **named(people)} for key, people in numbers.sources],
    }


def as_table(numbers: count.Funnel) -> list[Sequence[Any]]:
    """Returns the cohorts for CSV: a header, then the first day of each and the number of people at each step."""
    return [["from", *count.STEPS], *([key.isoformat(), *people] for key, people in numbers.cohorts)]


def named(people: list[int]) -> dict[str, int]:
    """Returns `people`, which are the numbers at each of count.STEPS in that order, by the name of the step."""
    return dict(zip(count.STEPS, people, strict=True))


def day(text: str) -> date:
    """Returns the day that was typed as "2026-11-01". Raises ArgumentTypeError if it is malformed."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day, like 2026-11-01") from None
