"""Checks of what the site knows of its visitors and its staff: proxies and second factors."""

from ipaddress import ip_address

from django.conf import settings

from accounts.models import Event, User
from accounts.models.second_factor import TOTP
from kit.findings import Finding, ok, warning

LOOKED_AT, ENOUGH = 50, 10  # the newest sign-ins looked at, and how many of them must have an address to judge by
MOST_PROXIES = 4
NAMED = 5  # staff named in the finding


def proxies() -> Finding:
    """Returns the finding on TRUSTED_PROXY_COUNT: a warning if it is probably wrong.

    It judges by the settings and by the IP addresses of the newest sign-ins. Raises DatabaseError or InterfaceError if
    the database fails.
    """
    count, advice = settings.TRUSTED_PROXY_COUNT, "See “The proxy” in docs/deploy.md."
    if settings.HTTPS and not count:
        said = "SITE_URL is https and TRUSTED_PROXY_COUNT is 0: behind a proxy that ends TLS no page would open."
        return warning(said, f"Set it to the number of your proxies. {advice}")
    if count > MOST_PROXIES:
        said = f"TRUSTED_PROXY_COUNT is {count}: if there are fewer proxies, anyone can invent an address."
        return warning(said, f"Count those of your proxies that add to X-Forwarded-For. {advice}")
    kind = Event.Kind.SIGNED_IN
    seen = Event.objects.filter(kind=kind).order_by("-id").values_list("ip", flat=True)[:LOOKED_AT]
    addresses = [ip for ip in seen if ip]
    if settings.HTTPS and len(addresses) >= ENOUGH and all(ip_address(ip).is_private for ip in addresses):
        said = f"The last {len(addresses)} sign-ins came from private addresses: all visitors may share one limit."
        return warning(said, f"TRUSTED_PROXY_COUNT ({count}) is probably too low. {advice}")
    return ok(f"TRUSTED_PROXY_COUNT is {count}.")


def staff() -> Finding | None:
    """Returns the finding on active staff: a warning that names those without a second factor.

    Returns None if REQUIRE_STAFF_2FA is off. If it is on, they cannot enter the desk before they have set one up.
    Raises DatabaseError or InterfaceError if the database fails.
    """
    if not settings.REQUIRE_STAFF_2FA:
        return None
    without = User.objects.filter(is_staff=True, is_active=True).exclude(authenticator__type=TOTP).order_by("pk")
    names = list(without.values_list("username", flat=True)[: NAMED + 1])
    if not names:
        return ok("All staff have a second factor.")
    named = ", ".join(names[:NAMED]) + (" and others" if len(names) > NAMED else "")
    said = f"Staff without a second factor: {named}. The desk sends them to set it up first."
    return warning(said, "Ask them to sign in and set it up, or take their staff status away.")
