"""Finds the addresses in a cell of a list, with the names that stand beside them."""

import re
from itertools import pairwise

from kit.typed import fold

# What stands around an address and can't be part of one as people write it. A token is what lies between.
AROUND = r"\s<>()\[\]{}«»“”„\"`,;:|"
TOKEN = re.compile(f"[^{AROUND}]+")
ADDRESS = re.compile(f"[^{AROUND}@]+@[^{AROUND}@]+\\.[^{AROUND}@]+")
MAILTO = re.compile(r"\bmailto:([^\s?<>]*)(?:\?[^\s<>)\]]*)?", re.IGNORECASE)
BETWEEN = re.compile(r"[,;|\n]")  # the first of these ends what belongs to one address
OPENING, CLOSING = "<([{'‘\"«“„", ">)]}'’\"»”"
MARKS = " \t\r\n,;:|/*•·–—-"  # around a name that stands beside an address
WORD = re.compile(r"(?:[^\W\d_]\.)+|[^\W\d_][^\d_@<>|=/\\.]*\.?")  # "J.R.", "Lovelace", "O’Neil", "Dr."
NUMBER = re.compile(r"^\d+[.)]\s+")  # of a line, in a numbered list
MOST_WORDS = 5  # of a name that stands beside an address without brackets
LABELS = {"email", "e-mail", "mail", "to", "cc", "bcc", "from", "кому", "копия", "почта", "эл. почта"}


def is_address(cell: str) -> bool:
    """Returns whether the cell looks like one address and nothing else."""
    return ADDRESS.fullmatch(cell) is not None


def has_address(cell: str) -> bool:
    return any(map(is_address, TOKEN.findall(folded(cell))))


def folded(cell: str) -> str:
    """Returns the cell with usual characters for full-width ones, if its "@" is one of these."""
    return cell if "@" in cell or cell.isascii() else fold(cell)


def is_name(text: str) -> bool:
    """Returns whether the text may be somebody's name: a few words without digits."""
    words = text.split()
    return 0 < len(words) <= MOST_WORDS and all(map(WORD.fullmatch, words))


def people(cell: str) -> tuple[list[tuple[str, str]], bool]:
    """Returns the address and name of each person in a cell, and whether words beside them were left out.

    An address is as it was typed, and the whole cell where none is found. One that comes again is left out.
    """
    cell = MAILTO.sub(r"\1", folded(cell))
    tokens = [token for token in TOKEN.finditer(cell) if "@" in token[0]]
    if not tokens:
        return [(cell, "")], False
    cuts = [0, *(end_of_part(cell, one.end(), next_one.start()) for one, next_one in pairwise(tokens)), len(cell)]
    found: dict[str, tuple[str, str]] = {}
    left_out = False
    for token, (start, end) in zip(tokens, pairwise(cuts), strict=True):
        typed = token[0].strip("'’‘")
        named, rest = name(cell[start : token.start()], cell[token.end() : end])
        known = found.get(typed.lower(), (typed, ""))
        found[typed.lower()] = (known[0], known[1] or named)
        left_out |= rest
    return list(found.values()), left_out


def end_of_part(cell: str, end: int, start: int) -> int:
    """Returns where the part of the address that ends at `end` is over, when the next address starts at `start`."""
    mark = BETWEEN.search(cell, end, start)
    return mark.end() if mark else end


def name(before: str, behind: str) -> tuple[str, bool]:
    """Returns the name in the words before and behind an address, or "", and whether any words were left out.

    Words in brackets, or before an address in brackets, are always a name. Others must begin like one, with a capital.
    """
    brackets = before.rstrip()[-1:] in set(OPENING)
    said = [
        (cleaned(before.rstrip(MARKS + OPENING)), brackets),
        (cleaned(behind.lstrip(MARKS + CLOSING)), "(" in behind),
    ]
    said = [(words, sure) for words, sure in said if any(map(str.isalpha, words)) and words.lower() not in LABELS]
    names = [words for words, sure in said if sure or (is_name(words) and not words[0].islower())]
    return (names[0] if names else ""), len(said) > len(names[:1])


def cleaned(words: str) -> str:
    """Returns words without the marks and brackets around them, and without line ends between them."""
    words = NUMBER.sub("", words.strip(MARKS + "'\"“”„«»"), count=1)
    if words.startswith("(") and words.endswith(")"):
        words = words[1:-1]
    return " ".join(words.split())
