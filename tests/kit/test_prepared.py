"""Prepared queries read what Django's own would, with other values each time, from every thread."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, models

from accounts.models import User
from invites.link import stored
from invites.models import Invite, MagicLink
from kit.ids import uuid7
from kit.prepared import Given, Prepared, first_of_each
from tests.tools.factories import UserFactory


def by_id():
    rows = MagicLink.objects.with_spent().with_staff_invite().select_related("used_by", "invite__invited_by")
    return rows.filter(pk=Given("pk", models.UUIDField()))


@pytest.fixture
def links(db):
    inviter = UserFactory(username="ada")
    invited = Invite.objects.issue("grace@example.org", source="member", invited_by=inviter)
    asked = MagicLink.objects.issue("grace@example.org", language="ru")
    asked.claim("this browser", inviter)
    return [MagicLink.objects.get(pk=invited.pk), MagicLink.objects.get(pk=asked.pk)]


@pytest.fixture
def made(links):
    """The models of the objects that Django makes, in order."""
    done = []

    def note(sender, **_instance):
        done.append(sender)

    models.signals.post_init.connect(note)
    yield done
    models.signals.post_init.disconnect(note)


def columns(row):
    return {name: value for name, value in vars(row).items() if name != "_state"}


def test_a_prepared_query_reads_the_rows_that_django_reads(links, django_assert_num_queries):
    query = Prepared(by_id)
    for link in links:
        with django_assert_num_queries(1):
            (found,) = query.read(pk=link.pk)
            assert found.used_by_id == link.used_by_id
            assert found.used_by is None or found.used_by.username == "ada"
            assert found.invite is None or found.invite.invited_by.username == "ada"
        expected = MagicLink.objects.with_spent().with_staff_invite().get(pk=link.pk)
        assert columns(found) == columns(expected)
        assert found._state.db == expected._state.db
        assert not found._state.adding
    assert query.read(pk=uuid7()) == []


def test_it_is_composed_once(links, monkeypatch):
    calls = []
    query = Prepared(lambda: calls.append(1) or by_id())
    for link in links:
        query.read(pk=link.pk)
    assert calls == [1]


def test_a_value_is_checked_by_its_field(db):
    query = Prepared(by_id)
    with pytest.raises(ValidationError):
        query.read(pk="no id")
    with pytest.raises(KeyError):
        query.read(id=uuid7())


def test_a_value_is_data_and_no_sql(db):
    UserFactory(username="ada")
    query = Prepared(lambda: User.objects.filter(username=Given("name", models.CharField())))
    assert query.read(name="' OR 1=1 --") == []
    assert query.read(name="%s") == []
    assert [user.username for user in query.read(name="ada")] == ["ada"]


@pytest.mark.django_db(transaction=True)
def test_threads_share_a_query_but_no_connection(monkeypatch):
    people = {name: UserFactory(username=name) for name in ("ada", "grace", "mary")}
    query = Prepared(lambda: User.objects.filter(username=Given("name", models.CharField())))
    assert query.read(name="nobody") == []  # so it is composed
    meeting, make_objects, wrong = threading.Barrier(len(people)), query._objects, []

    def once_all_have_given_their_values(compiler):
        meeting.wait(30)
        return make_objects(compiler)

    def read(name):
        try:
            connection.ensure_connection()  # else a thread that errs opens that of another, and nobody closes it
            wrong.extend(name for _ in range(5) if query.read(name=name) != [people[name]])
        except Exception as error:  # noqa: BLE001 it is shown by the assertion
            wrong.append(error)
            meeting.abort()
        finally:
            connection.close()

    monkeypatch.setattr(query, "_objects", once_all_have_given_their_values)
    threads = [threading.Thread(target=read, args=[name]) for name in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []


@pytest.mark.django_db
@pytest.mark.parametrize("is_owner", [True, False])
def test_only_owner_links_open_as_such(is_owner):
    link = MagicLink.objects.issue("olga@example.org")
    MagicLink.objects.filter(pk=link.pk).update(purpose="owner" if is_owner else "link")
    assert stored.read(link.pk, is_owner=is_owner) == link
    with pytest.raises(MagicLink.DoesNotExist):
        stored.read(link.pk, is_owner=not is_owner)
    with pytest.raises(ValidationError):
        stored.read("no id", is_owner=is_owner)
    MagicLink.objects.filter(pk=link.pk).update(email="")
    with pytest.raises(MagicLink.DoesNotExist):
        stored.read(link.pk, is_owner=is_owner)


@pytest.mark.parametrize(("email", "finds"), [("grace@example.org", "both"), ("ada", "one"), ("nobody", "none")])
def test_the_first_rows_of_several_queries_are_read_by_one_statement(links, django_assert_num_queries, email, finds):
    given = Given("email", models.CharField())
    queries = [
        Prepared(lambda: MagicLink.objects.select_related("invite__invited_by").filter(email=given).order_by("pk")[:1]),
        Prepared(lambda: User.objects.filter(models.Q(username=given) | models.Q(username="ada", email=given))[:1]),
        Prepared(lambda: Invite.objects.acceptable(given, Given("preferred", models.UUIDField()))),
    ]

    with django_assert_num_queries(1):
        link, user, invite = first_of_each(*queries, email=email, preferred=None)
        assert (link is not None, user is not None) == {
            "both": (True, False),
            "one": (False, True),
            "none": (False, False),
        }[finds]
        if finds == "both":
            assert invite.invited_by.username == link.invite.invited_by.username == "ada"
    if finds == "both":
        assert columns(invite)["id"] == Invite.objects.get().pk
        assert link.pk == links[0].pk


@pytest.mark.parametrize("name", ["ada", "nobody"])
def test_as_many_objects_are_made_of_a_row_that_is_missing(made, name):
    """So the time does not tell whether there is such a row."""
    query = Prepared(lambda: User.objects.filter(username=Given("name", models.CharField()))[:1])

    (user,) = first_of_each(query, name=name)

    assert (user is not None) == (name == "ada")
    assert made == [User]
