"""Whether the site knows its visitors and its staff: proxies and second factors."""

from ipaddress import ip_address

from django.conf import settings

from accounts.models import Event, User
from accounts.models.second_factor import TOTP
from kit.findings import Finding, odd, well

LOOKED_AT, ENOUGH = 50, 10  # of the newest sign-ins
MOST_PROXIES = 4
NAMED = 5  # people


def proxies() -> Finding:
    """Whether TRUSTED_PROXY_COUNT can be right, as far as settings and the newest sign-ins tell."""
    count, advice = settings.TRUSTED_PROXY_COUNT, "See “The proxy” in docs/deploy.md."
    if settings.HTTPS and not count:
        said = "SITE_URL is https and TRUSTED_PROXY_COUNT is 0: behind a proxy that ends TLS no page would open."
        return odd(said, f"Set it to the number of your proxies. {advice}")
    if count > MOST_PROXIES:
        said = f"TRUSTED_PROXY_COUNT is {count}: if there are fewer proxies, anyone can invent an address."
        return odd(said, f"Count those of your proxies that add to X-Forwarded-For. {advice}")
    kind = Event.Kind.SIGNED_IN
    seen = Event.objects.filter(kind=kind).order_by("-id").values_list("ip", flat=True)[:LOOKED_AT]
    addresses = [ip for ip in seen if ip]
    if settings.HTTPS and len(addresses) >= ENOUGH and all(ip_address(ip).is_private for ip in addresses):
        said = f"The last {len(addresses)} sign-ins came from private addresses: all visitors may share one limit."
        return odd(said, f"TRUSTED_PROXY_COUNT ({count}) is probably too low. {advice}")
    return well(f"TRUSTED_PROXY_COUNT is {count}.")


def staff() -> Finding | None:
    """Who of the staff cannot come in to the desk before they have set something up."""
    if not settings.REQUIRE_STAFF_2FA:
        return None
    without = User.objects.filter(is_staff=True, is_active=True).exclude(authenticator__type=TOTP).order_by("pk")
    names = list(without.values_list("username", flat=True)[: NAMED + 1])
    if not names:
        return well("All staff have a second factor.")
    named = ", ".join(names[:NAMED]) + (" and others" if len(names) > NAMED else "")
    said = f"Staff without a second factor: {named}. The desk sends them to set it up first."
    return odd(said, "Ask them to sign in and do so, or take their staff status away.")
