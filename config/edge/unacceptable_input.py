"""Checks for input that no form or program of ours sends."""

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, QueryDict, UnreadablePostError

MAX_VALUE = 4096  # characters in one field of a public form


def has_nul(fields: QueryDict) -> bool:
    """Returns whether a field holds a NUL character.

    PostgreSQL refuses NUL, and some forms and filters of Django's admin let it through.
    """
    return any("\0" in value for _name, values in fields.lists() for value in values)


def is_hostile(request: HttpRequest) -> bool:
    """Returns whether the body of a request cannot come from a form or program of ours.

    Such a body has broken off, is invalid JSON, gives a field twice, or holds a name or value that is too long or has
    control characters.
    """
    try:
        if request.content_type == "application/json":
            return any(map(is_unacceptable, json_strings(request.body)))
        fields = list(request.POST.lists())
    except (UnreadablePostError, ValueError, RecursionError):  # the body broke off, or is invalid JSON
        return True
    return any(len(values) > 1 or any(map(is_unacceptable, [name, *values])) for name, values in fields)


def json_strings(body: bytes) -> Iterator[str]:
    """Yields every string of a JSON text in UTF-8, the names of members too.

    Raises ValueError if it is no JSON, or gives a name twice in one object: parsers differ in which of the two they
    believe (RFC 8259 §4). Raises RecursionError if it is nested too deeply.
    """

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(kept := dict(pairs)) < len(pairs):
            raise ValueError
        return kept

    waiting = [json.loads(body.decode(), object_pairs_hook=members)] if body else []
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def is_unacceptable(value: str) -> bool:
    """Returns whether a text is longer than MAX_VALUE or holds control characters, surrogates or U+FFFD."""
    # Cc are control characters (NUL, line ends), Cs lone surrogates; U+FFFD stands for bytes that were no UTF-8.
    return len(value) > MAX_VALUE or any(unicodedata.category(c) in {"Cc", "Cs"} or c == "\ufffd" for c in value)
