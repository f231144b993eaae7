"""What the desk offers for people and groups: actions, facts about one, and panels. Higher rooms add theirs to each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _

from accounts.models import User
from kit.one_row import Fact

NEWEST = 20  # rows of a panel


@dataclass
class Panel:
    """A table under a person at the desk, newest rows first. `key` is its id in HTML."""

    key: str
    title: str
    columns: list[str]
    rows: list[list[Any]] = field(default_factory=list)
    # For a table with a button in each row: what each button posts as "session", the URL it posts to, its text, and
    # what it does in full, which stands before the row's first cell.
    button_values: list[str] = field(default_factory=list)
    action: str = ""
    button: str = ""
    button_in_full: str = ""
    more: str = ""  # URL of the list of all rows

    @property
    def lines(self) -> list[tuple[list[tuple[str, Any]], str]]:
        """For each row its cells, as pairs of column and cell, and what its button posts, "" without buttons."""
        cells = [list(zip(self.columns, row, strict=True)) for row in self.rows]
        return list(zip(cells, self.button_values or [""] * len(self.rows), strict=True))


# In the order in which the desk shows them. Higher rooms add theirs by the functions below.
ACTIONS: list[Any] = ["export", "end_sessions", "keep", "turn_off", "turn_on"]
PANELS: list[Callable[[HttpRequest, User], Panel | None]] = []
FACTS: list[Callable[[HttpRequest, User], list[Fact]]] = []
# Of a group, the names of what others know it by its name: it can't be renamed by accident then.
GROUP_USERS: list[Callable[[Group], list[str]]] = []
GROUP_FACTS: list[Callable[[HttpRequest, Group], list[Fact]]] = []
# Whether an action would change a person, by its name. Of others, the page of a person knows it or shows them always.
APPLIES: dict[str, Callable[[User], bool]] = {}


def add_action(action: Callable[..., Any], after: str = "", applies: Callable[[User], bool] | None = None) -> None:
    """Adds an action on people to the desk, after the action with the name `after`, or after all others.

    `action` is a function as ModelAdmin.actions takes it; `applies(person)` says whether it would change a person.
    Raises ValueError if there is no action with that name.
    """
    names = [known if isinstance(known, str) else known.__name__ for known in ACTIONS]
    ACTIONS.insert(names.index(after) + 1 if after else len(names), action)
    if applies:
        APPLIES[action.__name__] = applies


def add_panel(make: Callable[[HttpRequest, User], Panel | None]) -> None:
    """Adds a panel under each person at the desk: what `make` returns, or no panel where it returns None."""
    PANELS.append(make)


def add_facts(make: Callable[[HttpRequest, User], list[Fact]]) -> None:
    """Adds what `make` returns to the facts on the page of each person at the desk."""
    FACTS.append(make)


def add_group_facts(make: Callable[[HttpRequest, Group], list[Fact]]) -> None:
    """Adds what `make` returns to the facts on the page of each group at the desk."""
    GROUP_FACTS.append(make)


def add_users_of_groups(name: Callable[[Group], list[str]]) -> None:
    """Has `name(group)` asked, before a group is renamed, for whatever knows the group by its name."""
    GROUP_USERS.append(name)


def users_of(group: Group) -> list[str]:
    """Returns the names of what knows this group by its name."""
    return [name for find in GROUP_USERS for name in find(group)]


def state_tag(person: User) -> str:
    """Returns a tag, as HTML, that says whether the person's account can be used."""
    words, tone = (_("Leaving"), "tag warn") if person.leaves_at else (_("Active"), "tag ok")
    if not person.is_active:
        words, tone = _("Turned off"), "tag"
    return format_html('<span class="{}">{}</span>', tone, words)
