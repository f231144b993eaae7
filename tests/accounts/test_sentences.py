"""The security history in sentences: who did what to whom, also when people or invitations are gone."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Event, User
from accounts.sentences import BY_STAFF, read_names, sentence
from invites.models import Invite
from tests.tools.factories import InviteFactory, UserFactory

pytestmark = pytest.mark.django_db

HISTORY = "/admin/accounts/event/"


@pytest.fixture
def maria(db):
    return UserFactory(username="maria")


def said(kind, user, **detail):
    return sentence(Event.objects.record(kind, user, **detail))


def found(desk, **query):
    return [row.kind for row in desk.get(HISTORY, query).context["cl"].result_list]


def test_each_kind_has_a_sentence_about_somebody_about_nobody_and_by_staff(maria):
    for kind in Event.Kind:
        for user in (maria, None):
            for detail in ({}, {"by": "staff", "staff": "ada"}, {"by": "staff"}):
                told = said(kind, user, **detail)
                assert "%(" not in told
                assert told[0].isalpha()
        if kind in BY_STAFF:
            assert said(kind, maria, by="staff", staff="ada").startswith("ada ")


INVITING = [
    ("invited", "maria invited kim@work.example to Editors", "kim@work.example was invited to Editors"),
    (
        "resent",
        "maria sent the invitation to kim@work.example again",
        "The invitation to kim@work.example was sent again",
    ),
    ("declined", None, "kim@work.example declined the invitation of maria"),
]


@pytest.mark.parametrize(("kind", "by_maria", "by_nobody"), INVITING)
def test_an_act_on_an_invitation_says_whose_it_is_and_where_it_leads(maria, kind, by_maria, by_nobody):
    group = Group.objects.create(name="Editors")
    invite = InviteFactory(email="kim@work.example", invited_by=maria, groups=[group])

    assert by_maria is None or said(kind, maria, about=invite.pk) == by_maria
    assert said(kind, None, about=invite.pk) == by_nobody


def test_who_accepted_whose_invitation_is_said(maria):
    invite = InviteFactory(invited_by=maria)

    assert said("accepted", UserFactory(username="kim"), about=invite.pk) == "kim accepted the invitation of maria"


def test_an_invitation_that_is_pruned_or_erased_names_no_address(maria):
    erased = InviteFactory(invited_by=maria)
    Invite.objects.filter(pk=erased.pk).update(email="")

    for about in (uuid4(), erased.pk):
        assert said("invited", maria, about=about) == "maria invited an address that is kept no more"


RIGHTS = [
    ({"is_staff": [False, True]}, "ada made maria staff"),
    ({"is_superuser": [True, False]}, "ada took the rights of a superuser from maria"),
    ({"groups": [["A"], ["B", "A", "C"]]}, "ada added maria to B, C"),
    (
        {"is_staff": [False, True], "groups": [["A"], []]},
        "ada made maria staff; ada removed maria from A",
    ),
    ({}, "ada changed the rights of maria"),
]


@pytest.mark.parametrize(("changed", "words"), RIGHTS)
def test_each_right_that_was_given_or_taken_is_named(maria, changed, words):
    assert said("rights_changed", maria, by="staff", staff="ada", changed=changed) == words


def test_whoever_joined_a_group_by_an_invitation_did_it_by_themselves(maria):
    changed = {"groups": [["A"], ["A", "B"]]}
    invite = InviteFactory()

    told = said("rights_changed", maria, about=invite.pk, by="staff", staff="ada", changed=changed)
    assert told == "maria joined B, invited by ada"
    told = said("rights_changed", maria, about=invite.pk, by="staff", staff="", changed=changed)
    assert told == "maria joined B"


def test_what_was_done_at_the_desk_names_people_by_their_present_names_and_few_of_many(maria):
    people = [UserFactory(username=f"person-{letter}") for letter in "abcdefg"]
    ids = ", ".join(str(person.pk) for person in people)
    User.objects.filter(pk=people[0].pk).update(username="renamed")
    people[1].erase()

    told = said("power_used", maria, whom=ids, done="changed")

    named = "renamed, deleted account, person-c, person-d, person-e and 2 more"
    assert told == f"maria changed the account of {named}"
    assert said("power_used", maria, what="group helpers", done="added") == "maria added at the desk: group helpers"


def test_a_wrong_password_says_for_whom_it_was(client, maria):
    for name in ("maria", "nobody"):
        client.post("/login", {"login": name, "password": "not the right one"})

    newest, before = Event.objects.order_by("-id")[:2]
    assert sentence(newest) == "Somebody typed a wrong password for a name that no account has"
    assert sentence(before) == "Somebody typed a wrong password for maria"
    maria.erase()
    assert sentence(Event.objects.get(pk=before.pk)) == "Somebody typed a wrong password for deleted account"


def test_the_history_of_a_deleted_account_has_no_name_and_no_link(desk, maria):
    Event.objects.record(Event.Kind.SIGNED_IN, maria)
    maria.erase()

    row = desk.get(HISTORY, {"kind": "signed_in"}).text.partition("deleted account signed in")[2].partition("</tr>")[0]

    assert "deleted account</td>" in row
    assert "<a " not in row


def test_names_of_many_events_are_read_in_three_statements(maria):
    def listed(count):
        for _ in range(count):
            invite = InviteFactory(invited_by=maria)
            Event.objects.record(Event.Kind.INVITED, maria, about=invite.pk)
            Event.objects.record(Event.Kind.POWER_USED, maria, whom=str(UserFactory().pk), done="changed")
        events = list(Event.objects.select_related("user"))
        with CaptureQueriesContext(connection) as queries:
            read_names(events)
            assert all(map(sentence, events))
        return len(queries)

    assert listed(1) == listed(9) <= 3


def test_fifty_events_cost_as_many_statements_as_one(desk, maria):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(HISTORY).status_code == 200
        return len([query for query in queries if "session_data" not in query["sql"]])

    Invite.objects.issue("guest@example.com", source="admin", invited_by=maria)
    desk.get(HISTORY)
    one = cost()
    for number in range(49):
        Invite.objects.issue(f"guest{number}@example.com", source="admin", invited_by=maria)

    assert cost() == one


def test_quick_filters_find_guesses_changes_and_what_staff_have_done(desk, maria):
    Client().post("/login", {"login": "maria", "password": "not the right one"})
    maria.rename("mary")
    maria.turn_off(by="staff", staff="olga")
    Event.objects.filter(kind="created").delete()

    assert found(desk, show="failed") == ["failed"]
    assert found(desk, show="changed") == ["turned_off", "username_changed"]
    assert found(desk, show="staff") == ["turned_off"]
    assert found(desk, show="failed", kind="failed") == ["failed"]
    assert found(desk, show="changed", kind="turned_off") == ["turned_off"]
    assert found(desk, show="failed", kind="turned_off") == []
    assert found(desk, show="changed", kind="failed") == []


@pytest.mark.parametrize("query", ["show=nonsense", "kind=nonsense", "user=1", "at__gte=2026-01-01"])
def test_a_filter_that_the_history_does_not_offer_is_refused(desk, query):
    assert desk.get(f"{HISTORY}?{query}").url.endswith("?e=1")


def test_the_list_says_who_did_what_when_and_from_where(desk, maria):
    Event.objects.record(Event.Kind.EXPORTED, maria, ip="203.0.113.7", device="Firefox/Windows")

    page = desk.get(HISTORY)

    assert "<h1>Security history</h1>" in page.text
    row = page.text.partition("maria downloaded their data")[2].partition("</tr>")[0]
    assert f'<a href="/admin/accounts/user/{maria.pk}/change/">maria</a>' in row
    assert "Firefox on Windows, 203.0.113.7" in row
    assert '<time datetime="' in row
    assert "<title>Security history – Desk" in page.text
