"""The page that shows what the site looks like: its pages and mails in its brand, in each language and theme."""

import re
from collections.abc import Container, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from kit.framing import Policy, in_frame, with_frame
from operations.desk import sample_mail, site_pages
from operations.desk.drawing import draw
from operations.desk.site_pages import Words
from outbox import kinds
from outbox.mail.shown import AS_MAIL

THEMES = {"light": gettext_lazy("Light"), "dark": gettext_lazy("Dark")}
# In a sandbox no field takes the focus away from the page around it. A page gets its colours only from its own origin.
IN_SANDBOX: Policy = {"sandbox": "allow-same-origin"}


@require_safe
@with_frame
def look(request: HttpRequest) -> HttpResponse:
    """Shows a list of pages and mails, and the one that "page" or "mail" in the query names in a frame.

    "theme" and "language" in the query say how.
    """
    theme, language = chosen(request)
    now = {"theme": theme, "language": language}
    groups = site_pages.offered()
    pages = {name: words for group in groups.values() for name, words in group.items()}
    mails = {kind: words for kind, words in kinds.WORDS.items() if kind in sample_mail.KINDS}
    kind, name = (known_or(request.GET.get(key), of, "") for key, of in (("mail", mails), ("page", pages)))
    shown = {"mail": kind} if kind else {"page": name or "entry"}
    where = reverse("admin:look_mail", args=[kind]) if kind else reverse("admin:look_page", args=[name or "entry"])
    context = {
        **admin.site.each_context(request),
        "title": _("How your site looks"),
        "frame": f"{where}?{urlencode(now)}",
        "groups": [
            *((heading, choices(group, "page", shown, now)) for heading, group in groups.items()),
            (_("Mails"), choices(mails, "mail", shown, now)),
        ],
        "themes": choices(THEMES, "theme", now, now | shown),
        "languages": choices(dict(settings.LANGUAGES), "language", now, now | shown),
        "palette": settings.BRAND_PALETTE,
        "branded": settings.BRAND_SHEET is not None,
    }
    return TemplateResponse(request, "admin/look.html", context)


class Choice(NamedTuple):
    """One of several things to choose."""

    words: Words
    url: str  # the query that chooses it
    is_on: bool  # it is chosen now


def choices(
    offered: Mapping[str, Words], key: str, current: Mapping[str, str], query: Mapping[str, str]
) -> list[Choice]:
    """Returns a Choice for each of `offered`, whose query is `query` with its name as `key`."""
    return [
        Choice(words, f"?{urlencode({**query, key: name})}", current.get(key) == name)
        for name, words in offered.items()
    ]


@in_frame(settings.SECURE_CSP | IN_SANDBOX)
def page(request: HttpRequest, name: str) -> HttpResponse:
    """Shows one page, for a frame of look(): no form on it can be sent. Raises Http404 for any other name."""
    theme, language = chosen(request)
    with translation.override(language):
        html = draw(request, name)
    html = re.sub(r'(<html [^>]*?)(?: data-theme="\w*")?>', rf'\1 data-theme="{theme}">', html, count=1)
    return HttpResponse(html)


@in_frame(AS_MAIL | IN_SANDBOX)
def mail(request: HttpRequest, kind: str) -> HttpResponse:
    """Shows one mail with made-up facts, for a frame of look(). Raises Http404 for any other kind."""
    theme, language = chosen(request)
    if kind not in sample_mail.KINDS:
        raise Http404
    html: str = sample_mail.rendered(kind, language)["alternatives"][0][0]
    return HttpResponse(html.replace("(prefers-color-scheme: dark)", "all" if theme == "dark" else "not all"))


def chosen(request: HttpRequest) -> tuple[str, str]:
    """Returns the theme and the language in the query; light, and the person's own language, for any other."""
    own = translation.get_language() or settings.LANGUAGE_CODE
    theme, language = request.GET.get("theme"), request.GET.get("language")
    return known_or(theme, THEMES, "light"), known_or(language, dict(settings.LANGUAGES), own)


def known_or(typed: str | None, known: Container[str], otherwise: str) -> str:
    """Returns what was typed if it is known."""
    return typed if typed is not None and typed in known else otherwise
