"""Offers of the desk: actions on people, and tables under one person. Rooms above add theirs by `offer` and `panel`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from accounts.models import User

NEWEST = 20  # rows of a panel


@dataclass
class Panel:
    """A table under a person at the desk, newest rows first."""

    key: str
    title: str
    columns: list[str]
    rows: list[list[Any]] = field(default_factory=list)
    # For a table with a button in each row: what each posts as "session", the URL it posts to, and its words.
    button_values: list[str] = field(default_factory=list)
    action: str = ""
    button: str = ""
    more: str = ""  # URL of the list of all rows

    @property
    def lines(self) -> list[tuple[list[Any], str]]:
        """Pairs of each row and the value its button posts, or "" in a table without buttons."""
        return list(zip(self.rows, self.button_values or [""] * len(self.rows), strict=True))


# In the order in which they are offered and shown. Rooms above this one call the functions below.
ACTIONS: list[Any] = ["end_sessions", "turn_off"]
PANELS: list[Callable[[HttpRequest, User], Panel | None]] = []


def add_action(action: Callable[..., Any], after: str = "") -> None:
    """Offers one more action with people, after the one of this name, or after all others.

    Raises ValueError when there is no action of this name.
    """
    names = [known if isinstance(known, str) else known.__name__ for known in ACTIONS]
    ACTIONS.insert(names.index(after) + 1 if after else len(names), action)


def add_panel(make: Callable[[HttpRequest, User], Panel | None]) -> None:
    """Shows one more panel under a person: what `make` returns, or none where it returns None."""
    PANELS.append(make)
