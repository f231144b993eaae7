"""The commands that turn accounts off and on, list sessions and end one: the same acts and mails as at the desk."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.management import switch_command
from accounts.models import Event, Session, User
from outbox.models import Webhook, WebhookDelivery
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def boss(db):
    return UserFactory(username="boss", email="boss@example.com", is_staff=True, is_superuser=True)


def run(capsys, *command):
    call_command(*command)
    return capsys.readouterr()


def events(kind):
    return [(event.user, event.detail) for event in Event.objects.filter(kind=kind)]


def test_an_account_is_turned_off_as_at_the_desk(capsys, signed_in, ada, mailbox):
    Webhook.objects.create(url="https://billing.example/")
    off = UserFactory(username="off", is_active=False)

    assert run(capsys, "deactivate_user", "Ada@Example.com", "off", "ada").out == "1 of 2 people deactivated\n"

    assert not User.objects.get(pk=ada.pk).is_active
    assert signed_in.get("/account").status_code == 302
    assert events("turned_off") == [(ada, {"by": "command"})]
    assert mailbox.kinds("ada@example.com")[-1] == "changed_by_staff"
    assert "The account was turned off" in mailbox.text("ada@example.com")
    assert not mailbox.kinds(off.email)
    told = dict(WebhookDelivery.objects.values_list("name", "payload"))
    assert (told["user.updated"]["is_active"], told["user.updated"]["changed"]) == (False, ["is_active"])
    assert told["session.revoked"]["all"] is True


def test_an_account_is_turned_on_again_and_can_be_signed_in_to(capsys, client, ada, mailbox):
    Webhook.objects.create(url="https://billing.example/")
    ada.turn_off()

    assert run(capsys, "reactivate_user", "ada").out == "1 of 1 person reactivated\n"

    assert events("turned_on") == [(ada, {"by": "command"})]
    assert mailbox.kinds("ada@example.com") == ["changed_by_staff"]
    assert "The account was turned on" in mailbox.text("ada@example.com")
    assert WebhookDelivery.objects.filter(name="user.updated").latest("id").payload["is_active"] is True
    client.post("/login", {"login": "ada", "password": PASSWORD})
    assert client.get("/account").status_code == 200


def test_no_session_comes_back_with_the_account(capsys, signed_in, ada):
    run(capsys, "deactivate_user", "ada")
    run(capsys, "reactivate_user", "ada")

    assert signed_in.get("/account").status_code == 302


@pytest.mark.parametrize(("command", "before"), [("deactivate_user", True), ("reactivate_user", False)])
def test_a_dry_run_turns_nobody_off_or_on(capsys, ada, mailbox, command, before):
    User.objects.filter(pk=ada.pk).update(is_active=before)
    word = command.replace("_user", "d")

    assert run(capsys, command, "ada", "--dry-run").out == f"DRY RUN  1 of 1 person {word}\n"
    report = json.loads(run(capsys, command, "ada", "--dry-run", "--format", "json").out)

    assert report == {"command": command, "dry_run": True, "people": 1, word: 1}
    assert User.objects.get(pk=ada.pk).is_active is before
    assert not Event.objects.filter(detail__by="command").exists()
    assert not mailbox.kinds("ada@example.com")


@pytest.mark.parametrize("command", ["deactivate_user", "reactivate_user", "list_sessions"])
def test_an_unknown_name_stops_the_command_before_it_does_anything(ada, command):
    with pytest.raises(CommandError, match=r"nobody called eve\. Nothing was changed") as refused:
        call_command(command, "ada", "eve")

    assert refused.value.returncode == 2
    assert User.objects.get(pk=ada.pk).is_active


@pytest.mark.parametrize("command", ["deactivate_user", "reactivate_user"])
def test_the_other_superusers_hear_once_of_staff_that_a_command_turns_off_or_on(capsys, ada, boss, mailbox, command):
    active = command == "deactivate_user"
    staff = [UserFactory(username=name, is_staff=True, is_active=active) for name in ("olga", "peter")]
    User.objects.filter(pk=ada.pk).update(is_active=active)

    run(capsys, command, "ada", "olga", "peter")

    ((who, used),) = events("power_used")
    assert (who, used["by"], used["done"], used["changed"]) == (None, "command", "changed", ["is_active"])
    assert set(used["whom"].split(", ")) == {str(person.pk) for person in staff}
    assert mailbox.kinds("boss@example.com") == ["power_used"]
    text = " ".join(mailbox.text("boss@example.com").split())
    assert "This change was made by a command on the server" in text
    assert "olga, peter: changed" in text
    assert "Ask whoever runs the server." in text


def test_superusers_are_told_of_what_was_done_before_an_error(ada, boss, mailbox, monkeypatch):
    UserFactory(username="olga", is_staff=True)
    switch = switch_command.Command.switch

    def fail_for_ada(command, person):
        if person == ada:
            raise RuntimeError
        return switch(command, person)

    monkeypatch.setattr(switch_command.Command, "switch", fail_for_ada)
    with pytest.raises(RuntimeError):
        call_command("deactivate_user", "olga", "ada")

    assert len(events("turned_off")) == 1
    assert mailbox.kinds("boss@example.com") == ["power_used"]


@pytest.mark.parametrize("meanwhile", [lambda rows: rows.delete(), lambda rows: rows.update(is_active=False)])
def test_an_account_that_somebody_else_deletes_or_turns_off_meanwhile_is_passed_over(
    capsys, ada, mailbox, monkeypatch, meanwhile
):
    find = switch_command.find_people

    def find_late(logins):
        people = find(logins)
        meanwhile(User.objects.filter(pk=ada.pk))
        return people

    monkeypatch.setattr(switch_command, "find_people", find_late)

    assert run(capsys, "deactivate_user", "ada").out == "0 of 1 person deactivated\n"
    assert not Event.objects.filter(kind="turned_off").exists()
    assert not mailbox.kinds("ada@example.com")


@pytest.fixture
def sessions(ada):
    """Two live sessions of ada, the older first, and one that has expired."""
    for agent in (FIREFOX, "curl/8"):
        client = Client(headers={"User-Agent": agent})
        client.post("/login", {"login": "ada", "password": PASSWORD})
    live = list(ada.sessions.order_by("created_at"))
    past = timezone.now() - timedelta(hours=1)
    Session.objects.create(session_key="old", user=ada, handle="oldhandle", expire_date=past)
    return live


def test_sessions_are_listed_with_their_handles_the_newest_first(capsys, sessions):
    UserFactory(username="grace")

    older, newer = sessions
    first, second, none = run(capsys, "list_sessions", "ada", "grace").out.splitlines()

    assert first.startswith(f"ada  {newer.handle}  ")
    assert second.startswith(f"ada  {older.handle}  Firefox on Windows  127.0.0.1  since 20")
    assert f"  ends {older.expire_date:%Y-%m-%d}" in second
    assert none == "grace is not signed in anywhere."


def test_no_list_of_sessions_holds_a_key(capsys, sessions):
    said = run(capsys, "list_sessions", "ada", "--format", "json").out

    listed = json.loads(said)
    assert [row["handle"] for row in listed["sessions"]] == [session.handle for session in reversed(sessions)]
    assert listed["sessions"][1]["device"] == "Firefox on Windows"
    assert not any(session.session_key in said for session in sessions)


def test_a_long_list_of_sessions_is_cut_and_says_so(capsys, sessions, monkeypatch):
    monkeypatch.setattr("accounts.management.commands.list_sessions.LISTED", 1)

    shown = run(capsys, "list_sessions", "ada")

    assert len(shown.out.splitlines()) == 1
    assert "newest 1 sessions of ada; there may be more" in shown.err


def test_one_session_is_ended_by_its_handle(capsys, ada, sessions):
    older, newer = sessions
    chosen = ("end_sessions", "--user", "ada", "--session", older.handle)

    assert run(capsys, *chosen, "--dry-run").out == "DRY RUN  1 session of 1 person ended\n"
    assert ada.sessions.live().count() == 2
    assert run(capsys, *chosen).out == "1 session of 1 person ended\n"

    assert list(ada.sessions.live()) == [newer]
    assert events("session_ended") == [(ada, {"by": "command", "ended": older.device})]


def test_a_handle_that_is_not_of_these_people_ends_nothing(ada, sessions):
    UserFactory(username="grace")
    older, _newer = sessions
    refusals = [("grace", [older.handle]), ("ada", [older.handle, "oldhandle"]), ("ada", [older.handle, ""])]

    for name, handles in refusals:
        with pytest.raises(CommandError, match=r"There is no session .* Nothing was changed") as refused:
            call_command("end_sessions", "--user", name, "--session", *handles)
        assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="needs --user"):
        call_command("end_sessions", "--all", "--session", older.handle, "--yes-all")

    assert ada.sessions.live().count() == 2
