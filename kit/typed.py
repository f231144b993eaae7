"""What comes along when people type and paste: invisible characters, full-width letters, control characters."""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

MAX_LENGTH = 4096  # characters of a text that is neither a name, an address nor a note, such as a password

FOLDED_AT_MOST = 1000  # characters

# Compatible forms that keyboards for Chinese and Japanese, PDF files and word processors write in place of the usual
# characters. Not folded are superscripts and fractions, which mean something else.
FOLDED = {"<wide>", "<narrow>", "<small>", "<font>", "<noBreak>", "<compat>"}
# A long s, which would make another name of "boſs"; and the full stop of Chinese and Japanese, which NFKC keeps.
INSTEAD = {"\u017f": "\u017f", "\u3002": ".", "\uff61": "."}
# Between letters of other scripts these two tell one domain from another (IDNA 2008, RFC 5892 appendix A).
JOINERS = re.compile("(?<=[^\0-\x7f])[\u200c\u200d](?=[^\0-\x7f])")
ILLEGIBLE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffd]")


def fold(typed: str) -> str:
    """Returns `typed` without white space around it, as a reader sees it: one spelling for what looks the same.

    Invisible characters of format are dropped (Unicode's Cf, such as a zero-width space, a mark of direction or a soft
    hyphen); full-width and other compatible forms become the usual characters. A text of more than FOLDED_AT_MOST
    characters is only stripped: it is no name and no address, and each character costs time.
    """
    if typed.isascii() or len(typed) > FOLDED_AT_MOST:
        return typed.strip()
    kept = {found.start() for found in JOINERS.finditer(typed)}
    return "".join(_folded(c) for at, c in enumerate(typed) if at in kept or unicodedata.category(c) != "Cf").strip()


def _folded(character: str) -> str:
    if character in INSTEAD:
        return INSTEAD[character]
    kind = unicodedata.decomposition(character).partition(" ")[0]
    return unicodedata.normalize("NFKC", character) if kind in FOLDED else character


def check_legible(typed: str) -> None:
    """Raises ValidationError, with the code "control", for control characters, lone surrogates and U+FFFD.

    U+FFFD ("�") stands where a program could not read what somebody had written.
    """
    if ILLEGIBLE.search(typed):
        said = _("Type it again: there is a tab, a line break or an unreadable character (�) in it")
        raise ValidationError(said, code="control")
