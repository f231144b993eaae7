import re
import time

import pytest
from django.core.cache import caches
from django.test import Client

from accounts.models import Session, User
from accounts.models.session import stored_key
from accounts.session.store import SessionStore
from invites.models import MagicLink
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.google import Person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("login", ["ada", "ADA", " ada ", "ada@example.com", "Ada@Example.COM"])
def test_name_or_address_and_password_sign_in(client, ada, login):
    response = client.post("/login", {"login": login, "password": PASSWORD})

    assert response.url == "/account"
    assert "ada@example.com" in client.get("/account").text


def test_sign_in_leads_to_next_on_this_site_only(ada):
    for asked, led in [
        ("/account?a=1", "/account?a=1"),
        ("//evil.example", "/account"),
        ("https://evil.example/", "/account"),
        ("javascript:alert(1)", "/account"),
        ("/\\evil.example", "/account"),
        ("account", "/account"),
    ]:
        response = Client().post("/login", {"login": "ada", "password": PASSWORD, "next": asked})
        assert response.url == led, asked


@pytest.mark.parametrize(
    "login", ["ada", "ada@example.com", "nobody", "nobody@example.com", "idle", "google@example.com"]
)
def test_a_wrong_password_costs_one_hash_and_one_sentence_whoever_is_named(client, ada, hashes, login):
    UserFactory(username="idle", is_active=False)
    UserFactory(username="google", email="google@example.com", password=None)
    hashes.clear()

    page = client.post("/login", {"login": login, "password": "not the right password"})

    assert len(hashes) == 1
    assert page.status_code == 200
    assert "Those details don’t match an account" in page.text
    assert not Session.objects.exists()


def test_the_right_password_of_a_deactivated_account_is_answered_like_a_wrong_one(client, ada, hashes):
    User.objects.filter(pk=ada.pk).update(is_active=False)
    hashes.clear()

    right = client.post("/login", {"login": "ada", "password": PASSWORD})
    wrong = client.post("/login", {"login": "ada", "password": "not the right password"})

    assert len(hashes) == 2
    assert right.status_code == wrong.status_code == 200
    assert "Those details don’t match an account" in right.text
    assert not Session.objects.exists()


def test_a_stranger_gets_the_same_page_for_every_name(ada):
    UserFactory(username="idle", is_active=False)
    UserFactory(username="nopassword", password=None)

    def seen(login):
        browser = Client()
        page = browser.post("/login", {"login": login, "password": "not the right password"})
        body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text).replace(login, "NAME")
        return page.status_code, body, sorted(page.headers), sorted(browser.cookies)

    assert seen("ada") == seen("nobody") == seen("idle") == seen("nopassword")


def test_the_typed_name_stays_and_the_password_goes(client, ada):
    page = client.post("/login", {"login": "ada", "password": "not the right password"}).text

    assert 'value="ada"' in page
    assert "not the right password" not in page


def test_a_signed_in_user_is_led_on_from_the_sign_in_page(signed_in):
    assert signed_in.get("/login?next=/account%3Fa").url == "/account?a"


def test_signing_in_takes_a_new_session_id_and_a_planted_one_is_worth_nothing(ada):
    planted = SessionStore()
    planted["deadline"] = time.time() + 3600
    planted.create()
    victim, thief = Client(), Client()
    for browser in (victim, thief):
        browser.cookies["frontdoor_session"] = planted.session_key

    victim.post("/login", {"login": "ada", "password": PASSWORD})

    assert victim.cookies["frontdoor_session"].value != planted.session_key
    assert victim.get("/account").status_code == 200
    assert thief.get("/account").status_code == 302
    assert not Session.objects.filter(session_key=stored_key(planted.session_key)).exists()


AWAY = ["//evil.example", "https://evil.example/", "/\\evil.example", "/" + "a" * 3000, "/a\x00b"]


def test_no_next_leads_off_the_site_signed_in_or_not(signed_in, subtests):
    for away in AWAY:
        with subtests.test(away=away):
            assert signed_in.get("/login", {"next": away}).url == "/account"
            assert Client().get("/login", {"next": away}).context["form"]["next"].value() == ""


JSON = "application/json"
LONG = "/authorize?state=" + "s%2C" * 621  # as long as some apps make it: 2,501 characters


def test_a_long_next_is_kept(ada, client):
    field = client.get("/login", {"next": LONG}).context["form"]["next"].value()

    assert client.post("/login", {"login": "ada", "password": PASSWORD, "next": field}).url == LONG
    assert client.get("/login", {"next": LONG}).url == LONG  # by another tab, signed in already


def test_a_long_next_is_kept_through_the_code(ada, client):
    phone.pair(ada)
    client.post("/login", {"login": "ada", "password": PASSWORD, "next": LONG})

    assert client.post("/login/code", {"code": phone.code()}).url == LONG


def test_a_long_next_is_kept_through_a_wrong_password(ada, client):
    page = client.post("/login", {"login": "ada", "password": "wrong", "next": LONG})

    assert page.context["form"]["next"].value() == LONG


def test_a_long_next_is_kept_on_the_way_to_google_and_back(ada, client, google):
    ada.google.adopt("7", "ada@gmail.com")
    google.person = Person(sub="7", email="ada@gmail.com")

    assert client.get(google.consent(client.post("/google", {"next": LONG}).url)).url == LONG


def test_a_long_next_is_no_error_where_google_leads_to_a_mailed_link(client, google):
    google.person = Person(sub="7", email="grace@example.com")  # whose address Google does not give out

    assert client.get(google.consent(client.post("/google", {"next": LONG}).url)).url == "/invite/sent"
    assert MagicLink.objects.get().next == ""


def test_signing_out_here_leads_to_a_long_next(signed_in):
    assert signed_in.post("/logout/here", {"next": LONG}).url == LONG


MAILED = [
    lambda browser, path: browser.post("/", {"email": "grace@example.com", "next": path}),
    lambda browser, path: browser.post("/api/v1/invite", {"email": "grace@example.com", "next": path}, JSON),
    lambda browser, path: browser.post("/account/prove", {"next": path}),
    lambda browser, path: browser.post("/api/v1/auth/proof/link", {"next": path}, JSON),
]


@pytest.mark.parametrize("ask", MAILED)
def test_a_mailed_link_leads_to_a_next_of_500_characters_and_to_no_longer_one(signed_in, ask):
    browser = signed_in if ask in MAILED[2:] else Client()
    for path, stored in ((LONG, ""), ("/" + "a" * 500, ""), ("/" + "a" * 499, "/" + "a" * 499)):
        caches["default"].clear()  # the limits of mails
        MagicLink.objects.all().delete()

        assert ask(browser, path).status_code in {202, 302}

        assert MagicLink.objects.get().next == stored


# Who is expected


@pytest.mark.parametrize("hint", ["ada", "ada@example.com", "nobody@example.com", "x" * 254])
def test_whom_a_program_expects_stands_in_the_field(ada, client, hint):
    page = client.get("/login", {"login_hint": hint, "next": "/account"})

    assert page.context["form"]["login"].value() == hint
    assert page.context["form"]["next"].value() == "/account"
    assert client.get("/", {"login_hint": hint}).context["form"]["email"].value() == hint


def test_whoever_is_expected_may_be_somebody_else(ada, client):
    sent = {"login": "ada", "password": PASSWORD, "next": ""}

    assert client.post("/login?login_hint=grace@example.com", sent).url == "/account"


@pytest.mark.parametrize("hint", ["", "x" * 255, "a\x00b", "a\nb", "a\u202eb", "a\ufffdb"])
def test_what_is_no_name_is_expected_of_nobody(client, hint):
    assert not client.get("/login", {"login_hint": hint}).context["form"]["login"].value()
    assert not client.get("/", {"login_hint": hint}).context["form"]["email"].value()


def test_the_page_says_of_nobody_whether_they_are_known(ada, client):
    known = client.get("/login", {"login_hint": "ada@example.com"})
    unknown = client.get("/login", {"login_hint": "eve@example.com"})

    token = re.compile('(?<=name="csrfmiddlewaretoken" value=")[^"]+')
    assert token.sub("", known.text).replace("ada", "eve") == token.sub("", unknown.text)


def test_empty_forms_do_not_count_as_wrong_passwords():
    for _ in range(15):
        assert Client().post("/login", {"login": " ", "password": ""}).status_code == 200
