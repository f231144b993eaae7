"""The address and the password through allauth.headless's protocol: the promises of the pages hold here too."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.email_change import change
from accounts.models import Event, Session, User
from accounts.session import sessions
from invites.models import MagicLink
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.headless import ask, flows, said
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

NEW = "another horse battery staple"
WRONG = "not the password of anybody"
THERE = "ada@new.example"
CHANGE, EMAIL, VERIFY = "account/password/change", "account/email", "auth/email/verify"


def prove(client, password=PASSWORD):
    return ask(client, "POST", "auth/reauthenticate", {"password": password})


def move(client, email=THERE):
    return ask(client, "POST", EMAIL, {"email": email})


def verify(client, key):
    return ask(client, "POST", VERIFY, {"key": key})


def code(mailbox):
    return re.search(r"^ {4}(\d{4} \d{4})$", mailbox.text(THERE), re.MULTILINE)[1]


def rows(answer):
    return [(row["email"], row["verified"], row["primary"]) for row in answer.json()["data"]]


def test_the_password_proves_it_for_fifteen_minutes_at_doors_and_pages(signed_in):
    assert "Your password" in words(signed_in.get("/account/email"))
    refused = move(signed_in)
    assert refused.status_code == 401
    assert refused.json()["meta"]["is_authenticated"] is True
    assert list(flows(refused)) == ["reauthenticate"]

    assert prove(signed_in).status_code == 200

    assert "Your password" not in words(signed_in.get("/account/email"))
    assert move(signed_in).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(minutes=15)):
        assert move(signed_in).status_code == 401


def test_a_wrong_password_proves_nothing_and_counts_with_those_of_the_pages(ada, signed_in):
    for _ in range(9):
        signed_in.post("/account/password", {"password": WRONG, "chosen": NEW})

    answer = prove(signed_in, WRONG)

    assert said(answer) == [("password", "password")]
    assert ada.events.filter(kind=Event.Kind.FAILED).count() == 10
    assert prove(signed_in).status_code == 429
    assert move(signed_in).status_code == 401


def test_a_mailed_link_proves_it_here_too_and_is_the_only_proof_without_a_password(mailbox):
    grace, client = UserFactory(username="grace", email="grace@example.com", password=None), Client()
    other = Client()
    for browser in (client, other):
        MagicLink.objects.issue(grace.email)
        token = mailbox.link(grace.email, "/confirm").partition("token=")[2]
        assert browser.post("/confirm", {"token": token}).status_code == 302
    session = other.session
    del session["proven"]
    session.save()

    for refused in (prove(other), move(other), ask(other, "POST", CHANGE, {"new_password": NEW})):
        assert refused.status_code == 401
        assert flows(refused) == {}
    assert ask(client, "POST", CHANGE, {"new_password": NEW}).status_code == 200
    assert User.objects.get().check_password(NEW)


def test_a_new_password_ends_all_other_sessions(mailbox, ada, signed_in):
    other = Client()
    other.post("/login", {"login": "ada", "password": PASSWORD})
    key = signed_in.cookies["session"].value

    answer = ask(signed_in, "POST", CHANGE, {"current_password": PASSWORD, "new_password": NEW})

    assert answer.status_code == 200
    assert other.get("/account").status_code == 302
    assert ask(signed_in, "GET", "auth/session").status_code == 200
    assert signed_in.cookies["session"].value != key
    assert ada.events.filter(kind=Event.Kind.PASSWORD_CHANGED).count() == 1
    assert mailbox.kinds(ada.email)[-1] == "password_changed"


def test_what_is_wrong_with_a_new_password_is_said(ada, signed_in):
    for sent, wrong in [
        ({"current_password": WRONG, "new_password": NEW}, ("password", "current_password")),
        ({"new_password": NEW}, ("required", "current_password")),
        ({"current_password": PASSWORD}, ("required", "new_password")),
        ({"current_password": PASSWORD, "new_password": "short"}, ("password_too_short", "new_password")),
    ]:
        answer = ask(signed_in, "POST", CHANGE, sent)

        assert answer.status_code == 400
        assert said(answer) == [wrong]
    prove(signed_in)
    answer = ask(signed_in, "POST", CHANGE, {"current_password": WRONG, "new_password": NEW})
    assert said(answer) == [("password", "current_password")]
    assert User.objects.get().check_password(PASSWORD)


def test_a_session_that_ended_meanwhile_changes_nothing_and_is_told(ada, signed_in, monkeypatch):
    original = User.hold
    monkeypatch.setattr(User, "hold", lambda self: (User.objects.get().end_sessions(), original(self))[1])

    answer = ask(signed_in, "POST", CHANGE, {"current_password": PASSWORD, "new_password": NEW})

    assert answer.status_code == 401
    assert "login" in flows(answer)
    assert User.objects.get().check_password(PASSWORD)


def test_a_session_that_ends_just_before_the_answer_is_told_too(signed_in, monkeypatch):
    original = sessions.prove
    monkeypatch.setattr(sessions, "prove", lambda request: (original(request), Session.objects.all().delete()))

    answer = prove(signed_in)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "signed_out")


def test_an_address_changes_by_the_code_and_no_page_hears_of_it_later(mailbox, ada, signed_in):
    prove(signed_in)

    assert rows(move(signed_in)) == [("ada@example.com", True, True), (THERE, False, False)]
    answer = verify(signed_in, code(mailbox))

    assert answer.status_code == 200
    assert answer.json()["data"]["user"]["email"] == THERE
    assert rows(ask(signed_in, "GET", EMAIL)) == [(THERE, True, True)]
    assert ada.events.filter(kind=Event.Kind.EMAIL_CHANGED).count() == 1
    assert mailbox.kinds("ada@example.com")[-1] == "email_changed"
    assert "Your email address is now" not in words(signed_in.get("/account"))
    assert verify(signed_in, code(mailbox)).status_code == 409


def test_an_address_that_somebody_has_is_answered_alike_and_its_owner_is_told(mailbox, signed_in):
    UserFactory(username="grace", email="grace@example.com")
    prove(signed_in)

    answers = [move(signed_in, email) for email in ("free@example.com", "grace@example.com")]

    bodies = [answer.text.replace("free@", "X@").replace("grace@", "X@") for answer in answers]
    assert bodies[0] == bodies[1]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert mailbox.kinds("free@example.com") == ["email_code"]
    assert mailbox.kinds("grace@example.com") == ["email_taken"]


def test_five_wrong_codes_end_the_attempt_whichever_door_they_came_by(mailbox, ada, signed_in):
    prove(signed_in)
    move(signed_in)
    right = code(mailbox)
    signed_in.post("/account/email/code", {"code": "XXX"})

    for _ in range(3):
        assert said(verify(signed_in, "XXX")) == [("mismatch", "key")]
    answer = verify(signed_in, "XXX")

    assert "one wrong code too many" in answer.json()["errors"][0]["message"]
    assert verify(signed_in, right).status_code == 409
    assert rows(ask(signed_in, "GET", EMAIL)) == [("ada@example.com", True, True)]


def test_codes_cannot_be_guessed_by_many_at_once(signed_in):
    statuses = [verify(signed_in, "XXX").status_code for _ in range(21)]

    assert statuses == [409] * 20 + [429]
    assert ask(signed_in, "POST", f"{VERIFY}/resend").status_code == 429


def test_only_the_newest_code_works_and_a_mailbox_cannot_be_flooded(mailbox, signed_in):
    assert ask(signed_in, "POST", f"{VERIFY}/resend").status_code == 409
    prove(signed_in)
    move(signed_in)
    first = code(mailbox)
    statuses = [ask(signed_in, "POST", f"{VERIFY}/resend").status_code for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert said(verify(signed_in, first)) == [("mismatch", "key")]
    assert [move(signed_in).status_code for _ in range(2)] == [200, 429]
    assert mailbox.kinds(THERE).count("email_code") == 5


def test_a_change_can_be_given_up_and_the_address_itself_cannot(mailbox, ada, signed_in):
    prove(signed_in)
    move(signed_in)

    assert said(ask(signed_in, "DELETE", EMAIL, {"email": ada.email})) == [("not_pending", "email")]
    assert rows(ask(signed_in, "DELETE", EMAIL, {"email": THERE})) == [("ada@example.com", True, True)]
    assert verify(signed_in, code(mailbox)).status_code == 409


def test_an_address_taken_in_the_same_moment_is_said_and_nothing_changes(mailbox, signed_in, monkeypatch):
    original = User.change_email

    def late(self, email, **trace):
        UserFactory(username="grace", email=email)
        original(self, email, **trace)

    prove(signed_in)
    move(signed_in)
    monkeypatch.setattr(User, "change_email", late)

    assert said(verify(signed_in, code(mailbox))) == [("taken", "key")]
    assert User.objects.get(username="ada").email == "ada@example.com"


@pytest.mark.parametrize("door", ["headless", "page"])
def test_a_code_that_comes_while_all_sessions_end_moves_nothing(mailbox, ada, signed_in, monkeypatch, door):
    """As when the owner changes the password or says “this was not me” in that very moment."""
    prove(signed_in)
    move(signed_in)
    key, finish = code(mailbox), change.finish

    def late(request, user):
        assert request.user.is_authenticated
        User.objects.get(pk=ada.pk).change_password(NEW)
        return finish(request, user)

    monkeypatch.setattr(change, "finish", late)
    if door == "page":
        answer = signed_in.post("/account/email/code", {"code": key})
        assert answer.url.startswith("/login")
    else:
        assert verify(signed_in, key).status_code == 401

    ada.refresh_from_db()
    assert ada.email == "ada@example.com"


def test_a_change_of_address_ends_with_the_password_it_was_proven_by(mailbox, ada, signed_in):
    prove(signed_in)
    move(signed_in)
    key = code(mailbox)
    ask(signed_in, "POST", CHANGE, {"current_password": PASSWORD, "new_password": NEW})

    assert verify(signed_in, key).status_code == 409
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"
