"""Writes in one statement: each row as Model.save() would store it, all of them or none, after its conditions."""

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, connection, transaction
from django.db.models import AutoField
from django.db.models.signals import post_save, pre_save
from django.test.utils import CaptureQueriesContext

from accounts.models import Event, User
from kit.ids import uuid7
from kit.one_statement import OneStatement, Unmet, Write
from outbox.models import Suppression
from tests.tools.factories import LinkFactory, UserFactory

pytestmark = pytest.mark.django_db

PERSON = {"username": "grace", "email": "grace@example.com", "settings": {"language": "ru", "zone": "Asia/Omsk"}}


def stored(rows):
    """Returns the columns of the stored rows, but for the numbers that the database has given."""
    found = [
        type(row).objects.get(user=row.user) if row.pk is None else type(row).objects.get(pk=row.pk) for row in rows
    ]
    names = [[field.attname for field in row._meta.concrete_fields if not isinstance(field, AutoField)] for row in rows]
    return [{name: getattr(row, name) for name in attributes} for row, attributes in zip(found, names, strict=True)]


def rename(user, name):
    return Write("UPDATE accounts_user SET username = %s WHERE id = %s AND is_active", [name, user.pk])


def new_rows():
    """Returns rows of several tables that are not stored, with JSON, NULL, a time, Unicode, and keys of their own."""
    user = User(**PERSON, last_login=None)
    told = {"told": "grace@пример.example", "quote": "'; --", "percent": "%s %%"}
    event = Event(kind=Event.Kind.SIGNED_IN, user=user, ip="2001:db8::1", device="Firefox 'on' %s", detail=told)
    return [user, EmailAddress(user=user, email=user.email, verified=True, primary=True), event, LinkFactory.build()]


def test_rows_are_stored_as_save_stores_them():
    rows = new_rows()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        with CaptureQueriesContext(connection) as statements:
            OneStatement().insert(*rows).execute()
        at_once, states = stored(rows), [(row._state.adding, row._state.db) for row in rows]
        raise ZeroDivisionError
    for row in rows:
        row.save(force_insert=True)

    assert len(statements) == 1
    assert at_once == stored(rows)
    assert states == [(row._state.adding, row._state.db) for row in rows]


def test_the_signals_of_a_save_are_sent():
    heard = []

    def hear(sender, instance, signal, **said):
        heard.append((signal, instance, said["raw"], said["using"], said["update_fields"], said.get("created")))

    person = User(**PERSON)
    for signal in (pre_save, post_save):
        signal.connect(hear, sender=User)
    try:
        OneStatement().insert(person).execute()
        one_statement, heard = heard, []
        UserFactory.build(username="ada").save()
    finally:
        for signal in (pre_save, post_save):
            signal.disconnect(hear, sender=User)
    assert [entry[1] for entry in one_statement] == [person, person]
    assert [(*entry[:1], *entry[2:]) for entry in one_statement] == [(*entry[:1], *entry[2:]) for entry in heard]


def test_nothing_is_inserted_unless_every_condition_is_met(ada):
    gone, off = User(pk=uuid7()), UserFactory(username="mary", is_active=False)
    for conditions in ([rename(gone, "x")], [rename(ada, "x"), rename(off, "y")], [rename(off, "y"), rename(ada, "x")]):
        with pytest.raises(Unmet), transaction.atomic():
            OneStatement(conditions).insert(*new_rows()).execute()
        assert set(User.objects.values_list("username", flat=True)) == {"ada", "mary"}
        assert not Event.objects.filter(device__startswith="Firefox").exists()


def test_a_condition_is_run_only_if_those_before_it_were_met(ada):
    gone = User(pk=uuid7())
    with pytest.raises(Unmet):
        OneStatement([rename(gone, "x"), rename(ada, "countess")]).insert(User(**PERSON)).execute()
    assert User.objects.get().username == "ada"


def test_conditions_that_are_met_are_run_once(ada):
    mary = UserFactory(username="mary")
    OneStatement([rename(ada, "countess"), rename(mary, "shelley")]).insert(User(**PERSON)).execute()
    assert set(User.objects.values_list("username", flat=True)) == {"countess", "shelley", "grace"}


def test_other_writes_happen_beside_the_rows():
    Suppression.objects.opt_out("grace@example.com")
    statement = OneStatement()
    statement.add(Suppression.objects.opt_out_undone("grace@example.com"))
    statement.insert(User(**PERSON)).execute()
    assert not Suppression.objects.exists()
    assert User.objects.get().username == "grace"


def test_a_taken_value_stores_nothing(ada):
    with pytest.raises(IntegrityError), transaction.atomic():
        OneStatement([rename(ada, "countess")]).insert(User(**PERSON | {"email": ada.email}), *new_rows()).execute()
    assert User.objects.get().username == "ada"
