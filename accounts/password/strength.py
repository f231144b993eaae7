"""How many guesses a password takes, by the estimate of zxcvbn, and in words what makes it easy."""

import re
from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from zxcvbn_rs_py import Warning as Hint
from zxcvbn_rs_py import zxcvbn

from accounts.password import sentences
from accounts.password.words import PHRASES, RUSSIAN, TO_LATIN_KEYS, WITHOUT_SHIFT

# The estimator's time grows with the square of the length, and with each kind of symbol that may stand for a letter:
# 72 of them took it a third of a second. Within these bounds it takes less than a hash of the password.
LOOKED_AT = 48  # characters
SYMBOL_KINDS = 3  # kept as typed; others are read as the digits on their keys

SYMBOLS = re.compile(r"[^\w\s]")
SEPARATORS = re.compile(r"[\s._-]+")
DOUBLED = re.compile(r"(.)\1+")
# How many times more guesses it takes for each character that a reading leaves out.
PER_FILLER = 4
MANY_DOUBLED = 3  # letters; fewer hide nothing from the estimator, and each reading takes its time

KEYS = _("Rows of keys are on lists attackers try first.")
REPEATS = _("Repeated words and letters are on lists attackers try first.")
SEQUENCES = _("Sequences like abc or 6543 are on lists attackers try first.")
DATES = _("Dates and years are easy to guess.")
WORD = _("A single word is easy to guess, whatever follows it.")
NAMES = _("Names are easy to guess.")

PHRASE = _("Sayings, songs and simple sentences are easy to guess.")
COMMON = _("That is close to passwords on lists attackers try first.")

WORDS: list[tuple[Hint, Promise]] = [
    (Hint.StraightRowsOfKeysAreEasyToGuess, KEYS),
    (Hint.ShortKeyboardPatternsAreEasyToGuess, KEYS),
    (Hint.RepeatsLikeAaaAreEasyToGuess, REPEATS),
    (Hint.RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess, REPEATS),
    (Hint.SequencesLikeAbcAreEasyToGuess, SEQUENCES),
    (Hint.RecentYearsAreEasyToGuess, DATES),
    (Hint.DatesAreOftenEasyToGuess, DATES),
    (Hint.AWordByItselfIsEasyToGuess, WORD),
    (Hint.NamesAndSurnamesByThemselvesAreEasyToGuess, NAMES),
    (Hint.CommonNamesAndSurnamesAreEasyToGuess, NAMES),
    (Hint.ThisIsATop10Password, COMMON),
    (Hint.ThisIsATop100Password, COMMON),
    (Hint.ThisIsACommonPassword, COMMON),
    (Hint.ThisIsSimilarToACommonlyUsedPassword, COMMON),
]


class Strength(NamedTuple):
    """How many guesses a password takes, and why it is easy: a sentence, or "" if there is none to be said."""

    guesses: float
    why: str


def estimate(password: str, known: Iterable[str]) -> Strength:
    """Returns the strength of a password against someone who knows the words in `known`, such as names.

    Only the start and the end of a long one are looked at: it is as strong as the stronger of them. A known phrase is
    looked for in all of it.
    """
    password = password.encode("utf-8", "replace").decode()  # the estimator takes no half of a surrogate pair
    joined = _join(password)
    # The estimator takes longer for each word it is given.
    words = [*known, *(word for word in (*RUSSIAN, *PHRASES) if word in joined)]
    parts = {password[:LOOKED_AT], password[-LOOKED_AT:]}
    strongest = max((_weakest_reading(part, words) for part in parts), key=lambda strength: strength.guesses)
    said = sentences.guesses(joined, lambda word: float(zxcvbn(word, words).guesses), LOOKED_AT)
    return min(strongest, Strength(said, str(PHRASE)), key=lambda strength: strength.guesses)


def repeated(password: str) -> str:
    """Returns what a password repeats, without separators and case: "abc" for "Abc-abc"; "" if it repeats nothing."""
    text = SEPARATORS.sub("", password).lower()
    length = (text + text).find(text, 1)
    return text[:length] if length < len(text) else ""


def _join(password: str) -> str:
    """Returns the letters and digits of a password, as the keys of small Latin letters."""
    return "".join(filter(str.isalnum, password.lower())).replace("ё", "е").translate(TO_LATIN_KEYS)


def _weakest_reading(text: str, words: list[str]) -> Strength:
    return min((_guess(parts, words, times) for parts, times in _readings(text)), key=lambda one: one.guesses)


def _guess(parts: Sequence[str], words: list[str], times: int) -> Strength:
    """Returns the strength of a reading whose `parts` are guessed apart and put together in `times` ways."""
    found = [zxcvbn(part, words) for part in parts if part]
    hints = [one.feedback.warning for one in found if one.feedback]
    why = next((why for known, why in WORDS for hint in hints if known == hint), "")
    return Strength(times * prod(float(one.guesses) for one in found), str(why))


def _readings(text: str) -> Iterator[tuple[Sequence[str], int]]:
    """Yields the ways in which a password may be easy: the parts to guess, and how many times more guesses it takes.

    The estimator reads what is typed. So Cyrillic letters, separators, Shift and doubled letters would each hide a
    simple password from it, and so would digits and symbols between the parts of one.
    """
    keys = _limit_symbols(text.translate(TO_LATIN_KEYS))
    plain = SEPARATORS.sub("", keys.translate(WITHOUT_SHIFT)).lower()
    single = DOUBLED.sub(r"\1", plain)
    letters = "".join(filter(str.isalpha, plain))
    between = PER_FILLER ** (len(keys) - len(plain))
    if len(plain) * 2 < len(keys):
        yield (keys,), 1
    yield (plain,), between
    if len(plain) - len(single) >= MANY_DOUBLED:
        yield (single,), between * PER_FILLER ** (len(plain) - len(single))
    if letters != plain:
        yield (letters, "".join(c for c in plain if not c.isalpha())), between


def _limit_symbols(keys: str) -> str:
    kinds = dict.fromkeys(map(ord, SYMBOLS.findall(keys)))
    return keys.translate({kind: WITHOUT_SHIFT.get(kind, kind) for kind in list(kinds)[SYMBOL_KINDS:]})
