"""How a page may show the HTML of a mail: what a browser then allows it (Content-Security-Policy)."""

from typing import Any

from django.conf import settings
from django.utils.csp import CSP

# As a mail program shows it: its own styles, and no picture but the one that the site has in its mails.
AS_MAIL: dict[str, Any] = {"default-src": [CSP.NONE], "style-src": [CSP.UNSAFE_INLINE]}
if settings.BRAND_MAIL_LOGO:
    AS_MAIL["img-src"] = [settings.BRAND_MAIL_LOGO]
