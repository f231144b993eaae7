"""People as lines of a CSV file. No password, key or session is in it."""

from collections.abc import Iterator

from django.db.models import QuerySet, prefetch_related_objects

from accounts import profile_fields
from accounts.models import User
from kit import csv_lines

CHUNK = 500  # rows read at once
COLUMNS = (
    *("username", "name", "email", "state", "staff", "superuser", "groups", "signs_in_with", "sessions"),
    *("joined", "seen", "terms"),
)


def lines(people: "QuerySet[User]") -> Iterator[str]:
    """Yields the lines of the CSV file: first the names of the columns, then one for each person, newest first.

    Takes a few statements for each CHUNK people.
    """
    yield csv_lines.MARK + csv_lines.line([*COLUMNS, *(field.name for field in profile_fields.own())])
    for chunk in csv_lines.chunks(people, CHUNK):
        read(chunk)
        for person in chunk:
            yield csv_lines.line(row(person))


def read(people: list[User]) -> None:
    """Attaches to these people, in a few statements, what row() and ways_in() need."""
    User.objects.read_ways_in(people)
    prefetch_related_objects(people, "groups")


def row(person: User) -> list[str]:
    """Returns the cells of the line for a person, in the order of COLUMNS, and then of the site's own fields."""
    return [
        person.username,
        person.name,
        person.email,
        state(person),
        "yes" if person.is_staff else "",
        "yes" if person.is_superuser else "",
        "; ".join(group_names(person)),
        "; ".join(ways_in(person)),
        str(person.sessions_now),
        csv_lines.moment(person.joined_at),
        csv_lines.moment(person.last_login),
        person.accepted_terms,
        *profile_fields.held(person).values(),
    ]


def state(person: User) -> str:
    """Returns whether the account can be used."""
    if not person.is_active:
        return "turned off"
    return "leaving" if person.leaves_at else "active"


def group_names(person: User) -> list[str]:
    return sorted(group.name for group in person.groups.all())


def ways_in(person: User) -> list[str]:
    """Returns how a person whom read() has read can sign in, besides by mailed links."""
    there = {"password": person.has_usable_password(), "google": person.has_google, "two-step": person.has_app}
    return [way for way, is_there in there.items() if is_there]
