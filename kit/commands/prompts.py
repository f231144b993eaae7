"""What commands need, an address or the database, and the errors they end with when it is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.db import InterfaceError, OperationalError

from kit import addresses

AWAY = 4  # exit code: try later


def address(text: str) -> str:
    """Returns the address given to --email in the spelling in which rows store it.

    Raises CommandError (exit code 2) if it is blank, or holds several addresses.
    """
    email = addresses.key(text)
    if not email:
        raise CommandError("--email has no address. Give one, like --email ada@example.com.", returncode=2)
    if email.count("@") > 1:
        raise CommandError("--email has several addresses. Give one, like --email ada@example.com.", returncode=2)
    return email


@contextmanager
def database(returncode: int = AWAY) -> Iterator[None]:
    """Context manager: raises CommandError with this exit code if the block loses the database.

    It does so in place of OperationalError and InterfaceError; all other exceptions pass through.
    """
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        said = f"The database does not answer. Nothing is lost; try again later. ({' '.join(str(error).split())})"
        raise CommandError(said, returncode=returncode) from None
