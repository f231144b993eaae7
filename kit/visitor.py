"""Who is asking: the address and the device behind a request."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ua_parser import parse


def ip(request: HttpRequest) -> str:
    """The visitor's address, for every limit and every log.

    With TRUSTED_PROXY_COUNT proxies of ours in front, it is the entry that the outermost of them added to
    X-Forwarded-For; entries before that are the visitor's own claims. A shorter or unreadable header means that
    somebody came round the proxies: then the peer's own address counts.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    count = settings.TRUSTED_PROXY_COUNT
    claimed = forwarded[-count] if 0 < count <= len(forwarded) else ""
    return _readable(claimed) or _readable(request.META.get("REMOTE_ADDR", "")) or "0.0.0.0"  # noqa: S104 a Unix socket


def network(request: HttpRequest) -> str:
    """What limits count by: the IPv4 address, or the /64 that one household or machine has in IPv6."""
    address = ip(request)
    return str(ip_network(f"{address}/64", strict=False)) if ":" in address else address


# A User-Agent is anybody's text, and it is quoted in mails: only what is in these lists is ever said.
BROWSERS = {
    **{name: name for name in ("Chrome", "Edge", "Firefox", "Opera", "Safari", "Samsung Internet", "Vivaldi")},
    **{f"{name} Mobile": name for name in ("Chrome", "Edge", "Firefox", "Opera")},
    **{f"{name} Mobile iOS": name for name in ("Chrome", "Edge")},
    "Mobile Safari": "Safari",
    "Firefox iOS": "Firefox",
    "Yandex Browser": "Yandex Browser",
    "Chromium": "Chromium",
}
SYSTEMS = {
    **{name: name for name in ("Android", "Chrome OS", "iOS", "Linux", "Windows")},
    **dict.fromkeys(("Debian", "Fedora", "Ubuntu"), "Linux"),
    "Mac OS X": "macOS",
}


def device(request: HttpRequest) -> str:
    """Browser and system of the visitor, "Firefox/Windows", or "" when they are none we know.

    This is what is stored; `describe` puts it into words.
    """
    agent = parse(request.headers.get("User-Agent", "")[:500])
    browser = BROWSERS.get(agent.user_agent.family, "") if agent.user_agent else ""
    system = SYSTEMS.get(agent.os.family, "") if agent.os else ""
    return f"{browser}/{system}" if browser and system else ""


def trace(request: HttpRequest) -> dict[str, Any]:
    """From where something was done, as events keep it."""
    return {"ip": ip(request), "device": device(request)}


def describe(device: str) -> str:
    """A stored device in the reader's language: "Firefox on Windows", or "" for an unknown one."""
    browser, _slash, system = device.partition("/")
    return _("%(browser)s on %(os)s") % {"browser": browser, "os": system} if system else browser


def _readable(entry: str) -> str:
    """An address without port, brackets and IPv4-in-IPv6 dress, or "" when it is none."""
    host = entry.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
