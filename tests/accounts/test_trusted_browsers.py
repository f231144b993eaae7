"""Browsers that are not asked for a code."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Event, NotMe, User
from accounts.session import devices
from invites.models import MagicLink
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.program import Program
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

START = timezone.now().replace(microsecond=0)


@pytest.fixture(autouse=True)
def paired(ada):
    return phone.pair(ada)


def trusted(client=None, **typed):
    client = client or Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})
    client.post("/login/code", {"code": phone.code(), "trust": "on"} | typed)
    return client


def is_asked(client, login="ada", password=PASSWORD):
    """Signs out, then in with the password. Returns whether a code is asked for."""
    client.post("/logout/here")
    return client.post("/login", {"login": login, "password": password}).url == "/login/code"


def later(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


def test_a_trusted_browser_is_not_asked_for_a_code_and_any_other_is(ada):
    client = trusted()

    assert not is_asked(client)
    assert client.get("/account").status_code == 200
    assert is_asked(Client())


def test_a_browser_is_trusted_only_with_the_tick_and_a_right_code(ada):
    untrusted = Client()
    untrusted.post("/login", {"login": "ada", "password": PASSWORD})
    untrusted.post("/login/code", {"code": phone.code()})
    assert is_asked(untrusted)

    wrong = trusted(code=phone.wrong())
    assert "frontdoor_trusted" not in wrong.cookies
    assert is_asked(wrong)


def test_no_script_and_no_other_site_can_read_the_cookie():
    cookie = trusted().cookies["frontdoor_trusted"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 30 * 24 * 60 * 60


def test_trust_holds_for_mailed_links_too(mailbox, ada):
    client = trusted()
    client.post("/logout/here")
    MagicLink.objects.issue(ada.email)

    answer = client.post("/confirm", {"token": mailbox.link(ada.email, "/confirm").partition("token=")[2]})

    assert answer.url == "/account"


def test_trust_lasts_thirty_days_and_no_longer():
    client = trusted()
    with later(days=29, hours=23):
        assert not is_asked(client)
    with later(days=30, minutes=1):
        assert is_asked(client)


def test_another_account_in_the_same_browser_prolongs_no_trust(ada):
    grace = UserFactory(username="grace", email="grace@example.com")
    phone.pair(grace)
    client = trusted()
    with later(days=20):
        client.post("/logout/here")
        client.post("/login", {"login": "grace", "password": PASSWORD})
        client.post("/login/code", {"code": phone.code(), "trust": "on"})
    with later(days=31):
        assert is_asked(client)
        assert not is_asked(client, login="grace")


def test_a_cookie_of_one_account_does_not_work_for_another():
    phone.pair(UserFactory(username="grace"))

    assert is_asked(trusted(), login="grace")


def test_a_forged_cookie_is_not_trusted():
    client = Client()
    for forged in ("x", "", "e30:1a2b3c:x", trusted().cookies["frontdoor_trusted"].value[:-1]):
        client.cookies["frontdoor_trusted"] = forged
        assert is_asked(client)


def test_a_new_password_ends_the_trust(ada):
    client = trusted()
    with later(seconds=5):
        User.objects.get().ways_in.change_password("another horse battery staple")

        assert is_asked(client, password="another horse battery staple")


def test_not_me_ends_the_trust(ada):
    client = trusted()
    with later(seconds=5):
        NotMe(Event.objects.get(kind=Event.Kind.SIGNED_IN)).say()
        now = User.objects.get()
        now.set_password(PASSWORD)
        now.save()

        assert now.second_factor.is_on
        assert is_asked(client)


def sign_out_everywhere(client, desk):
    client.post("/logout")


def sign_out_in_json(client, desk):
    program = Program()
    program.cookies = client.cookies
    assert program.send("/api/v1/auth/logout").status_code == 200


def end_at_the_desk(client, desk):
    keys = [str(User.objects.get(username="ada").pk)]
    desk.post("/admin/accounts/user/", {"action": "end_sessions", "_selected_action": keys})


def end_by_command(client, desk):
    call_command("end_sessions", "--user", "ada")


@pytest.mark.parametrize("act", [sign_out_everywhere, sign_out_in_json, end_at_the_desk, end_by_command])
def test_what_ends_all_sessions_ends_the_trust_at_once(ada, desk, act):
    client = trusted()
    assert not is_asked(client)

    act(client, desk)

    assert is_asked(client)


def test_trust_that_is_given_while_a_new_password_is_saved_is_worth_nothing(ada, monkeypatch):
    original = devices.trust

    def late(request, response, user):
        User.objects.get(pk=user.pk).ways_in.change_password("another horse battery staple")
        with later(seconds=1):
            return original(request, response, user)

    monkeypatch.setattr(devices, "trust", late)
    client = trusted()

    with later(seconds=5):
        assert is_asked(client, password="another horse battery staple")


def test_setting_up_two_step_verification_again_ends_the_trust(ada):
    client = trusted()
    with later(seconds=5):
        User.objects.get().second_factor.turn_off()
        phone.pair(User.objects.get())

        assert is_asked(client)


def test_a_new_phone_ends_the_trust(ada):
    client = trusted()
    with later(seconds=5):
        User.objects.get().second_factor.turn_on("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "000000", replaces=True)

        assert is_asked(client)


def test_the_button_ends_the_trust_in_every_browser(mailbox, ada):
    client, other = trusted(), trusted(code=ada.second_factor.recovery_codes[0])
    assert not is_asked(other)
    with later(seconds=5):
        page = client.post("/account/second-factor/browsers", follow=True)
        assert "Every browser will be asked for a code" in words(page)

        assert is_asked(client)
        assert is_asked(other)
    assert client.get("/account/second-factor/browsers").status_code == 302


def test_a_get_request_ends_no_trust(ada):
    client = trusted()

    client.get("/account/second-factor/browsers")

    assert not is_asked(client)


def test_the_button_leaves_this_device_a_known_one(mailbox, ada):
    client = trusted()
    with later(minutes=2):
        client.post("/account/second-factor/browsers")
        client.post("/logout/here")
        client.post("/login", {"login": "ada", "password": PASSWORD})
        client.post("/login/code", {"code": phone.code()})

        # Inside the travel: a mail written two minutes later is not due before.
        assert mailbox.kinds(ada.email).count("new_device") == 1


def test_a_browser_is_trusted_for_five_accounts_at_most():
    client = Client()
    for n in range(6):
        person = phone.pair(UserFactory(username=f"racer{n}"))
        with later(minutes=2 * n):
            client.post("/login", {"login": person.username, "password": PASSWORD})
            client.post("/login/code", {"code": phone.code(), "trust": "on"})
            client.post("/logout/here")

    with later(minutes=20):
        assert is_asked(client, login="racer0")
        assert [is_asked(client, login=f"racer{n}") for n in range(1, 6)] == [False] * 5
