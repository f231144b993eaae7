"""What the desk offers for people: actions, and panels under one person. Higher rooms add theirs to both lists."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from accounts.models import User

NEWEST = 20  # rows of a panel


@dataclass
class Panel:
    """A table under a person at the desk, newest rows first. `key` is its id in HTML."""

    key: str
    title: str
    columns: list[str]
    rows: list[list[Any]] = field(default_factory=list)
    # For a table with a button in each row: what each button posts as "session", the URL it posts to, and its text.
    button_values: list[str] = field(default_factory=list)
    action: str = ""
    button: str = ""
    more: str = ""  # URL of the list of all rows

    @property
    def lines(self) -> list[tuple[list[Any], str]]:
        """Pairs of a row and the value that its button posts, "" in a table without buttons."""
        return list(zip(self.rows, self.button_values or [""] * len(self.rows), strict=True))


# In the order in which the desk shows them. Higher rooms add theirs by the functions below.
ACTIONS: list[Any] = ["end_sessions", "turn_off"]
PANELS: list[Callable[[HttpRequest, User], Panel | None]] = []


def add_action(action: Callable[..., Any], after: str = "") -> None:
    """Adds an action on people to the desk, after the action with the name `after`, or after all others.

    `action` is a function as ModelAdmin.actions takes it. Raises ValueError if there is no action with that name.
    """
    names = [known if isinstance(known, str) else known.__name__ for known in ACTIONS]
    ACTIONS.insert(names.index(after) + 1 if after else len(names), action)


def add_panel(make: Callable[[HttpRequest, User], Panel | None]) -> None:
    """Adds a panel under each person at the desk: what `make` returns, or no panel where it returns None."""
    PANELS.append(make)
