"""manage.py invite_report"""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, ClassVar

from django.core.management.base import CommandError
from django.utils import timezone

from invites.funnel import count
from kit.commands import arguments, command

USUAL = {"day": 14, "week": 8 * 7}  # days


class Command(command.Command):
    help = "Says how far invites get: asked for, handed over, opened, accepted, came back."
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
            help="only those that came about so; self is who asked without an invitation",
        )
        arguments.answer(parser, ["text", "json", "csv"])

    def handle(self, *args: Any, by: str, source: str, **options: Any) -> None:
        since = options["since"] or count.start(by, USUAL[by])
        self.check_since(since, by)
        numbers = count.look(by, since, source)
        head = {"since": since.isoformat(), "by": by, "source": source}
        self.show(head | as_dict(numbers), as_text(numbers, **head), as_table(numbers))

    def check_since(self, since: date, by: str) -> None:
        earliest = count.start(by, count.DAYS[by])
        if not earliest <= since <= timezone.localdate():
            said = f"--since must be a day from {earliest} to today. By week it may be longer ago than by day."
            raise CommandError(said, returncode=2)


def as_text(numbers: count.Funnel, *, since: str, by: str, source: str) -> str:
    lines = [f"Sign-up funnel since {since}" + (f", source {source}" if source else "")]
    names = [str(step.label) for step in numbers.steps]
    width = max(map(len, names))
    for name, step in zip(names, numbers.steps, strict=True):
        took = "" if step.median is None else f"  half of them within {step.median}"
        shares = f"{step.of_all:>4} % of all {step.of_before:>4} % of the step before"
        lines.append(f"{name:<{width}} {step.people:>9,} {shares} {step.left:>9,} left here{took}")
    return "\n".join([*lines, *cohorts(f"by {by}", numbers.cohorts), *cohorts("by source", numbers.sources)])


def cohorts(title: str, rows: Iterable[tuple[Any, list[int]]]) -> Iterator[str]:
    yield f"\n{title:<12}" + "".join(f"{name:>10}" for name in count.STEPS)
    for key, people in rows:
        yield f"{key!s:<12}" + "".join(f"{number:>10,}" for number in people)


def as_dict(numbers: count.Funnel) -> dict[str, Any]:
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
    return [["from", *count.STEPS], *([key.isoformat(), *people] for key, people in numbers.cohorts)]


def named(people: list[int]) -> dict[str, int]:
    return dict(zip(count.STEPS, people, strict=True))


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day, like 2026-11-01") from None
