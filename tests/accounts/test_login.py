import re
import time

import pytest
from django.test import Client

from accounts.models import Session, User
from accounts.models.session import stored_key
from accounts.session.store import SessionStore
from tests.tools.factories import PASSWORD, UserFactory

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


AWAY = ["//evil.example", "https://evil.example/", "/\\evil.example", "/" + "a" * 500, "/a\x00b"]


def test_no_next_leads_off_the_site_signed_in_or_not(signed_in, subtests):
    for away in AWAY:
        with subtests.test(away=away):
            assert signed_in.get("/login", {"next": away}).url == "/account"
            assert Client().get("/login", {"next": away}).context["form"]["next"].value() == ""


def test_empty_forms_do_not_count_as_wrong_passwords():
    for _ in range(15):
        assert Client().post("/login", {"login": " ", "password": ""}).status_code == 200
