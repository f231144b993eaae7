"""Addresses that one report must not shut off, because their owners would be shut out. Higher rooms say which."""

from collections.abc import Callable

_RULES: list[Callable[[str], bool]] = []


def add_rule(is_spared: Callable[[str], bool]) -> None:
    """Spares each address for which `is_spared(address)` returns True: it takes a second report to suppress it."""
    _RULES.append(is_spared)


def is_spared(recipient: str) -> bool:
    """Returns whether one report is too little to suppress this address."""
    return any(rule(recipient) for rule in _RULES)
