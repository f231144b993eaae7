"""What people write to people: one plain line, with nothing that mail programs make a link of."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MAX_LENGTH = 200  # characters

# "https://…", "www.…", "mailto:…"; a dot between two words, as in "example.com"; an IP address.
# Mail programs take some dots of other scripts for the usual one, if there is ASCII around them.
LINK = re.compile(
    r"://|\bwww\b\s*\.|\b(?:mailto|tel|sms|skype|callto|tg|javascript|data):\S"
    r"|[^\s.]\.[^\W\d_][^\s.,!?;:)\"'»”’]"
    r"|\w[\u3002\uff61]\w"
    r"|\d{1,3}(?:\.\d{1,3}){3}",
    re.IGNORECASE,
)
# Control characters, line and paragraph separators, halves of characters, and what nobody has defined.
UNPRINTABLE = {"Cc", "Zl", "Zp", "Cs", "Co", "Cn"}
TURNS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # make text run the other way


def plain(typed: str, longest: int = MAX_LENGTH, what: str = "") -> str:
    """The words somebody typed, as they are. Raises ValidationError; `what` they are is said in its words."""
    what = what or _("The note")
    if len(typed) > longest:
        said = _("%(what)s is longer than %(longest)s characters")
        raise ValidationError(said % {"what": what, "longest": longest}, code="max_length")
    if any(unicodedata.category(c) in UNPRINTABLE or c in TURNS for c in typed):
        said = _("%(what)s must be one line of plain text, without invisible characters")
        raise ValidationError(said % {"what": what}, code="control")
    if LINK.search(seen(typed)):
        said = _("%(what)s has a link in it; links are not sent. If it has none, put a space after each full stop")
        raise ValidationError(said % {"what": what}, code="link")
    return typed


def seen(typed: str) -> str:
    """What a reader sees of it: without what has no width, and with usual letters for their look-alikes."""
    shown = "".join(c for c in typed if unicodedata.category(c) not in {"Cf", "Mn", "Me"})
    return unicodedata.normalize("NFKC", shown)
