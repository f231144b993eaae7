"""The name of a person as others read it, which stands in mails and on pages; people may have none."""

import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.names import RESERVED
from kit import plain_line

MAX_LENGTH = 100  # characters, as of the name that an inviter gives


def normalize(typed: str) -> str:
    """Returns a typed name with single spaces in it; "" stays "", for no name.

    Raises ValidationError, in words for the person who typed it, for a name that is too long, is not one plain line,
    has a link in it, or seems to speak for the site. Mails of this site show it to people who do not know its owner.
    """
    name = plain_line.plain(" ".join(typed.split()), MAX_LENGTH, _("The name"))
    if name and not any(map(str.isalnum, plain_line.as_displayed(name))):
        raise ValidationError(_("Enter a name with letters in it, or leave it empty"), code="invalid")
    if name and speaks_for_site(name):
        raise ValidationError(_("Choose a different name. This one is reserved"), code="reserved")
    return name


def speaks_for_site(name: str) -> bool:
    """Returns whether a name is that of the site, a word like "Support", or both: "Example Support Team"."""
    words = " ".join(words_of(name))
    site = " ".join(words_of(settings.SITE_NAME))
    rest = words.replace(site, " ") if site else words
    return all(word in RESERVED for word in rest.split())


def words_of(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", plain_line.as_displayed(text).casefold())


def fitting(text: str) -> str:
    """Returns a name that somebody else gives a person, such as their inviter, or "" if it breaks a rule."""
    try:
        return normalize(text)
    except ValidationError:
        return ""
