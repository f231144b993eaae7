"""The JSON doors for a new password by a mailed link: they keep the promises of the page."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Event, Session, User
from invites import purposes
from invites.models import Invite, MagicLink
from kit import tokens
from tests.tools.factories import PASSWORD, LinkFactory, UserFactory
from tests.tools.program import Program, codes, fields

pytestmark = pytest.mark.django_db

NEW = "another horse battery staple"
ASK, CHECK, SAVE = (f"/api/v1/auth/reset{door}" for door in ("", "/check", "/password"))


@pytest.fixture
def token(mailbox, ada):
    assert Program().send(ASK, email=ada.email).status_code == 202
    return mailbox.link(ada.email, "/reset/password").partition("token=")[2]


def check(token):
    return Program().send(CHECK, token=token)


def save(token, password=NEW, program=None):
    return (program or Program()).send(SAVE, token=token, password=password)


# Asking


def test_a_stranger_gets_the_same_answer_for_every_address(ada, mailbox, hashes, subtests):
    UserFactory(email="idle@example.com", is_active=False)
    UserFactory(email="google@example.com", password=None)
    Invite.objects.issue("invited@example.com", source="admin")
    hashes.clear()
    answers = {}
    for email in ("new@example.com", ada.email, "idle@example.com", "google@example.com", "invited@example.com"):
        program, before = Program(), len(mailbox.letters(email))
        program.look()
        with CaptureQueriesContext(connection) as statements:
            answer = program.send(ASK, email=email)
        said = answer.text.replace(email, "ADDRESS")
        seen = answer.status_code, said, sorted(program.cookies), sorted(answer.headers), len(statements)
        answers[email] = (*seen, len(mailbox.letters(email)) - before)

    for email, seen in answers.items():
        with subtests.test(email):
            assert seen == answers["new@example.com"]
    assert answers[ada.email][0] == 202
    assert answers[ada.email][-1] == 1
    assert hashes == []


@pytest.mark.parametrize("email", [None, "", "ada@example"])
def test_an_invalid_address_is_explained(email):
    answer = Program().send(ASK, email=email)

    assert (answer.status_code, fields(answer)) == (400, ["email"])
    assert not MagicLink.objects.exists()


def test_a_link_asked_for_at_the_page_counts_here(mailbox, ada):
    Client().post("/reset", {"email": ada.email})

    answer = Program().send(ASK, email="ADA@example.com")

    assert (answer.status_code, codes(answer)) == (429, ["limited"])
    assert int(answer["Retry-After"]) > 0
    assert mailbox.kinds(ada.email) == ["reset"]


def test_a_signed_in_user_may_ask_too(signed_in, mailbox, ada):
    assert signed_in.post(ASK, {"email": ada.email}, "application/json").status_code == 202
    assert mailbox.kinds(ada.email)[-1] == "reset"


# Looking


def test_looking_names_the_account_and_changes_nothing(ada, token):
    before = list(MagicLink.objects.values())
    for _ in range(3):
        answer = check(token)
        assert (answer.status_code, answer.json()) == (200, {"username": "ada"})

    assert list(MagicLink.objects.values()) == before
    assert not Session.objects.exclude(user=None).exists()
    assert User.objects.get().check_password(PASSWORD)


# Saving


def test_the_token_lets_choose_a_password_once_and_ends_every_session(mailbox, ada, signed_in, token):
    program = Program()

    answer = save(token, program=program)

    assert (answer.status_code, list(answer.json())) == (200, ["message"])
    assert program.look().status_code == 401
    assert signed_in.get("/account").status_code == 302
    assert ada.events.filter(kind=Event.Kind.PASSWORD_CHANGED).count() == 1
    assert mailbox.kinds(ada.email)[-1] == "password_changed"
    assert codes(save(token, "yet another long password")) == ["used"]
    assert program.sign_in("ada", NEW).status_code == 200


def test_pressing_twice_in_one_browser_is_answered_alike(ada, token):
    program = Program()

    first, second = save(token, program=program), save(token, program=program)

    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert User.objects.get().check_password(NEW)
    assert ada.events.filter(kind=Event.Kind.PASSWORD_CHANGED).count() == 1


def test_a_second_press_with_another_password_is_refused(ada, token):
    program = Program()
    save(token, program=program)

    answer = save(token, "yet another long password", program)

    assert (answer.status_code, codes(answer)) == (410, ["used"])
    assert User.objects.get().check_password(NEW)


def test_pressing_twice_no_longer_counts_once_all_sessions_ended_again(ada, token):
    program = Program()
    save(token, program=program)
    User.objects.get().end_sessions()

    assert (save(token, program=program).status_code, codes(save(token, program=program))) == (410, ["used"])


@pytest.mark.parametrize("password", [None, "", "short", "ada@example.com"])
def test_a_bad_password_is_explained_and_the_link_goes_on_working(ada, token, password):
    answer = save(token, password)

    assert (answer.status_code, fields(answer)) == (400, ["password"])
    assert User.objects.get().check_password(PASSWORD)
    assert save(token).status_code == 200


def test_a_link_sets_the_first_password_too(mailbox):
    grace = UserFactory(username="grace", email="grace@example.com", password=None)
    Program().send(ASK, email=grace.email)

    assert save(mailbox.link(grace.email, "/reset/password").partition("token=")[2]).status_code == 200
    assert Program().sign_in("grace", NEW).status_code == 200


# Links that do not work


def end(why, ada):
    ways = {
        "expired": lambda: MagicLink.objects.update(expires_at="2020-01-01T00:00Z"),
        "withdrawn": lambda: MagicLink.objects.update(revoked_at="2020-01-01T00:00Z"),
        "moved": lambda: ada.address.change("ada@elsewhere.example"),
        "left": ada.erase,
        "signed out": ada.end_sessions,
        "off": lambda: User.objects.update(is_active=False),
    }
    ways[why]()


@pytest.mark.parametrize("press", [check, save], ids=["look", "save"])
@pytest.mark.parametrize(
    ("why", "status", "field", "code"),
    [
        ("expired", 410, "token", "expired"),
        ("withdrawn", 410, "token", "revoked"),
        ("moved", 404, "token", "broken"),
        ("left", 404, "token", "broken"),
        ("signed out", 410, "token", "expired"),
        ("off", 403, None, "inactive"),
    ],
)
def test_a_dead_link_says_why_and_changes_nothing(ada, token, press, why, status, field, code):
    end(why, ada)

    answer = press(token)

    assert (answer.status_code, fields(answer), codes(answer)) == (status, [field], [code])
    assert not any(user.check_password(NEW) for user in User.objects.all())


@pytest.mark.parametrize("press", [check, save], ids=["look", "save"])
def test_a_used_link_says_so(token, press):
    save(token)

    answer = press(token)

    assert (answer.status_code, codes(answer)) == (410, ["used"])


@pytest.mark.parametrize("press", [check, save], ids=["look", "save"])
@pytest.mark.parametrize("purpose", [purposes.SIGNUP, purposes.CONFIRM, purposes.DECLINE, purposes.OWNER])
def test_the_token_of_another_page_sets_no_password(ada, press, purpose):
    answer = press(tokens.sign(purpose, LinkFactory(email=ada.email).pk))

    assert (answer.status_code, fields(answer), codes(answer)) == (404, ["token"], ["broken"])
    assert User.objects.get().check_password(PASSWORD)


def test_no_password_is_set_if_all_sessions_end_meanwhile(ada, token, monkeypatch):
    original = User.lock_or_raise
    monkeypatch.setattr(
        User, "lock_or_raise", lambda self: (User.objects.get(pk=self.pk).end_sessions(), original(self))[1]
    )

    answer = save(token)

    assert (answer.status_code, codes(answer)) == (410, ["expired"])
    assert User.objects.get().check_password(PASSWORD)


def test_no_password_is_set_if_the_account_is_deleted_meanwhile(ada, token, monkeypatch):
    original = MagicLink.reset_password
    monkeypatch.setattr(MagicLink, "reset_password", lambda *a, **k: (ada.erase(), original(*a, **k))[1])

    answer = save(token)

    assert (answer.status_code, codes(answer)) == (404, ["broken"])
    assert not User.objects.exists()


@pytest.mark.parametrize("press", [check, save], ids=["look", "save"])
def test_guessed_tokens_are_counted_with_those_of_the_page(token, press):
    for _ in range(15):
        Client().post("/reset/password", {"token": "x"})
        assert press("x").status_code == 404

    assert (press("x").status_code, codes(press("x"))) == (429, ["limited"])
    assert press(token).status_code == 200  # a valid token is not refused with them


@pytest.mark.parametrize("path", [ASK, CHECK, SAVE])
def test_each_door_takes_the_csrf_token(path, token):
    answer = Client(enforce_csrf_checks=True).post(path, {"token": token, "password": NEW}, "application/json")

    assert (answer.status_code, codes(answer)) == (403, ["csrf"])
    assert User.objects.get().check_password(PASSWORD)
