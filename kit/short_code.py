"""Codes of eight characters that a person reads on one screen and types on another.

A code is derived from a keyed hash of what it stands for and of the present minute. So nothing is stored, and to show
it again changes nothing. It is good for LIFETIME. What is typed may have any case, dashes and spaces, and letters of a
Russian keyboard that look the same. Callers limit the guesses: there are 2·10¹¹ codes, of which 15 are right at once.
"""

import unicodedata
from datetime import datetime, timedelta

from django.utils.crypto import constant_time_compare, salted_hmac

ALPHABET = "23456789BCDFGHJKMNPQRTVWXY"  # no two look alike, and no word can come of them
LENGTH = 8
LIFETIME = timedelta(minutes=15)

STEP = timedelta(minutes=1)
LOOK_ALIKE = str.maketrans("ВКМНРСТХУ", "BKMHPCTXY")  # Cyrillic letters, and the Latin ones that look the same


def show(salt: str, subject: str, now: datetime) -> str:
    """Returns the code for `subject`, as in K7WQ-3MTD. It is good for 14 to 15 minutes from `now`.

    `salt` names what the code is for: codes of one salt never fit another.
    """
    code = derive(salt, subject, int(now.timestamp() // STEP.total_seconds()))
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def fits(typed: str, salt: str, subject: str, now: datetime) -> bool:
    """Returns whether somebody has typed a code that show() has returned for `subject` in the last LIFETIME."""
    code, minute = clean(typed), int(now.timestamp() // STEP.total_seconds())
    steps = range(LIFETIME // STEP)
    return any(constant_time_compare(code, derive(salt, subject, minute - ago)) for ago in steps)


def clean(typed: str) -> str:
    """Returns the letters and digits of what was typed, in upper case and Latin letters; dashes and spaces go."""
    plain = unicodedata.normalize("NFKC", typed).upper().translate(LOOK_ALIKE)
    return "".join(letter for letter in plain if letter.isalnum())


def derive(salt: str, subject: str, minute: int) -> str:
    """Returns the code for `subject` that is shown in this minute, counted since 1970, without its dash."""
    digest = salted_hmac(f"frontdoor.code.{salt}", f"{subject} {minute}", algorithm="sha256").digest()
    number, letters = int.from_bytes(digest), []
    for _place in range(LENGTH):
        number, place = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[place])
    return "".join(letters)
