"""Scripts of writing: whether a domain in Unicode can be shown, or could pass for another one (Unicode TR 39).

The rules are those of browsers, a little stricter: letters of two scripts in one label, labels that only have letters
that look like Latin ones, and rare letters stay in ASCII ("xn--…").
"""

import re
import unicodedata
from collections import Counter

# Scripts that are written together.
TOGETHER = ({"CJK", "HIRAGANA", "KATAKANA"}, {"CJK", "HANGUL"}, {"CJK", "BOPOMOFO"})
LETTERS = {"Ll", "Lu", "Lo"}  # categories; marks and modifiers belong to no script of their own
ALSO_CJK = {"IDEOGRAPHIC", "KATAKANA-HIRAGANA"}
# The letters with accents of European languages; all other Latin letters, such as phonetic ones, look like these.
LATIN = re.compile(
    "[a-z0-9\u00df-\u00f6\u00f8-\u0130\u0132-\u0137\u0139-\u0148\u014a-\u017e\u01cd-\u021b\u1e00-\u1eff-]+"
)
# Cyrillic, Greek, Armenian, Hebrew and Georgian letters that look like Latin ones, or like digits.
LIKE_LATIN = set("аысԁеԍһіюјӏорԗԛѕԝхуъьҽпгѵѡαικνρυωηοτագզէլհյոսւօדוחיןסიოყძხჽჿ0123456789-")
PLAIN = str.maketrans("łøđħ", "lodh")  # letters that Unicode does not take apart


def readable_domain(domain: str) -> str:
    """Returns a domain in ASCII (IDNA) with those labels in Unicode that can pass for no other."""
    labels = domain.split(".")
    shown = [_in_unicode(label) for label in labels]
    foreign = not shown[-1].isascii()  # under "рф" nobody expects Latin letters
    return ".".join(
        text if text.isascii() or is_plain(text, foreign=foreign) else label
        for label, text in zip(labels, shown, strict=True)
    )


def _in_unicode(label: str) -> str:
    try:
        return label.encode().decode("idna")
    except UnicodeError:  # no IDNA, or another version of it
        return label


def is_plain(label: str, *, foreign: bool = False) -> bool:
    """Returns whether a label has letters of one script only, and does not look like one of Latin letters.

    `foreign` says that the top-level domain is in another script than Latin, so that nobody takes the label for Latin.
    """
    scripts = {_script(character) for character in label} - {""}
    if scripts == {"LATIN"}:
        return LATIN.fullmatch(label) is not None
    one = len(scripts) == 1 or any(scripts <= some for some in TOGETHER)
    return one and scripts.isdisjoint({"SYMBOL", "COMBINING"}) and (foreign or not LIKE_LATIN.issuperset(label))


def odd_letter(label: str) -> str:
    """Returns the first letter of a label that is of another script than most of them; "" if all stand together.

    Latin letters may stand with those of Chinese, Japanese and Korean, which look like none of them.
    """
    letters = [(character, _script(character)) for character in label if unicodedata.category(character) in LETTERS]
    count = Counter(script for _character, script in letters)
    if len(count) < 2 or any(count.keys() - {"LATIN"} <= some for some in TOGETHER):
        return ""
    odd = min(count, key=lambda script: (count[script], script == "LATIN"))
    return next(character for character, script in letters if script == odd)


def _script(character: str) -> str:
    """Returns the first word of the character's name, which is that of its script; "" for "-" and the digits 0 to 9."""
    if character in "-0123456789":
        return ""
    if unicodedata.category(character)[0] not in "LMN":
        return "SYMBOL"
    word = unicodedata.name(character, "UNNAMED").partition(" ")[0]
    return "CJK" if word in ALSO_CJK else word.removesuffix("-INDIC")


def without_accents(text: str) -> str:
    """Returns the text with plain Latin letters in place of those with accents: "gmail.com" for "gmáil.com"."""
    letters = unicodedata.normalize("NFD", text.translate(PLAIN))
    return "".join(c for c in letters if unicodedata.category(c) != "Mn")
