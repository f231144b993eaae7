"""Google through allauth.headless's protocol, and what its configuration says: the promises of the pages hold here."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from accounts.models import User
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.google import Person
from tests.tools.headless import DOORS, ask, flows, said

pytestmark = pytest.mark.django_db

GRACE = Person(sub="2001", email="grace@gmail.com")
PROVIDERS = "account/providers"
CONNECTED = {"provider": "google", "account": "2001"}


@pytest.fixture(autouse=True)
def grace_at_google(google):
    google.person = GRACE


def visit(client, **typed):
    form = {"provider": "google", "callback_url": "/account/settings", "process": "login"} | typed
    return client.post(f"{DOORS}auth/provider/redirect", form)


def prove(client):
    assert ask(client, "POST", "auth/reauthenticate", {"password": PASSWORD}).status_code == 200


@pytest.mark.parametrize(
    ("callback", "arrived"),
    [
        ("/account/settings", "/account/settings"),
        ("http://localhost:8000/account/settings", "/account/settings"),
        ("https://evil.example/", "/account"),
        ("//evil.example/", "/account"),
    ],
)
def test_who_comes_back_from_google_is_in_and_on_this_site(client, google, settings, callback, arrived):
    settings.SITE_URL = "http://localhost:8000"
    google.register(settings.SITE_URL)

    page = client.get(google.consent(visit(client, callback_url=callback).url))

    assert page.url == arrived
    assert User.objects.get().email == "grace@gmail.com"
    assert ask(client, "GET", "auth/session").status_code == 200


def test_it_is_connected_once_it_is_proven_whose_account_it_is(signed_in, google, mailbox, ada):
    assert visit(Client(), process="connect").status_code == 401
    assert visit(signed_in, process="connect").url == "/account/google"
    assert google.visits == []

    prove(signed_in)
    signed_in.get(google.consent(visit(signed_in, process="connect").url))

    assert SocialAccount.objects.values_list("user", "uid").get() == (ada.pk, "2001")
    assert mailbox.kinds(ada.email).count("google_connected") == 1
    listed = ask(signed_in, "GET", PROVIDERS).json()["data"]
    assert [(row["uid"], row["provider"]["id"], row["display"]) for row in listed] == [
        ("2001", "google", "grace@gmail.com")
    ]


def test_it_is_disconnected_with_proof(signed_in, mailbox, ada):
    ada.google.adopt("2001", "grace@gmail.com")
    assert said(ask(signed_in, "DELETE", PROVIDERS, CONNECTED | {"account": "2002"})) == [
        ("account_not_found", "account")
    ]
    assert "reauthenticate" in flows(ask(signed_in, "DELETE", PROVIDERS, CONNECTED))
    prove(signed_in)

    assert ask(signed_in, "DELETE", PROVIDERS, CONNECTED).json()["data"] == []

    assert mailbox.kinds(ada.email)[-1] == "google_disconnected"
    assert ask(signed_in, "GET", PROVIDERS).json()["data"] == []


def test_the_last_way_in_stays(client, google):
    UserFactory(username="grace", email="grace@gmail.com", password=None).google.adopt("2001", "grace@gmail.com")
    client.get(google.consent(visit(client).url))

    assert said(ask(client, "DELETE", PROVIDERS, CONNECTED)) == [("no_password", None)]
    assert SocialAccount.objects.exists()


def test_another_provider_is_none_and_without_google_there_is_none(client, settings):
    assert visit(client, provider="github").status_code == 404
    assert flows(ask(client, "GET", "auth/session")).keys() == {"login", "provider_redirect"}

    settings.GOOGLE_CLIENT_ID = ""

    assert visit(client).status_code == 404
    assert flows(ask(client, "GET", "auth/session")).keys() == {"login"}
    assert ask(client, "GET", "config").json()["data"]["socialaccount"]["providers"] == []


def test_the_configuration_names_what_there_is(client, django_assert_num_queries, google):
    with django_assert_num_queries(0):
        data = ask(client, "GET", "config").json()["data"]

    assert data["account"]["is_open_for_signup"] is False
    assert data["account"]["login_by_code_enabled"] is False
    assert data["mfa"] == {"supported_types": ["totp", "recovery_codes"], "passkey_login_enabled": False}
    assert data["socialaccount"]["providers"] == [
        {"id": "google", "name": "Google", "flows": ["provider_redirect"], "client_id": google.client_id}
    ]
