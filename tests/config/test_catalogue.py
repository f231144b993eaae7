"""What people read can be translated: gettext finds every string in the source."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

ROOMS = ("accounts", "config", "invites", "kit", "operations", "outbox")
MARKS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy"}


@pytest.mark.parametrize("room", ROOMS)
def test_no_string_to_translate_stands_in_an_f_string_where_xgettext_does_not_look(room):
    sources = sorted(Path(settings.BASE_DIR, room).rglob("*.py"))
    assert sources

    assert [place for path in sources for place in hidden_strings(path)] == []


def hidden_strings(path):
    """Returns file and line of each call in an f-string that marks a string to be translated."""
    texts = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.JoinedStr)]
    calls = [node for text in texts for node in ast.walk(text) if isinstance(node, ast.Call)]
    return [f"{path}:{call.lineno}" for call in calls if isinstance(call.func, ast.Name) and call.func.id in MARKS]
