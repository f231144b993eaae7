"""The account page: who you are, and where you are signed in."""

import pytest
from django.test import Client

from accounts.models import Session
from tests.factories import PASSWORD, UserFactory
from tests.reading import words

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_a_stranger_is_sent_to_sign_in_and_told_why(client):
    page = client.get("/account", follow=True)

    assert page.redirect_chain == [("/login?next=/account", 302)]
    assert "Sign in to open that page." in words(page)


def test_somebody_whose_session_ended_is_told_so(signed_in):
    Session.objects.get().user.end_sessions()

    page = signed_in.get("/account", follow=True)

    assert "Your session has ended, so we signed you out." in words(page)
    assert "session" not in {name for name, morsel in signed_in.cookies.items() if morsel.value}


def test_it_shows_this_device_first_and_only_ones_own(signed_in, ada):
    Client(headers={"User-Agent": FIREFOX}).post("/login", {"login": "ada", "password": PASSWORD})
    UserFactory(username="grace")
    Client(REMOTE_ADDR="198.51.100.9").post("/login", {"login": "grace", "password": PASSWORD})

    page = words(signed_in.get("/account"))

    assert page.index("This device") < page.index("Firefox on Windows")
    sessions = page.partition("Recent activity")[0]
    assert sessions.count("127.0.0.1") == 2
    assert "198.51.100.9" not in page


def test_an_account_without_a_password_says_how_it_signs_in(client):
    client.force_login(UserFactory(password=None))

    assert "Not set. You sign in with email links" in words(client.get("/account"))


def test_it_hides_what_is_over(signed_in, ada):
    Session.objects.create(
        session_key="x" * 32, session_data="", expire_date="2020-01-01T00:00Z", user=ada, ip="192.0.2.99"
    )

    assert "192.0.2.99" not in signed_in.get("/account").text
