"""manage.py security_facts"""

from typing import Any, ClassVar

from django.utils import translation

from kit.commands import command
from operations.security_facts import tables


class Command(command.Command):
    help = (
        "Prints what holds on this site, as tables in Markdown: limits, lifetimes, what is kept and how long, ways in, "
        "events of the history, keys and algorithms. All numbers are read from the code and the settings."
    )
    examples: ClassVar[tuple[str, ...]] = ("",)

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override("en"):
            self.stdout.write(markdown())


def markdown() -> str:
    """Returns all tables of security_facts.tables() as Markdown, each under a heading."""
    parts = []
    for title, (heading, *rows) in tables().items():
        lines = [heading, ("---",) * len(heading), *rows]
        parts.append(f"### {title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join(parts)
