"""The page that shows what the site looks like: its pages and mails in its brand, in each language and theme."""

import copy
import re
from collections.abc import Callable, Container, Mapping
from typing import Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import resolve, reverse
from django.utils import translation
from django.utils.csp import CSP
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_safe

from accounts import asking, limits
from accounts.models import User
from invites.sign_up import unsent
from kit.rate_limit import Limited
from operations.desk import sample_mail, sample_pages
from outbox import kinds
from outbox.mail.shown import AS_MAIL

Policy = dict[str, Any]
Words = str | Promise

THEMES = {"light": gettext_lazy("Light"), "dark": gettext_lazy("Dark")}
AROUND: Policy = settings.SECURE_CSP | {"frame-src": [CSP.SELF]}
FRAMED: Policy = {"frame-ancestors": [CSP.SELF], "form-action": [CSP.NONE]}
AS_PAGE: Policy = settings.SECURE_CSP | FRAMED

# Pages by the name of their URL: as a visitor sees them, and as the person who looks sees their own.
FOR_VISITORS: dict[str, Words] = {
    "entry": gettext_lazy("Start"),
    "account_login": gettext_lazy("Sign in with a password"),
    "account_reset_password": gettext_lazy("Forgot your password"),
    "invite_sent": gettext_lazy("Check your email"),
    "account_signup": gettext_lazy("Create an account"),
    "invite_confirm": gettext_lazy("A link that does not work"),
}
FOR_PERSON: dict[str, Words] = {
    "account": gettext_lazy("Account"),
    "account_profile": gettext_lazy("Name"),
    "account_settings": gettext_lazy("Settings"),
    "account_change_username": gettext_lazy("Username"),
    "account_change_password": gettext_lazy("Password"),
    "account_email": gettext_lazy("Address"),
    "second_factor": gettext_lazy("Two‑step verification"),
    "session_prolong": gettext_lazy("Stay signed in"),
    "member_invites": gettext_lazy("Invitations"),
    "account_logout": gettext_lazy("Sign out"),
    "account_delete": gettext_lazy("Delete account"),
}
INVITATION = "invitation"
ERRORS = ("400", "403", "404", "429", "500", "503")


@require_safe
@csp_override(AROUND)
def look(request: HttpRequest) -> HttpResponse:
    """Shows a list of pages and mails, and the one that "page" or "mail" in the query names in a frame.

    "theme" and "language" in the query say how.
    """
    theme, language = chosen(request)
    now = {"theme": theme, "language": language}
    pages = named()
    mails = {kind: words for kind, words in kinds.WORDS.items() if kind in sample_mail.KINDS}
    kind, name = (known_or(request.GET.get(key), of, "") for key, of in (("mail", mails), ("page", pages)))
    shown = {"mail": kind} if kind else {"page": name or "entry"}
    where = reverse("admin:look_mail", args=[kind]) if kind else reverse("admin:look_page", args=[name or "entry"])
    context = {
        **admin.site.each_context(request),
        "title": _("How your site looks"),
        "frame": f"{where}?{urlencode(now)}",
        "pages": choices(pages, "page", shown, now),
        "mails": choices(mails, "mail", shown, now),
        "themes": choices(THEMES, "theme", now, now | shown),
        "languages": choices(dict(settings.LANGUAGES), "language", now, now | shown),
        "palette": settings.BRAND_PALETTE,
        "branded": settings.BRAND_SHEET is not None,
    }
    return TemplateResponse(request, "admin/look.html", context)


def named() -> dict[str, Words]:
    """Returns the words for each page that the site has with its settings, by its name."""
    sampled = {name: words for name, (words, _template) in sample_pages.PAGES.items()}
    if not asking.is_asked(sample_pages.somebody()):
        del sampled["gate"]
    theirs = FOR_PERSON if settings.MEMBERS_INVITE else {k: v for k, v in FOR_PERSON.items() if k != "member_invites"}
    pages = {INVITATION: _("Invitation"), **FOR_VISITORS, "home": _("Signed in"), **theirs, **sampled}
    return pages | {code: _("Error %(code)s") % {"code": code} for code in ERRORS}


def choices(
    offered: Mapping[str, Words], key: str, current: Mapping[str, str], query: Mapping[str, str]
) -> list[tuple[Words, str, bool]]:
    """Returns of each of `offered` its words, the query that chooses it by `key`, and whether it is the current one."""
    return [(words, f"?{urlencode({**query, key: name})}", current.get(key) == name) for name, words in offered.items()]


@require_safe
@xframe_options_sameorigin
@csp_override(AS_PAGE)
def page(request: HttpRequest, name: str) -> HttpResponse:
    """Shows one page, for a frame of look(): no form on it can be sent. Raises Http404 for any other name."""
    theme, language = chosen(request)
    with translation.override(language):
        html = draw(request, name)
    html = re.sub(r'(<html [^>]*?)(?: data-theme="\w*")?>', rf'\1 data-theme="{theme}">', html, count=1)
    return HttpResponse(html)


@require_safe
@xframe_options_sameorigin
@csp_override(AS_MAIL | FRAMED | {"sandbox": ""})
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


def draw(request: HttpRequest, name: str) -> str:
    """Returns the HTML of one page. Raises Http404 for a name that no page has."""
    if name == INVITATION:
        return text(unsent.show(of_a_visitor(request, "/"), sample_pages.invitation(cast("User", request.user))))
    if name in sample_pages.PAGES:
        return text(sample_pages.show(of_a_visitor(request, "/"), name))
    if name in ERRORS:
        reached = Limited(limits.POST_PER_NETWORK, seconds=600)
        return text(render(of_a_visitor(request, "/"), f"errors/{name}.html", {"limit": reached}))
    if name in FOR_VISITORS:
        visit = of_a_visitor(request, reverse(name))
        if name == "invite_confirm":
            visit.GET = QueryDict("token=x")  # of a link that leads nowhere
        return text(answer(visit))
    if name == "home" or name in FOR_PERSON:
        return text(answer(like(request, reverse("entry" if name == "home" else name))))
    raise Http404


def like(request: HttpRequest, path: str) -> HttpRequest:
    """Returns a GET request for `path` by the same person, in which no message is shown and so lost."""
    other = copy.copy(request)
    other.path = other.path_info = path
    other.GET, other.method = QueryDict(), "GET"
    other.resolver_match = resolve(path)
    other.__dict__.pop("_messages", None)
    return other


def of_a_visitor(request: HttpRequest, path: str) -> HttpRequest:
    """Returns a GET request for `path` by a visitor who is not signed in, with a session of its own."""
    other = like(request, path)
    other.user = AnonymousUser()
    other.session = type(request.session)()
    return other


def answer(request: HttpRequest) -> HttpResponse:
    """Returns what the view of the request's path answers."""
    found = request.resolver_match or resolve(request.path)
    view = cast("Callable[..., HttpResponse]", found.func)
    return view(request, *found.args, **found.kwargs)


def text(response: HttpResponse) -> str:
    """Returns the HTML of an answer, which may still have to be rendered."""
    if isinstance(response, TemplateResponse):
        response = response.render()
    return response.content.decode()
