"""The events that other services hear about accounts and sessions, by whichever door a change comes."""

import json
import os
import re
from datetime import timedelta

import psycopg
import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Session, User
from accounts.models.session import stored_key
from invites.models import MagicLink
from outbox.models import OutboxEvent, Webhook, WebhookDelivery
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

NEW = "another horse battery staple"


def signed_in_as(name="ada"):
    client = Client()
    assert client.post("/login", {"login": name, "password": PASSWORD}).status_code == 302
    return client


def handle(client):
    return Session.objects.get(session_key=stored_key(client.cookies["frontdoor_session"].value)).handle


def all_over(user):
    return "session.revoked", {"user": str(user.pk), "all": True}


def over(user, name):
    return "session.revoked", {"user": str(user.pk), "session": name, "all": False}


def deleted(user):
    return "user.deleted", {"user": str(user.pk)}


def created(user):
    called = {"username": user.username, "name": user.name, "email": user.email}
    return "user.created", {"user": str(user.pk), **called, "groups": []}


# Sessions


def test_signing_out_everywhere_is_announced_once(signed_in, ada, announced):
    signed_in_as("ada")

    signed_in.post("/logout")

    assert announced() == [all_over(ada)]


def test_signing_out_here_names_that_session_and_no_key_of_it(signed_in, ada, announced):
    name = handle(signed_in)

    for _ in range(2):
        signed_in.post("/logout/here")

    assert announced() == [over(ada, name)]


def test_ending_one_session_names_it_once_however_often_it_is_ended(signed_in, ada, announced):
    there = signed_in_as()
    name = handle(there)

    for _ in range(2):
        signed_in.post("/account/sessions/end", {"session": name})
    there.get("/account")

    assert announced() == [over(ada, name)]


def test_a_new_password_is_announced_once_and_this_browser_goes_on_by_another_name(signed_in, ada, announced):
    there, name = signed_in_as(), handle(signed_in)

    signed_in.post("/account/password", {"password": PASSWORD, "chosen": NEW})
    there.get("/account")

    assert announced() == [all_over(ada)]
    assert signed_in.get("/account").status_code == 200
    assert handle(signed_in) != name


def test_turning_two_steps_on_or_off_announces_the_end_of_all_sessions(signed_in, ada, announced):
    phone.pair(ada)
    call_command("remove_second_factor", "ada")

    assert announced() == [all_over(ada)] * 2


def test_following_a_link_for_proof_announces_no_end_of_the_session(mailbox, signed_in, ada, announced):
    name = handle(signed_in)
    signed_in.post("/account/prove", {"next": "/account/password"})
    token = mailbox.link(ada.email, "/confirm").partition("token=")[2]

    signed_in.post("/confirm", {"token": token})

    assert announced() == []
    assert handle(signed_in) == name


def test_signing_in_as_somebody_else_announces_the_end_of_the_old_session(mailbox, signed_in, ada, announced):
    grace, name = UserFactory(username="grace"), handle(signed_in)
    OutboxEvent.objects.all().delete()
    MagicLink.objects.issue(grace.email)
    token = mailbox.link(grace.email, "/confirm").partition("token=")[2]

    signed_in.post("/confirm", {"token": token})

    assert announced() == [over(ada, name)]
    assert signed_in.session[SESSION_KEY] == str(grace.pk)


def test_a_session_without_a_handle_ends_unannounced(signed_in, announced):
    session = signed_in.session
    del session["handle"]
    session.save()

    signed_in.post("/logout/here")

    assert announced() == []
    assert not Session.objects.exists()


def test_sessions_that_simply_expire_are_not_announced(signed_in, announced):
    with time_machine.travel(timezone.now() + timedelta(hours=12, minutes=1)):
        assert signed_in.get("/account").status_code == 302
        call_command("prune")

    assert not Session.objects.exists()
    assert announced() == []


def test_an_old_cookie_of_a_session_that_goes_on_ends_nothing(signed_in, announced):
    old, name = Client(), handle(signed_in)
    old.cookies["frontdoor_session"] = signed_in.cookies["frontdoor_session"].value
    old_copy = dict(signed_in.session.items())
    with time_machine.travel(timezone.now() + timedelta(hours=11, minutes=30)):
        signed_in.post("/account/sessions/prolong", {"password": PASSWORD})
        store = signed_in.session
        key = Session.cache_key(stored_key(old.cookies["frontdoor_session"].value))
        store._cache.set(key, old_copy)  # as a slow reader would

        assert old.get("/account").status_code == 302

        assert announced() == []
        assert handle(signed_in) == name


def test_a_session_ended_by_a_password_elsewhere_is_announced_at_its_next_request(signed_in, ada, announced):
    name = handle(signed_in)
    ada.set_password(NEW)
    ada.save()

    for _ in range(2):
        signed_in.get("/account")

    assert announced() == [over(ada, name)]


def test_this_was_not_me_is_announced_once(mailbox, signed_in, ada, announced):
    token = mailbox.link(ada.email, "/not-me").partition("token=")[2]

    assert Client().post("/not-me", {"token": token}).status_code == 200
    signed_in.get("/account")

    assert announced() == [all_over(ada)]


def test_this_was_not_me_is_announced_once_where_it_turns_the_account_off(mailbox, ada, announced):
    ada.address.change("thief@example.com")
    token = mailbox.link("ada@example.com", "/not-me").partition("token=")[2]
    UserFactory(username="grace", email="ada@example.com")
    OutboxEvent.objects.all().delete()

    assert Client().post("/not-me", {"token": token}).status_code == 409

    assert announced() == [updated(ada, "is_active"), all_over(ada)]


def test_turning_an_account_off_at_the_desk_is_announced_once(desk, signed_in, ada, announced):
    desk.post(f"/admin/accounts/user/{ada.pk}/change/", {"username": "ada", "email": ada.email})
    signed_in.get("/account")

    assert announced() == [updated(ada, "is_active"), all_over(ada)]


def test_turning_an_account_off_ends_its_sessions(signed_in, ada, announced):
    ada.turn_off()

    assert announced() == [updated(ada, "is_active"), all_over(ada)]
    assert not Session.objects.exists()


def test_the_command_announces_each_person_whom_it_signs_out(ada, announced):
    others = [UserFactory(username=name) for name in ("grace", "alan")]
    OutboxEvent.objects.all().delete()

    call_command("end_sessions", "--user", "ada", "grace")
    assert sorted(announced(), key=str) == sorted(map(all_over, [ada, others[0]]), key=str)
    OutboxEvent.objects.all().delete()

    call_command("end_sessions", "--all", "--yes-all")
    assert sorted(announced(), key=str) == sorted(map(all_over, [ada, *others]), key=str)


# Accounts


def test_an_account_from_the_command_line_is_announced(announced):
    call_command("createsuperuser", "--no-input", username="root.user", email="Root@Example.com", verbosity=0)

    assert announced() == [created(User.objects.get())]


def test_an_account_from_the_desk_is_announced_and_in_its_history(desk, announced):
    desk.post("/admin/accounts/user/add/", {"username": "Alan", "email": "alan@example.com", "is_active": "on"})

    alan = User.objects.get(username="alan")
    assert announced() == [created(alan)]
    assert list(alan.events.values_list("kind", "detail")) == [("created", {"by": "staff"})]


def test_an_account_deleted_by_its_owner_is_announced_once(signed_in, ada, announced):
    signed_in.post("/account/delete", {"when": "now", "password": PASSWORD})

    assert announced() == [all_over(ada), deleted(ada)]


def test_deleting_at_the_desk_is_announced_for_each(desk, ada, announced):
    grace, alan = (UserFactory(username=name) for name in ("grace", "alan"))
    OutboxEvent.objects.all().delete()

    desk.post(f"/admin/accounts/user/{ada.pk}/delete/", {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [grace.pk], "post": "yes"}
    desk.post("/admin/accounts/user/", chosen)
    User.objects.filter(pk=alan.pk).delete()

    assert announced() == [event for user in (ada, grace, alan) for event in (all_over(user), deleted(user))]


def test_unpublished_events_about_a_deleted_account_are_withdrawn(announced):
    ada, grace = UserFactory(username="ada"), UserFactory(username="grace")
    OutboxEvent.objects.get(payload__username="grace").mark_published()

    User.objects.all().delete()

    gone_out, *told = announced()
    assert gone_out == ("user.created", {})  # that of grace; published events have lost their fields
    assert sorted(told, key=str) == sorted([all_over(ada), deleted(ada), all_over(grace), deleted(grace)], key=str)


@pytest.mark.django_db(transaction=True)
def test_an_event_that_a_relay_is_publishing_is_neither_withdrawn_nor_waited_for(announced):
    ada = UserFactory(username="ada")
    with psycopg.connect(os.environ["DATABASE_URL"], dbname=connection.settings_dict["NAME"]) as relay:
        relay.execute("SELECT FROM outbox_outboxevent FOR UPDATE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")

        User.objects.all().delete()
    connection.close()

    assert announced() == [created(ada), all_over(ada), deleted(ada)]


# Events and their causes are stored together


def delete(user):
    with transaction.atomic():  # the savepoint that Django's delete() does not make inside the transaction of a test
        user.delete()


VERBS = {
    "create_user": lambda ada: User.objects.create_user("grace", "grace@example.com"),
    "end_sessions": lambda ada: ada.end_sessions(),
    "end everybody's": lambda ada: User.objects.all().end_sessions(),
    "end one": lambda ada: ada.sessions.get().end(),
    "sign out": lambda ada: ada.sign_out(),
    "change_password": lambda ada: ada.ways_in.change_password(NEW),
    "turn_off": lambda ada: ada.turn_off(),
    "erase": lambda ada: ada.erase(),
    "delete": delete,
}


def state():
    """Returns all rows that these verbs change."""
    people = User.objects.values_list("username", "password", "session_epoch", "is_active")
    return sorted(people), Session.objects.count()


@pytest.fixture
def full(announced):
    """A database that refuses only events."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE outbox_outboxevent ADD CONSTRAINT full_up CHECK (false) NOT VALID")


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_changes_if_its_event_cannot_be_stored(signed_in, ada, full, verb):
    before = state()

    with pytest.raises(DatabaseError), transaction.atomic():
        VERBS[verb](ada)

    assert state() == before


@pytest.mark.parametrize("verb", VERBS)
def test_a_change_that_is_rolled_back_leaves_no_event(signed_in, ada, announced, verb):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        VERBS[verb](ada)
        assert announced()
        raise ZeroDivisionError

    assert announced() == []


def tables(verb, ada):
    """Returns the tables in each statement of a verb."""
    with CaptureQueriesContext(connection) as queries:
        VERBS[verb](ada)
    return [
        set(re.findall(r"(?:outbox|accounts|account)_[a-z]+", query["sql"]))
        for query in queries
        if "SAVEPOINT" not in query["sql"]
    ]


@pytest.mark.parametrize("verb", ["create_user", "end_sessions", "end everybody's", "end one", "sign out"])
def test_an_event_costs_one_statement_whoever_listens(signed_in, ada, settings, verb):
    costs, stored = [], []
    for url, webhooks in (("", 0), ("amqp://localhost", 0), ("amqp://localhost", 2)):
        settings.AMQP_URL = url
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Webhook.objects.bulk_create(Webhook(url=f"https://{n}.example/") for n in range(webhooks))
            costs.append(tables(verb, ada))
            stored.append((OutboxEvent.objects.count(), WebhookDelivery.objects.count()))
            raise ZeroDivisionError
        ada.refresh_from_db()

    assert stored == [(0, 0), (1, 0), (1, 2)]
    assert costs[0] == costs[1] == costs[2]
    told = [found for found in costs[0] if any(name.startswith("outbox_web") for name in found)]
    assert len(told) == 1
    assert told[0] >= {"outbox_outboxevent", "outbox_webhook", "outbox_webhookdelivery"}


def test_events_hold_no_secret(ada, announced):
    here, there = signed_in_as(), signed_in_as()
    secrets = [ada.password, PASSWORD, NEW, *Session.objects.values_list("session_key", flat=True)]

    here.post("/account/sessions/end", {"session": handle(there)})
    here.post("/account/password", {"password": PASSWORD, "chosen": NEW})
    secrets += [User.objects.get().password, here.cookies["frontdoor_session"].value]
    here.post("/logout/here")

    told = json.dumps(announced())
    assert len(announced()) == 3
    assert not [secret for secret in secrets if secret in told]


def updated(user, *changed):
    user = User.objects.get(pk=user.pk)
    fields = {name: getattr(user, name) for name in ("username", "name", "email", "is_active")}
    fields |= {"groups": user.group_names}
    return "user.updated", {"user": str(user.pk), **fields, "changed": list(changed)}


def test_a_new_name_is_announced(signed_in, ada, announced):
    signed_in.post("/account/username", {"username": "countess", "password": PASSWORD})

    assert announced() == [updated(ada, "username")]
    assert announced()[0][1]["username"] == "countess"


@pytest.mark.parametrize("door", ["page", "program"])
def test_a_new_address_is_announced(signed_in, ada, announced, mailbox, door):
    if door == "page":
        signed_in.post("/account/email", {"email": "countess@example.com", "password": PASSWORD})
        code = re.search(r"\b(\d{4} \d{4})\b", mailbox.text("countess@example.com"))[1]
        signed_in.post("/account/email/code", {"code": code})
    else:
        ada.address.change("countess@example.com")

    assert announced() == [updated(ada, "email")]
    assert announced()[0][1]["email"] == "countess@example.com"


def test_an_address_that_is_given_back_is_announced(signed_in, ada, announced, mailbox):
    ada.address.change("thief@example.com")
    token = mailbox.link("ada@example.com", "/not-me").partition("token=")[2]
    OutboxEvent.objects.all().delete()

    Client().post("/not-me", {"token": token})

    assert updated(ada, "email") in announced()
    assert User.objects.get(pk=ada.pk).email == "ada@example.com"


def test_settings_are_announced_if_they_have_changed(signed_in, ada, announced):
    chosen = {"language": "ru", "time_zone": "", "theme": "dark", "notices": "on", "digest": "on"}

    for _ in range(2):
        signed_in.post("/account/settings", chosen)

    assert announced() == [updated(ada, "settings")]
    signed_in.post("/language", {"language": "en"})
    assert announced() == [updated(ada, "settings")] * 2


def test_what_staff_change_is_announced_once_for_all_fields(desk, ada, announced):
    form = {"username": "countess", "email": "countess@example.com", "is_active": "on", "is_staff": "on"}

    desk.post(f"/admin/accounts/user/{ada.pk}/change/", form)

    told = [event for event in announced() if event[0] == "user.updated"]
    assert told == [updated(ada, "email", "is_staff", "username")]


def test_groups_that_staff_give_and_take_are_announced(desk, ada, announced):
    editors = Group.objects.create(name="Editors")
    form = {"username": ada.username, "email": ada.email, "is_active": "on"}
    for groups, names in ((str(editors.pk), ["Editors"]), ([], [])):
        OutboxEvent.objects.all().delete()
        desk.post(f"/admin/accounts/user/{ada.pk}/change/", form | {"groups": groups})
        assert announced() == [updated(ada, "groups")]
        assert announced()[0][1]["groups"] == names


def test_turning_an_account_off_and_on_is_announced(desk, ada, announced):
    form = {"username": ada.username, "email": ada.email}
    desk.post(f"/admin/accounts/user/{ada.pk}/change/", form)
    off = updated(ada, "is_active")
    desk.post(f"/admin/accounts/user/{ada.pk}/change/", form | {"is_active": "on"})

    assert [event for event in announced() if event[0] == "user.updated"] == [off, updated(ada, "is_active")]
    assert off[1]["is_active"] is False
