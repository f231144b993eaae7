"""Email addresses: one spelling for each, a guess at typos, and the forms in which people read them."""

import difflib
import re
import unicodedata

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from kit import scripts
from kit.pasted import ADDRESS, pieces, trim, without_mailto
from kit.typed import FOLDED_AT_MOST, fold

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
    """Returns the one spelling of the address in a typed or pasted text: lower case, its domain in ASCII (IDNA).

    The text may be "Ada <ada@example.com>", "mailto:ada@example.com?subject=x", or hold a full stop, white space or
    invisible characters around the address. Raises ValidationError, worded for whoever typed it, if the text is empty,
    too long, or holds no address that Django can mail, or more than one.
    """
    text = fold(typed)
    if not text:
        raise ValidationError(_("Enter your email address"), code="required")
    if len(text) > FOLDED_AT_MOST:
        raise too_long()
    try:
        return spell(text)
    except ValidationError as error:
        return spell(_only_address(text, error))


def spell(address: str) -> str:
    """Returns the one spelling of an address that a program has written: lower case, its domain in ASCII (IDNA).

    Raises ValidationError for a text that is longer than 254 characters or no address that Django can mail, or that has
    letters which only look like those of another address.
    """
    if len(address) > MAX_LENGTH:
        raise too_long()
    local, _at, domain = address.rpartition("@")
    refuse_other_letters(local, domain)
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


def refuse_other_letters(local: str, domain: str) -> None:
    """Raises ValidationError, which names the letter, for letters that may only look like those of the address.

    Before the @ these are all but plain Latin letters, as there is no mailbox with others; after it, letters of two
    scripts in one label: they would lead to a stranger's domain.
    """
    # What is wrong besides, such as a space, is said first: a name may stand there. "?" takes the place of the letters.
    odd = next((character for character in local if not character.isascii() and character.isalpha()), "")
    if odd and LOCAL_PART.fullmatch(local.lower().encode("ascii", "replace").decode()):
        said = _("“%(letter)s” before the @ is not a plain Latin letter, though it may look like one. Type it again")
        raise ValidationError(said, params={"letter": odd}, code="invalid")
    for label in re.split("[.\u3002]", unicodedata.normalize("NFKC", domain)):
        if odd := scripts.odd_letter(label):
            said = _("“%(letter)s” after the @ is from another alphabet than the letters around it. Type it again")
            raise ValidationError(said, params={"letter": odd}, code="invalid")


def _only_address(text: str, error: ValidationError) -> str:
    """Returns the one address that stands in a folded text in brackets, or beside commas, quotation marks and the like.

    Raises `error` if there is none, or other words stand beside it: "ada lovelace@example.com" must not become
    somebody else's address. Raises ValidationError, with the code "several", if there are two.
    """
    parts = [] if "://" in text else pieces(without_mailto(text))
    found = {trim(address).lower() for piece in parts for address in ADDRESS.findall(piece)}
    if len(found) > 1:
        raise ValidationError(_("Enter one email address. There are several here"), code="several")
    alone = [piece for piece in map(trim, parts) if piece.lower() in found]
    if not alone:
        raise error
    return alone[0]


def too_long() -> ValidationError:
    """Returns the ValidationError for an address that is too long, with the code "max_length"."""
    return ValidationError(_("Email address must be 254 characters or less"), code="max_length")


def key(typed: str) -> str:
    """Returns the spelling in which a typed address, or name, is looked up; raises nothing for a malformed one."""
    text = fold(typed)
    if "@" in text:
        try:
            return normalize(text)
        except ValidationError:
            pass
    return text.lower()


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


def readable(address: str) -> str:
    """Returns an address as people read it: "ada@xn--mnchen-3ya.de" becomes "ada@münchen.de".

    A domain stays in ASCII if it could pass for another one: if it mixes scripts or looks like Latin letters, as
    browsers judge it, or like a provider that most people use. Any other text is returned as it is.
    """
    local, at, domain = address.rpartition("@")
    if "xn--" not in domain:
        return address
    shown = scripts.readable_domain(domain)
    bare = scripts.without_accents(shown)
    return address if bare in POPULAR or bare in ALSO_REAL else f"{local}{at}{shown}"


def mask(address: str) -> str:
    """Returns an address like "a•••@example.com": its owner can recognise it, and nobody else can write to it."""
    local, _at, domain = readable(address).rpartition("@")
    return f"{local[:1]}•••@{domain}"
