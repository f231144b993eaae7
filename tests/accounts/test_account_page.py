"""The account page: your name, your ways in and your sessions."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Session
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_a_stranger_is_sent_to_sign_in_and_told_why(client):
    page = client.get("/account", follow=True)

    assert page.redirect_chain == [("/login?next=/account", 302)]
    assert "Sign in to open that page." in words(page)


@pytest.mark.parametrize("verb", ["get", "post"])
def test_a_stranger_is_sent_to_sign_in_from_its_other_pages_too(verb, subtests):
    for page in ("settings", "username", "password", "delete", "export", "prove"):
        with subtests.test(page):
            assert getattr(Client(), verb)(f"/account/{page}").url == f"/login?next=/account/{page}"


@pytest.mark.parametrize("path", ["/account/sessions/end", "/account/sessions/prolong"])
def test_a_stranger_can_end_or_prolong_no_session(client, path):
    assert client.post(path, {"session": "x"}).url == f"/login?next={path}"


def test_somebody_whose_session_ended_is_told_so(signed_in):
    Session.objects.get().user.end_sessions()

    page = signed_in.get("/account", follow=True)

    assert "Your session has ended, so we signed you out." in words(page)
    assert "frontdoor_session" not in {name for name, morsel in signed_in.cookies.items() if morsel.value}


def test_the_page_lists_this_device_first_and_no_session_of_other_people(signed_in, ada):
    Client(headers={"User-Agent": FIREFOX}).post("/login", {"login": "ada", "password": PASSWORD})
    UserFactory(username="grace")
    Client(REMOTE_ADDR="198.51.100.9").post("/login", {"login": "grace", "password": PASSWORD})

    page = words(signed_in.get("/account"))

    assert page.index("This device") < page.index("Firefox on Windows")
    sessions = page.partition("Recent activity")[0]
    assert sessions.count("127.0.0.1") == 2
    assert "198.51.100.9" not in page


def test_this_device_comes_first_and_the_newest_others_follow(signed_in, ada):
    now = timezone.now()
    this = Session.objects.get()
    Session.objects.bulk_create(
        Session(
            session_key=f"{n:032d}",
            session_data="",
            user=ada,
            created_at=now + timedelta(seconds=n),
            expire_date=now + timedelta(hours=11),
        )
        for n in range(1, 151)
    )

    rows = list(signed_in.get("/account").context["sessions"])

    assert rows[0] == this
    assert [int(row.session_key) for row in rows[1:]] == list(range(150, 51, -1))


def test_an_account_without_a_password_says_how_it_signs_in(client):
    client.force_login(UserFactory(password=None))

    assert "Not set. You sign in with email links" in words(client.get("/account"))


def test_an_account_with_google_and_no_password_says_how_it_signs_in(client):
    grace = UserFactory(password=None)
    grace.google.adopt("2001", "grace@gmail.com")
    client.force_login(grace)

    assert "Not set. You sign in with Google or email links" in words(client.get("/account"))


def test_the_page_hides_expired_sessions(signed_in, ada):
    Session.objects.create(
        session_key="x" * 32, session_data="", expire_date="2020-01-01T00:00Z", user=ada, ip="192.0.2.99"
    )

    assert "192.0.2.99" not in signed_in.get("/account").text


def test_the_page_says_what_connecting_google_is_good_for(signed_in):
    said = words(signed_in.get("/account/google"))

    assert "Once connected, you can sign in with your Google account too. Google tells us its email address" in said
