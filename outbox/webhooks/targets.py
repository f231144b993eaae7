"""The addresses that webhooks may call: public ones over https, and the networks that the operator allows.

Staff who may add a webhook must not be able to call what only this machine can reach (server-side request forgery).
A name that means a public address today may mean another one at the next lookup.
"""

import queue
import socket
import threading
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.encoding import punycode
from django.utils.translation import gettext as _

LONGEST = 500  # characters of a URL
PORTS = {"https": 443, "http": 80}
FIRST_FREE_PORT = 1024  # lower ports are mail, ssh and others that must not be spoken to in HTTP

GLOBAL_UNICAST = IPv6Network("2000::/3")  # all IPv6 addresses that the IANA has given out for this use
TRANSLATED = IPv6Network("64:ff9b::/96")  # an IPv4 address in the last 32 bits (RFC 6052)

# Public by their form, but no web servers: the host of Azure's machines, relays of 6to4, addresses for documentation.
OTHERS = [ip_network(network) for network in ("168.63.129.16/32", "192.88.99.0/24", "3fff::/20")]

type Address = IPv4Address | IPv6Address


class Unfit(Exception):
    """A URL or an address that must not be called. Its text tells staff why."""


class Target(NamedTuple):
    """The parts of a URL that is called; `path` includes the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"


def read(typed: str) -> Target:
    """Returns the parts of a typed URL, after checks of its form alone; its name is not looked up.

    Raises Unfit if one of the checks fails.
    """
    if len(typed) > LONGEST:
        raise Unfit(_("This address is too long. It can have %(most)s characters.") % {"most": LONGEST})
    try:
        url = urlsplit(typed)
        host, port = punycode(url.hostname or ""), url.port
    except ValueError:  # an invalid bracket, port or name
        host, port, url = "", None, urlsplit("")
    if url.scheme not in PORTS or not host or not is_plain(typed) or not (host + url.path + url.query).isascii():
        raise Unfit(_("This is not an address we can call. It must look like https://example.com/hook."))
    if url.username is not None or url.password is not None or url.fragment:
        raise Unfit(_("Leave out the user, the password and what follows a #. Each message is signed instead."))
    port = PORTS[url.scheme] if port is None else port
    if port not in PORTS.values() and port < FIRST_FREE_PORT:
        raise Unfit(_("Port %(port)s is not for web servers. Use 443, 80, or one from 1024 on.") % {"port": port})
    query = f"?{url.query}" if url.query else ""
    return Target(url.scheme, host, port, (url.path or "/") + query)


def is_plain(text: str) -> bool:
    """Returns whether a URL has only valid characters: other programs might read any others differently than we do."""
    return text.isprintable() and not set(text) & set(' \\"<>')


def addresses(target: Target, seconds: float) -> list[str]:
    """Returns the addresses that the target's name has now, all of which may be called.

    Callers must connect to these, as the name may mean others at the next lookup. Raises Unfit if one of them must not
    be called, must not be called over http, or if none is found within `seconds`.
    """
    found = look_up(target, seconds)
    for address in found:
        if not is_allowed(ip_address(address)) and not is_public(ip_address(address)):
            said = _("%(host)s is at %(address)s, which is not a public address. Only the operator can allow it.")
            raise Unfit(said % {"host": target.host, "address": address})
    if target.scheme == "http" and not all(is_allowed(ip_address(address)) for address in found):
        raise Unfit(_("Use https: over http anybody on the way can read and change what we send."))
    return found


def look_up(target: Target, seconds: float) -> list[str]:
    """Returns the addresses of the target's name, unchecked. Raises Unfit if none is found within `seconds`.

    A name server that does not answer is left behind with the thread that waits for it.
    """
    answers: queue.SimpleQueue[list[str]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        answers.put(list(dict.fromkeys(str(address[0]) for *_others, address in found)))

    threading.Thread(target=ask, daemon=True).start()
    try:
        found = answers.get(timeout=seconds)
    except queue.Empty:
        found = []
    if not found:
        raise Unfit(_("No server was found for %(host)s. Look for a mistake in its name.") % {"host": target.host})
    return found


def is_allowed(address: Address) -> bool:
    """Returns whether the operator allows this address (WEBHOOKS_ALLOWED_NETWORKS)."""
    return any(plain(address) in network for network in settings.WEBHOOKS_ALLOWED_NETWORKS)


def is_public(address: Address) -> bool:
    """Returns whether everybody on the internet can reach this address, and any IPv4 address that it stands for."""
    address = plain(address)
    if any(address in network for network in OTHERS):
        return False
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not address.is_reserved
    if address in TRANSLATED:
        return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    # An address of 6to4, which RFC 7526 has ended, leads to any IPv4 address there is, also to a private one.
    return address in GLOBAL_UNICAST and address.is_global and address.sixtofour is None


def plain(address: Address) -> Address:
    """Returns the IPv4 address behind one that is written as IPv6 (::ffff:192.0.2.1); any other address unchanged."""
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
