"""The addresses of apps: what can't work is refused, with the reason; what works and is odd is only said."""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from oauthlib.uri_validate import is_absolute_uri

from outbox.webhooks import targets

LONGEST = 500  # characters of an address
MOST = 20  # redirect addresses of one app
WEB = ("https", "http")
COMMA = re.compile(r"[,;]($|\w+://)")  # of a list that was pasted: an address with it would never be asked for
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def lines(typed: str) -> list[str]:
    """Returns the addresses in `typed`, one in each line or between blanks, each once.

    A line of which a part is no address stays whole, so that whoever reads what is wrong with it sees what they typed.
    """
    found: list[str] = []
    for line in map(str.strip, typed.splitlines()):
        between = line.split()
        found += between if all("://" in part for part in between) else [line]
    return list(dict.fromkeys(found))


def check_redirects(uris: Iterable[str], *, public: bool) -> list[str]:
    """Returns these addresses, to which an app has people led back. Raises ValidationError if one can't work.

    They are compared character by character with what the app asks for, so none is changed here.
    """
    checked = [check_redirect(uri, public=public) for uri in uris]
    if len(checked) > MOST:
        raise ValidationError(_("Give %(most)s addresses at most.") % {"most": MOST}, code="too_many")
    return checked


def check_redirect(uri: str, *, public: bool) -> str:
    """Returns the address unchanged. Raises ValidationError if people can't or mustn't be led back to it.

    A `public` app, a program on somebody's own machine, may have a scheme of its own (RFC 8252 §7.1).
    """
    url = parts(uri)
    if "*" in uri:
        said = _("%(address)s has a * in it. Give each address in full: we compare every character.")
    elif "#" in uri:
        said = _("%(address)s has a # in it. Leave it out, and what follows it.")
    elif COMMA.search(uri):
        said = _("%(address)s has a comma or a semicolon after it. Give one address in each line, and nothing else.")
    elif url.scheme in WEB and not url.hostname:
        said = _("%(address)s has no host. It must look like https://app.example.com/callback.")
    # The engine makes no code for an address that RFC 3986 does not know, such as one with { or | in it.
    elif (url.scheme not in WEB and "." not in url.scheme) or not is_absolute_uri(uri):
        said = _("%(address)s is no address that we can lead to. It must look like https://app.example.com/callback.")
    elif url.scheme not in WEB and not public:
        said = _("%(address)s has a scheme of its own. Only a program that runs on people’s own machines may have one.")
    else:
        said = ""
    if said:
        raise ValidationError(said % {"address": uri}, code="unfit")
    return uri


def check_web(uri: str) -> str:
    """Returns an address that people open in a browser, unchanged. Raises ValidationError if it is none."""
    url = parts(uri)
    if url.scheme not in WEB or not url.hostname:
        said = _("%(address)s is no web address. It must look like https://app.example.com/.")
        raise ValidationError(said % {"address": uri}, code="unfit")
    return uri


def check_called(uri: str) -> str:
    """Returns an address that we call, in the form in which we do. Raises ValidationError if we can't."""
    try:
        return targets.read(uri).url
    except targets.Unfit as error:
        raise ValidationError(str(error), code="unfit") from None


def parts(uri: str) -> SplitResult:
    """Returns the parts of an address. Raises ValidationError if programs could read it in more than one way."""
    try:
        url = urlsplit(uri)
        has_user = url.username is not None or url.password is not None or (url.port is not None and "@" in url.netloc)
    except ValueError:  # an invalid bracket or port
        url, has_user = urlsplit(""), False
    said = ""
    if len(uri) > LONGEST:
        said = _("%(address)s is too long. An address can have %(most)s characters.")
    elif has_user:
        said = _("%(address)s has a user or a password in it. Leave them out.")
    elif not url.scheme or not uri.isascii() or not targets.is_plain(uri):
        said = _("%(address)s is no address. It must look like https://app.example.com/, without spaces or quotes.")
    if said:
        raise ValidationError(said % {"address": uri[:100], "most": LONGEST}, code="unfit")
    return url


def is_loopback(uri: str) -> bool:
    """Returns whether an address is of the reader's own machine, which no network carries."""
    return urlsplit(uri).hostname in LOOPBACK


def is_in_clear(uri: str) -> bool:
    """Returns whether what is sent to an address can be read on its way."""
    return urlsplit(uri).scheme == "http" and not is_loopback(uri)


def network_to_allow(uri: str) -> str:
    """Returns the address to add to WEBHOOKS_ALLOWED_NETWORKS before we may call `uri`; "" if none, or by name.

    Nothing is looked up: a name that means a private address is told once we have called it.
    """
    try:
        address = ip_address(urlsplit(uri).hostname or "")
    except ValueError:
        return ""
    return "" if targets.is_allowed(address) or targets.is_public(address) else str(address)


def network_looked_up(uri: str, seconds: float) -> str:
    """Returns why we may not call `uri` now, "" if we may, after looking its name up for so many seconds at most."""
    try:
        targets.addresses(targets.read(uri), seconds)
    except targets.Unfit as error:
        return str(error)
    return ""
