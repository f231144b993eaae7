"""Messages between two pages: shown once, in the browser that they were for, within minutes."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from tests.tools.factories import PASSWORD
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

COOKIE = "frontdoor_messages"
OUT = "You’re signed out on this device."


def signed_out(client=None):
    """Signs ada in and out; returns her browser, which has the message of that and has not shown it yet."""
    client = client or Client()
    client.get("/login")
    client.post("/login", {"login": "ada", "password": PASSWORD})
    client.post("/logout/here")
    return client


def test_a_message_is_shown_once_after_signing_out(ada):
    client = signed_out()

    assert OUT in words(client.get("/login"))
    assert OUT not in words(client.get("/login"))
    assert client.cookies[COOKIE].value == ""


@pytest.mark.parametrize("known", [True, False], ids=["with a CSRF cookie of its own", "without cookies"])
def test_another_browser_does_not_show_it(ada, known):
    client, other = signed_out(), Client()
    if known:
        other.get("/login")
    other.cookies[COOKIE] = client.cookies[COOKIE].value

    page = other.get("/login")

    assert OUT not in words(page)
    assert page.cookies[COOKIE]["max-age"] == 0


def test_a_message_to_a_browser_without_a_csrf_cookie_is_for_no_other_browser(ada):
    client, other = Client(), Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})
    del client.cookies["frontdoor_csrf"]
    answer = client.post("/logout/here")
    other.cookies[COOKIE] = answer.cookies[COOKIE].value

    assert OUT not in words(other.get("/login"))
    assert OUT in words(client.get("/login"))


def test_it_is_forgotten_after_minutes(ada):
    client = signed_out()

    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert OUT not in words(client.get("/login"))


def test_a_former_message_of_the_same_browser_is_not_shown_after_the_next_sign_in(ada):
    client = signed_out()
    old = client.cookies[COOKIE].value
    signed_out(client)
    client.get("/login")
    client.cookies[COOKIE] = old

    assert OUT not in words(client.get("/login"))


@pytest.mark.parametrize("value", ["x", "", "eyJ:1:2", "\x80", "a" * 4000])
def test_a_made_up_cookie_is_no_message(client, value):
    client.cookies[COOKIE] = value

    assert client.get("/login").status_code == 200


def test_the_message_of_an_ended_session_is_shown_even_to_a_browser_without_a_csrf_cookie(signed_in, ada):
    ada.end_sessions()
    browser = Client()
    browser.cookies["frontdoor_session"] = signed_in.cookies["frontdoor_session"].value

    assert "Your session has ended" in words(browser.get("/account", follow=True))


def test_a_message_survives_the_sign_in_that_it_is_about(mailbox):
    client = Client()
    client.get("/login")
    client.post("/", {"email": "grace@example.com"})
    link = mailbox.link("grace@example.com")
    client.get(link)
    token = link.partition("token=")[2]
    page = client.post("/signup", {"token": token, "username": "grace", "password": PASSWORD}, follow=True)

    assert page.redirect_chain[-1][0] == "/account"
    assert "Your account is ready." in words(page)


def test_no_page_that_says_nothing_sets_the_cookie(client):
    for path in ("/", "/login", "/nothing"):
        assert COOKIE not in client.get(path).cookies
