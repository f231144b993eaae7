"""The WSGI entry point: gunicorn config.wsgi."""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_wsgi_application()

# type/subtype; name=value, no extended parameter (RFC 2231), and no character set but UTF-8: with others Django fails
# before any page can say so.
PARAMETER = r"\s*;\s*(charset=\"?utf-?8\"?|(?!charset)[\w-]+=(\"[ -!#-~]*\"|[!#-:<-~]*))"
PLAIN = re.compile(rf"[\w./+-]*({PARAMETER})*\s*;?\s*", re.IGNORECASE | re.ASCII)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django, with a Content-Type that it can read, or one that config.edge.middleware refuses with a page."""
    if not PLAIN.fullmatch(environ.get("CONTENT_TYPE", "")):
        environ["CONTENT_TYPE"] = "unreadable; charset=unreadable"
    return django(environ, start_response)
