"""Recovery codes, for people without their phone at hand; each works once."""

import html
import re
import threading
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import Event, User
from tests.tools import phone
from tests.tools.factories import PASSWORD
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

CODES, FILE = "/account/second-factor/codes", "/account/second-factor/codes.txt"


@pytest.fixture(autouse=True)
def paired(ada):
    return phone.pair(ada)


def password():
    client = Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})
    return client


def sign_in(code):
    client = password()
    client.post("/login/code", {"code": code})
    return client


def is_in(client):
    return client.get("/account").status_code == 200


def shown(page):
    return [code.replace(" ", "") for code in re.findall(r"\b(\d{4} \d{4})\n", page.text)]


def renew(client, **typed):
    return client.post(CODES, {"password": PASSWORD, "code": phone.code(steps=1)} | typed)


def at_once(press, count):
    gate = threading.Barrier(count)
    answers = []

    def one():
        gate.wait()
        try:
            answers.append(press())
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def test_a_code_signs_in_once_and_its_owner_is_told_how_many_are_left(mailbox, ada):
    code = ada.second_factor.recovery_codes[4]

    assert is_in(sign_in(f"{code[:4]} {code[4:]}"))

    assert ada.events.get(kind=Event.Kind.RECOVERY_CODE_USED).detail["left"] == 9
    assert mailbox.kinds(ada.email).count("recovery_code_used") == 1
    text = next(
        " ".join(letter.get_body(("plain",)).get_content().split())
        for letter in mailbox.letters(ada.email)
        if letter["Message-ID"].startswith("<recovery_code_used")
    )
    assert "9 are left" in text
    assert code not in text
    assert code not in ada.second_factor.recovery_codes
    assert not is_in(sign_in(code))


def test_every_code_works(ada):
    codes = ada.second_factor.recovery_codes

    assert len(set(codes)) == 10
    assert all(is_in(sign_in(code)) for code in codes)
    assert ada.second_factor.recovery_codes == []


def test_after_a_code_of_the_app_no_page_says_that_few_are_left(ada):
    for code in ada.second_factor.recovery_codes[:8]:
        ada.second_factor.check(code)
    client = password()

    page = client.post("/login/code", {"code": phone.code()}, follow=True)

    assert "recovery codes are left" not in words(page)


@pytest.mark.django_db(transaction=True)
def test_a_code_sent_many_times_at_once_signs_in_once(ada):
    code = ada.second_factor.recovery_codes[0]
    clients = [password() for _ in range(4)]

    at_once(lambda: clients.pop().post("/login/code", {"code": code}), 4)

    assert Event.objects.filter(kind=Event.Kind.SIGNED_IN).count() == 1
    assert Event.objects.filter(kind=Event.Kind.RECOVERY_CODE_USED).count() == 1
    assert len(ada.second_factor.recovery_codes) == 9


@pytest.mark.django_db(transaction=True)
def test_a_code_of_the_app_checked_many_times_at_once_works_once_without_cache(ada, settings):
    settings.CACHES = settings.CACHES | {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    code = phone.code()
    users = [User.objects.get() for _ in range(4)]

    right = at_once(lambda: users.pop().second_factor.check(code), 4)

    assert sorted(right) == ["", "", "", "totp"]


@pytest.mark.django_db(transaction=True)
def test_a_code_and_new_codes_at_once_wait_for_each_other(ada):
    code = ada.second_factor.recovery_codes[0]
    verbs = [lambda user: user.second_factor.check(code), lambda user: user.second_factor.renew_codes()] * 2
    users = [User.objects.get() for _ in verbs]

    assert len(at_once(lambda: verbs.pop()(users.pop()), 4)) == 4

    assert len(ada.second_factor.recovery_codes) in {9, 10}


def test_when_few_are_left_the_next_page_offers_new_ones(ada):
    codes = ada.second_factor.recovery_codes
    for code in codes[:6]:
        assert "recovery codes are left" not in words(sign_in(code).get("/account"))

    page = sign_in(codes[6]).get("/account")

    assert "3 recovery codes are left. Make new ones" in words(page)
    assert f'<a href="{CODES}">' in page.text


def test_new_codes_replace_the_old_and_are_shown_for_fifteen_minutes(mailbox, ada):
    client, other = sign_in(phone.code()), sign_in(ada.second_factor.recovery_codes[0])
    old = ada.second_factor.recovery_codes
    page = client.get(CODES)
    assert "9 recovery codes are left" in words(page)
    assert shown(page) == []

    assert renew(client).url == CODES

    for _reload in range(2):
        codes = shown(client.get(CODES))
        assert codes == ada.second_factor.recovery_codes
        assert len(codes) == 10
    assert not set(codes) & set(old)
    assert shown(other.get(CODES)) == []
    assert mailbox.kinds(ada.email).count("recovery_codes") == 1
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert shown(client.get(CODES)) == []
    assert not is_in(sign_in(old[0]))
    assert is_in(sign_in(codes[0]))


def test_pressing_twice_makes_new_codes_once(ada):
    client = sign_in(phone.code())
    code = phone.code(steps=1)

    assert renew(client, code=code).url == renew(client, code=code).url == CODES

    assert ada.events.filter(kind=Event.Kind.RECOVERY_CODES).count() == 1
    assert ada.events.filter(kind=Event.Kind.CODE_FAILED).count() == 0


def test_other_codes_can_be_made_while_new_ones_are_shown(ada):
    client = sign_in(phone.code())
    renew(client)
    first = ada.second_factor.recovery_codes
    page = client.get(f"{CODES}?next=/account/settings")
    (link,) = re.findall(r'<a href="([^"]*)">Make other ones</a>', page.text)
    url = f"{CODES}{html.unescape(link)}"
    form = client.get(url)
    assert "Make new recovery codes" in words(form)
    assert "can’t be shown again" not in words(form)
    assert f'<a href="{CODES}?next=%2Faccount%2Fsettings">Cancel</a>' in form.text
    assert client.post(url, {}).status_code == 200

    for _twice in range(2):
        answer = client.post(url, {"password": PASSWORD, "code": first[0]})
        assert answer.url == f"{CODES}?next=%2Faccount%2Fsettings"

    assert shown(client.get(answer.url)) == shown(client.get(url)) == ada.second_factor.recovery_codes
    assert not set(first) & set(ada.second_factor.recovery_codes)
    assert ada.events.filter(kind=Event.Kind.RECOVERY_CODES).count() == 2
    assert ada.events.filter(kind=Event.Kind.CODE_FAILED).count() == 0


def test_codes_made_elsewhere_since_are_not_shown(ada):
    client = sign_in(phone.code())
    renew(client)
    User.objects.get().second_factor.renew_codes()

    assert shown(client.get(CODES)) == []
    assert client.get(FILE).url == CODES


def test_codes_can_be_downloaded_as_a_file(ada):
    client = sign_in(phone.code())
    assert client.get(FILE).url == CODES
    renew(client)

    file = client.get(FILE)

    assert file["Content-Type"].startswith("text/plain")
    assert file["Content-Disposition"] == 'attachment; filename="ada-recovery-codes.txt"'
    assert "no-store" in file["Cache-Control"]
    assert [line.replace(" ", "") for line in file.text.splitlines()[2:]] == ada.second_factor.recovery_codes
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert client.get(FILE).url == CODES


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"password": "wrong password"}, "Password is not correct"),
        ({"password": ""}, "Enter your password"),
        ({"code": ""}, "Enter a code"),
        ({"code": "12345678"}, "That code didn’t work"),
    ],
)
def test_new_codes_need_the_password_and_a_code(ada, typed, said):
    client = sign_in(phone.code())
    before = ada.second_factor.recovery_codes

    page = renew(client, **typed)

    assert page.status_code == 200
    assert said in words(page)
    assert ada.second_factor.recovery_codes == before


def test_making_new_codes_is_limited(ada):
    client = sign_in(phone.code())
    for _ in range(20):
        assert renew(client, password="").status_code == 200

    assert renew(client).status_code == 429


def test_a_wrong_password_spends_no_code(ada):
    client, code = sign_in(phone.code()), phone.code(steps=1)
    renew(client, code=code, password="wrong password")

    assert renew(client, code=code).status_code == 302


def test_without_two_step_verification_there_are_no_codes(ada):
    ada.second_factor.turn_off()
    client = password()

    assert client.get(CODES).url == "/account/second-factor"
    assert client.get(FILE).url == CODES


@pytest.mark.parametrize("path", [CODES, FILE])
def test_strangers_and_visitors_who_still_owe_a_code_see_no_codes(path):
    for client in (Client(), password()):
        assert client.get(path).url == f"/login?next={path}"


def test_with_a_lost_key_no_codes_are_left_and_no_page_fails(ada, settings):
    client = sign_in(phone.code())
    settings.ENCRYPTION_KEYS = ["another key that has encrypted nothing that there is, ever"]

    assert "0 are left" in words(client.get("/account/second-factor"))
    assert client.get(CODES).status_code == 200
    assert client.get("/account/second-factor/app").status_code == 200
