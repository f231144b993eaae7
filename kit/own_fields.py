"""Fields of text that a site adds to its forms by a setting: their names and kinds, and what may stand in each."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.forms import TextInput, Widget
from django.utils.translation import gettext as _

from kit import plain_line, times
from kit.typed import fold

LONGEST = 200  # characters of a value
MOST = 10  # fields
TYPES = ("tel", "url", "date")  # kinds that browsers know
NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
PHONE = re.compile(r"\+?[\d\s().\u2010-\u2015/-]{3,30}(?:\s?(?:x|ext\.?)\s?\d{1,6})?", re.IGNORECASE)
DIGITS, DECIMALS = 15, 9  # of a number, at most: before its point, and after it
NUMBER = re.compile(r"-?(\d+)(?:[.,](\d+))?", re.ASCII)


@dataclass(frozen=True)
class OwnField:
    """A field with a name for programs; `kind` is one of KINDS."""

    name: str
    required: bool = True
    kind: str = "text"

    @property
    def hint(self) -> str:
        """What stands below its field of a form."""
        return ""

    @property
    def label(self) -> str:
        """What people read: "Company name" for company_name, or its translation, if a catalogue has one."""
        return _(self.name.replace("_", " ").capitalize())

    @property
    def described(self) -> dict[str, Any]:
        """What programs are told of it."""
        return {"name": self.name, "required": self.required, "kind": self.kind}

    def clean(self, typed: str) -> str:
        """Returns a typed value in the one spelling in which it is stored; "" for none.

        Raises ValidationError for one that is too long, not one plain line, or not of this kind.
        """
        text = self.line(typed)
        return KINDS[self.kind](text) if text else ""

    def line(self, typed: str) -> str:
        """Returns a typed value on one line. Raises ValidationError if it is too long, or no plain text."""
        text = " ".join(typed.split())
        if len(text) > LONGEST:
            said = _("%(what)s is longer than %(longest)s characters")
            raise ValidationError(said % {"what": self.label, "longest": LONGEST}, code="max_length")
        return plain_line.wholly_visible(plain_line.one_line(text, self.label), self.label)

    def widget(self) -> Widget:
        """Returns the widget of a form for it."""
        attrs = {"autocomplete": self.kind if self.kind in {"tel", "url"} else "off", "dir": "auto"}
        attrs |= {"inputmode": "decimal"} if self.kind == "number" else {}
        widget = TextInput(attrs=attrs)
        if self.kind in TYPES:
            widget.input_type = self.kind
        return widget

    def shown(self, value: str) -> str:
        """Returns a stored value as people read it in the active language: a date as "31 January 1991"."""
        if self.kind != "date":
            return value
        try:
            return times.whole_day(date.fromisoformat(value))
        except ValueError:  # of a time when the field was of another kind, or none
            return value


def text(typed: str) -> str:
    return typed


def phone(typed: str) -> str:
    """Returns a phone number as it was typed. Raises ValidationError for what is none."""
    number = fold(typed)
    if not PHONE.fullmatch(number) or not any(map(str.isdigit, number)):
        raise ValidationError(_("Enter a phone number, like +44 20 7946 0000"), code="invalid")
    return number


def url(typed: str) -> str:
    """Returns a web address, with "https://" if it was left out. Raises ValidationError for what is none."""
    address = fold(typed)
    address = address if "://" in address else f"https://{address}"
    try:
        URLValidator(schemes=["http", "https"])(address)
    except ValidationError:
        raise ValidationError(_("Enter a web address, like https://example.com"), code="invalid") from None
    return address


def day(typed: str) -> str:
    """Returns a date as 2026-11-30. Raises ValidationError for what is none."""
    try:
        return date.fromisoformat(fold(typed)).isoformat()
    except ValueError:
        said = _("Enter a date as year, month and day, like 2026-11-30")
        raise ValidationError(said, code="invalid") from None


def number(typed: str) -> str:
    """Returns a number in digits, with a point before its decimals.

    Raises ValidationError for what is none, and for one with more than DIGITS or DECIMALS.
    """
    digits = fold(typed)
    found = NUMBER.fullmatch(digits)
    if not found:
        raise ValidationError(_("Enter a number in digits"), code="invalid")
    if len(found[1]) > DIGITS or len(found[2] or "") > DECIMALS:
        said = _("Enter a number with at most %(digits)s digits before the point and %(decimals)s after it")
        raise ValidationError(said % {"digits": DIGITS, "decimals": DECIMALS}, code="max_digits")
    return digits.replace(",", ".")


KINDS: dict[str, Callable[[str], str]] = {"text": text, "tel": phone, "url": url, "date": day, "number": number}


def parse(setting: str, reserved: Collection[str] = ()) -> list[OwnField]:
    """Returns the fields of a setting like "name,job:optional,phone:optional:tel"; [] for "".

    Raises ValueError, with a sentence that names what is wrong: a name that is malformed, `reserved` or there twice, a
    word after a colon that is neither "optional", "required" nor one of KINDS, or more than MOST fields.
    """
    fields: list[OwnField] = []
    for part in filter(None, (part.strip() for part in setting.split(","))):
        field = parse_one(part)
        if field.name in reserved:
            raise ValueError(f"{field.name!r} has a meaning of its own. Choose another name.")
        if field.name in {known.name for known in fields}:
            raise ValueError(f"{field.name!r} is there twice.")
        fields.append(field)
    if len(fields) > MOST:
        raise ValueError(f"it has {len(fields)} fields. At most {MOST} are possible.")
    return fields


def parse_one(part: str) -> OwnField:
    """Returns the field in a part of the setting, such as "phone:optional:tel". Raises ValueError as parse() does."""
    name, *options = (word.strip() for word in part.split(":"))
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name: use up to 30 of a-z, 0-9 and _, beginning with a letter.")
    kinds = [word for word in options if word in KINDS]
    needs = [word for word in options if word in {"optional", "required"}]
    strange = [word for word in options if word not in {*kinds, *needs}]
    if strange:
        known = ", ".join(["optional", "required", *KINDS])
        raise ValueError(f"{strange[0]!r} of {name!r} is none of {known}.")
    if len(kinds) > 1 or len(needs) > 1:
        raise ValueError(f"{part!r} says more than one thing of the same sort.")
    return OwnField(name, required=needs != ["optional"], kind=kinds[0] if kinds else "text")
