"""Checks of the settings of the site: whether they fit together."""

from django.conf import settings
from django.http.request import validate_host

from kit.findings import Finding, failure, ok, warning

COOKIES = ("SESSION", "CSRF", "LANGUAGE")


def is_local() -> bool:
    """Returns whether SITE_URL is on this machine."""
    return settings.SITE_HOST in settings.THIS_MACHINE


def address() -> Finding:
    """Returns the finding on mailed links: a failure unless the site answers to their host, over https.

    On this machine http will do.
    """
    if not validate_host(host_of_links(), [str(host) for host in settings.ALLOWED_HOSTS]):
        said = f"Links lead to {settings.SITE_URL}, and the site does not answer to {host_of_links()}."
        return failure(said, "Add the host of SITE_URL to ALLOWED_HOSTS.")
    if not (settings.HTTPS or is_local()):
        said = f"SITE_URL is {settings.SITE_URL}: anybody on the way can read passwords and links."
        return failure(said, "Put a proxy with TLS in front, and set SITE_URL to its https address.")
    return ok(f"Links lead to {settings.SITE_URL}, and the site answers to that name.")


def host_of_links() -> str:
    """Returns the host of SITE_URL as a Host header names it, with brackets around an IPv6 address."""
    host = str(settings.SITE_HOST)
    return f"[{host}]" if ":" in host else host


def cookies() -> Finding:
    """Returns the finding on cookies: a failure if scripts can read them, or if they travel over http.

    On this machine they may do the latter. It is a failure, too, if other sites can send the session cookie along.
    """
    open_to_scripts = [name for name in COOKIES if not getattr(settings, f"{name}_COOKIE_HTTPONLY")]
    sent_in_clear = [name for name in COOKIES if not getattr(settings, f"{name}_COOKIE_SECURE")]
    if open_to_scripts:
        return failure(f"Scripts can read the cookies of {', '.join(open_to_scripts)}.", "Set …_COOKIE_HTTPONLY.")
    if sent_in_clear and not is_local():
        return failure(f"Cookies of {', '.join(sent_in_clear)} travel over http, too.", "Use https in SITE_URL.")
    if settings.SESSION_COOKIE_SAMESITE not in {"Lax", "Strict"}:
        return failure("Other sites can send requests with the session cookie.", "Set SESSION_COOKIE_SAMESITE to Lax.")
    return ok("Cookies are closed to scripts" + (" and travel over https only." if not sent_in_clear else "."))


def hashes() -> Finding:
    """Returns the finding on the lane of password hashes: a warning if it can keep all threads of a web server."""
    most, threads = settings.HASH_THREADS + settings.HASH_PLACES, settings.WEB_THREADS
    if most >= threads:
        said = f"{most} requests may wait for password hashes, and a web server has {threads} threads: none is left."
        return warning(said, "Set HASH_PLACES lower, or WEB_THREADS higher.")
    return ok(f"{most} of {threads} requests at once may wait for password hashes.")


def debug() -> Finding:
    """Returns the finding on DEBUG: if it is on, a failure, or a warning if the site is on this machine."""
    if not settings.DEBUG:
        return ok("DEBUG is off.")
    judge = warning if is_local() else failure
    return judge("DEBUG is on: error pages show the code and the settings.", "Unset it, unless only you use the site.")
