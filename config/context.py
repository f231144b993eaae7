"""The context processor: variables that every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language, get_language_info

from config.edge import brand_files
from config.logs import reference
from kit.page import DESK

HOMES = ("/", "/account", DESK)  # where people land on this site itself


def site(request: HttpRequest | None = None) -> dict[str, Any]:
    """Returns the names and links of this site, and `ref`, the reference of the request, for every template.

    It costs no query. `request` is not read; error pages call it without one.
    """
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "product_name": settings.PRODUCT_NAME,
        "product_url": product_url(),
        "support_contact": settings.SUPPORT_CONTACT,
        "terms_url": settings.TERMS_URL,
        "privacy_url": settings.PRIVACY_URL,
        "footer_links": settings.FOOTER_LINKS,
        "brand_sheet": brand_files.address("colours.css", settings.BRAND_SHEET),
        "brand_icon": brand_files.address("icon", settings.BRAND_ICON),
        "brand_mark": brand_files.mark_in_pages(),
        "google": bool(settings.GOOGLE_CLIENT_ID),
        "ref": reference.get(),
        "language_name": dict(settings.LANGUAGES).get(get_language() or settings.LANGUAGE_CODE, ""),
        "other_languages": other_languages(),
    }


def product_url() -> str:
    """Returns where a button leads back to the product: PRODUCT_URL, else SIGNED_IN_URL; "" for a home of ours."""
    there: str = settings.PRODUCT_URL or settings.SIGNED_IN_URL
    return "" if there in HOMES else there


def other_languages() -> list[dict[str, str]]:
    """Returns the languages of the site but the active one, each with its code, its own name and its direction."""
    return [
        {"code": code, "name": name, "dir": "rtl" if get_language_info(code)["bidi"] else "ltr"}
        for code, name in settings.LANGUAGES
        if code != (get_language() or settings.LANGUAGE_CODE)
    ]
