"""Signing in through allauth.headless's protocol: the promises of the page hold at these doors too."""

import re

import pytest
from django.test import Client

from accounts.models import Event, Session, User
from accounts.session import sessions
from config import headless
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.headless import DOORS, ask, flows, said

pytestmark = pytest.mark.django_db

WRONG = "not the password of anybody"


def login(client=None, **sent):
    return ask(client or Client(), "POST", "auth/login", {"username": "ada", "password": PASSWORD} | sent)


def enter(client, code, **sent):
    return ask(client, "POST", "auth/2fa/authenticate", {"code": code} | sent)


@pytest.mark.parametrize("name", [{"username": "ada"}, {"username": "", "email": "ada@example.com"}])
def test_a_password_starts_a_session_and_delete_ends_this_one_only(mailbox, ada, signed_in, name):
    client = Client()

    answer = login(client, **name)

    assert answer.status_code == 200
    assert answer.json()["meta"] == {"is_authenticated": True}
    user = {"id": str(ada.pk), "display": "ada", "email": "ada@example.com", "username": "ada"}
    assert answer.json()["data"]["user"] == user | {"has_usable_password": True}
    assert ask(client, "GET", "auth/session").json()["data"] == answer.json()["data"]
    assert ada.events.filter(kind=Event.Kind.SIGNED_IN, detail__way="password").count() == 2
    assert mailbox.kinds(ada.email).count("new_device") == 2

    assert ask(client, "DELETE", "auth/session").status_code == 401
    assert ask(client, "GET", "auth/session").status_code == 401
    assert signed_in.get("/account").status_code == 200


def test_who_is_signed_in_already_is_told_so(signed_in, hashes):
    assert login(signed_in).status_code == 409
    assert hashes == []


def test_no_account_is_made_here(client):
    sent = {"email": "grace@example.com", "username": "grace", "password": PASSWORD}

    assert ask(client, "POST", "auth/signup", sent).status_code == 403
    assert not User.objects.exists()


def test_whoever_is_named_a_wrong_password_costs_one_hash_and_gets_one_answer(ada, mailbox, hashes):
    UserFactory(username="idle", email="idle@example.com", is_active=False)
    UserFactory(username="google", email="google@example.com", password=None)
    seen = []
    for name in ("ada", "ada@example.com", "idle", "google@example.com", "nobody", "nobody@example.com"):
        client, before = Client(), Event.objects.filter(kind=Event.Kind.FAILED).count()
        hashes.clear()
        answer = login(client, **{"email" if "@" in name else "username": name}, password=WRONG)
        failed = Event.objects.filter(kind=Event.Kind.FAILED).count() - before
        seen.append((answer.status_code, answer.json(), sorted(client.cookies), len(hashes), failed))

    assert all(answer == seen[0] for answer in seen)
    assert seen[0][0] == 400
    assert said(answer) == [("mismatch", None)]
    assert seen[0][3:] == (1, 1)
    assert mailbox.letters() == []


def test_wrong_passwords_at_the_page_count_here(ada, hashes):
    for _ in range(5):
        Client().post("/login", {"login": "ada", "password": WRONG})
    hashes.clear()

    answer = login()

    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 300
    assert "Your account is not locked" in answer.json()["errors"][0]["message"]
    assert hashes == []


def test_many_tries_from_one_network_are_refused(db):
    answers = [login(username="").status_code for _ in range(61)]

    assert answers == [400] * 60 + [429]


def test_without_a_csrf_token_nothing_happens_and_json_says_so(ada):
    client = Client(enforce_csrf_checks=True)

    refused = login(client)
    token = client.get("/api/v1/auth/session").json()["csrf_token"]
    sent = {"username": "ada", "password": PASSWORD}

    assert refused.status_code == 403
    assert refused.json()["errors"][0]["code"] == "csrf"
    assert ask(client, "POST", "auth/login", sent, X_CSRFToken=token).status_code == 200


def test_no_door_is_exempt_from_that(signed_in):
    signed_in.handler.enforce_csrf_checks = True
    for pattern in headless.urlpatterns:
        answers = [ask(signed_in, method, str(pattern.pattern), {}) for method in ("POST", "PUT", "PATCH", "DELETE")]

        assert {(answer.status_code, answer.json()["errors"][0]["code"]) for answer in answers} == {(403, "csrf")}


def test_words_are_in_the_language_that_was_asked_for(ada):
    answer = ask(Client(), "POST", "auth/login", {"username": "ada"}, Accept_Language="ru")

    assert re.search("[а-я]", answer.json()["errors"][0]["message"])
    assert said(answer) == [("required", "password")]


JSON = "application/json"
REFUSED = [
    ("POST", "auth/login", "login=ada&password=x", "application/x-www-form-urlencoded", 415),
    ("POST", "auth/login", "[]", JSON, 400),
    ("POST", "auth/login", "{", JSON, 400),
    ("PUT", "auth/login", "{}", JSON, 405),
    ("GET", "auth/login", "{", JSON, 405),
    ("OPTIONS", "auth/login", "", JSON, 405),
    ("POST", "auth/provider/token", "{}", JSON, 404),
    ("POST", "auth/provider/signup", "{}", JSON, 404),
    ("POST", "auth/code/request", "{}", JSON, 404),
    ("POST", "auth/2fa/reauthenticate", "{}", JSON, 404),
    ("GET", "account/phone", "", JSON, 404),
]


def test_what_is_no_text_is_as_good_as_nothing(ada):
    assert said(login(password=[PASSWORD])) == [("required", "password")]
    assert said(login(username=None, email={"ada": "ada"})) == [("required", "email")]


def test_what_cannot_be_is_answered_in_json(client):
    for method, door, body, kind, status in REFUSED:
        answer = client.generic(method, DOORS + door, body, content_type=kind)

        assert answer.status_code == status, (method, door, body)
        assert answer.json()["errors"][0]["message"]
        assert answer.headers.get("Allow") == ("POST" if status == 405 else None)
        assert "no-store" in answer["Cache-Control"]


def test_the_api_s_own_sign_in_goes_on_here_with_a_code(ada):
    phone.pair(ada)
    client, sent = Client(), {"login": "ada", "password": PASSWORD}
    first = client.post("/api/v1/auth/login", sent, content_type="application/json")
    assert (first.status_code, first.json()["errors"][0]["code"]) == (401, "second_factor")
    waiting = client.cookies["session"].value

    assert flows(ask(client, "GET", "auth/session"))["mfa_authenticate"]["is_pending"] is True
    answer = enter(client, phone.code())

    assert answer.status_code == 200
    assert enter(client, phone.code()).json()["meta"]["is_authenticated"] is True  # pressed twice
    assert client.get("/api/v1/auth/session").json()["user"]["username"] == "ada"
    assert client.cookies["session"].value != waiting
    assert ada.events.get(kind=Event.Kind.SIGNED_IN).detail["way"] == "password"


def test_a_code_works_once_and_wrong_ones_are_recorded(ada):
    phone.pair(ada)
    first, second, code = Client(), Client(), phone.code()
    assert login(first).status_code == login(second).status_code == 401
    assert not Session.objects.filter(user=ada).exists()

    assert enter(first, code).status_code == 200
    again = enter(second, code)

    assert again.status_code == 400
    assert said(again) == [("mismatch", "code")]
    assert ada.events.filter(kind=Event.Kind.CODE_FAILED).count() == 1
    assert second.get("/account").status_code == 302


def test_wrong_codes_at_the_page_count_here(ada):
    phone.pair(ada)
    client = Client()
    login(client)
    for _ in range(5):
        client.post("/login/code", {"code": phone.wrong()})

    answer = enter(client, phone.code())

    assert answer.status_code == 429
    assert "on a device you have used before" in answer.json()["errors"][0]["message"]


def test_a_trusted_browser_is_asked_for_no_code(ada):
    phone.pair(ada)
    client = Client()
    login(client)
    enter(client, phone.code(), trust=True)
    ask(client, "DELETE", "auth/session")

    assert login(client).status_code == 200


def test_nobody_enters_a_code_who_does_not_wait_for_one(client, ada):
    phone.pair(ada)

    assert enter(client, phone.code()).status_code == 401


@pytest.mark.parametrize("gone", ["deleted", "turned off"])
def test_whose_account_goes_while_waiting_for_a_code_is_sent_back(ada, gone):
    phone.pair(ada)
    client = Client()
    login(client)
    if gone == "deleted":
        User.objects.get().delete()
    else:
        User.objects.get().turn_off()

    assert ask(client, "GET", "auth/session").status_code == 401
    assert enter(client, phone.code()).status_code == 401
    assert "mfa_authenticate" not in flows(ask(client, "GET", "auth/session"))


@pytest.mark.parametrize("when", ["before the code", "while it is checked", "after it was right"])
def test_who_waits_for_a_code_is_sent_back_when_all_sessions_end(ada, monkeypatch, when):
    phone.pair(ada)
    client = Client()
    login(client)
    end = lambda: User.objects.get(pk=ada.pk).end_sessions()  # noqa: E731
    if when == "before the code":
        end()
    elif when == "while it is checked":
        original = User.hold
        monkeypatch.setattr(User, "hold", lambda self: (end(), original(self))[1])
    else:
        original = sessions.enter
        monkeypatch.setattr(sessions, "enter", lambda *given: (end(), original(*given)))

    answer = enter(client, phone.code())

    assert answer.status_code == 401
    assert "mfa_authenticate" not in flows(answer)
    assert ask(client, "GET", "auth/session").status_code == 401
    assert "device" not in client.cookies


def test_sessions_are_listed_and_ended_by_their_ids(mailbox, ada, signed_in):
    other = Client()
    login(other)
    listed = ask(signed_in, "GET", "auth/sessions").json()["data"]
    assert [(row["is_current"], row["ip"], sorted(row)) for row in listed] == [
        (current, "127.0.0.1", ["created_at", "id", "ip", "is_current", "user_agent"]) for current in (True, False)
    ]

    answer = ask(signed_in, "DELETE", "auth/sessions", {"sessions": [listed[1]["id"]]})

    assert [row["id"] for row in answer.json()["data"]] == [listed[0]["id"]]
    assert ask(other, "GET", "auth/session").status_code == 401
    assert ada.events.filter(kind=Event.Kind.SESSION_ENDED).count() == 1

    assert ask(signed_in, "DELETE", "auth/sessions", {"sessions": [listed[0]["id"]]}).status_code == 401
    assert ask(signed_in, "GET", "auth/session").status_code == 401


def test_only_own_sessions_end_and_all_or_none(ada, signed_in):
    UserFactory(username="grace")
    login(username="grace")
    mine, theirs = (Session.objects.get(user__username=name).handle for name in ("ada", "grace"))

    for sent in ([mine, theirs], [theirs], [mine, "0" * 32], [mine, 7], [[mine]], mine, [], None, [mine] * 101):
        answer = ask(signed_in, "DELETE", "auth/sessions", {"sessions": sent})

        assert answer.status_code == 400
        assert said(answer) == [("invalid_choice", "sessions")]
    assert Session.objects.filter(handle__in=[mine, theirs]).count() == 2
