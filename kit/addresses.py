"""Email addresses: one spelling for each, a guess at typos, and a masked form to show."""

import difflib
import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

MAX_LENGTH = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets

# Unquoted ASCII only: Django's mail refuses other local parts, and a quoted local part may hold any character.
LOCAL_PART = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}", re.ASCII)

# Python's IDNA (2003) drops or replaces these letters, so the mail would go to another domain.
NOT_IN_IDNA2003 = set("\u00df\u03c2\u200c\u200d")

# The providers that most people use: a domain that is nearly one of these is probably a typo.
POPULAR = (
    "gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com icloud.com me.com mac.com aol.com "
    "proton.me protonmail.com gmx.com gmx.de web.de fastmail.com yandex.ru ya.ru mail.ru bk.ru list.ru inbox.ru"
).split()
# Real providers whose names look like a typo of a popular one.
ALSO_REAL = frozenset(
    "mail.com ymail.com email.com fmail.com gmx.net gmx.at gmx.ch gmail.ru live.ru live.de live.fr live.nl hotmail.de "
    "hotmail.fr hotmail.it hotmail.es outlook.de outlook.fr outlook.es yahoo.de yahoo.fr yahoo.it yahoo.es yandex.com "
    "yandex.by yandex.kz yandex.ua rambler.ru tuta.com tutanota.com pm.me hey.com zoho.com mail.de mail.bg".split()
)


def normalize(typed: str) -> str:
    """Returns the one spelling of a typed address: trimmed, lower case, its domain in ASCII (IDNA).

    Raises ValidationError, worded for whoever typed it, if `typed` is empty, longer than 254 characters or no address
    that Django can mail.
    """
    address = typed.strip()
    if not address:
        raise ValidationError(_("Enter your email address"), code="required")
    if len(address) > MAX_LENGTH:
        raise ValidationError(_("Email address must be 254 characters or less"), code="max_length")
    local, _at, domain = address.rpartition("@")
    # The check for ASCII comes before lower(), which turns the Kelvin sign, among others, into an ASCII letter.
    # "=?" would make mail programs read the local part as an encoded word (RFC 2047); "[" begins an IP address.
    if not local.isascii() or not LOCAL_PART.fullmatch(local.lower()) or "=?" in local or "[" in domain:
        raise malformed()
    if set(domain) & NOT_IN_IDNA2003:
        raise malformed()
    try:
        address = f"{local}@{domain.encode('idna').decode()}".lower()
        validate_email(address)
    except (UnicodeError, ValidationError):
        raise malformed() from None
    if len(address) > MAX_LENGTH:  # a domain grows when it is encoded in ASCII
        raise malformed()
    return address


def malformed() -> ValidationError:
    """Returns the ValidationError for an address in the wrong format, with the code "invalid"."""
    return ValidationError(
        _("Enter an email address in the correct format, like name@example.com"),
        code="invalid",
    )


def suggestion(address: str) -> str:
    """Returns the address that was probably meant by `address`, or "" if no typo is likely.

    `address` is as normalize() returns it. A typo is likely if the domain is nearly, but not quite, one of POPULAR, and
    is no other provider that we know.
    """
    local, _at, domain = address.rpartition("@")
    if domain in POPULAR or domain in ALSO_REAL:
        return ""
    close = difflib.get_close_matches(domain, POPULAR, n=1, cutoff=0.88)
    return f"{local}@{close[0]}" if close else ""


def mask(address: str) -> str:
    """Returns an address like "a•••@example.com": its owner can recognise it, and nobody else can write to it."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"
