"""One spelling for one address, at every door."""

import difflib
import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

MAX_LENGTH = 254  # RFC 5321 §4.5.3.1.3, less the angle brackets

# Unquoted ASCII only: Django's mail refuses other local parts, and a quoted one may hold anything.
LOCAL_PART = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}", re.ASCII)

# Letters that Python's IDNA (2003) drops or replaces, and so would send the mail to another domain.
NOT_IN_IDNA2003 = set("\u00df\u03c2\u200c\u200d")

# Where most people have their mail, for the typo guard.
POPULAR = (
    "gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com icloud.com me.com mac.com aol.com "
    "proton.me protonmail.com gmx.com gmx.de web.de fastmail.com yandex.ru ya.ru mail.ru bk.ru list.ru inbox.ru"
).split()
# Providers whose names only look like a slip of the finger.
ALSO_REAL = frozenset(
    "mail.com ymail.com email.com fmail.com gmx.net gmx.at gmx.ch gmail.ru live.ru live.de live.fr live.nl hotmail.de "
    "hotmail.fr hotmail.it hotmail.es outlook.de outlook.fr outlook.es yahoo.de yahoo.fr yahoo.it yahoo.es yandex.com "
    "yandex.by yandex.kz yandex.ua rambler.ru tuta.com tutanota.com pm.me hey.com zoho.com mail.de mail.bg".split()
)


def normalize(typed: str) -> str:
    """The one spelling of a typed address: trimmed, lower case, its domain in ASCII (IDNA).

    Raises ValidationError, with words for the person who typed it.
    """
    address = typed.strip()
    if not address:
        raise ValidationError(_("Enter your email address"), code="required")
    if len(address) > MAX_LENGTH:
        raise ValidationError(_("Email address must be 254 characters or less"), code="max_length")
    local, _at, domain = address.rpartition("@")
    # Checked before lower-casing: the Kelvin sign, among others, lower-cases into ASCII.
    # "=?" would make mail programs read the local part as an encoded word (RFC 2047), "[" a host by its number.
    if not local.isascii() or not LOCAL_PART.fullmatch(local.lower()) or "=?" in local or "[" in domain:
        raise malformed()
    if set(domain) & NOT_IN_IDNA2003:
        raise malformed()
    try:
        address = f"{local}@{domain.encode('idna').decode()}".lower()
        validate_email(address)
    except (UnicodeError, ValidationError):
        raise malformed() from None
    if len(address) > MAX_LENGTH:  # a domain grows when it is put into ASCII
        raise malformed()
    return address


def malformed() -> ValidationError:
    return ValidationError(
        _("Enter an email address in the correct format, like name@example.com"),
        code="invalid",
    )


def suggestion(address: str) -> str:
    """The address somebody probably meant, or "" when its domain is not one letter or so off a popular one."""
    local, _at, domain = address.rpartition("@")
    if domain in POPULAR or domain in ALSO_REAL:
        return ""
    close = difflib.get_close_matches(domain, POPULAR, n=1, cutoff=0.88)
    return f"{local}@{close[0]}" if close else ""


def mask(address: str) -> str:
    """Enough for its owner to recognise it, and for nobody else to write to it: "a•••@example.com"."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"
