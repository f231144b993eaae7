"""The same mail to many: written once with blanks, which are filled in for each. Rendering costs more than all else."""

import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.utils.html import escape

from outbox.models import OutboxMessage

# Characters for private use, which no template of ours has. A blank may be as long as what comes into it.
FIRST = 0xE000
BLANK = re.compile(r"([\ue000-\ue0ff])\1*")


def blank(number: int, length: int = 1) -> str:
    return chr(FIRST + number) * length


def fill_in(
    letter: OutboxMessage, to: str, words: Mapping[int, str], *, about: UUID | None = None, at: datetime | None = None
) -> OutboxMessage:
    """A copy of a letter with blanks, for somebody; `words` go into the blanks of these numbers."""
    known = {chr(FIRST + number): text for number, text in words.items()}

    def word(found: re.Match[str], *, html: bool) -> str:
        text = known.get(found[1], found[0])  # what looks like a blank, and is none of these, stays
        return escape(text) if html else text

    def fill(text: str, *, html: bool = False) -> str:
        """In one go, so that what was filled in is not taken for a blank."""
        return BLANK.sub(lambda found: word(found, html=html), text)

    parts = letter.parts | {
        "subject": fill(letter.parts["subject"]),
        "body": fill(letter.parts["body"]),
        "alternatives": [[fill(text, html=True), kind] for text, kind in letter.parts["alternatives"]],
    }
    copy = letter.copy(to, parts, about)
    if at:
        copy.schedule(at)
    return copy
