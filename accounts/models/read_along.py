"""What other rooms want to know of whoever is signed in, read in the statement that finds their session."""

from django.db.models.expressions import Combinable

facts: dict[str, Combinable] = {}


def add(name: str, fact: Combinable) -> None:
    """Sets the attribute `name` of whoever is found by the session of a request to what `fact` was at that moment.

    `fact` may name columns of the user. It is read with every page, so it must cost next to nothing. Users who were
    found otherwise lack it, such as at a sign-in or for other services. To be called once, at start.
    """
    facts[name] = fact
