"""Options that commands share, --dry-run and --format, and types of arguments: ages, counts and rates."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from datetime import timedelta

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
OLDEST = timedelta(days=36_500)
FASTEST = 10_000  # a second


def age(text: str) -> timedelta:
    """Returns the time span in "3d", "12h" or "90m". Raises ArgumentTypeError if it is invalid or above 100 years."""
    match = re.fullmatch(r"(\d{1,6})([mhd])", text, re.ASCII)
    if not match:
        raise ArgumentTypeError("must look like 3d, 12h or 90m")
    span = timedelta(**{UNITS[match[2]]: int(match[1])})
    if span > OLDEST:
        raise ArgumentTypeError("must be 100 years or less")
    return span


def count(text: str) -> int:
    """Returns a whole number of 0 or more. Raises ArgumentTypeError for anything but one to nine digits."""
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise ArgumentTypeError("must be 0 or more, in digits")
    return int(text)


def positive(text: str) -> int:
    """Returns a whole number of 1 or more. Raises ArgumentTypeError for 0 and for anything but one to nine digits."""
    if not (number := count(text)):
        raise ArgumentTypeError("must be 1 or more")
    return number


def rate(text: str) -> float:
    """Returns a rate per second, from "10/s", "0.5/s" or "600/m", which is 600 a minute. "10" means "10/s".

    Raises ArgumentTypeError if `text` is invalid, 0, or above FASTEST.
    """
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)(?:/([sm]))?", text, re.ASCII)
    pace = float(match[1]) / (60 if match[2] == "m" else 1) if match else 0
    if not 0 < pace <= FASTEST:
        raise ArgumentTypeError("must look like 10/s or 600/m")
    return pace


def rehearsal(parser: ArgumentParser, words: str = "say what would be done, and do nothing") -> None:
    """Adds the option --dry-run, with `words` as its help."""
    parser.add_argument("--dry-run", action="store_true", help=words)


def answer(parser: ArgumentParser, formats: Sequence[str] = ("text", "json")) -> None:
    """Adds the option --format with these choices; the first is the default."""
    parser.add_argument("--format", choices=formats, default=formats[0], help="format of the result on standard output")
