"""How many guesses a password takes that is a known phrase, or a sentence of simple words."""

from collections.abc import Callable
from heapq import nsmallest
from itertools import chain
from math import inf

from accounts.password.words import PHRASES, SIMPLE

# How many times more guesses a sentence takes for each of its simple words, and how many a word in it that is not
# simple may take at most: a name, a common word or a year. The shortest such words are tried.
PER_WORD = 30
OTHER = 10_000
OTHERS_TRIED = 3
LONGEST = max(map(len, chain(*SIMPLE)))  # letters of a simple word


def guesses(text: str, of_word: Callable[[str], float], looked_at: int) -> float:
    """Returns how many guesses a text takes that is a known phrase or a sentence; infinite for anything else.

    `text` has letters and digits alone, as the keys of small Latin letters. `of_word` returns how many guesses a single
    word takes. Of what stands beside a phrase so many characters are `looked_at`; a sentence may have as many.
    """
    found = [_of_phrases(text, looked_at)]
    if len(text) <= looked_at:
        found += [_of_sentence(text, simple, of_word) for simple in SIMPLE]
    return min(found)


def _of_phrases(text: str, looked_at: int) -> float:
    """Returns how many guesses known phrases take, with something added; infinite without any."""
    rest = text
    for phrase in PHRASES:
        rest = rest.replace(phrase, "")
    added = min(len(rest), looked_at)
    return float(len(PHRASES) * 10**added) if rest != text else inf


def _of_sentence(text: str, simple: frozenset[str], of_word: Callable[[str], float]) -> float:
    """Returns how many guesses a sentence of simple words takes, with one other in it at most; infinite for no such."""
    size = len(text)
    ahead = _count_words(text, simple)
    behind = _count_words(text[::-1], frozenset(word[::-1] for word in simple))
    ends = [size - length for length in behind]
    pairs = ((start, end) for start in ahead for end in ends if start <= end <= start + LONGEST)
    ways = ((end - start, start, ahead[start] + behind[size - end]) for start, end in pairs)
    found = [inf]
    for length, start, count in nsmallest(OTHERS_TRIED, (way for way in ways if way[-1])):
        other = of_word(text[start : start + length]) if length else 1.0
        if other <= OTHER:
            found.append(PER_WORD**count * other * (count + 1 if length else 1))
    return min(found)


def _count_words(text: str, known: frozenset[str]) -> dict[int, int]:
    """Returns of how many known words a text may begin: the fewest, by the number of letters that they cover."""
    fewest = {0: 0}
    for end in range(1, len(text) + 1):
        starts = [start for start in range(max(0, end - LONGEST), end) if start in fewest and text[start:end] in known]
        if starts:
            fewest[end] = 1 + min(fewest[start] for start in starts)
    return fewest
