"""Where the site stands, what is behind it, and whom to tell of its faults."""

import re
from urllib.parse import SplitResult, urlsplit

from config.environment.variables import env, origin, read, refuse, required


def site_url(*, debug: str) -> SplitResult:
    """Returns SITE_URL, the one public address of the site from which every link is built.

    If it is missing and DEBUG is on, `debug` takes its place. Raises SystemExit if it is missing and DEBUG is off, or
    if it is not just scheme, host and port.
    """
    return origin("SITE_URL", required("SITE_URL", debug=debug), "https://example.com")


def in_url(host: str) -> str:
    """Returns a host as URLs, the Host header and ALLOWED_HOSTS write it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def in_address(host: str) -> str:
    """Returns a host as mail addresses write it after the @: an IP address in brackets (RFC 5321 §4.1.3)."""
    if ":" in host:
        return f"[IPv6:{host}]"
    return f"[{host}]" if host.replace(".", "").isdigit() else host


def product_name(leads_to: str) -> str:
    """Returns PRODUCT_NAME, or else the host of the address to which the product's button leads; "" without both.

    Raises SystemExit if there is a name, and no such address.
    """
    name: str = env.str("PRODUCT_NAME", default="")
    if name and not leads_to:
        refuse("PRODUCT_NAME needs PRODUCT_URL or SIGNED_IN_URL: it is the name of what they lead to.")
    return name or urlsplit(leads_to).hostname or ""


def security_contact() -> list[str]:
    """Returns SECURITY_CONTACT, the URLs where vulnerabilities can be reported; [] without one.

    Raises SystemExit if one of them is neither mailto:, https: nor tel: (RFC 9116 §2.5.3).
    """
    typed: list[str] = [text.strip() for text in read(env.list, "SECURITY_CONTACT", default=[])]
    if all(re.fullmatch(r"(mailto:[^\s@]+@[^\s@]+|https://\S+|tel:[+\d-]+)", url) for url in typed):
        return typed
    return refuse("SECURITY_CONTACT must look like mailto:security@example.com or https://example.com/security.")
