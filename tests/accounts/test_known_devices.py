"""Known devices: a stranger cannot lock you out of yours, and a new one is reported."""

import time
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from django.test import Client

from accounts import limits
from accounts.models import Session, User
from accounts.session import devices
from kit import cookies
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words
from tests.tools.tries import use_up_tries

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
WRONG = "not the right password"


def sign_in(client, login="ada", password=PASSWORD):
    return client.post("/login", {"login": login, "password": password})


def test_after_too_many_wrong_passwords_a_visitor_is_told_when_to_come_back(ada):
    use_up_tries()

    page = sign_in(Client())

    assert page.status_code == 429
    assert 0 < int(page["Retry-After"]) <= limits.LOGIN_PER_NAME.window.total_seconds()
    assert "or use a link from your email" in words(page)
    assert not Session.objects.exists()


@pytest.mark.parametrize("login", ["ada", "nobody", "idle", "google"])
def test_the_limit_is_the_same_for_names_that_nobody_has(ada, login):
    UserFactory(username="idle", is_active=False)
    UserFactory(username="google", password=None)

    use_up_tries(login)

    assert sign_in(Client(), login).status_code == 429


def test_a_stranger_locks_nobody_out_of_a_device_that_was_there_before(ada):
    mine = Client()
    sign_in(mine)
    mine.post("/logout")
    use_up_tries()

    assert sign_in(mine).status_code == 302
    assert sign_in(Client()).status_code == 429


def test_the_way_by_mailed_link_is_never_limited_by_guesses(mailbox, ada):
    use_up_tries()
    client = Client()
    client.post("/", {"email": ada.email})

    link = mailbox.link(ada.email, "/confirm")
    assert client.post("/confirm", {"token": link.partition("token=")[2]}).url == "/account"


def test_right_passwords_do_not_count_against_the_limit(ada):
    assert sign_in(Client()).status_code == 302

    use_up_tries()


def test_right_passwords_on_a_known_device_buy_a_stranger_no_guesses(ada):
    mine = Client()
    sign_in(mine)
    use_up_tries()
    mine.post("/logout")
    assert sign_in(mine).status_code == 302

    assert sign_in(Client()).status_code == 429


def test_the_wait_counts_from_the_first_wrong_password(ada, monkeypatch):
    brief = replace(limits.LOGIN_PER_NAME, name="brief", window=timedelta(seconds=4))
    monkeypatch.setattr(limits, "LOGIN_PER_NAME", brief)
    use_up_tries()

    time.sleep(1.2)
    page = sign_in(Client())
    assert page.status_code == 429
    assert int(page["Retry-After"]) <= 3  # it would be 4 if the refused try had started the wait again
    time.sleep(3)
    assert sign_in(Client()).status_code == 302


def test_one_accounts_cookie_opens_no_other_accounts_limit(ada):
    UserFactory(username="grace")
    graces = Client()
    sign_in(graces, "grace")
    graces.post("/logout")
    use_up_tries()

    assert sign_in(graces, "ada").status_code == 429


@pytest.mark.parametrize("damage", ["cut", "made up", "empty", "not ours"])
def test_a_browser_with_a_forged_cookie_counts_as_a_stranger(ada, damage):
    mine = Client()
    sign_in(mine)
    value = mine.cookies["frontdoor_device"].value
    mine.cookies["frontdoor_device"] = {"cut": value[:-2], "made up": "x:y:z", "empty": "", "not ours": "\x80" * 9}[
        damage
    ]
    mine.post("/logout")
    use_up_tries()

    assert sign_in(mine).status_code == 429


def test_the_cookie_names_nobody_and_no_script_can_read_it(ada):
    mine = Client()
    sign_in(mine)

    cookie = mine.cookies["frontdoor_device"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert "ada" not in cookie.value
    assert cookie["max-age"] == 400 * 24 * 60 * 60


def test_a_shared_browser_remembers_the_five_newest_people():
    people = [UserFactory(username=f"guest{n}") for n in range(7)]
    shared = Client()
    for person in people:
        sign_in(shared, person.username)
        shared.post("/logout/here")

    kept = cookies.read(FakeRequest(shared), devices.COOKIE, devices.LIFETIME)

    assert list(kept) == [person.pk.hex for person in people[2:]]


def test_one_cookie_never_passes_for_another(client, ada):
    client.post("/signup", {"email": "grace@example.com", "username": "grace", "password": PASSWORD})
    sign_in(client)

    for name, other in permutations(("frontdoor_asked", "frontdoor_seal", "frontdoor_device"), 2):
        swapped = Client()
        swapped.cookies[name] = client.cookies[other].value
        own = name.removeprefix("frontdoor_")
        assert cookies.read(FakeRequest(client), own, devices.LIFETIME)
        assert cookies.read(FakeRequest(swapped), own, devices.LIFETIME) is None


class FakeRequest:
    def __init__(self, client):
        self.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}


def test_a_new_device_is_reported_once(mailbox, ada):
    mine = Client(headers={"User-Agent": FIREFOX})
    for _ in range(3):
        sign_in(mine)
        mine.post("/logout")

    assert mailbox.kinds(ada.email) == ["new_device"]
    letter = mailbox.letters(ada.email)[0]
    assert letter["Subject"] == "New sign-in to Frontdoor: Firefox on Windows"
    assert "/not-me?token=" in mailbox.text(ada.email)


def test_a_new_account_is_not_mailed_about_the_device_it_was_made_on(client, mailbox):
    client.post("/", {"email": "grace@example.com"})
    token = mailbox.link("grace@example.com").partition("token=")[2]
    client.post("/signup", {"token": token, "username": "grace", "password": PASSWORD})
    client.post("/logout")
    sign_in(client, "grace")

    assert mailbox.kinds("grace@example.com") == ["link_new"]


def test_a_user_who_turned_the_mail_off_gets_none(mailbox, ada):
    ada.save_preferences(notices=False)

    sign_in(Client())

    assert mailbox.kinds(ada.email) == []


def test_forgotten_devices_are_strangers_until_they_sign_in_again(mailbox, ada):
    mine = Client()
    sign_in(mine)
    User.objects.get(pk=ada.pk).ways_in.remove()
    ada.refresh_from_db()
    ada.set_password(PASSWORD)
    ada.save(update_fields=["password"])
    use_up_tries()

    assert sign_in(mine).status_code == 429


def test_guesses_with_a_copied_cookie_are_limited_too(ada):
    mine, copy, most = Client(), Client(), limits.LOGIN_PER_DEVICE.most
    sign_in(mine)
    mine.post("/logout")
    copy.cookies["frontdoor_device"] = mine.cookies["frontdoor_device"].value

    assert [sign_in(copy, password=WRONG).status_code for _ in range(most + 1)] == [200] * most + [429]


def test_a_new_password_makes_strangers_of_all_other_devices(mailbox, ada):
    mine, other = Client(), Client()
    for client in (mine, other):
        sign_in(client)
    mine.post("/account/password", {"password": PASSWORD, "chosen": "another horse battery staple"})
    before = mailbox.kinds(ada.email).count("new_device")
    mine.post("/logout")

    sign_in(mine, password="another horse battery staple")
    assert mailbox.kinds(ada.email).count("new_device") == before
    sign_in(other, password="another horse battery staple")
    assert mailbox.kinds(ada.email).count("new_device") == before + 1


def test_the_browser_where_a_password_was_reset_is_not_reported_as_new(client, mailbox, ada):
    client.post("/reset", {"email": ada.email})
    token = mailbox.link(ada.email, "/reset/password").partition("token=")[2]
    client.post("/reset/password", {"token": token, "password": "another horse battery staple"})

    sign_in(client, password="another horse battery staple")

    assert "new_device" not in mailbox.kinds(ada.email)


def test_mails_about_new_devices_are_limited(mailbox, ada):
    for _ in range(15):
        sign_in(Client())

    assert mailbox.kinds(ada.email).count("new_device") == 10
    assert Session.objects.count() == 15


def test_a_limited_visitor_is_offered_a_mailed_link_that_leads_on(ada):
    use_up_tries()

    page = Client().post("/login", {"login": "ada", "password": WRONG, "next": "/account?a=1"})

    assert 'href="/?next=%2Faccount%3Fa%3D1"' in page.text
    assert "Email me a link instead" in words(page)
