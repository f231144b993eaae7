"""The code at sign-in: between a proven first factor and a session."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import limits
from accounts.models import Event, Session, User
from invites.models import MagicLink
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

CODE = "/login/code"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
DIDNT_WORK = "That code didn’t work"
ENDED = "Your session has ended, so we signed you out"


@pytest.fixture(autouse=True)
def paired(ada):
    return phone.pair(ada)


def password(client=None, **typed):
    client = client or Client()
    assert client.post("/login", {"login": "ada", "password": PASSWORD} | typed).status_code == 302
    return client


def link(mailbox, client=None, **given):
    client = client or Client()
    MagicLink.objects.issue("ada@example.com", **given)
    client.post("/confirm", {"token": mailbox.link("ada@example.com", "/confirm").partition("token=")[2]})
    return client


def enter(client, code, **typed):
    return client.post(CODE, {"code": code} | typed)


def is_in(client):
    return client.get("/account").status_code == 200


def test_a_password_alone_opens_nothing(mailbox, ada):
    answer = Client().post("/login", {"login": "ada", "password": PASSWORD})
    client = password()

    assert answer.url == CODE
    assert SESSION_KEY not in client.session
    assert not is_in(client)
    assert not Session.objects.filter(user=ada).exists()
    assert not ada.events.filter(kind=Event.Kind.SIGNED_IN).exists()
    assert "new_device" not in mailbox.kinds(ada.email)
    assert User.objects.get().last_login is None


def test_the_code_signs_in_under_a_new_session_id(mailbox, ada):
    client = password(next="/account/settings")
    waiting = client.cookies["frontdoor_session"].value
    page = client.get(CODE)
    assert "Enter the code" in words(page)

    answer = enter(client, phone.code())

    assert answer.url == "/account/settings"
    assert client.cookies["frontdoor_session"].value != waiting
    assert is_in(client)
    assert ada.events.get(kind=Event.Kind.SIGNED_IN).detail["way"] == "password"
    assert mailbox.kinds(ada.email).count("new_device") == 1
    assert "second_factor" not in client.session


def test_the_wait_for_a_code_has_a_new_session_id_too(ada):
    client = Client()
    session = client.session
    session["planted"] = "1"
    session.save()
    planted = session.session_key
    client.cookies["frontdoor_session"] = planted

    password(client)

    assert client.cookies["frontdoor_session"].value != planted
    assert "second_factor" not in Client(headers={"Cookie": f"session={planted}"}).session


def test_a_mailed_link_needs_the_code_too_and_still_stands_for_the_password(mailbox, ada):
    client = link(mailbox, next="/account/password")
    assert SESSION_KEY not in client.session
    assert not is_in(client)

    assert enter(client, phone.code()).url == "/account/password"

    assert "Your password" not in words(client.get("/account/password"))
    assert ada.events.get(kind=Event.Kind.SIGNED_IN).detail["way"] == "link"


def test_a_google_account_is_connected_only_after_the_code(ada, google):
    client = Client()
    google.person = Person(sub="7", email=ada.email)
    client.get(google.consent(client.post("/google").url))
    password(client)
    assert ada.google.account is None

    enter(client, phone.code())

    assert ada.google.account.uid == "7"


def test_signing_in_with_google_needs_the_code_too(ada, google):
    ada.google.adopt("7", "ada@gmail.com")
    client = Client()
    google.person = Person(sub="7", email="ada@gmail.com")

    page = client.get(google.consent(client.post("/google", {"next": "/account/settings"}).url))

    assert page.url == CODE
    assert client.get("/account").status_code == 302
    assert not Event.objects.filter(kind="signed_in").exists()
    assert enter(client, phone.code()).url == "/account/settings"
    assert Event.objects.get(kind="signed_in").detail["way"] == "google"


def test_a_google_account_with_the_same_address_needs_the_code_too(ada, google):
    ada.address.change("ada@gmail.com")
    client = Client()
    google.person = Person(sub="7", email="ada@gmail.com")

    client.get(google.consent(client.post("/google").url))

    assert client.get("/account").status_code == 302
    assert ada.google.account is None
    assert enter(client, phone.code()).url == "/account"
    assert ada.google.account.uid == "7"


def test_without_a_first_step_the_code_page_leads_to_sign_in(client):
    for answer in (client.get(CODE), enter(client, phone.code())):
        assert answer.url == "/login"
    assert "Sign in first" in words(client.get("/login"))


def test_a_signed_in_user_is_led_from_the_code_page_to_the_account(ada):
    client = password()
    enter(client, phone.code())

    assert client.get(CODE).url == "/account"


def test_the_code_must_come_within_fifteen_minutes():
    client = password()
    with time_machine.travel(timezone.now() + timedelta(minutes=14)):
        assert client.get(CODE).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert enter(client, phone.code()).url == "/login"
        assert "15 minutes" in words(client.get("/login"))


def test_a_visitor_can_go_back_and_sign_in_to_another_account(ada):
    UserFactory(username="grace", email="grace@example.com")
    client = password(next="/account/settings")
    assert client.get("/login/code/abandon").url == CODE
    assert client.get(CODE).status_code == 200

    assert client.post("/login/code/abandon").url == "/login?next=/account/settings"
    assert client.get(CODE).url == "/login"
    assert "second_factor" not in client.session
    assert client.post("/login/code/abandon").url == CODE

    client.post("/login", {"login": "grace", "password": PASSWORD})
    assert client.session[SESSION_KEY] == str(User.objects.get(username="grace").pk)


def test_the_code_of_one_account_does_not_work_for_another(ada):
    grace = phone.pair(UserFactory(username="grace"), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    client = password()
    client.post("/login", {"login": "grace", "password": PASSWORD})

    assert DIDNT_WORK in words(enter(client, phone.code()))
    assert not is_in(client)
    enter(client, phone.code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
    assert client.session[SESSION_KEY] == str(grace.pk)


def test_a_signed_in_user_who_follows_a_link_is_not_asked_for_a_code(mailbox, ada):
    client = password()
    enter(client, phone.code())

    link(mailbox, client, next="/account/password")

    assert "Your password" not in words(client.get("/account/password"))


def test_a_signed_in_user_who_follows_a_link_to_another_account_needs_its_code(mailbox, ada):
    client = Client()
    UserFactory(username="grace")
    client.post("/login", {"login": "grace", "password": PASSWORD})

    link(mailbox, client)

    assert not is_in(client)
    assert client.get(CODE).status_code == 200


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda ada: ada.delete(),
        lambda ada: ada.turn_off(),
        lambda ada: ada.end_sessions(),
        lambda ada: ada.ways_in.change_password("another horse battery staple"),
        lambda ada: ada.second_factor.turn_off(),
        lambda ada: User.objects.update(is_active=False),
    ],
    ids=["deleted", "turned off", "sessions ended", "password changed", "factor off", "turned off past the code"],
)
def test_a_change_of_the_account_between_the_steps_ends_the_sign_in(ada, meanwhile):
    clients = [password(next="/account/settings") for _ in range(2)]
    meanwhile(User.objects.get())

    for answer in (clients[0].get(CODE), enter(clients[1], phone.code())):
        assert answer.url == "/login?next=/account/settings"
    for client in clients:
        assert ENDED in words(client.get("/login"))
        assert client.get(CODE).url == "/login"
        assert not is_in(client)
    assert not Event.objects.filter(kind=Event.Kind.SIGNED_IN).exists()


def test_a_sign_in_ends_if_all_sessions_end_while_its_code_is_checked(ada, monkeypatch):
    client = password()
    original = User.lock_or_raise

    def late(self):
        User.objects.get(pk=self.pk).end_sessions()
        return original(self)

    monkeypatch.setattr(User, "lock_or_raise", late)

    assert enter(client, phone.code()).url.startswith("/login")
    assert ENDED in words(client.get("/login"))


@pytest.mark.django_db(transaction=True)
def test_an_account_deleted_while_it_signs_in_causes_no_500(ada, monkeypatch):
    client = password()
    original = type(ada.second_factor).check

    def then_gone(self, typed, **trace):
        right = original(self, typed, **trace)
        User.objects.filter(pk=self.user.pk).delete()
        return right

    monkeypatch.setattr(type(ada.second_factor), "check", then_gone)

    assert enter(client, phone.code()).url.startswith("/login")
    assert not is_in(client)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "abc",
        "12345",
        "1234567890123",
        "1" * 4000,
        "1" * 20_000,
        "½²③",
        "Ⅻ",
        "🙂",
        "1\u200f2",
        "-1",
        "1e5",
        "０",
    ],
)
def test_nonsense_gets_one_clear_sentence(typed):
    page = enter(password(), typed)

    assert page.status_code == 200
    assert "That code didn’t work" in words(page) or "Enter a code" in words(page)


def test_input_that_no_browser_sends_is_a_clear_400():
    assert enter(password(), "1\x002").status_code == 400


def test_a_form_without_a_code_is_no_500():
    page = password().post(CODE, {})

    assert page.status_code == 200
    assert "Enter a code" in words(page)


@pytest.mark.parametrize(
    "write",
    [
        lambda code: f" {code[:3]} {code[3:]} ",
        lambda code: f"{code[:3]}-{code[3:]}",
        lambda code: code.translate({ord("0") + n: 0xFF10 + n for n in range(10)}),
        lambda code: code.translate({ord("0") + n: 0x0660 + n for n in range(10)}),
    ],
    ids=["spaces", "dash", "full width", "Arabic"],
)
def test_a_code_may_be_written_as_people_write_it_and_is_the_same_code(write):
    code = phone.code()
    client = password()
    enter(client, write(code))
    assert is_in(client)

    for again in (code, write(code), f"{code[:1]}_{code[1:]}"):
        assert DIDNT_WORK in words(enter(password(), again))


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_clock_may_be_off_by_thirty_seconds(steps):
    with time_machine.travel(timezone.now(), tick=False):
        client = password()
        enter(client, phone.code(steps=steps))
        assert is_in(client)


@pytest.mark.parametrize("steps", [-3, 3])
def test_a_clock_may_not_be_off_by_ninety_seconds(steps):
    assert DIDNT_WORK in words(enter(password(), phone.code(steps=steps)))


@pytest.mark.parametrize("later", [0, 31, 59, 85])
def test_no_code_signs_in_twice(later):
    start = timezone.now().replace(second=0, microsecond=0)
    with time_machine.travel(start, tick=False) as clock:
        code = phone.code(steps=1)  # the clock's tolerance would accept it for ninety seconds
        enter(password(), code)
        clock.shift(later)
        caches["default"].clear()
        client = password()

        assert DIDNT_WORK in words(enter(client, code))
        assert not is_in(client)


def test_a_used_code_stays_used_after_the_next_one(ada):
    with time_machine.travel(timezone.now().replace(second=0, microsecond=0), tick=False):
        for code in (phone.code(), phone.code(steps=1)):
            enter(password(), code)
        caches["default"].clear()
        client = password()

        assert DIDNT_WORK in words(enter(client, phone.code()))
        assert not is_in(client)


def test_a_wrong_code_stands_in_the_history_and_in_the_log(ada, caplog):
    client = Client(headers={"User-Agent": FIREFOX})
    password(client)
    with caplog.at_level("INFO", "frontdoor.accounts"):
        page = enter(client, phone.wrong())

    assert DIDNT_WORK in words(page)
    event = ada.events.get(kind=Event.Kind.CODE_FAILED)
    assert (event.ip, event.device) == ("127.0.0.1", "Firefox/Windows")
    assert "wrong code ip=127.0.0.1" in caplog.text
    assert phone.wrong() not in caplog.text


def use_up(client, tries=limits.FACTOR_PER_USER.most):
    for _ in range(tries):
        assert enter(client, phone.wrong()).status_code == 200


def test_after_too_many_wrong_codes_a_stranger_is_stopped_even_with_the_right_one(ada):
    stranger = password()
    use_up(stranger)

    page = enter(stranger, phone.code())

    assert page.status_code == 429
    assert 0 < int(page["Retry-After"]) <= limits.FACTOR_PER_USER.window.total_seconds()
    assert "on a device you have used before" in words(page)
    assert "Then somebody else knows your password, or can read your email." in words(page)
    assert re.findall(r'<a class="btn wide" href="([^"]*)"', page.text) == ["/login"]
    assert 'href="/reset"' in page.text
    assert enter(password(), phone.code()).status_code == 429
    assert not is_in(stranger)


def test_the_owners_own_device_still_gets_in(ada):
    owner = password()
    enter(owner, phone.code())
    owner.post("/logout/here")
    use_up(password())

    password(owner)
    enter(owner, phone.code(steps=1))

    assert is_in(owner)


def test_tries_on_a_known_device_are_limited_too(ada):
    owner = password()
    enter(owner, phone.code())
    owner.post("/logout/here")
    password(owner)
    use_up(owner, limits.FACTOR_PER_DEVICE.most)

    assert enter(owner, phone.code(steps=1)).status_code == 429


def test_a_stranger_who_waits_between_guesses_is_limited_too(ada, monkeypatch):
    short = replace(limits.FACTOR_PER_USER_A_DAY, most=limits.FACTOR_PER_USER.most)
    monkeypatch.setattr(limits, "FACTOR_PER_USER_A_DAY", short)
    use_up(password())
    caches["default"].delete_pattern("factor-user:*")  # the cache's own clock cannot be turned

    assert enter(password(), phone.code()).status_code == 429


def test_right_codes_do_not_count_against_the_limit(ada):
    enter(password(), phone.code())

    use_up(password())


def test_right_codes_do_not_count_against_the_limit_of_a_day(ada, monkeypatch):
    monkeypatch.setattr(limits, "FACTOR_PER_USER_A_DAY", replace(limits.FACTOR_PER_USER_A_DAY, most=2))
    start = timezone.now()
    for n in range(4):
        with time_machine.travel(start + timedelta(minutes=2 * n)):
            client = password()
            enter(client, phone.code())
            assert is_in(client)


def test_the_owner_is_told_once_of_a_stranger_who_guesses_codes(mailbox, ada):
    stranger = password(Client(headers={"User-Agent": FIREFOX}))
    use_up(stranger, limits.FACTOR_PER_USER.most - 1)
    assert "code_failed" not in mailbox.kinds(ada.email)
    use_up(stranger, 1)
    for _ in range(3):
        enter(stranger, phone.wrong())
    caches["default"].delete_pattern("factor-user:*")
    use_up(password(), 1)

    assert mailbox.kinds(ada.email).count("code_failed") == 1
    assert "knows your password" in " ".join(mailbox.text(ada.email).split())

    token = mailbox.link(ada.email, "/not-me").partition("token=")[2]
    assert Client().post("/not-me", {"token": token}).status_code == 200
    now = User.objects.get()
    assert not now.has_usable_password()
    assert now.second_factor.is_on


def test_the_owner_is_told_of_a_stranger_who_waits_between_guesses_too(mailbox, ada):
    use_up(password(), limits.FACTOR_PER_USER.most - 1)
    caches["default"].delete_pattern("factor-user:*")

    use_up(password(), 1)

    assert mailbox.kinds(ada.email).count("code_failed") == 1


def test_known_devices_share_one_limit_of_a_day(ada, monkeypatch):
    """An attacker with the mailbox can make any number of known devices, by choosing a new password again and again."""
    monkeypatch.setattr(limits, "FACTOR_ON_DEVICES_A_DAY", replace(limits.FACTOR_ON_DEVICES_A_DAY, most=3))
    devices = []
    for n in range(2):
        device = password()
        enter(device, phone.code(steps=n))
        device.post("/logout/here")
        devices.append(password(device))
    use_up(devices[0], 2)
    use_up(devices[1], 1)

    assert enter(devices[1], phone.wrong()).status_code == 429


def test_wrong_codes_on_a_known_device_are_not_mailed(mailbox, ada):
    owner = password()
    enter(owner, phone.code())
    owner.post("/logout/here")
    password(owner)
    use_up(owner, limits.FACTOR_PER_DEVICE.most - 1)

    assert "code_failed" not in mailbox.kinds(ada.email)


def test_many_wrong_codes_push_no_other_event_off_the_page(ada):
    client = password()
    enter(client, phone.code())
    for _ in range(20):
        Event.objects.record(Event.Kind.CODE_FAILED, ada)

    page = words(client.get("/account"))

    assert page.count("Wrong code entered") == 5
    assert "Two‑step verification turned on" in page


def test_with_a_lost_key_every_code_is_wrong_and_the_log_says_why(ada, settings, caplog):
    settings.ENCRYPTION_KEYS = ["another key that has encrypted nothing that there is, ever"]

    with caplog.at_level("ERROR", "frontdoor.encryption"):
        page = enter(password(), phone.code())

    assert "ENCRYPTION_KEY_FALLBACKS" in caplog.text

    assert page.status_code == 200
    assert DIDNT_WORK in words(page)


def test_without_a_second_factor_a_sign_in_costs_one_more_statement():
    UserFactory(username="grace")
    with CaptureQueriesContext(connection) as queries:
        Client().post("/login", {"login": "grace", "password": PASSWORD})

    assert len([q for q in queries if "mfa_authenticator" in q["sql"]]) == 1


# The same browser, twice


def twin(client):
    """Returns a browser that has the same cookies, as a second press brings them."""
    other = Client()
    other.cookies.load({name: morsel.value for name, morsel in client.cookies.items()})
    return other


def press(browser, code):
    try:
        return enter(browser, code)
    finally:
        connection.close()  # of this thread


@pytest.mark.parametrize("read", [lambda ada: phone.code(), lambda ada: ada.second_factor.recovery_codes[0]])
def test_a_second_press_leads_on_though_the_first_has_ended_its_session(mailbox, ada, read):
    code = read(ada)
    client = password(next="/account/settings")
    again = twin(client)
    enter(client, code)

    assert enter(again, code).url == "/account/settings"

    assert is_in(client)
    assert is_in(again)
    assert not ada.events.filter(kind=Event.Kind.CODE_FAILED).exists()
    assert mailbox.kinds(ada.email).count("recovery_code_used") <= 1
    assert len(ada.second_factor.recovery_codes) >= 9


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("read", [lambda ada: phone.code(), lambda ada: ada.second_factor.recovery_codes[0]])
def test_presses_at_once_all_lead_on(ada, read):
    code = read(ada)
    client = password(next="/account/settings")
    browsers = [twin(client) for _ in range(3)]

    with ThreadPoolExecutor(3) as presses:
        answers = list(presses.map(lambda browser: press(browser, code), browsers))

    assert [answer.url for answer in answers] == ["/account/settings"] * 3
    assert all(is_in(browser) for browser in browsers)
    assert not ada.events.filter(kind=Event.Kind.CODE_FAILED).exists()


def test_a_program_may_send_a_code_twice(ada):
    program = Program()
    program.sign_in("ada", PASSWORD)
    again = Program()
    again.cookies.load({name: morsel.value for name, morsel in program.cookies.items()})
    again.token = program.token
    code = phone.code()

    for each in (program, again):
        assert each.send("/api/v1/auth/login/code", code=code).json()["user"]["username"] == "ada"


def test_a_second_press_must_bring_the_same_code_and_soon(ada):
    client = password()
    code = phone.code()
    late, wrong, other = twin(client), twin(client), password()
    start = timezone.now()
    enter(client, code)

    assert DIDNT_WORK in words(enter(wrong, phone.wrong()))
    assert DIDNT_WORK in words(enter(other, code))  # another sign-in, of which nobody has entered a code
    with time_machine.travel(start + timedelta(seconds=121)):
        caches["default"].clear()  # its own clock cannot be turned
        assert enter(late, code).url == "/login"
    for browser in (late, wrong, other):
        assert not is_in(browser)


def test_a_second_press_opens_nothing_once_all_sessions_have_ended(ada):
    client = password()
    again, code = twin(client), phone.code()
    enter(client, code)
    User.objects.get().sign_out()

    assert enter(again, code).url == "/login"
    assert not is_in(again)


def test_the_code_of_a_sign_in_changes_nothing_afterwards(ada):
    client = password()
    code = phone.code()
    enter(client, code)

    page = client.post("/account/second-factor/off", {"password": PASSWORD, "code": code})

    assert DIDNT_WORK in words(page)
    assert User.objects.get().second_factor.is_on


# What is counted


def counts():
    """Returns how many tries each limit of codes has counted, by its name."""
    redis = caches["default"].client.get_client()
    names = (limits.FACTOR_PER_USER.name, limits.FACTOR_PER_USER_A_DAY.name)
    return {name: sum(redis.llen(key) for key in redis.keys(f"*:{name}:*")) for name in names}


def test_a_try_that_the_limit_of_a_day_refuses_is_not_counted_at_all(ada, monkeypatch):
    monkeypatch.setattr(limits, "FACTOR_PER_USER_A_DAY", replace(limits.FACTOR_PER_USER_A_DAY, most=2))
    stranger = password()
    use_up(stranger, 2)

    for _ in range(3):
        assert enter(stranger, phone.code()).status_code == 429

    assert {counts()[name] for name in ("factor-user", "factor-user-day")} == {2}


def test_a_try_that_comes_too_late_is_not_counted(ada, monkeypatch):
    client = password()
    original = User.lock_or_raise

    def late(self):
        User.objects.get(pk=self.pk).end_sessions()
        return original(self)

    monkeypatch.setattr(User, "lock_or_raise", late)
    enter(client, phone.wrong())

    assert {counts()[name] for name in ("factor-user", "factor-user-day")} == {0}
