"""What commands ask for before they begin, and how they end without it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import InterfaceError, OperationalError

AWAY = 4  # exit code: try later


def address(text: str) -> str:
    """The address that --email names, as rows have it. Raises CommandError when it is blank."""
    email = text.strip().lower()
    if not email:
        raise CommandError("--email has no address. Give one, like --email ada@example.com.", returncode=2)
    return email


@contextmanager
def database(returncode: int = AWAY) -> Iterator[None]:
    """Turns the loss of the database into CommandError."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        said = f"The database does not answer. Nothing is lost; try again later. ({' '.join(str(error).split())})"
        raise CommandError(said, returncode=returncode) from None
