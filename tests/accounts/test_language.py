"""The language: the account's, else the link's, else the browser's, else the first of the site."""

import re

import pytest
from django.test import Client

from accounts.models import User
from kit import each_language
from tests.tools.factories import PASSWORD

pytestmark = pytest.mark.django_db

RUSSIAN = {"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.5"}


def language_of(page):
    return page.text.partition('<html lang="')[2][:2]


def test_a_stranger_is_spoken_to_as_their_browser_asks(client):
    assert language_of(client.get("/")) == "en"
    assert language_of(client.get("/", headers=RUSSIAN)) == "ru"
    assert language_of(client.get("/", headers={"Accept-Language": "tlh"})) == "en"
    assert '<html lang="pt-br" dir="ltr"' in client.get("/", headers={"Accept-Language": "pt-PT,pt;q=0.9"}).text
    assert '<html lang="ar" dir="rtl"' in client.get("/", headers={"Accept-Language": "ar-EG"}).text


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


@pytest.mark.parametrize("language", ["nl", "xx", "", "../../etc"])
def test_a_language_we_do_not_speak_changes_nothing(signed_in, ada, language):
    signed_in.post("/language", {"language": language, "next": "/account"})

    ada.refresh_from_db()
    assert ada.settings == {}
    assert language_of(signed_in.get("/account")) == "en"
    assert "language" not in signed_in.cookies


@pytest.mark.parametrize("away", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_the_link_leads_nowhere_else(client, away):
    assert client.post("/language", {"language": "ru", "next": away}).url == "/"


@pytest.fixture
def of_two(settings):
    """A site that speaks German, which comes first, and French."""
    settings.LANGUAGES = [("de", "Deutsch"), ("fr", "Français")]
    settings.LANGUAGE_CODE = "de"
    settings.DESK_LANGUAGES = ["en"]


def test_who_asks_for_none_of_the_sites_languages_gets_the_first(of_two, client, ada, mailbox):
    assert language_of(client.get("/", headers={"Accept-Language": "ja,ru;q=0.5"})) == "de"
    assert language_of(client.get("/", headers={"Accept-Language": "ja,fr;q=0.5"})) == "fr"
    ada.record_and_notify("exported")
    assert mailbox.letters(ada.email)[-1]["Content-Language"] == "de"


def test_a_chosen_language_that_the_site_speaks_no_more_counts_for_nothing(of_two, signed_in, ada, mailbox):
    ada.save_preferences(language="ru")
    signed_in.post("/login", {"login": "ada", "password": PASSWORD})

    assert language_of(signed_in.get("/account", headers={"Accept-Language": "fr"})) == "fr"
    ada.record_and_notify("exported")
    assert mailbox.letters(ada.email)[-1]["Content-Language"] == "de"


def test_up_to_two_other_languages_stand_open_and_more_behind_a_line_that_names_the_chosen_one(client, settings):
    page = client.get("/login").text
    (box,) = re.findall(r"<details>(.*?)</details>", page.partition("<footer")[2], re.DOTALL)
    assert "<summary>Language: English</summary>" in box
    assert re.search(r'<form [^>]*action="/language" aria-label="Language"', page)
    assert box.count("<button") == len(settings.LANGUAGES) - 1

    settings.LANGUAGES = [("en", "English"), ("ar", "العربيّة"), ("ru", "Русский")]
    foot = client.get("/login").text.partition("<footer")[2]
    assert "<details" not in foot
    assert re.search(r'<form [^>]*action="/language" aria-label="Language"', foot)
    assert 'value="ar" lang="ar" dir="rtl">العربيّة</button>' in foot


def desk_of(admin_user, client, language):
    admin_user.save_preferences(language=language)
    client.force_login(admin_user)
    return client.get("/admin/accounts/user/")


@pytest.mark.parametrize(("language", "desk"), [("de", "en"), ("ar", "en"), ("ru", "ru"), ("en", "en")])
def test_the_desk_speaks_its_own_languages_wholly_and_changes_no_choice(admin_user, client, language, desk):
    page = desk_of(admin_user, client, language)

    assert f'<html lang="{desk}" dir="ltr"' in page.text
    assert page["Content-Language"] == desk
    chosen = {"en": {"Русский"}, "ru": {"English"}}[desk]
    assert set(re.findall(r'<button[^>]* lang="[^"]*">([^<]*)<', page.text)) == chosen
    assert User.objects.get(pk=admin_user.pk).settings["language"] == language
    assert language_of(client.get("/account")) == language


def test_the_desk_is_english_on_a_site_that_speaks_neither(of_two, admin_user, client):
    page = desk_of(admin_user, client, "de")

    assert language_of(page) == "en"
    assert 'name="language"' not in page.text


def test_what_is_stored_for_readers_of_the_desk_is_stored_in_its_languages_only():
    assert each_language.write("x").keys() == {"en", "ru"}
