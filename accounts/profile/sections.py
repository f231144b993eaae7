"""Sections that higher rooms add to the account page."""

from collections.abc import Callable

from django.utils.safestring import SafeString

from accounts.models import User

_sections: list[Callable[[User, str], SafeString]] = []


def add(section: Callable[[User, str], SafeString]) -> None:
    """Adds to the account page what `section(user, csrf_token)` returns: HTML, or "" for no section."""
    _sections.append(section)


def shown(user: User, csrf_token: str) -> list[SafeString]:
    """Returns the sections for this user."""
    return [section(user, csrf_token) for section in _sections]
