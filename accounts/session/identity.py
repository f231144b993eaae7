"""What proxies in front of other services are told of who is signed in (docs/forward-auth.md)."""

from collections.abc import Iterable
from urllib.parse import quote

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from kit.form import safe_path

SIGN_IN = "sign-in"  # in the query of a proxy: visitors are to be led to sign-in


def unknown(request: HttpRequest) -> HttpResponse:
    """Returns the answer to a proxy that asks about a visitor who is not signed in: 401.

    With `?sign-in` it redirects instead: to sign-in, which leads back to the path that the visitor asked the proxy for.
    """
    if SIGN_IN in request.GET:
        next_url = requested_path(request)
        return redirect_to_login(next_url, redirect_field_name="next" if next_url else None)
    return HttpResponse(status=401)


def headers(user: User, groups: Iterable[str] | None = None) -> dict[str, str]:
    """Returns the headers that describe the user: id, username, name, address, groups, and when the session ends.

    `user` is one from store.owner(), which alone knows `session_ends`. `groups` are the names of the groups to tell of;
    by default all that the user is in. All headers are always set: some proxies pass on what the visitor claims in a
    header that is missing here.
    """
    return {
        "X-Auth-User-Id": str(user.pk),
        "X-Auth-Username": encoded(user.username),
        "X-Auth-Name": encoded(user.shown_name),
        "X-Auth-Email": encoded(user.email),
        "X-Auth-Groups": listed(user.group_names if groups is None else groups),
        "X-Auth-Session-Ends": user.session_ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def plain(value: str) -> str:
    """Returns a value as a header can hold it: percent-encoded unless it is printable ASCII.

    Names and addresses are ASCII by our rules; this is for one that was written past them.
    """
    return value if value.isascii() and value.isprintable() else quote(value)


def encoded(value: str) -> str:
    """Returns a value as plain() does; one with a "%" is percent-encoded as well, so that decoding always gives it."""
    return quote(value, safe="/@") if "%" in value else plain(value)


def listed(names: Iterable[str]) -> str:
    """Returns names in one header, sorted and separated by commas, each as plain() returns it.

    One with a comma or "%", or with white space at its ends, is percent-encoded as well: so whoever parts the header at
    its commas and decodes each part gets the names.
    """
    return ",".join(
        quote(name, safe="") if {",", "%"} & set(name) or name != name.strip() else plain(name)
        for name in sorted(names)
    )


def requested_path(request: HttpRequest) -> str:
    """Returns the path that the visitor asked the proxy for, or "" if it is missing or unsafe.

    Only a path counts and never a host, so that signing in leads back to this site or nowhere.
    """
    sent = request.headers
    return safe_path(sent.get("X-Forwarded-Uri") or sent.get("X-Original-URI") or "")
