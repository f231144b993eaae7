"""What the desk offers to do with people, and shows under one of them. Other rooms add to both."""

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
    # With a button in each row: what it sends as "session", where to, and what is written on it.
    presses: list[str] = field(default_factory=list)
    action: str = ""
    button: str = ""
    more: str = ""  # where all rows are

    @property
    def lines(self) -> list[tuple[list[Any], str]]:
        return list(zip(self.rows, self.presses or [""] * len(self.rows), strict=True))


PERSON_ACTIONS: list[Any] = ["end_sessions", "turn_off", "pause", "allow"]
PANELS: list[Callable[[HttpRequest, User], Panel | None]] = []
