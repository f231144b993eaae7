"""The language: the account's, else the link's, else the browser's."""

import pytest
from django.test import Client

from tests.tools.factories import PASSWORD

pytestmark = pytest.mark.django_db

RUSSIAN = {"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.5"}


def language_of(page):
    return page.text.partition('<html lang="')[2][:2]


def test_a_stranger_is_spoken_to_as_their_browser_asks(client):
    assert language_of(client.get("/")) == "en"
    assert language_of(client.get("/", headers=RUSSIAN)) == "ru"
    assert language_of(client.get("/", headers={"Accept-Language": "tlh"})) == "en"


def test_the_language_link_wins_over_the_browser_and_comes_back_to_the_page(client):
    answer = client.post(
        "/language", {"language": "ru", "next": "/login?next=%2Faccount"}, headers={"Accept-Language": "en"}
    )

    assert answer.url == "/login?next=%2Faccount"
    assert language_of(client.get("/", headers={"Accept-Language": "en"})) == "ru"


def test_the_account_wins_over_the_link_and_on_another_device(signed_in, ada):
    signed_in.post("/language", {"language": "ru", "next": "/account"})
    ada.refresh_from_db()
    assert ada.settings == {"language": "ru"}

    elsewhere = Client(headers={"Accept-Language": "en"})
    elsewhere.post("/language", {"language": "en"})
    elsewhere.post("/login", {"login": "ada", "password": PASSWORD})
    assert language_of(elsewhere.get("/account")) == "ru"


@pytest.mark.parametrize("language", ["de", "xx", "", "../../etc"])
def test_a_language_we_do_not_speak_changes_nothing(signed_in, ada, language):
    signed_in.post("/language", {"language": language, "next": "/account"})

    ada.refresh_from_db()
    assert ada.settings == {}
    assert language_of(signed_in.get("/account")) == "en"
    assert "language" not in signed_in.cookies


@pytest.mark.parametrize("away", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_the_link_leads_nowhere_else(client, away):
    assert client.post("/language", {"language": "ru", "next": away}).url == "/"
