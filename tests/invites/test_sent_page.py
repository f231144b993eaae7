"""The page "Check your email": only this browser remembers the address."""

import re

import pytest
from django.test import Client

from invites.models import MagicLink
from outbox.models import OutboxMessage
from tests.tools.factories import InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(client, settings):
    client.post("/", {"email": "ada@gmail.com"})
    settings.RATELIMIT_ENABLE = False
    return client


def test_the_page_shows_the_address_and_the_way_to_its_mail(asked):
    page = asked.get("/invite/sent")

    assert "We sent a link to ada@gmail.com" in words(page)
    assert 'href="https://mail.google.com/"' in page.text
    assert "ada@gmail.com" not in page.request["QUERY_STRING"]


def test_the_address_is_in_a_signed_cookie_no_script_can_read(asked):
    cookie = asked.cookies["frontdoor_asked"]
    assert cookie["httponly"]
    assert cookie["max-age"] == 3600
    assert cookie["samesite"] == "Lax"

    asked.cookies["frontdoor_asked"] = cookie.value.replace("ada", "eve")
    assert "eve@" not in asked.get("/invite/sent").text


def test_sending_again_needs_no_typing(asked):
    page = asked.post("/invite/sent")

    assert "We sent another email to ada@gmail.com." in words(page)
    assert list(MagicLink.objects.values_list("email", flat=True)) == ["ada@gmail.com"] * 2
    assert OutboxMessage.objects.count() == 2


def test_sending_again_leads_where_the_first_mail_does(client, settings):
    settings.RATELIMIT_ENABLE = False
    client.post("/", {"email": "ada@gmail.com", "next": "/account/settings"})
    client.post("/invite/sent")

    assert [link.leads_to for link in MagicLink.objects.all()] == ["/account/settings"] * 2


def test_sending_again_too_soon_keeps_the_page_and_names_the_time(client):
    client.post("/", {"email": "ada@gmail.com"})

    page = client.post("/invite/sent")

    assert page.status_code == 429
    assert "You can send another one after" in words(page)
    assert "ada@gmail.com" in page.text
    assert page["Retry-After"]
    assert OutboxMessage.objects.count() == 1


def test_without_the_cookie_the_page_names_no_address_and_leads_to_the_start(client):
    assert "If the address was right, a link is on its way." in words(client.get("/invite/sent"))
    assert client.post("/invite/sent").url == "/"
    assert not OutboxMessage.objects.exists()


def test_the_page_links_to_the_mailbox_of_known_providers_only(client):
    for address, expected in [("a@yandex.ru", "Яндекс Почта"), ("a@company.example", None)]:
        browser = Client()
        browser.post("/", {"email": address})
        page = browser.get("/invite/sent").text
        assert ('rel="noreferrer"' in page) == bool(expected)
        assert expected is None or expected in page


@pytest.mark.parametrize("signup", ["open", "invited"])
def test_sending_again_tells_a_stranger_nothing(settings, signup):
    settings.SIGNUP, settings.RATELIMIT_ENABLE = signup, False
    UserFactory(email="known@example.com")
    UserFactory(email="idle@example.com", is_active=False)
    InviteFactory(email="guest@example.com")

    def seen(name):
        browser, before = Client(), OutboxMessage.objects.count()
        browser.post("/", {"email": f"{name}@example.com"})
        page = browser.post("/invite/sent")
        body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text).replace(name, "NAME")
        return (
            page.status_code,
            body,
            sorted(page.headers),
            sorted(browser.cookies),
            OutboxMessage.objects.count() - before,
        )

    assert seen("known") == seen("unknown") == seen("idle") == seen("guest")


# The frame that looks whether this browser has come in

STATE = "/invite/sent/state"


def test_the_frame_looks_again_by_itself_and_sets_no_cookie(asked):
    seen = asked.get(STATE)

    assert seen["Refresh"] == "10; url=?by_itself=59"
    assert "This looks by itself" in words(seen)
    assert not seen.cookies
    assert asked.get(f"{STATE}?by_itself=1")["Refresh"] == "10; url=?by_itself=0"


@pytest.mark.parametrize(
    "query", ["by_itself=0", "still", "by_itself=-1", "by_itself=x", "by_itself=999", "by_itself=٣"]
)
def test_it_stops_by_itself_or_when_it_is_told_to(asked, query):
    seen = asked.get(f"{STATE}?{query}")

    assert "Refresh" not in seen
    assert "We’ve stopped looking." in words(seen)


def test_it_stands_in_a_frame_of_this_site_alone(asked):
    seen = asked.get(STATE)

    assert seen["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in seen["Content-Security-Policy"]
    assert "form-action 'none'" in seen["Content-Security-Policy"]
    assert asked.post(STATE).status_code == 405


def test_whoever_has_come_in_is_led_on(client, settings, ada):
    client.post("/", {"email": ada.email, "next": "/account/settings"})
    client.force_login(ada)

    seen = client.get(STATE)
    assert "Refresh" not in seen
    assert 'target="_top" href="/account/settings"' in seen.text
    page = client.get("/invite/sent")
    assert "You’re signed in. Carry on" in words(page)
    assert "<iframe" not in page.text


def test_whoever_has_to_prove_something_has_not_come_in_before(client, mailbox, ada):
    client.force_login(ada)
    client.post("/account/prove", {"next": "/account/email"})
    assert client.get(STATE)["Refresh"]

    client.post("/confirm", {"token": mailbox.link(ada.email, "/confirm").partition("token=")[2]})
    assert 'href="/account/email"' in client.get(STATE).text
