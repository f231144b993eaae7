"""One mail for many people: rendered once with blanks, which are filled in for each. Rendering costs the most."""

import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.utils.html import escape

from outbox.models import OutboxMessage

# Blanks are characters from Unicode's private use area, which no template of ours has. A character is repeated as often
# as its text is long where the length decides about line breaks.
FIRST = 0xE000
BLANK = re.compile(r"([\ue000-\ue0ff])\1*")


def blank(number: int, length: int = 1) -> str:
    """Returns the characters that stand in a mail for the text with this number, from 0 to 255, until fill_in().

    `length` is how long that text will be, for line breaks.
    """
    return chr(FIRST + number) * length


def fill_in(
    letter: OutboxMessage, to: str, words: Mapping[int, str], *, about: UUID | None = None, at: datetime | None = None
) -> OutboxMessage:
    """Returns a copy of `letter` for the address `to`, not stored yet, with its blanks filled in.

    `words` maps the number of a blank to its text; other blanks stay as they are. The texts are escaped in the HTML.
    `about` is the id of the invitation or the link that the mail is sent for. The mail leaves at `at`, or at once.
    """
    known = {chr(FIRST + number): text for number, text in words.items()}

    def word(found: re.Match[str], *, html: bool) -> str:
        text = known.get(found[1], found[0])  # somebody may have typed such a character: it stays
        return escape(text) if html else text

    def fill(text: str, *, html: bool = False) -> str:
        # One pass over the text: what was filled in must not be read as a blank.
        return BLANK.sub(lambda found: word(found, html=html), text)

    parts = letter.parts | {
        "subject": fill(letter.parts["subject"]),
        "body": fill(letter.parts["body"]),
        "headers": {name: fill(value) for name, value in letter.parts["headers"].items()},
        "alternatives": [[fill(text, html=True), kind] for text, kind in letter.parts["alternatives"]],
    }
    copy = letter.copy(to, parts, about)
    if at:
        copy.schedule(at)
    return copy
