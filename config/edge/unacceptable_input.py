"""Checks for input that no browser and no program of ours sends.

Whatever a browser can send, be it a tab or a character that was damaged on its way here, reaches the forms, which say
beside the field what is wrong with it and keep all the others.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest, QueryDict, UnreadablePostError

# PostgreSQL stores neither NUL nor one half of a surrogate pair, which UTF-8 cannot express.
NOT_TEXT = re.compile("[\0\ud800-\udfff]")


def has_nul(fields: QueryDict) -> bool:
    """Returns whether a field holds a NUL character.

    PostgreSQL refuses NUL, and some forms and filters of Django's admin let it through.
    """
    return any("\0" in value for _name, values in fields.lists() for value in values)


def is_hostile(request: HttpRequest) -> bool:
    """Returns whether the body of a request cannot come from a browser or a program of ours.

    Such a body has broken off, is not UTF-8 or invalid JSON, gives a field twice, or holds NUL or lone surrogates.
    """
    try:
        if request.content_type == "application/json":
            return any(map(NOT_TEXT.search, json_strings(request.body)))
        if request.content_type == "application/x-www-form-urlencoded":
            unquote_to_bytes(request.body).decode()  # Django would put U+FFFD for what is not UTF-8
        fields = list(request.POST.lists())
    except (UnreadablePostError, ValueError, RecursionError):  # the body broke off, or is invalid JSON or not UTF-8
        return True
    return any(len(values) > 1 or any(map(NOT_TEXT.search, [name, *values])) for name, values in fields)


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
