"""The page of the desk that shows each page and mail of the site in its brand, in each language and theme."""

import re

import pytest
from django.conf import settings
from django.contrib.messages import get_messages
from django.template import engines

from accounts import terms
from accounts.models import Event, Session, User
from invites.models import Invite, MagicLink
from operations.desk import look, sample_mail, sample_pages
from outbox.kinds import WORDS
from outbox.models import OutboxMessage
from tests.tools.factories import UserFactory

pytestmark = pytest.mark.django_db

NAMES = [look.INVITATION, "home", *look.FOR_VISITORS, *look.FOR_PERSON, *sample_pages.PAGES, *look.ERRORS]


@pytest.fixture(autouse=True)
def site(settings, admin_user):
    """A site that has all pages: with members who may invite, and terms to agree to."""
    settings.MEMBERS_INVITE = True
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


def test_the_page_leads_to_each_page_and_each_kind_of_mail(desk):
    html = desk.get("/admin/look/").content.decode()

    links = LINK.findall(html)
    assert len(links) == len(NAMES) + len(WORDS) - 1
    assert framed(html) == "/admin/look/page/entry/?theme=light&language=en"
    for link in links:
        shown = desk.get(f"/admin/look/{link.replace('&amp;', '&')}").content.decode()
        assert shown.count('aria-current="true"') == 3, link  # beside the theme and the language
        assert desk.get(framed(shown)).status_code == 200
    assert "style=" not in html


def framed(html):
    """Returns the address of what the page shows in its frame."""
    return re.search(r'<iframe [^>]*src="([^"]+)"', html)[1].replace("&amp;", "&")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_shown_in_a_theme_and_a_language(desk, name, theme):
    answer = desk.get(f"/admin/look/page/{name}/?theme={theme}&language=ru")

    html = answer.content.decode()
    assert re.search(rf'<html lang="ru" dir="ltr" data-theme="{theme}">', html)
    assert re.search("<h1[^>]*>[^<]*[А-я]", html)
    assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
    assert "form-action 'none'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("name", sample_pages.PAGES)
def test_a_page_of_a_link_has_a_fact_for_each_of_its_places(desk, strict_templates, name):
    assert "UNKNOWN" not in desk.get(f"/admin/look/page/{name}/").content.decode()


def test_pages_that_the_site_does_not_have_are_not_offered(desk, settings):
    settings.MEMBERS_INVITE, settings.TERMS_VERSION = False, ""

    html = desk.get("/admin/look/").content.decode()

    assert "page=gate" not in html
    assert "page=member_invites" not in html


def test_what_a_visitor_sees_names_nobody_and_what_the_person_sees_is_theirs(desk, admin_user):
    assert "csrfmiddlewaretoken" in desk.get("/admin/look/page/entry/").content.decode()
    assert admin_user.username not in desk.get("/admin/look/page/entry/").content.decode()
    assert admin_user.username in desk.get("/admin/look/page/account/").content.decode()


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("kind", sorted(sample_mail.KINDS))
def test_a_mail_has_a_fact_for_each_of_its_places(desk, strict_templates, kind, language):
    answer = desk.get(f"/admin/look/mail/{kind}/?language={language}")

    html = answer.content.decode()
    assert "UNKNOWN" not in html
    assert settings.SITE_NAME in html
    assert 'class="btna"' not in html or re.search(r'class="btna"[^>]*>\s*\S+[^<]*</a>', html), "a button without words"
    assert answer["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'; ")
    assert answer["Content-Security-Policy"].endswith("; sandbox")


def test_a_mail_is_shown_in_a_theme(desk):
    light, dark = (desk.get(f"/admin/look/mail/invite/?theme={theme}").content.decode() for theme in look.THEMES)

    assert "@media not all {" in light
    assert "@media all {" in dark


def test_nothing_is_stored_and_no_message_is_lost(desk, admin_user):
    before = [model.objects.count() for model in (Invite, MagicLink, OutboxMessage, Event, Session)]
    desk.post("/admin/test-mail/")

    for name in NAMES:
        desk.get(f"/admin/look/page/{name}/")
    shown = desk.get("/admin/")

    after = [model.objects.count() for model in (Invite, MagicLink, OutboxMessage, Event, Session)]
    assert [later - sooner for later, sooner in zip(after, before, strict=True)] == [0, 0, 1, 0, 0]
    assert [str(message) for message in get_messages(shown.wsgi_request)] or "is on its way" in shown.content.decode()


@pytest.mark.parametrize("path", ["page/nothing", "page/owner", "page/admin", "mail/mail", "mail/base", "mail/..."])
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
