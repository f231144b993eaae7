"""Finds the addresses in a cell of a list, with the names that stand beside them."""

import re
from itertools import pairwise

from invites.batch.names import is_name
from kit.pasted import without_mailto, words_with_at
from kit.typed import fold

# What stands around an address and can't be part of one as people write it. A token is what lies between.
AROUND = r"\s<>()\[\]{}«»“”„\"`,;:|"
TOKEN = re.compile(f"[^{AROUND}]+")
# Nothing in these patterns may be tried in a second way from the middle of a cell: a long one would take minutes.
WRITTEN = f"[^{AROUND}@]++@[^{AROUND}@.]++(?:\\.++[^{AROUND}@.]++)++\\.*+"
ADDRESS = re.compile(WRITTEN)
IN_BRACKETS = re.compile(f"[<(\\[{{]\\s*+{WRITTEN}\\s*+[>)\\]}}]")
# An address with spaces around its "@" or behind it, where nothing else stands that could be meant.
SPACED = re.compile(
    f"(?:^|(?<=[<(\\[{{,;|:\n]))([^\\S\n]*+[^{AROUND}@]++)[^\\S\n]*+@[^\\S\n]++"
    f"([^{AROUND}@.]++(?:\\.++[^{AROUND}@.]++)++\\.*+)(?=[^\\S\n]*+(?:$|[>)\\]}},;|\n]))"
)
BETWEEN = re.compile(r"[,;|\n]")  # the first of these ends what belongs to one address
OPENING, CLOSING = "<([{'‘\"«“„", ">)]}'’\"»”"
MARKS = " \t\r\n,;:|/*•·–—-"  # around a name that stands beside an address
AT_EDGES = MARKS + "'\"“”„«»"
NUMBER = re.compile(r"^\d+[.)]\s+")  # of a line, in a numbered list
LABELS = {
    *("email", "e-mail", "mail", "to", "cc", "bcc", "from", "кому", "копия", "почта", "эл. почта"),
    *("write", "write me", "mail me", "contact", "contact me", "написать", "написать письмо"),
}


def is_address(cell: str) -> bool:
    """Returns whether the cell looks like one address and nothing else."""
    return ADDRESS.fullmatch(cell) is not None


def is_glued(typed: str) -> bool:
    """Returns whether an address that people() has found is only a part of what stands in the cell."""
    return "@" in typed and TOKEN.fullmatch(typed) is None


def has_address(cell: str) -> bool:
    return "@" in (said := prepared(cell)) and any(map(is_address, TOKEN.findall(said)))


def means_address(cell: str) -> bool:
    """Returns whether the cell has an address or what was meant as one, like "ada@example"; "@ada" was not."""
    return any("@" in token.strip("@") for token in TOKEN.findall(prepared(cell)))


def is_mailbox(cell: str) -> bool:
    """Returns whether the cell is one address alone, or has one in brackets: "Ada <ada@example.com>"."""
    return is_address(prepared(cell)) or is_in_brackets(cell)


def is_in_brackets(cell: str) -> bool:
    """Returns whether the cell has an address in brackets."""
    return IN_BRACKETS.search(prepared(cell)) is not None


def prepared(cell: str) -> str:
    """Returns the cell with its addresses as they are usually written, without white space around it.

    Full-width characters become usual ones if its "@" is one; mailto URLs become addresses; spaces around "@" go.
    """
    text = cell if "@" in cell or cell.isascii() else fold(cell)
    text = without_mailto(text) if ":" in text else text
    return (SPACED.sub(r"\1@\2", text) if "@" in text else text).strip()


def people(cell: str) -> tuple[list[tuple[str, str]], bool]:
    """Returns the address and name of each person in a cell, and whether words beside them were left out.

    An address is as it was typed, and the whole cell where none is found. One that comes again is left out. One that
    is only a part of a word, as in "ada(x)lovelace@example.com", comes with the characters that are glued to it, so
    that is_glued() tells it.
    """
    cell = prepared(cell)
    tokens = [token for token in TOKEN.finditer(cell) if "@" in token[0]]
    if not tokens:
        return [(cell, "")], False
    cuts = [0, *(end_of_part(cell, one.end(), next_one.start()) for one, next_one in pairwise(tokens)), len(cell)]
    found: dict[str, tuple[str, str]] = {}
    left_out, whole = False, words_with_at(cell)
    for token, (start, end) in zip(tokens, pairwise(cuts), strict=True):
        if is_address(token[0]) and not words_with_at(token[0]) <= whole:
            typed = cell[max(token.start() - 1, 0) : token.end() + 1].strip()
        else:
            typed = token[0].lstrip("'’‘").rstrip("'’‘/\\")
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
    if not before.strip(MARKS) and not behind.strip(MARKS):
        return "", False
    brackets = before.rstrip().endswith(tuple(OPENING))
    said = [
        (cleaned(before.rstrip(MARKS + OPENING)), brackets),
        (cleaned(behind.lstrip(MARKS + CLOSING)), "(" in behind),
    ]
    said = [(words, sure) for words, sure in said if any(map(str.isalpha, words)) and words.lower() not in LABELS]
    names = [words for words, sure in said if sure or (is_name(words) and not words[0].islower())]
    return (names[0] if names else ""), len(said) > len(names[:1])


def cleaned(words: str) -> str:
    """Returns words without the marks and brackets around them, and without line ends between them."""
    words = words.strip(AT_EDGES)
    if not words:
        return ""
    words = NUMBER.sub("", words, count=1)
    if words[:1] + words[-1:] in {"()", "[]"}:
        words = words[1:-1]
    return " ".join(words.split())
