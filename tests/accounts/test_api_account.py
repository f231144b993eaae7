"""The JSON doors of a user's own account: reading it, address, password, deletion, and the proof for these.

They keep the promises of the pages.
"""

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts import limits
from accounts.models import Address, Event, Session, User
from accounts.session import proof
from invites.models import MagicLink
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.program import Program, codes, fields
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

NEW = "another horse battery staple"
WRONG = "not the password of anybody"
THERE = "ada@new.example"
ME, PROOF = "/api/v1/account", "/api/v1/auth/proof"
MOVE, CODE, AGAIN = f"{ME}/email-change", f"{ME}/email-change/code", f"{ME}/email-change/again"
SOON = timedelta(minutes=15)

# Every door that takes proof, except that which takes a form and leads to Google.
PROVEN = [
    ("DELETE", ME),
    ("PUT", f"{ME}/password"),
    ("POST", MOVE),
    ("PUT", f"{ME}/second-factor/app"),
    ("DELETE", f"{ME}/second-factor"),
    ("POST", f"{ME}/second-factor/recovery-codes"),
    ("DELETE", f"{ME}/google"),
]


@pytest.fixture
def program(ada):
    """A program signed in as Ada."""
    return enter()


def enter():
    program = Program()
    assert program.sign_in("ada", PASSWORD).status_code == 200
    return program


def prove(program, password=PASSWORD):
    return program.send(PROOF, password=password)


def move(program, email=THERE, **sent):
    return program.send(MOVE, email=email, **sent)


def set_password(program, **sent):
    return program.send(f"{ME}/password", "PUT", **sent)


def confirm(program, code):
    return program.send(CODE, code=code)


def press(program, page, **typed):
    """Sends the form of a page in the program's session."""
    return program.post(page, typed, headers={"X-CSRFToken": program.token})


def code(mailbox):
    return re.search(r"^ {4}(\d{4} \d{4})$", mailbox.text(THERE), re.MULTILINE)[1]


def awaited(program):
    return program.get(MOVE).json()["to"]


# Proof


def test_the_password_is_proof_for_fifteen_minutes_at_doors_and_pages(program):
    assert "Your password" in words(program.get("/account/email"))
    assert codes(move(program)) == ["proof"]

    answer = prove(program)

    assert (answer.status_code, answer.json()["user"]["username"]) == (200, "ada")
    assert "Your password" not in words(program.get("/account/email"))
    assert move(program).status_code == 202
    with time_machine.travel(timezone.now() + SOON - timedelta(seconds=5)):
        assert move(program).status_code == 202
    with time_machine.travel(timezone.now() + SOON):
        assert codes(move(program)) == ["proof"]


def test_a_wrong_password_is_no_proof_and_counts_with_those_typed_at_pages(ada, program):
    for _ in range(9):
        press(program, "/account/password", password=WRONG, chosen=NEW)

    answer = prove(program, WRONG)

    assert (answer.status_code, fields(answer), codes(answer)) == (400, ["password"], ["password"])
    assert ada.events.filter(kind=Event.Kind.FAILED).count() == 10
    limited = prove(program)
    assert (limited.status_code, codes(limited)) == (429, ["limited"])
    assert 0 < int(limited["Retry-After"]) <= 900
    assert codes(move(program)) == ["proof"]


def test_a_missing_password_is_refused_as_required(program):
    answer = program.send(PROOF)

    assert (answer.status_code, fields(answer), codes(answer)) == (400, ["password"], ["required"])


@pytest.fixture
def connected(ada):
    """A program signed in as Ada, who has all that takes proof to remove: an app and a Google account."""
    phone.pair(ada)
    ada.google.connect("42", ada.email)
    program = Program()
    program.force_login(ada)
    program.look()
    return program


def test_without_proof_nothing_changes_and_the_answer_names_the_door_for_it(ada, connected, subtests):
    before = (ada.events.count(), User.objects.values().get())
    for method, door in PROVEN:
        with subtests.test(door=f"{method} {door}"):
            answer = connected.send(door, method, email=THERE, new_password=NEW, code=phone.code())

            assert (answer.status_code, fields(answer), codes(answer)) == (403, ["password"], ["proof"])
            assert answer.json()["next"] == PROOF
    assert (ada.events.count(), User.objects.values().get()) == before
    assert ada.second_factor.is_on


def test_a_wrong_password_is_refused_at_every_door_even_after_proof(ada, connected, subtests):
    prove(connected)
    for method, door in PROVEN:
        with subtests.test(door=f"{method} {door}"):
            answer = connected.send(
                door, method, password=WRONG, email=THERE, new_password=NEW, code=phone.code(), current=phone.code()
            )

            assert answer.status_code == 400
            assert ("password", "password") in zip(fields(answer), codes(answer), strict=True)
    assert User.objects.get().check_password(PASSWORD)
    assert ada.second_factor.is_on
    assert ada.google.account


def test_an_account_without_a_password_has_only_a_mailed_link_as_proof(ada, connected, subtests):
    User.objects.update(password="!")
    connected.force_login(User.objects.get())
    connected.look()
    asked = [("POST", PROOF), *PROVEN[:-1]]  # disconnecting Google would be refused: it is the last way in
    for method, door in asked:
        with subtests.test(door=f"{method} {door}"):
            answer = connected.send(door, method, password=PASSWORD, email=THERE, new_password=NEW, code=phone.code())

            assert (answer.status_code, codes(answer)) == (403, ["proof"])
            assert answer.json()["next"] == f"{PROOF}/link"
    assert not User.objects.get().has_usable_password()
    assert ada.second_factor.is_on


def test_a_mailed_link_is_proof_for_fifteen_minutes(mailbox):
    grace, program = UserFactory(username="grace", email="grace@example.com", password=None), Program()
    MagicLink.objects.issue(grace.email)
    token = mailbox.link(grace.email, "/confirm").partition("token=")[2]
    assert program.send("/api/v1/auth/confirm", token=token).status_code == 200

    with time_machine.travel(timezone.now() + SOON):
        assert codes(set_password(program, new_password=NEW)) == ["proof"]
    assert set_password(program, new_password=NEW).status_code == 200

    assert User.objects.get().check_password(NEW)


def test_a_session_that_ends_just_before_the_answer_gets_signed_out(program, monkeypatch):
    original = proof.give
    monkeypatch.setattr(proof, "give", lambda *a, **k: (original(*a, **k), Session.objects.all().delete()))

    answer = prove(program)

    assert (answer.status_code, codes(answer)) == (401, ["signed_out"])


# The account


def test_the_answer_about_an_account_holds_its_settings_and_its_ways_in(ada, program):
    ada.save_preferences(language="ru")
    phone.pair(ada)
    ada.google.connect("42", "ada@google.example")
    program.force_login(User.objects.get())

    answer = program.get(ME)

    assert answer.status_code == 200
    user = answer.json()["user"]
    assert abs(datetime.fromisoformat(user.pop("joined_at")) - ada.joined_at) < timedelta(seconds=1)
    assert user == {
        "id": str(ada.pk),
        "username": "ada",
        "name": "",
        "email": "ada@example.com",
        "profile": {},
        "terms": [],
        "settings": {"language": "ru"},
        "has_password": True,
        "google": "ada@google.example",
        "second_factor": True,
    }


def test_the_answer_about_an_account_says_which_ways_in_are_missing(ada, program):
    User.objects.update(password="!")
    program.force_login(User.objects.get())

    user = program.get(ME).json()["user"]

    assert (user["has_password"], user["google"], user["second_factor"]) == (False, None, False)


def test_after_proof_an_account_is_deleted_without_the_password(mailbox, ada, program):
    other = enter()
    prove(program)

    answer = program.send(ME, "DELETE", when="now")

    assert (answer.status_code, list(answer.json())) == (200, ["message"])
    assert not User.objects.exists()
    assert other.look().status_code == program.look().status_code == 401
    assert mailbox.kinds(ada.email)[-1] == "deleted"


def test_an_account_is_not_deleted_if_all_its_sessions_end_meanwhile(program, monkeypatch):
    end_at_the_lock(monkeypatch)

    answer = program.send(ME, "DELETE", password=PASSWORD)

    assert (answer.status_code, codes(answer)) == (401, ["signed_out"])
    assert User.objects.exists()


def test_every_door_answers_a_stranger_with_signed_out(subtests):
    doors = [("GET", ME), ("POST", PROOF), ("GET", MOVE), ("DELETE", MOVE), ("POST", CODE), ("POST", AGAIN), *PROVEN]
    for method, door in doors:
        with subtests.test(door=f"{method} {door}"):
            answer = Program().send(door, method, password=PASSWORD)

            assert (answer.status_code, codes(answer)) == (401, ["signed_out"])


# The password


def test_a_new_password_ends_all_other_sessions(mailbox, ada, program):
    other = enter()
    key, handle = program.cookies["frontdoor_session"].value, program.look().json()["session"]["id"]

    answer = set_password(program, password=PASSWORD, new_password=NEW)

    assert answer.status_code == 200
    assert other.look().status_code == 401
    assert program.look().status_code == 200
    assert program.cookies["frontdoor_session"].value != key
    assert answer.json()["session"]["id"] == program.look().json()["session"]["id"] != handle
    assert User.objects.get().check_password(NEW)
    assert ada.events.filter(kind=Event.Kind.PASSWORD_CHANGED).count() == 1
    assert mailbox.kinds(ada.email)[-1] == "password_changed"


def test_choosing_a_password_uses_the_proof_up(program):
    prove(program)

    assert set_password(program, new_password=NEW).status_code == 200

    assert codes(set_password(program, new_password=PASSWORD)) == ["proof"]


@pytest.mark.parametrize(
    ("sent", "field", "code"),
    [
        ({"password": WRONG, "new_password": NEW}, "password", "password"),
        ({"password": PASSWORD}, "new_password", "required"),
        ({"password": PASSWORD, "chosen": NEW}, "new_password", "required"),
        ({"password": PASSWORD, "new_password": "short"}, "new_password", "password_too_short"),
    ],
)
def test_an_invalid_new_password_is_refused_with_the_reason(program, sent, field, code):
    answer = set_password(program, **sent)

    assert (answer.status_code, fields(answer), codes(answer)) == (400, [field], [code])
    assert User.objects.get().check_password(PASSWORD)


def test_a_session_that_ends_meanwhile_changes_no_password(program, monkeypatch):
    end_at_the_lock(monkeypatch)

    answer = set_password(program, password=PASSWORD, new_password=NEW)

    assert (answer.status_code, codes(answer)) == (401, ["signed_out"])
    assert User.objects.get().check_password(PASSWORD)


def end_at_the_lock(monkeypatch):
    """Ends all sessions just before the account is locked."""
    original = User.lock_or_raise
    monkeypatch.setattr(User, "lock_or_raise", lambda self: (User.objects.get().end_sessions(), original(self))[1])


# The address


def test_the_code_changes_the_address_and_leaves_no_message_for_a_page(mailbox, ada, program):
    assert program.get(MOVE).json() == {"to": None, "ends_at": None}
    assert move(program, password=PASSWORD).status_code == 202
    waits = program.get(MOVE).json()
    assert waits["to"] == THERE
    left = datetime.fromisoformat(waits["ends_at"]) - timezone.now()
    assert SOON - timedelta(minutes=1) < left <= SOON
    assert User.objects.get().email == "ada@example.com"

    answer = confirm(program, code(mailbox))

    assert (answer.status_code, answer.json()["user"]["email"]) == (200, THERE)
    assert program.look().json()["user"]["email"] == THERE
    assert awaited(program) is None
    assert ada.events.filter(kind=Event.Kind.EMAIL_CHANGED).count() == 1
    assert mailbox.kinds("ada@example.com")[-1] == "email_changed"
    assert "Your email address is now" not in words(program.get("/account"))
    again = confirm(program, code(mailbox))
    assert (again.status_code, fields(again), codes(again)) == (410, ["code"], ["over"])


def test_a_code_works_for_fifteen_minutes(mailbox, program):
    move(program, password=PASSWORD)

    with time_machine.travel(timezone.now() + SOON):
        assert awaited(program) is None
        assert codes(confirm(program, code(mailbox))) == ["over"]
    assert confirm(program, code(mailbox)).status_code == 200


@pytest.mark.parametrize(
    ("email", "code"), [("ADA@example.com", "same"), ("nonsense", "invalid"), ("", "required"), (None, "required")]
)
def test_an_invalid_new_address_is_refused_and_nothing_is_mailed(mailbox, program, email, code):
    before = len(mailbox.letters())

    answer = move(program, email, password=PASSWORD)

    assert (answer.status_code, fields(answer), codes(answer)) == (400, ["email"], [code])
    assert awaited(program) is None
    assert len(mailbox.letters()) == before


def test_a_taken_address_gets_the_same_answer_and_its_owner_is_told(mailbox, program):
    UserFactory(username="grace", email="grace@example.com")
    prove(program)
    seen = []

    for email in ("free@example.com", "grace@example.com"):
        answer = move(program, email)
        seen.append((answer.status_code, answer.text.replace(email, "ADDRESS"), awaited(program) == email))

    assert seen[0] == seen[1]
    assert seen[0][0] == 202
    assert mailbox.kinds("free@example.com") == ["email_code"]
    assert mailbox.kinds("grace@example.com") == ["email_taken"]


def test_too_many_wrong_codes_at_doors_or_pages_end_the_attempt(mailbox, program):
    move(program, password=PASSWORD)
    right = code(mailbox)
    press(program, "/account/email/code", code="XXX")

    for _ in range(limits.EMAIL_CODE.most - 2):
        answer = confirm(program, "XXX")
        assert (answer.status_code, fields(answer), codes(answer)) == (400, ["code"], ["mismatch"])
    answer = confirm(program, "XXX")

    assert (answer.status_code, codes(answer)) == (410, ["over"])
    assert "one wrong code too many" in answer.json()["errors"][0]["message"]
    assert confirm(program, right).status_code == 410
    assert awaited(program) is None
    assert User.objects.get().email == "ada@example.com"


def test_a_missing_code_is_refused_as_required_and_is_not_counted(mailbox, program):
    move(program, password=PASSWORD)

    for _ in range(limits.EMAIL_CODE.most):
        answer = program.send(CODE)
        assert (answer.status_code, fields(answer), codes(answer)) == (400, ["code"], ["required"])
    assert confirm(program, code(mailbox)).status_code == 200


def test_codes_cannot_be_guessed_by_many_at_once(program):
    statuses = [confirm(program, "XXX").status_code for _ in range(21)]

    assert statuses == [410] * 20 + [429]
    assert program.send(AGAIN).status_code == 429


def test_only_the_newest_code_works_and_a_mailbox_cannot_be_flooded(mailbox, program):
    assert codes(program.send(AGAIN)) == ["over"]
    prove(program)
    move(program)
    first = code(mailbox)

    assert [program.send(AGAIN).status_code for _ in range(3)] == [202, 202, 202]

    assert codes(confirm(program, first)) == ["mismatch"]
    assert [move(program).status_code for _ in range(2)] == [202, 429]
    assert mailbox.kinds(THERE).count("email_code") == 5
    assert confirm(program, code(mailbox)).status_code == 200


def test_a_change_can_be_given_up_but_the_address_itself_cannot(mailbox, ada, program):
    nothing = program.send(MOVE, "DELETE", email=ada.email)
    assert (nothing.status_code, codes(nothing)) == (404, ["none"])
    move(program, password=PASSWORD)

    answer = program.send(MOVE, "DELETE")

    assert answer.json() == {"message": "Your address stays ada@example.com."}
    assert awaited(program) is None
    assert confirm(program, code(mailbox)).status_code == 410
    assert User.objects.get().email == "ada@example.com"


def test_asking_for_addresses_is_limited_with_the_pages(program):
    for _ in range(20):
        press(program, "/account/email", email="nonsense")

    answer = move(program, password=PASSWORD)

    assert (answer.status_code, codes(answer)) == (429, ["limited"])


def test_an_address_taken_just_before_the_change_is_refused(mailbox, program, monkeypatch):
    original = Address.change

    def late(self, email, **trace):
        UserFactory(username="grace", email=email)
        original(self, email, **trace)

    move(program, password=PASSWORD)
    monkeypatch.setattr(Address, "change", late)

    answer = confirm(program, code(mailbox))

    assert (answer.status_code, fields(answer), codes(answer)) == (409, ["email"], ["taken"])
    assert User.objects.get(username="ada").email == "ada@example.com"


@pytest.mark.parametrize("way", ["door", "page"])
def test_a_code_entered_while_all_sessions_end_changes_no_address(mailbox, program, monkeypatch, way):
    """All sessions may end just then because the owner changes the password or says “this was not me”."""
    move(program, password=PASSWORD)
    key, original = code(mailbox), Address.change

    def late(self, email, **trace):
        User.objects.get().ways_in.change_password(NEW)
        original(self, email, **trace)

    monkeypatch.setattr(Address, "change", late)
    if way == "page":
        assert press(program, "/account/email/code", code=key).url.startswith("/login")
    else:
        assert codes(confirm(program, key)) == ["signed_out"]

    assert User.objects.get().email == "ada@example.com"
    assert User.objects.get().check_password(NEW)


def test_a_new_password_ends_a_change_of_address_that_is_under_way(mailbox, program):
    move(program, password=PASSWORD)
    key = code(mailbox)
    set_password(program, password=PASSWORD, new_password=NEW)

    assert awaited(program) is None
    assert codes(confirm(program, key)) == ["over"]
    assert User.objects.get().email == "ada@example.com"


def test_a_change_that_another_session_asked_for_is_not_confirmed_here(mailbox, program):
    move(enter(), password=PASSWORD)

    assert awaited(program) is None
    assert codes(confirm(program, code(mailbox))) == ["over"]
