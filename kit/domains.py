"""Patterns of mail domains: "example.com" is that domain alone, "*.edu" is all domains below it."""

from collections.abc import Collection

from django.core.exceptions import ValidationError

from kit import addresses
from kit.typed import fold

BELOW = "*."  # how a pattern of all domains below another one begins


def spell(typed: str) -> str:
    """Returns the one spelling of a typed pattern: lower case, in ASCII (IDNA), without a full stop at its end.

    Raises ValueError, in words for an operator, for a text that is no domain in which anybody can have an address.
    """
    text = fold(typed).removesuffix(".")
    below = text.startswith(BELOW)
    # What makes an address good makes its domain good. There must be a dot, so all below "edu" is tried as "x.edu".
    domain = "x." + text.removeprefix(BELOW) if below else text
    try:
        domain = domain_of(addresses.spell(f"x@{domain}")) if "." in domain else ""
    except ValidationError:
        domain = ""
    if not domain:
        said = f"{typed.strip()!r} is no domain. Write example.com for that one, or *.example.com for all below it."
        raise ValueError(said)
    return BELOW + domain.removeprefix("x.") if below else domain


def domain_of(address: str) -> str:
    """Returns the domain of a normalized address."""
    return address.rpartition("@")[2]


def fitting(domain: str) -> list[str]:
    """Returns all patterns, as spell() spells them, that a domain fits, the closest first.

    For "a.example.com" these are it itself, "*.example.com" and "*.com". A pattern may stand in place of the domain:
    then they are those that take in all of it.
    """
    labels = domain.split(".")
    return [domain, *(BELOW + ".".join(labels[at:]) for at in range(1, len(labels)))]


def fits(domain: str, patterns: Collection[str]) -> bool:
    """Returns whether a domain, or all that a pattern in its place stands for, fits one of these patterns."""
    return any(pattern in patterns for pattern in fitting(domain))


def readable(pattern: str) -> str:
    """Returns a pattern as people read how addresses end: "@example.com", or ".edu" for all domains below that one.

    A domain of other letters than ASCII's is shown in them, unless it could pass for another one.
    """
    if pattern.startswith(BELOW):
        return f".{domain_of(addresses.readable('x@' + pattern.removeprefix(BELOW)))}"
    return addresses.readable(f"x@{pattern}").removeprefix("x")
