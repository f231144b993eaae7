"""The WSGI entry point: gunicorn config.wsgi."""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_wsgi_application()

# type/subtype; name=value, without extended parameters (RFC 2231) and without character sets other than UTF-8: those
# make Django fail before any page can answer.
PARAMETER = r"\s*;\s*(charset=\"?utf-?8\"?|(?!charset)[\w-]+=(\"[ -!#-~]*\"|[!#-:<-~]*))"
PLAIN = re.compile(rf"[\w./+-]*({PARAMETER})*\s*;?\s*", re.IGNORECASE | re.ASCII)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Returns Django's answer to a request, after replacing a Content-Type that Django cannot read.

    The replacement names a character set that config.edge.middleware refuses with the 415 page.
    """
    if not PLAIN.fullmatch(environ.get("CONTENT_TYPE", "")):
        environ["CONTENT_TYPE"] = "unreadable; charset=unreadable"
    return django(environ, start_response)
