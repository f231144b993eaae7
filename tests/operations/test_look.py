"""The page of the desk that shows each page and mail of the site in its brand, in each language and theme."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.messages import get_messages
from django.template import engines

from accounts import terms
from accounts.models import Event, Session, User
from invites.models import Invite, MagicLink
from kit import plain_page
from operations.desk import look, sample_mail, site_pages
from outbox.kinds import WORDS
from outbox.models import OutboxMessage
from tests.tools.factories import UserFactory

pytestmark = pytest.mark.django_db

TEMPLATES = Path(settings.BASE_DIR, "templates")
NOT_SHOWN = {
    "door.html": "other pages fill it in",
    "page.html": "other pages fill it in",
    "errors/base.html": "other pages fill it in",
    "invites/link/into_groups_base.html": "other pages fill it in",
    "outbox/dev_mailbox/list.html": "only the development server has it",
    "outbox/dev_mailbox/mail.html": "only the development server has it",
}


@pytest.fixture(autouse=True)
def site(settings, admin_user):
    """A site that has all pages: with members who may invite, terms to agree to, Google, and a product elsewhere."""
    settings.MEMBERS_INVITE = True
    settings.GOOGLE_CLIENT_ID = "frontdoor"
    settings.TERMS_URL, settings.TERMS_VERSION = "https://example.com/terms", "2026-11-01"
    User.objects.update(terms=[terms.acceptance(settings.TERMS_VERSION)])


LINK = re.compile(r'<li><a href="(\?[^"]*(?:page|mail)=[^"]+)"')


@pytest.fixture
def strict_templates():
    """Templates in which a variable that is missing stands in the answer as UNKNOWN."""
    engine = engines["django"].engine
    before, engine.string_if_invalid = engine.string_if_invalid, "UNKNOWN"
    yield
    engine.string_if_invalid = before


def test_the_page_leads_to_each_page_and_each_kind_of_mail(desk, settings):
    settings.SIGNED_IN_URL, settings.SIGNUP = "https://product.example/", "invited"
    html = desk.get("/admin/look/").content.decode()

    links = [link.replace("&amp;", "&") for link in LINK.findall(html)]
    assert [link.rpartition("=")[2] for link in links] == [
        *site_pages.PAGES,
        *(kind for kind in WORDS if kind != "mail"),
    ]
    assert framed(html) == "/admin/look/page/entry/?theme=light&language=en"
    assert "style=" not in html


@pytest.mark.parametrize("choice", ["page=account", "page=404", "mail=invite"])
def test_what_is_chosen_is_shown_and_marked_under_its_open_heading(desk, choice):
    html = desk.get(f"/admin/look/?theme=dark&language=ru&{choice}").content.decode()

    assert framed(html) == f"/admin/look/{choice.replace('=', '/')}/?theme=dark&language=ru"
    assert html.count('aria-current="true"') == 3  # beside the theme and the language
    [group] = re.findall(r"(?s)<details open>.*?</details>", html)
    assert re.search(rf'<a href="[^"]*{choice}" class="[^"]+" aria-current="true">', group)


def framed(html):
    """Returns the address of what the page shows in its frame."""
    return re.search(r'<iframe [^>]*src="([^"]+)"', html)[1].replace("&amp;", "&")


def test_each_template_of_a_page_is_shown_with_a_fact_for_each_of_its_places(desk, strict_templates, subtests):
    plain_page.forget()
    public, shown = pages(), set()
    for name, page in site_pages.PAGES.items():
        with subtests.test(name=name):
            answer = desk.get(f"/admin/look/page/{name}/?theme=dark&language=ru")

            html = answer.content.decode()
            template = next(part.name for part in answer.templates if part.name in public)
            shown.add(template)
            assert re.search(r'<html lang="ru" dir="ltr" data-theme="dark">', html)
            assert re.search("<h1[^>]*>[^<]*[А-я]", html)
            assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
            assert "form-action 'none'" in answer["Content-Security-Policy"]
            # A sandbox, so that no field takes the focus, of the same origin, so that the sheet of the brand is loaded.
            assert "; sandbox allow-same-origin" in answer["Content-Security-Policy"]
            if page.template:
                assert not re.search(r"\b(UNKNOWN|True|False|None)\b", html)
                assert template == page.template

    assert public - shown == set(NOT_SHOWN)


def pages():
    """Returns the names of the templates of all pages outside the desk, those that extend another one."""
    files = {str(file.relative_to(TEMPLATES)): file.read_text() for file in TEMPLATES.rglob("*.html")}
    return {
        name
        for name, text in files.items()
        if text.startswith("{% extends") and not name.startswith(("admin/", "mail/"))
    }


def test_a_page_is_shown_in_the_light(desk):
    assert 'data-theme="light">' in desk.get("/admin/look/page/entry/?theme=light").content.decode()


def test_pages_that_the_site_does_not_have_are_not_offered(desk, settings):
    settings.MEMBERS_INVITE, settings.TERMS_VERSION, settings.GOOGLE_CLIENT_ID = False, "", ""

    html = desk.get("/admin/look/").content.decode()

    assert set(site_pages.PAGES) - set(re.findall(r"page=([\w-]+)", html)) == {
        *("gate", "member_invites", "google-start", "google-closed", "google-unverified"),
        *("google-connect", "google-disconnect", "google-last"),
        *("ask", "ask-confirm", "ask-done", "ask-needless"),
    }
    assert framed(desk.get("/admin/look/?page=gate").content.decode()).startswith("/admin/look/page/entry/")


def test_what_a_visitor_sees_names_nobody_and_what_the_person_sees_is_theirs(desk, admin_user):
    assert "csrfmiddlewaretoken" in desk.get("/admin/look/page/entry/").content.decode()
    assert admin_user.username not in desk.get("/admin/look/page/entry/").content.decode()
    assert admin_user.username in desk.get("/admin/look/page/account/").content.decode()


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_mail_has_a_fact_for_each_of_its_places(desk, strict_templates, language, subtests):
    for kind in sorted(sample_mail.KINDS):
        with subtests.test(kind=kind):
            answer = desk.get(f"/admin/look/mail/{kind}/?language={language}")

            html = answer.content.decode()
            assert "UNKNOWN" not in html
            assert settings.SITE_NAME in html
            assert 'class="btna"' not in html or re.search(r'class="btna"[^>]*>\s*\S+[^<]*</a>', html), "a bare button"
            assert answer["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'; ")
            assert "; sandbox allow-same-origin" in answer["Content-Security-Policy"]


def test_a_mail_is_shown_in_a_theme(desk):
    light, dark = (desk.get(f"/admin/look/mail/invite/?theme={theme}").content.decode() for theme in look.THEMES)

    assert "@media not all {" in light
    assert "@media all {" in dark


def test_nothing_is_stored_and_no_message_is_lost(desk, admin_user):
    before = [model.objects.count() for model in (Invite, MagicLink, OutboxMessage, Event, Session)]
    desk.post("/admin/test-mail/")

    for name in site_pages.PAGES:
        desk.get(f"/admin/look/page/{name}/")
    shown = desk.get("/admin/")

    after = [model.objects.count() for model in (Invite, MagicLink, OutboxMessage, Event, Session)]
    assert [later - sooner for later, sooner in zip(after, before, strict=True)] == [0, 0, 1, 0, 0]
    assert [str(message) for message in get_messages(shown.wsgi_request)] or "is on its way" in shown.content.decode()


@pytest.mark.parametrize("path", ["page/nothing", "page/door", "page/admin", "mail/mail", "mail/base", "mail/..."])
def test_there_is_nothing_else_to_see(desk, path):
    assert desk.get(f"/admin/look/{path}/").status_code == 404


def test_odd_words_in_the_query_change_nothing(desk):
    answer = desk.get("/admin/look/page/entry/?theme=%22%3E%3Cscript%3E&language=xx%27")

    assert 'lang="en" dir="ltr" data-theme="light"' in answer.content.decode()


@pytest.mark.parametrize("path", ["", "page/entry/", "mail/invite/"])
def test_only_staff_see_it(client, path):
    assert client.get(f"/admin/look/{path}").headers["Location"].startswith("/admin/login/?next=")

    client.force_login(UserFactory(terms=[terms.acceptance(settings.TERMS_VERSION)]))
    assert client.get(f"/admin/look/{path}", follow=True).status_code == 403
