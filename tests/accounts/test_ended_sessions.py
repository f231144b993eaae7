"""Where sessions end, other rooms have a part in the statement that ends them: by whichever door, and once."""

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Session, Superseded, User, ended_sessions
from accounts.models.session import stored_key
from invites import purposes
from kit import tokens
from kit.one_statement import Write
from tests.tools import phone
from tests.tools.factories import PASSWORD, LinkFactory, UserFactory

pytestmark = pytest.mark.django_db

NEW = "another horse battery staple"


@pytest.fixture
def heard(monkeypatch, db):
    """A function that returns whose sessions another room has heard to end, and by what handle, in its own table."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE heard (id uuid, handle text)")

    def part(statement, users, handle):
        found = statement.add(Write(f"SELECT id, %s AS handle FROM {users}", [handle]))  # noqa: S608
        statement.add(Write(f"INSERT INTO heard SELECT * FROM {found}"))  # noqa: S608

    monkeypatch.setattr(ended_sessions, "PARTS", [])
    ended_sessions.add(part)

    def read():
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, handle FROM heard")
            return cursor.fetchall()

    yield read
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE heard")


def sign_in(name="ada"):
    client = Client()
    assert client.post("/login", {"login": name, "password": PASSWORD}).status_code == 302
    return client


def handle(client):
    return Session.objects.get(session_key=stored_key(client.cookies["frontdoor_session"].value)).handle


# One session


def by_button(client, name):
    client.post("/account/sessions/end", {"session": name})


def by_program(client, name):
    client.delete(f"/api/v1/auth/sessions/{name}")


ONE = {
    "sign out here": lambda client, _handle: client.post("/logout/here"),
    "the button of the page": by_button,
    "a program": by_program,
    "a program signs out here": lambda client, _handle: client.post(
        "/api/v1/auth/logout", {"only": "this"}, "application/json"
    ),
}


@pytest.mark.parametrize("end", ONE.values(), ids=ONE)
def test_the_end_of_one_session_is_heard_by_its_handle(ada, heard, end):
    there, here = sign_in(), sign_in()
    name = handle(here)
    assert heard() == []

    end(here, name)

    assert heard() == [(ada.pk, name)]
    assert there.get("/account").status_code == 200


def test_a_session_that_another_person_takes_over_has_ended(ada, heard):
    browser = sign_in()
    name = handle(browser)
    link = LinkFactory(email=UserFactory(username="grace").email, epoch=0)

    browser.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, link.pk)})

    assert heard() == [(ada.pk, name)]


def test_a_session_ends_once(ada, heard):
    browser = sign_in()
    first, second = Session.objects.get(), Session.objects.get()

    assert first.end()
    assert not second.end()

    assert heard() == [(ada.pk, first.handle)]
    assert browser.get("/account").status_code == 302


def test_a_visit_without_a_sign_in_is_nobodys_session(ada, heard):
    phone.pair(ada)
    before = heard()
    browser = Client()
    browser.post("/login", {"login": "ada", "password": PASSWORD})  # waits for its code
    assert Session.objects.exists()

    browser.post("/logout/here")

    assert not Session.objects.exists()
    assert heard() == before


# All sessions


ALL = {
    "sign out everywhere": lambda client: client.post("/logout"),
    "a program": lambda client: client.post("/api/v1/auth/logout", {}, "application/json"),
    "a new password": lambda client: client.post("/account/password", {"password": PASSWORD, "chosen": NEW}),
    "turned off": lambda _client: User.objects.get().turn_off(),
    "from the list": lambda _client: User.objects.filter(username="ada").sign_out(by="staff"),
    "by a command": lambda _client: User.objects.filter(username="ada").end_sessions(),
    "deleted": lambda client: client.post("/account/delete", {"when": "now", "password": PASSWORD}),
    "deleted at the desk": lambda _client: User.objects.all().delete(),
}


@pytest.mark.parametrize("end", ALL.values(), ids=ALL)
def test_the_end_of_all_sessions_is_heard_once(ada, heard, end):
    browser, pk = sign_in(), ada.pk
    sign_in()

    end(browser)

    assert heard() == [(pk, "")]


def test_two_step_verification_ends_the_sessions_of_before(ada, heard):
    phone.pair(ada)

    assert heard() == [(ada.pk, "")]


@pytest.mark.parametrize("verb", ["sign_out", "end_sessions"])
def test_each_of_many_people_is_heard(ada, heard, verb):
    grace = UserFactory(username="grace", email="grace@example.com")
    UserFactory(username="olga", email="olga@example.com")

    getattr(User.objects.filter(pk__in=[ada.pk, grace.pk]), verb)()

    assert sorted(heard()) == sorted([(ada.pk, ""), (grace.pk, "")])


def test_nobody_is_heard_where_there_is_nobody(heard):
    assert User.objects.none().end_sessions() == 0
    assert User.objects.filter(username="nobody").end_sessions() == 0

    assert heard() == []


def test_the_sessions_of_an_account_that_is_gone_do_not_end_again(ada, heard):
    User.objects.get().delete()
    before = heard()

    with pytest.raises(Superseded):
        ada.end_sessions()

    assert heard() == before == [(ada.pk, "")]


def test_what_is_taken_back_is_not_heard(ada, heard):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        ada.end_sessions()
        raise ZeroDivisionError

    assert heard() == []


# The cost


def statements(act):
    with CaptureQueriesContext(connection) as made:
        act()
    return len(made)


def test_who_hears_it_costs_no_statement_more(ada, heard, monkeypatch):
    sign_in(), sign_in()
    acts = [ada.end_sessions, User.objects.filter(pk=ada.pk).end_sessions]
    with_it = [statements(act) for act in acts]
    monkeypatch.setattr(ended_sessions, "PARTS", [])

    assert [statements(act) for act in acts] == with_it
