"""Names of people in a list: what looks like one, and what of a text beside an address can be called one."""

import re

MOST_WORDS = 5  # of a name that stands beside an address without brackets
WORD = re.compile(r"(?:[^\W\d_]\.)+|[^\W\d_][^\d_@<>|=/\\.]*\.?")  # "J.R.", "Lovelace", "O’Neil", "Dr."
QUOTED = 3  # pairs of quotation marks around a name, at most
QUOTES = "\"'“”„‟«»‘’"
# What stands in no name, but in what programs write: HTML, JSON, vCards, formulas, placeholders.
SYNTAX = re.compile(r"[<>{}\[\]\\=|;:^~%*]|&#?\w{1,10};|^#")
PAIRED = re.compile(r'(?:[^"]++|(?<![^\s(])"[^"]*+"(?!\w))*+')  # each quotation mark has its other, around words
LABEL = re.compile(r"(?:full ?name|name|имя|фио)\s*+:\s*+", re.IGNORECASE)
DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:.]+)?")
# What spreadsheets and programs write where they know nothing, and what only says that an address follows.
NOTHING = {
    *("true", "TRUE", "false", "FALSE", "null", "NULL", "none", "n/a", "N/A", "nan", "NaN", "undefined"),
    *("email", "Email", "EMAIL", "e-mail", "E-mail", "E-Mail", "E-MAIL", "mail", "Mail", "почта", "Почта"),
}
# Behind a comma, one of these is no first name: "Lovelace, PhD", "Ada, Bob and Eve".
TITLES = set("jr sr ii iii iv phd md esq mba msc inc ltd llc gmbh ag".split())
CONJUNCTIONS = set("and und et y и".split())


def is_name(text: str) -> bool:
    """Returns whether the text may be somebody's name: a few words without digits."""
    words = text.split()
    return 0 < len(words) <= MOST_WORDS and all(map(WORD.fullmatch, words))


def tidy(text: str) -> tuple[str, bool]:
    """Returns the name in a text of one line, as it stands in a greeting, and whether something was left out of it.

    Quotation marks around the whole are no part of it. The name is "" if the text is a number, a date or what only a
    program would write.
    """
    whole = text.strip()
    for _pair in range(QUOTED):
        if len(whole) > 1 and whole[0] in QUOTES and whole[-1] in QUOTES and not whole[1:-1].count('"') % 2:
            whole = whole[1:-1].strip()
    name = LABEL.sub("", whole, count=1) if LABEL.match(whole) else whole
    if not PAIRED.fullmatch(name):
        name = name.replace('"', "")
    name = name.strip()
    if SYNTAX.search(name) or DATE.fullmatch(name) or name in NOTHING or not any(map(str.isalpha, name)):
        return "", any(map(str.isalnum, whole))
    return in_order(name), name != whole


def in_order(name: str) -> str:
    """Returns "Ada Lovelace" for "Lovelace, Ada", and any other name as it is."""
    before, bracket, rest = name.partition("(")
    last, comma, first = before.partition(",")
    words = {word.strip(".").lower() for word in first.split()}
    if not comma or "," in first or not is_name(last) or not is_name(first):
        return name
    if words <= TITLES or words & CONJUNCTIONS:
        return name
    return " ".join(filter(None, (first.strip(), last.strip(), bracket + rest)))
