"""Every page of the desk looks like the other pages of the site, and runs no script."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils.translation import activate

from accounts.models import Event
from invites.models import Batch, MagicLink
from outbox.models import Suppression, Webhook
from sso.models import App
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory

pytestmark = pytest.mark.django_db

REGISTERED = {listed.opts.model_name: listed for listed in admin.site._registry.values()}
SHEETS = ["/static/frontdoor.css", "/static/desk.css"]


@pytest.fixture
def rows(admin_user):
    """A row of each model."""
    invite = InviteFactory(invited_by=admin_user)
    MagicLink.objects.issue("grace@example.com")
    Event.objects.record(Event.Kind.FAILED, admin_user)
    Batch.objects.create()
    Suppression.objects.suppress("dead@example.com", "550 5.1.1 No such user")
    Webhook(url="https://hook.example/").store_new()
    Group.objects.create(name="Editors")
    App(start_url="https://wiki.example/").store_new("Wiki", ["https://wiki.example/callback"])
    return invite


def paths(listed):
    """Yields the addresses of all pages of a model: the list, the form of a new one, and the pages of the first row."""
    name, row = f"admin:{listed.opts.app_label}_{listed.opts.model_name}", listed.model.objects.first()
    pages = [("changelist", []), ("add", []), *((page, [row.pk]) for page in ("change", "delete", "history") if row)]
    for page, args in pages:
        try:
            yield reverse(f"{name}_{page}", args=args)
        except NoReverseMatch:  # such as that of a list that nobody adds to
            continue


def opened(client, listed):
    """Returns the pages of a model that are shown, and not forbidden or leading elsewhere, by their addresses."""
    answers = {path: client.get(path) for path in paths(listed)}
    return {path: answer.content.decode() for path, answer in answers.items() if answer.status_code == 200}


@pytest.mark.parametrize("name", sorted(REGISTERED))
def test_no_page_of_the_desk_has_a_script_a_style_of_its_own_or_a_third_sheet(desk, rows, name, subtests):
    pages = opened(desk, REGISTERED[name])

    assert pages
    for path, html in pages.items():
        with subtests.test(path):
            assert "<script" not in html
            assert "style=" not in html
            assert "<style" not in html
            assert re.findall(r'rel="stylesheet" href="([^"]*)"', html) == SHEETS
            assert 'href="#"' not in html


def test_the_sheet_of_the_desk_is_small():
    assert Path(settings.BASE_DIR, "static", "desk.css").stat().st_size < 12_000


def test_the_policy_of_the_desk_allows_no_script(desk):
    policy = desk.get("/admin/")["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "script-src" not in policy


def test_the_desk_has_the_theme_and_the_language_of_the_account(desk, rows):
    for theme, language, said in (("dark", "ru", "Приглашения"), ("light", "en", "Invitations"), ("", "ru", "Люди")):
        form = {"theme": theme, "language": language, "time_zone": "Europe/Moscow", "notices": "on"}
        assert desk.post("/account/settings", form).status_code == 302
        for path in ("/admin/", "/admin/invites/invite/", "/admin/accounts/user/"):
            page = desk.get(path).content.decode()
            assert f'<html lang="{language}"' in page
            assert ("theme-dark" in page, "theme-light" in page) == (theme == "dark", theme == "light")
            assert said in page
            assert "Europe/Moscow" in page
    activate("en")


@pytest.mark.parametrize(
    ("rights", "tabs"),
    [
        ([], ["/admin/"]),
        (["add_invite"], ["/admin/", "/admin/invites/batch/", "/admin/invites/joinrequest/"]),
        (["view_invite", "view_suppression"], ["/admin/", "/admin/invites/invite/", "/admin/outbox/suppression/"]),
        (["view_user", "view_group"], ["/admin/", "/admin/accounts/user/"]),
        (["view_group"], ["/admin/", "/admin/auth/group/"]),
    ],
)
def test_tabs_lead_to_what_the_person_may_see(rights, tabs):
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=rights))
    browser = Client()
    browser.post("/login", {"login": person.username, "password": PASSWORD})

    page = browser.get("/admin/").content.decode()

    nav = page.partition("<nav")[2].partition("</nav>")[0]
    assert re.findall(r'href="([^"]*)"', nav) == tabs
    assert nav.count("aria-current") == 1
    for tab in tabs:
        assert browser.get(tab).status_code == 200


def test_the_tab_of_an_open_page_is_marked(desk, rows):
    nav = desk.get(f"/admin/invites/invite/{rows.pk}/change/").content.decode().partition("<nav")[2]

    assert re.search(r'href="/admin/invites/invite/" aria-current="true"', nav)


def test_the_page_of_an_app_leads_to_the_home_of_the_desk(desk):
    assert desk.get("/admin/invites/").url == "/admin/"
