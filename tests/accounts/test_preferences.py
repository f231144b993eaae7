"""The preferences of a person: language, time zone, theme and notices, which pages and mails follow."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from accounts import notices, preferences
from accounts.models import Superseded, User
from accounts.profile.preferences_form import zone_choices
from tests.tools.factories import PASSWORD
from tests.tools.reading import words
from tests.tools.tries import use_up_tries

pytestmark = pytest.mark.django_db

CHOICE = {"language": "en", "time_zone": "Asia/Tokyo", "theme": "dark", "notices": "on"}


def choose(client, **chosen):
    return client.post("/account/settings", CHOICE | chosen, follow=True)


def test_all_choices_are_stored_and_the_page_shows_them(signed_in, ada):
    page = choose(signed_in)

    assert "Settings saved." in words(page)
    ada.refresh_from_db()
    chosen = {"language": "en", "time_zone": "Asia/Tokyo", "theme": "dark", "notices": True, "digest": False}
    assert ada.settings == chosen
    assert '<option value="Asia/Tokyo" selected>' in page.text
    assert '<html lang="en" dir="ltr" data-theme="dark">' in page.text


@pytest.fixture
def leaving(ada, monkeypatch):
    """An account that is deleted just before its settings are saved."""
    original = User.save_preferences

    def late(self, **chosen):
        User.objects.filter(pk=self.pk).delete()
        return original(self, **chosen)

    monkeypatch.setattr(User, "save_preferences", late)


@pytest.mark.usefixtures("leaving")
def test_settings_of_an_account_that_is_deleted_meanwhile_lead_to_sign_in(signed_in):
    page = choose(signed_in)

    assert page.redirect_chain[0][0].startswith("/login")
    assert "Your session had ended, so nothing was changed" in words(page)


@pytest.mark.usefixtures("leaving")
def test_the_language_of_an_account_that_is_deleted_meanwhile_is_kept_in_the_cookie(signed_in, settings):
    answer = signed_in.post("/language", {"language": "ru"})

    assert answer.status_code == 302
    assert answer.cookies[settings.LANGUAGE_COOKIE_NAME].value == "ru"


def test_settings_of_a_deleted_account_are_superseded(ada):
    gone = User.objects.get(pk=ada.pk)
    ada.erase()

    for act in (lambda: gone.save_preferences(theme="dark"), gone.erase):
        with pytest.raises(Superseded):
            act()


def test_the_boxes_start_as_most_people_want_them(signed_in):
    page = signed_in.get("/account/settings").text

    assert 'name="notices" id="id_notices" checked' in page
    assert 'name="digest" id="id_digest" checked' in page
    assert '<input type="radio" name="theme" value="" id="id_theme_0" checked' in page


def test_times_follow_the_zone_on_pages_and_in_mails(mailbox, signed_in, ada):
    choose(signed_in)
    assert "(JST)" in words(signed_in.get("/account"))
    signed_in.post("/account/password", {"password": PASSWORD, "chosen": "another horse battery staple"})

    assert "(JST)" in mailbox.text(ada.email)
    assert "(UTC)" not in words(signed_in.get("/account"))


@pytest.mark.parametrize("kind", ["password_changed", "username_changed", "email_changed", "deleted"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_notice_gives_its_times_in_the_readers_time_zone(mailbox, ada, kind, language):
    ada.save_preferences(language=language, time_zone="Asia/Tokyo")
    with time_machine.travel(datetime(2026, 11, 21, 20, 0, tzinfo=UTC), tick=False):
        {
            "password_changed": lambda: ada.ways_in.change_password("another horse battery staple"),
            "username_changed": lambda: ada.rename("ada.lovelace"),
            "email_changed": lambda: ada.address.change("ada@new.example"),
            "deleted": ada.erase,
        }[kind]()
        text = " ".join(mailbox.text("ada@example.com").split())

    month = {"en": "November", "ru": "ноября"}[language]
    assert f"22 {month}" in text
    assert (f"25 {month}" in text) == (kind != "deleted")
    assert text.count("05:00") == text.count("(JST)") == (1 if kind == "deleted" else 2)


def test_the_next_visitor_of_this_process_has_their_own_zone(signed_in, client):
    use_up_tries("x")
    choose(signed_in)
    signed_in.get("/account")

    page = client.post("/login", {"login": "x", "password": "y"})

    assert "(UTC)" in words(page)


def test_other_devices_follow_on_their_next_page(signed_in):
    other = Client()
    other.post("/login", {"login": "ada", "password": PASSWORD})

    choose(signed_in, language="ru")

    page = other.get("/account")
    assert "Ваш аккаунт" in words(page)
    assert 'data-theme="dark"' in page.text
    assert "Ваш аккаунт" in words(signed_in.get("/account"))


def test_the_language_stays_with_the_browser_after_signing_out(signed_in):
    choose(signed_in, language="ru")
    signed_in.post("/logout")

    assert "Вход" in words(signed_in.get("/login"))


@pytest.mark.parametrize(
    "wrong", [{"language": "xx"}, {"time_zone": "Mars/Olympus"}, {"theme": "pink"}, {"language": ""}]
)
def test_a_choice_that_was_not_offered_is_not_stored(signed_in, ada, wrong):
    page = choose(signed_in, **wrong)

    assert page.status_code == 200
    assert 'id="errors"' in page.text
    ada.refresh_from_db()
    assert ada.settings == {}


def test_a_zone_that_this_machine_does_not_know_is_utc(signed_in, ada):
    User.objects.filter(pk=ada.pk).update(settings={"time_zone": "Mars/Olympus"})

    assert "(UTC)" in words(signed_in.get("/account"))


def test_the_choices_are_by_region_with_their_distance_from_utc():
    regions = dict(zone_choices(timezone.now()))
    zones = dict(regions["Asia"])

    assert zones["Asia/Kolkata"] == "Asia/Kolkata (UTC+5:30)"
    assert zones["Asia/Tokyo"] == "Asia/Tokyo (UTC+9)"
    assert dict(regions["America"])["America/Bogota"] == "America/Bogota (UTC−5)"
    assert dict(regions["Atlantic"])["Atlantic/Reykjavik"] == "Atlantic/Reykjavik (UTC)"
    assert len(preferences.zones()) > 400


def test_mails_are_written_in_the_chosen_language(mailbox, signed_in, ada):
    choose(signed_in, language="ru")
    signed_in.post("/account/username", {"username": "ada.lovelace"})

    assert mailbox.letters(ada.email)[-1]["Content-Language"] == "ru"


def test_turning_the_mails_about_new_devices_off_is_told(mailbox, signed_in, ada):
    quiet = {name: value for name, value in CHOICE.items() if name != "notices"}
    signed_in.post("/account/settings", quiet)
    signed_in.post("/account/settings", quiet)

    assert mailbox.kinds(ada.email).count("notices_off") == 1
    assert ada.events.filter(kind="notices_off").count() == 1


def test_choices_made_elsewhere_meanwhile_stay(ada):
    here, there = (User.objects.get(pk=ada.pk) for _ in range(2))
    here.save_preferences(theme="dark", time_zone="Asia/Tokyo")
    there.save_preferences(language="ru")

    assert User.objects.get(pk=ada.pk).settings == {"theme": "dark", "time_zone": "Asia/Tokyo", "language": "ru"}


def test_the_page_that_says_saved_has_the_chosen_language_and_theme(signed_in):
    assert '<html lang="ru" dir="ltr" data-theme="dark">' in choose(signed_in, language="ru").text


def test_the_first_page_after_signing_in_follows_the_choices(client, ada):
    ada.save_preferences(theme="dark", language="ru")
    client.post("/login", {"login": "ada", "password": PASSWORD})

    assert '<html lang="ru" dir="ltr" data-theme="dark">' in client.get("/").text


def test_mails_about_new_devices_stay_on_if_the_notice_of_it_cannot_be_written(signed_in, ada, monkeypatch):
    def fail(*_args, **_kwargs):
        raise DatabaseError("on purpose")

    monkeypatch.setattr(notices, "tell", fail)
    signed_in.raise_request_exception = False

    quiet = {name: value for name, value in CHOICE.items() if name != "notices"}
    assert signed_in.post("/account/settings", quiet).status_code == 500

    ada.refresh_from_db()
    assert ada.settings == {}
    assert not ada.events.filter(kind="notices_off").exists()
