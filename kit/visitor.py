"""The visitor behind a request: IP address, network and device."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from ua_parser import parse


def ip(request: HttpRequest) -> str:
    """Returns the visitor's IP address, for every limit and every log; "0.0.0.0" if unknown, as on a Unix socket.

    With TRUSTED_PROXY_COUNT proxies of ours in front, it is the entry that the outermost of them added to
    X-Forwarded-For; entries before that are the visitor's own claims. A shorter or unreadable header means that the
    request did not come through the proxies: then the address of the peer counts.
    """
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    count = settings.TRUSTED_PROXY_COUNT
    claimed = forwarded[-count] if 0 < count <= len(forwarded) else ""
    return _readable(claimed) or _readable(request.META.get("REMOTE_ADDR", "")) or "0.0.0.0"  # noqa: S104 a Unix socket


def network(request: HttpRequest) -> str:
    """Returns the visitor's network, by which limits count.

    That is the IPv4 address, or in IPv6 the /64 that one household or machine has: "2001:db8::/64".
    """
    return _block(ip(request), 64)


def site(request: HttpRequest) -> str:
    """Returns the largest block of addresses that one visitor is given, by which limits count, too.

    That is the IPv4 address, or in IPv6 the /48 of a company or a tunnel, which holds 65,536 networks: "2001:db8::/48".
    """
    return _block(ip(request), 48)


# Anyone can write anything into a User-Agent, and mails quote it: only names in these lists are ever shown.
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
    """Returns the visitor's browser and system from the User-Agent, "Firefox/Windows", or "" unless we know both.

    It is stored so; device_in_words() puts it into words.
    """
    agent = parse(request.headers.get("User-Agent", "")[:500])
    browser = BROWSERS.get(agent.user_agent.family, "") if agent.user_agent else ""
    system = SYSTEMS.get(agent.os.family, "") if agent.os else ""
    return f"{browser}/{system}" if browser and system else ""


def trace(request: HttpRequest) -> dict[str, Any]:
    """Returns where an act came from, as events store it: {"ip": …, "device": …}, from ip() and device()."""
    return {"ip": ip(request), "device": device(request)}


def device_in_words(device: str) -> str:
    """Returns in words, in the active language, what device() returned: "Firefox on Windows".

    Returns "" for "", an unknown device.
    """
    return _device_in_words(device, get_language()) if device else ""


@lru_cache(maxsize=1000)  # as many as a site sees on most of its pages
def _device_in_words(device: str, language: str | None) -> str:
    """Returns what device_in_words() does, in the active `language`."""
    browser, _slash, system = device.partition("/")
    return _("%(browser)s on %(os)s") % {"browser": browser, "os": system} if system else browser


def _block(address: str, bits: int) -> str:
    """Returns an IPv4 address itself, and the block of so many leading bits that an IPv6 address is in."""
    return str(ip_network(f"{address}/{bits}", strict=False)) if ":" in address else address


def _readable(entry: str) -> str:
    """Returns an IP address without port, brackets, zone and IPv4-in-IPv6 prefix, or "" if `entry` is none."""
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
