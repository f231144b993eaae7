"""docs/events.md describes every event as it is stored."""

import ast
import json
import re
from pathlib import Path

from invites.models.states import TOLD
from outbox.models.webhook import EVENTS

ROOT = Path(__file__).parents[2]
ENVELOPE = {"id", "event", "occurred_at"}


def announced():
    """Yields the name of each event that the code announces, with the set of its fields."""
    for room in ("accounts", "invites", "outbox"):
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                called = getattr(getattr(node, "func", None), "attr", getattr(getattr(node, "func", None), "id", ""))
                if called in {"announce", "announce_each", "new_event"} and isinstance(node.args[0], ast.Constant):
                    yield node.args[0].value, frozenset(word.arg for word in node.keywords)
                elif called == "add_each_to" and isinstance(node.args[1], ast.Constant):
                    yield node.args[1].value, frozenset(word.arg for word in node.keywords)
                elif called == "announce_invites":
                    yield node.args[0].value, frozenset([*TOLD, "groups"])


def documented():
    """Returns the text of each event's section of the page, by the event's name."""
    parts = re.split(r"^## (.*)$", (ROOT / "docs/events.md").read_text(), flags=re.MULTILINE)
    return {name.strip("`"): text for name, text in zip(parts[1::2], parts[2::2], strict=True) if "`" in name}


def examples(text):
    return [json.loads(example) for example in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]


def test_every_event_has_an_example_with_exactly_its_fields():
    shown = {(name, frozenset(one) - ENVELOPE) for name, text in documented().items() for one in examples(text)}

    assert shown == set(announced())


def test_webhooks_can_choose_exactly_the_events_there_are():
    assert sorted(EVENTS) == sorted({name for name, _fields in announced()} - {"webhook.test"})


def test_every_example_is_a_whole_message():
    for name, text in documented().items():
        for example in examples(text):
            assert set(example) >= ENVELOPE
            assert example["event"] == name


def test_every_field_is_explained():
    for name, text in documented().items():
        explained = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
        used = {field for event, used in announced() if event == name for field in used}
        assert sorted(explained) == sorted(used), name
