"""Strangers get a page from memory: the one that would be rendered for them, with a CSRF token of their own."""

import re
import time

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.session.notes import GOOGLE_IDENTITY
from kit import plain_page
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

PAGES = ["account_login", "entry", "account_reset_password"]
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w{64})"')


@pytest.fixture(params=PAGES)
def path(request):
    return reverse(request.param)


@pytest.fixture
def renders(monkeypatch):
    """Counts the pages that are rendered."""
    done = []
    original = plain_page.render_to_string

    def counting(*args):
        done.append(args)
        return original(*args)

    monkeypatch.setattr(plain_page, "render_to_string", counting)
    return done


def without_tokens(answer):
    return TOKEN.sub("", answer.content.decode())


@pytest.mark.parametrize("language", ["en", "ru"])
def test_it_is_rendered_once_and_is_the_page_that_others_get(path, language, renders, settings):
    headers = {"accept-language": language}
    first, second = (Client().get(path, headers=headers) for _ in range(2))
    settings.DEBUG = True
    fresh = Client().get(path, headers=headers)

    assert len(renders) == 1
    assert without_tokens(first) == without_tokens(second) == without_tokens(fresh)
    assert f'lang="{language}"' in without_tokens(first)
    assert "\ue000" not in first.content.decode()


def test_each_visitor_gets_a_token_that_works(renders):
    browsers = [Client(enforce_csrf_checks=True) for _ in range(2)]
    tokens = []
    for browser in browsers:
        page = browser.get("/login").content.decode()
        (token,) = set(TOKEN.findall(page))
        tokens.append(token)
        sent = {"csrfmiddlewaretoken": token, "login": "nobody", "password": PASSWORD}
        assert browser.post("/login", sent).status_code == 200

    assert len(renders) == 1
    assert len(set(tokens)) == 2
    swapped = {"csrfmiddlewaretoken": tokens[1], "login": "nobody", "password": PASSWORD}
    assert browsers[0].post("/login", swapped).status_code == 403


@pytest.mark.parametrize("method", ["get", "head"])
def test_what_is_asked_with_a_query_is_rendered_anew(path, method, renders):
    getattr(Client(), method)(path, {"next": "/account/settings"})

    assert not renders


def test_a_message_is_shown_to_whom_it_is_for_alone(ada, renders):
    browser = Client()
    browser.get("/login")
    browser.post("/login", {"login": "ada", "password": PASSWORD})
    browser.post("/logout/here")

    told = browser.get("/login")

    assert "signed out on this device" in words(told)
    assert "signed out on this device" not in words(Client().get("/login"))
    assert len(renders) == 1


def test_what_was_typed_is_shown_to_whom_it_is_from_alone(renders):
    again = Client().post("/login", {"login": "grace", "password": PASSWORD, "show_again": "1"})

    assert "grace" in again.content.decode()
    assert "grace" not in Client().get("/login").content.decode()


def test_an_address_that_google_named_is_shown_to_whom_it_is_of_alone(renders):
    browser = Client()
    session = browser.session
    noted = {"uid": "7", "email": "grace@gmail.com", "to_connect": True, "until": time.time() + 60}
    session[GOOGLE_IDENTITY.key] = noted
    session.save()

    assert 'value="grace@gmail.com"' in browser.get("/login").text
    assert "grace@gmail.com" not in Client().get("/login").text


def test_people_who_are_signed_in_share_a_page_but_for_their_names(renders):
    pages = {}
    for name in ("ada", "grace"):
        UserFactory(username=name, email=f"{name}@example.com")
        browser = Client()
        browser.post("/login", {"login": name, "password": PASSWORD})
        pages[name] = browser.get("/")

    assert len(renders) == 1
    for name, other in (("ada", "grace"), ("grace", "ada")):
        assert words(pages[name]).count(f"signed in as {name}") == 1
        assert f"{name}@example.com" in words(pages[name])
        assert other not in pages[name].content.decode()


def test_what_a_person_is_called_is_text_and_never_a_blank_or_html(signed_in, ada, renders):
    User.objects.filter(pk=ada.pk).update(username="%(csrf_token)s<b>")
    signed_in.get("/")

    assert "%(csrf_token)s&lt;b&gt;" in signed_in.get("/").content.decode()


def test_each_theme_has_a_page_of_its_own(signed_in, settings, renders):
    signed_in.get("/")
    signed_in.post("/account/settings", {"theme": "dark", "language": "en", "time_zone": "", "notices": "on"})
    del signed_in.cookies[f"{settings.COOKIE_PREFIX}messages"]  # that the settings are saved, which is shown elsewhere

    assert 'data-theme="dark"' in signed_in.get("/").content.decode()
    assert len(renders) == 2


def test_no_more_pages_than_a_bound_stay_in_memory(monkeypatch, renders):
    monkeypatch.setattr(plain_page, "MOST", 2)
    plain_page.forget()
    for path in ("/", "/login", "/reset", "/"):
        assert Client().get(path).status_code == 200
        assert len(plain_page._pages) <= 2

    assert len(renders) == 4


def test_another_setting_makes_another_page(settings, renders):
    Client().get("/")
    settings.SIGNUP = "invited"

    assert "You need an invitation" in words(Client().get("/"))
