"""Checks of what users write to other people: one plain line without anything that mail programs make a link of."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MAX_LENGTH = 200  # characters

# In this order: "https://…", "www.…", "mailto:…"; a dot between two words, as in "example.com"; a dot of another
# script, which mail programs may take for the usual one; an IPv4 address.
LINK = re.compile(
    r"://|\bwww\b\s*\.|\b(?:mailto|tel|sms|skype|callto|tg|javascript|data):\S"
    r"|[^\s.]\.[^\W\d_][^\s.,!?;:)\"'»”’]"
    r"|\w[\u3002\uff61]\w"
    r"|\d{1,3}(?:\.\d{1,3}){3}",
    re.IGNORECASE,
)
# Control characters, line and paragraph separators, lone surrogates, private and unassigned characters.
UNPRINTABLE = {"Cc", "Zl", "Zp", "Cs", "Co", "Cn"}
FILLERS = set("\u115f\u1160\u2800\u3164\uffa0")  # letters and a pattern that show nothing
JOINERS = set("\u200c\u200d")  # between letters of Persian and Indian scripts, and in emoji
TURNS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # make text run the other way


def plain(typed: str, longest: int = MAX_LENGTH, what: str = "") -> str:
    """Returns `typed` unchanged if it is one line of plain text of at most `longest` characters, without a link.

    Otherwise raises ValidationError, with the code "max_length", "control" or "link". `what` names the text in its
    message; the default is "The note".
    """
    what = what or _("The note")
    if len(typed) > longest:
        said = _("%(what)s is longer than %(longest)s characters")
        raise ValidationError(said % {"what": what, "longest": longest}, code="max_length")
    one_line(typed, what)
    if LINK.search(as_displayed(typed)):
        said = _("%(what)s has a link in it; links are not sent. If it has none, put a space after each full stop")
        raise ValidationError(said % {"what": what}, code="link")
    return typed


def one_line(typed: str, what: str) -> str:
    """Returns `typed` unchanged if it is one line that can be printed. `what` names the text in the message.

    Otherwise raises ValidationError, with the code "control".
    """
    unprintable = any(unicodedata.category(c) in UNPRINTABLE or c in TURNS or c == "\ufffd" for c in typed)
    if unprintable or "=?" in typed:  # which begins a word that mail programs decode (RFC 2047 §2)
        said = _("%(what)s must be one line of plain text, without invisible characters")
        raise ValidationError(said % {"what": what}, code="control")
    return typed


def wholly_visible(typed: str, what: str) -> str:
    """Returns `typed` unchanged if each character of it shows something, or joins two that do. It is a line already.

    Otherwise raises ValidationError as one_line() does: two texts that differ would look the same. That is more than a
    note needs, which may have the soft hyphens of the program that it was written in.
    """
    if any(c in FILLERS or (unicodedata.category(c) == "Cf" and c not in JOINERS) for c in typed):
        said = _("%(what)s must be one line of plain text, without invisible characters")
        raise ValidationError(said % {"what": what}, code="control")
    return typed


def as_displayed(typed: str) -> str:
    """Returns `typed` as a reader sees it, so that no link is hidden from a check for links.

    Characters without width are removed, and compatible look-alikes, such as full-width letters, become usual ones
    (NFKC).
    """
    shown = "".join(c for c in typed if unicodedata.category(c) not in {"Cf", "Mn", "Me"})
    return unicodedata.normalize("NFKC", shown)
