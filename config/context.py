"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from config.logs import reference


def site(request: HttpRequest | None = None) -> dict[str, Any]:
    """Names and links of this site; no query, no cache."""
    language = get_language() or settings.LANGUAGE_CODE
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "support_contact": settings.SUPPORT_CONTACT,
        "terms_url": settings.TERMS_URL,
        "privacy_url": settings.PRIVACY_URL,
        "google": bool(settings.GOOGLE_CLIENT_ID),
        "ref": reference.get(),
        "other_languages": [(code, name) for code, name in settings.LANGUAGES if code != language],
    }
