"""Address, name and password at once at the JSON door: a plan until the mailed link is pressed, as on the page."""

import re

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import names
from accounts.models import Address, Session, User
from invites import purposes
from invites.models import MagicLink
from kit import tokens
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.program import Program, codes, fields

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
CREATE, CONFIRM = "/api/v1/auth/create", "/api/v1/auth/confirm"
FORM = {"email": EMAIL, "username": "grace", "password": PASSWORD}


def register(program=None, **sent):
    return (program or Program()).send(CREATE, **(FORM | sent))


def refused(answer, status, code):
    return (answer.status_code, codes(answer)) == (status, [code])


def token_of(link):
    return tokens.sign(purposes.CONFIRM, link.pk)


def press(program, link, **sent):
    return program.send(CONFIRM, token=token_of(link), **sent)


@pytest.fixture
def program():
    return Program()


@pytest.fixture
def planned(program):
    """The link that confirms an account which this program has planned."""
    assert register(program, next="/account/settings").status_code == 202
    return MagicLink.objects.get()


def test_nothing_is_made_until_the_mail_is_answered(mailbox):
    answer = register()

    assert (answer.status_code, list(answer.json())) == (202, ["message"])
    assert EMAIL in answer.json()["message"]
    assert mailbox.kinds(EMAIL) == ["register"]
    assert not User.objects.exists()
    assert not Session.objects.exclude(user=None).exists()


def seen_by_a_stranger(email, hashes, username="newcomer"):
    before, program = OutboxMessage.objects.count(), Program()
    program.look()
    hashes.clear()
    with CaptureQueriesContext(connection) as statements:
        answer = register(program, email=email, username=username)
    return {
        "status": answer.status_code,
        "body": answer.text.replace(email, "ADDRESS"),
        "headers": sorted(answer.headers),
        "cookies": [(name, c["max-age"], c["httponly"]) for name, c in sorted(program.cookies.items())],
        "statements": [shape(statement["sql"]) for statement in statements],
        "mails": OutboxMessage.objects.count() - before,
        "hashes": len(hashes),
    }


def shape(sql):
    """Returns the verb and the table of a statement, without the random names of savepoints."""
    verb = re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|SAVEPOINT)\b", sql)[1]
    table = re.search(r'(?:FROM|INTO|UPDATE) "(\w+)"', sql)
    return verb, table and table[1]


def test_a_stranger_gets_the_same_answer_for_every_address(hashes, subtests):
    UserFactory(email="known@example.com")
    UserFactory(email="deactivated@example.com", is_active=False)
    UserFactory(email="google-only@example.com", password=None)
    InviteFactory(email="invited@example.com")
    Suppression.objects.suppress("suppressed@example.com", "550 5.1.1 No such user")
    kinds = ["unknown", "known", "deactivated", "google-only", "invited", "suppressed"]

    answers = {kind: seen_by_a_stranger(f"{kind}@example.com", hashes) for kind in kinds}

    for kind in kinds:
        with subtests.test(kind):
            assert answers[kind] == answers["unknown"]
    assert answers["unknown"]["status"] == 202
    assert (answers["unknown"]["mails"], answers["unknown"]["hashes"]) == (1, 1)


def test_the_password_is_stored_as_a_hash_and_the_seal_is_kept_from_scripts(program):
    answer = register(program)

    assert MagicLink.objects.get().password.startswith("argon2$")
    assert answer.cookies["frontdoor_seal"]["httponly"]
    assert PASSWORD not in str(program.cookies)
    assert MagicLink.objects.get().seal not in str(program.cookies)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"email": ""}, "email"),
        ({"email": None}, "email"),
        ({"email": "nonsense"}, "email"),
        ({"username": ""}, "username"),
        ({"username": "admin"}, "username"),
        ({"password": ""}, "password"),
        ({"password": "short"}, "password"),
        ({"password": EMAIL}, "password"),
    ],
)
def test_an_invalid_form_is_refused_and_nothing_is_mailed(sent, field):
    answer = register(**sent)

    assert (answer.status_code, fields(answer)) == (400, [field])
    assert "seal" not in answer.cookies
    assert not OutboxMessage.objects.exists()
    assert not MagicLink.objects.exists()


def test_a_next_elsewhere_is_forgotten():
    register(next="https://evil.example/")

    assert MagicLink.objects.get().next == ""


def test_a_null_token_counts_as_none_but_an_empty_one_is_broken():
    assert register(token=None).status_code == 202

    answer = register(token="")

    assert refused(answer, 404, "broken")


def test_where_an_invitation_is_needed_the_door_is_closed(settings):
    settings.SIGNUP = "invited"
    InviteFactory(email=EMAIL)

    for email in (EMAIL, "new@example.com"):
        answer = register(email=email)
        assert refused(answer, 403, "closed")
    assert not OutboxMessage.objects.exists()


def test_a_signed_in_user_cannot_register(program, ada):
    program.sign_in("ada", PASSWORD)

    answer = register(program)

    assert refused(answer, 409, "signed_in")
    assert not OutboxMessage.objects.filter(recipient=EMAIL).exists()


def test_mails_are_counted_at_the_page_and_here_together():
    Client().post("/", {"email": EMAIL})

    answer = register()

    assert refused(answer, 429, "limited")
    assert 0 < int(answer["Retry-After"]) <= 60
    assert OutboxMessage.objects.count() == 1


def test_one_network_may_ask_for_sixty_mails_in_ten_minutes():
    for n in range(60):
        Client().post("/", {"email": f"a{n}@example.com"})

    assert register().status_code == 429


def test_registering_takes_the_csrf_token():
    answer = Client(enforce_csrf_checks=True).post(CREATE, FORM, "application/json")

    assert refused(answer, 403, "csrf")
    assert not OutboxMessage.objects.exists()


# The press on its link


def test_the_account_is_made_as_planned_and_nobody_is_signed_in(program, planned, mailbox):
    answer = program.send(CONFIRM, token=mailbox.link(EMAIL, "/confirm").partition("token=")[2])

    assert (answer.status_code, list(answer.json())) == (201, ["message", "next"])
    assert answer.json()["next"] == "/account/settings"
    assert program.look().status_code == 401
    assert program.sign_in("grace", PASSWORD).status_code == 200
    assert not MagicLink.objects.exclude(password="", seal="").exists()
    assert mailbox.kinds(EMAIL) == ["register"]  # the browser that registered is not reported as new


def test_a_second_press_is_answered_alike(program, planned):
    first, second = press(program, planned), press(program, planned)

    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert first.status_code == 201
    assert User.objects.count() == 1


def test_in_any_other_browser_a_name_and_a_password_are_chosen(planned):
    other = Program()
    register(other, email="someone.else@example.com", username="other")

    answer = press(other, planned)

    assert refused(answer, 400, "choose")
    assert (fields(answer), answer.json()["next"]) == (["token"], CREATE)
    sent = {"token": token_of(planned), "username": "grace", "password": "her own long password"}
    assert other.send(answer.json()["next"], **sent).status_code == 201
    assert User.objects.get().check_password("her own long password")


@pytest.mark.parametrize("why", ["taken", "reserved"])
def test_a_name_that_is_no_longer_free_leaves_the_link_unused(program, planned, monkeypatch, why):
    if why == "taken":
        UserFactory(username="grace", email="another@example.com")
    else:
        monkeypatch.setattr(names, "RESERVED", names.RESERVED | {"grace"})

    answer = press(program, planned)

    assert refused(answer, 409, "taken")
    assert (fields(answer), answer.json()["next"]) == (["username"], CONFIRM)
    assert "grace2 is free" in answer.text
    assert press(program, planned, username="grace2").status_code == 201
    assert User.objects.get(email=EMAIL).username == "grace2"
    assert program.sign_in("grace2", PASSWORD).status_code == 200  # the planned password


@pytest.mark.parametrize(
    ("name", "status", "code"), [("ADA", 409, "taken"), ("", 400, "required"), ("me", 400, "length")]
)
def test_another_name_is_checked_like_any(program, planned, ada, name, status, code):
    answer = press(program, planned, username=name)

    assert refused(answer, status, code)
    assert fields(answer) == ["username"]
    assert press(program, planned).status_code == 201


def test_a_second_press_with_another_name_is_answered_alike(program, planned, ada):
    first, second = (press(program, planned, username="hopper") for _ in range(2))

    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert first.status_code == 201


def test_whether_a_name_is_taken_is_not_told_before_the_mail(ada, hashes):
    taken, free = (seen_by_a_stranger(f"{name}@example.net", hashes, name) for name in ("ada", "adam"))

    assert taken == free
    assert taken["status"] == 202


def test_a_user_signed_in_by_now_makes_no_other_account(program, planned, ada):
    program.sign_in("ada", PASSWORD)

    assert refused(press(program, planned), 409, "wrong_account")
    planned.refresh_from_db()
    assert planned.state == MagicLink.State.PENDING


def test_a_plan_from_before_sign_up_was_closed_makes_no_account(program, planned, settings):
    settings.SIGNUP = "invited"

    assert refused(press(program, planned), 403, "closed")
    assert not User.objects.exists()


def test_a_plan_changes_nothing_of_an_existing_account(program, ada):
    register(program, email=ada.email, username="eve", password="planted by somebody else")

    assert press(program, MagicLink.objects.get()).json()["user"]["username"] == "ada"

    assert User.objects.get().check_password(PASSWORD)
    assert not MagicLink.objects.exclude(password="", seal="").exists()


def test_an_account_made_just_before_the_press_is_pointed_out(program, planned, monkeypatch):
    original = MagicLink.sign_up

    def late(link, *args, **kwargs):
        UserFactory(email=link.email)
        return original(link, *args, **kwargs)

    monkeypatch.setattr(MagicLink, "sign_up", late)

    assert refused(press(program, planned), 409, "has_account")
    assert press(program, planned).status_code == 200


def test_one_program_can_plan_for_two_addresses(program):
    for name in ("grace", "alan"):
        register(program, email=f"{name}@example.com", username=name)

    for link in MagicLink.objects.all():
        assert press(program, link).status_code == 201


def test_a_press_that_fails_says_so_and_works_later(program, planned, monkeypatch):
    def fail(*_args):
        raise DatabaseError("on purpose")

    with monkeypatch.context() as broken:
        broken.setattr(Address, "first", fail)
        answer = press(program, planned)

    assert refused(answer, 503, "unavailable")
    assert not User.objects.exists()
    assert press(program, planned).status_code == 201
