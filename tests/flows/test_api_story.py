"""A program signs up, sets up a second factor, changes its address, connects Google and leaves, in JSON alone."""

import re

import pytest

from accounts.models import Event, User
from tests.tools import phone
from tests.tools.factories import PASSWORD
from tests.tools.google import Person
from tests.tools.program import Program, codes

pytestmark = pytest.mark.django_db(transaction=True)

V1 = "/api/v1"


def newest(mailbox, address, pattern):
    return re.search(pattern, mailbox.text(address))[0]


def token(mailbox, address):
    return mailbox.link(address).partition("token=")[2]


def test_a_program_does_everything_from_sign_up_to_leaving(mailbox, google):
    program, email, there = Program(), "grace@example.com", "grace@new.example"

    def call(method, door, **fields):
        return program.send(f"{V1}/{door}", method, **fields)

    assert call("POST", "auth/create", email=email, username="grace", password=PASSWORD).status_code == 202
    assert not User.objects.exists()
    assert call("POST", "auth/confirm", token=token(mailbox, email)).status_code == 201
    assert call("POST", "auth/login", login="grace", password=PASSWORD).status_code == 200

    begun = call("POST", "account/second-factor/setup").json()
    secret = begun["secret"]
    assert secret in begun["otpauth"]
    on = call("PUT", "account/second-factor/app", code=phone.code(secret), password=PASSWORD)
    assert len(on.json()["recovery_codes"]) == 10
    assert call("POST", "auth/logout").status_code == 200

    asked = call("POST", "auth/login", login=email, password=PASSWORD)
    assert (asked.status_code, codes(asked)) == (401, ["second_factor"])
    program.look()
    answer = program.send(asked.json()["next"], code=phone.code(secret, steps=1))
    assert answer.json()["user"]["username"] == "grace"

    assert call("POST", "auth/proof", password=PASSWORD, code=on.json()["recovery_codes"][0]).status_code == 200
    assert call("POST", "account/email-change", email=there).status_code == 202
    assert call("GET", "account/email-change").json()["to"] == there
    code = newest(mailbox, there, r"\d{4} \d{4}")
    assert call("POST", "account/email-change/code", code=code).json()["user"]["email"] == there

    google.person = Person(sub="7", email="grace@gmail.com")
    form = {"csrfmiddlewaretoken": program.token}
    away = program.post(f"{V1}/account/google", form)
    assert away.status_code == 303
    program.get(google.consent(away.url))
    account = call("GET", "account").json()["user"]
    assert (account["email"], account["google"], account["second_factor"]) == (there, "grace@gmail.com", True)

    assert call("DELETE", "account").status_code == 200
    assert not User.objects.exists()
    assert program.look().status_code == 401
    assert Event.objects.filter(kind=Event.Kind.DELETED).count() == 1
