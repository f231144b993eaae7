"""Sentences that are stored for whoever reads them later at the desk: in each of its languages."""

from collections.abc import Callable

from django.conf import settings
from django.utils.functional import Promise, lazy
from django.utils.translation import get_language, override

type Words = str | Promise


def lazily(compose: Callable[[], str]) -> Words:
    """Returns a text that `compose` writes each time it is read, in the language that is active then."""
    words: Words = lazy(compose, str)()
    return words


def write(words: Words) -> dict[str, str]:
    """Returns a lazy text in each of DESK_LANGUAGES, by their codes, as read() takes it."""
    said = {}
    for code in settings.DESK_LANGUAGES:
        with override(code):
            said[code] = str(words)
    return said


def read(stored: dict[str, str]) -> str:
    """Returns the text in the active language; in the first, if the desk did not speak this one when it was stored."""
    return stored.get(get_language() or "") or next(iter(stored.values()), "")
