"""Lists of people to be invited, as they come from files and forms: one line for each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from accounts import addresses
from invites.models import Entry


@dataclass(frozen=True)
class Line:
    """One line of a list: who is to be invited, or the `problem` that keeps it from being read."""

    number: int  # in its file, from 1
    text: str
    entry: Entry | None = None
    problem: str = ""
    meant: str = ""  # the address that was probably meant, if this one looks like a typo


def read(lines: Iterable[str], groups: Mapping[str, int] | None = None) -> Iterator[Line]:
    """What each line that holds anything says; `groups` are the ids of those that may be named, by their names."""
    for number, text in enumerate(lines, 1):
        typed = text.strip()
        if not typed:
            continue
        try:
            email = addresses.normalize(typed)
        except ValidationError as error:
            yield Line(number, typed, problem=error.messages[0])
        else:
            yield Line(number, typed, Entry(email), meant=addresses.suggestion(email))
