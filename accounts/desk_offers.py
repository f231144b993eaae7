"""Offers of the desk: actions on people, and tables under one person. Other rooms add to both lists."""

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
    presses: list[str] = field(default_factory=list)
    action: str = ""
    button: str = ""
    more: str = ""  # URL of the list of all rows

    @property
    def lines(self) -> list[tuple[list[Any], str]]:
        """Pairs of each row and the value its button posts, or "" in a table without buttons."""
        return list(zip(self.rows, self.presses or [""] * len(self.rows), strict=True))


PERSON_ACTIONS: list[Any] = ["end_sessions", "turn_off", "pause", "allow"]
PANELS: list[Callable[[HttpRequest, User], Panel | None]] = []
