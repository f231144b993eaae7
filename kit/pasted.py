"""Words in pasted text that may be addresses: which marks stand around them, and which are a part of them."""

import re
from urllib.parse import unquote

# What an address may stand in, or between. A comma inside a word is no end of an address: it was meant as a full stop.
OPENING, CLOSING = "<([{“„‟«‹「【〈《", ">)]}”“»›」】〉》"
BRACKETS = re.compile(
    '(?:(")|[{0}])(?P<inside>[^"{0}{1}]*)(?(1)"|[{1}])'.format(re.escape(OPENING), re.escape(CLOSING))
)
GOES_ON = re.compile(r"[.!#$%&'*+/=?^_`~-]*\w")  # the rest of a word, behind brackets
COMMAS = "[,;:|、،؛]+"
BETWEEN = re.compile(rf"{COMMAS}(?=\s|$)")
MAILTO = re.compile(r"\bmailto:([^\s?<>\"]*)(?:\?[^\s<>\")\]]*)?", re.IGNORECASE)
# What is glued to an address, but is no part of it; "ada.mail:" might be. Exports of contacts have "TYPE=work:".
LABEL = re.compile(
    r"(?<![^\s,;<(\[{\"])(?:e-?mail|mail|address|to|cc|bcc|from|почта|адрес|кому|копия|type=[\w=-]+):(?=\S)",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"[^\s@,;:|]+@[^\s@,;:|]+")
# What may be left beside it: at its beginning, at its end, and, only where it is at both, around words in chats.
BEFORE = OPENING + CLOSING + '"‘’,;:|'
AFTER = OPENING + CLOSING + '"‘’.,;:!?'
AROUND = "'*_`~"


def words_with_at(text: str) -> set[str]:
    """Returns those words of a text that have an "@", each whole, and without brackets and marks around it.

    What is glued to a word within it is a part of it, as in "ada(x)lovelace@example.com" or "ada,lovelace@example.com";
    a label before it is none, as in "Email:ada@example.com". Two addresses with a comma between them are two words.
    """
    typed = [word for piece in pieces(text) for word in piece.split() if "@" in word]
    return {trim(part) for word in typed for part in _addresses_in(word)}


def _addresses_in(word: str) -> list[str]:
    """Returns what stands between the commas of a word, if there is an "@" in each; or else the whole word."""
    parts = list(filter(None, re.split(COMMAS, word)))
    return parts if all("@" in part for part in parts) else [word]


def pieces(text: str) -> list[str]:
    """Returns what stands in brackets and quotation marks in a text, and what stands between commas outside of them."""
    text = LABEL.sub(r"\g<0> ", text)
    return [*(found["inside"] for found in BRACKETS.finditer(text)), *BETWEEN.split(BRACKETS.sub(_cut, text))]


def _cut(brackets: re.Match[str]) -> str:
    """Returns what takes the place of brackets in a text: a comma, or they stay.

    They stay within a word: "ada(x)lovelace@example.com" must not become the address of somebody called Lovelace.
    """
    text, start, end = brackets.string, brackets.start(), brackets.end()
    within = text[max(start - 1, 0) : start].strip() and GOES_ON.match(text, end) and "@" not in brackets["inside"]
    return brackets[0] if within else ", "


def without_mailto(text: str) -> str:
    """Returns a text with the addresses of each mailto URL (RFC 6068) in its place, between spaces.

    Its header fields are left out, and what it writes as "%2B" is "+" again.
    """
    return MAILTO.sub(lambda found: f" {unquote(found[1])} ", text)


def trim(piece: str) -> str:
    """Returns a piece of text without the white space, brackets and marks that were copied along with an address."""
    piece = piece.strip().lstrip(BEFORE).rstrip(AFTER)
    if piece[-1:] and piece[-1] in AROUND:
        piece = piece.strip(AROUND).rstrip(AFTER)
    return piece.strip()
