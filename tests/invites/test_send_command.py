"""The command send_invites with a file: its pace, dry runs, interruptions and resuming."""

import json
import os
import signal
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone
from openpyxl import Workbook

from invites import mails
from invites.management.commands import send_invites
from invites.models import Batch, Invite
from invites.models.counts import Counts
from outbox.models import OutboxMessage
from tests.tools.factories import InviteFactory

pytestmark = pytest.mark.django_db


def run(*options):
    out = StringIO()
    call_command("send_invites", *options, stdout=out)
    return out.getvalue()


def run_json(*options):
    return json.loads(run(*options, "--format", "json"))


def test_options_fill_in_what_the_file_leaves_open_for_each_person(tmp_path, capsys):
    Group.objects.create(name="Staff")
    listed = tmp_path / "people.csv"
    listed.write_text("name;email;group;note\nGrace;grace@example.com;;Hello\n;ada@gmial.com;Staff;\n", "utf-8")

    run("--csv", str(listed), "--note", "Welcome", "--next", "/account")

    rows = Invite.objects.order_by("email")
    assert [(i.name, i.note, i.next, i.groups.first() and i.groups.get().name) for i in rows] == [
        ("", "Welcome", "/account", "Staff"),
        ("Grace", "Hello", "/account", None),
    ]
    assert "line 3: ada@gmial.com: did you mean ada@gmail.com?" in capsys.readouterr().err
    batch = Batch.objects.get()
    assert {i.batch for i in rows} == {batch.pk}
    assert batch.sent_at
    assert batch.counts == Counts(done=2)


def test_options_say_where_one_person_is_led_and_for_how_long():
    for name in ("Staff", "Sales, EU"):
        Group.objects.create(name=name).permissions.add(Permission.objects.get(codename="view_invite"))

    into = ("--group", "Staff", "--group", "Sales, EU", "--group", "Staff")
    run("grace@example.com", *into, "--expires", "36h", "--name", "Grace", "--list-name", "Spring course")

    invite = Invite.objects.get()
    assert sorted(invite.groups.values_list("name", flat=True)) == ["Sales, EU", "Staff"]
    assert (invite.name, invite.lifetime) == ("Grace", timedelta(hours=36))
    assert timedelta(hours=35) < invite.expires_at - timezone.now() < timedelta(hours=36)
    assert Batch.objects.get().name == "Spring course"


def test_a_line_wins_over_the_options(tmp_path):
    for name in ("Staff", "Readers"):
        Group.objects.create(name=name)
    listed = tmp_path / "people.csv"
    listed.write_text("email;group;expires\ngrace@example.com;Readers;1 day\nada@example.com;;\n", "utf-8")

    run("--csv", str(listed), "--group", "Staff", "--expires", "10 days")

    said = [(i.groups.get().name, i.lifetime.days) for i in Invite.objects.order_by("email")]
    assert said == [("Staff", 10), ("Readers", 1)]


def test_mails_leave_at_the_wished_pace():
    run(*(f"guest{n}@example.com" for n in range(3)), "--rate", "2/s")

    times = OutboxMessage.objects.order_by("next_try_at").values_list("next_try_at", flat=True)
    assert [round((time - times[0]).total_seconds(), 3) for time in times] == [0, 0.5, 1]


def excel(path):
    book = Workbook()
    for row in (["Почта", "Имя", "Телефон"], ["grace@example.com", "Grace", 7], ["not an address", "", None]):
        book.active.append(row)
    book.save(path)
    return str(path)


def test_an_excel_file_is_read_from_a_path_and_from_standard_input(tmp_path, capsys, monkeypatch):
    listed = excel(tmp_path / "people.xlsx")

    with pytest.raises(CommandError) as failed:
        run("--csv", listed)
    assert failed.value.returncode == 3
    assert "Columns we don’t use: Телефон." in capsys.readouterr().err
    assert [(i.email, i.name) for i in Invite.objects.all()] == [("grace@example.com", "Grace")]

    piped = BytesIO(Path(listed).read_bytes())
    piped.seekable = lambda: False
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=piped))
    with pytest.raises(CommandError):
        run("--csv", "-")
    assert Invite.objects.count() == 1


def test_the_encoding_of_a_file_is_guessed_and_said_or_given(tmp_path, capsys):
    listed = tmp_path / "people.csv"
    listed.write_bytes("a@example.com;Грейс\n".encode("koi8-r"))

    run("--csv", str(listed), "--dry-run")
    assert "The file was in Windows-1251 (Cyrillic)." in capsys.readouterr().err
    run("--csv", str(listed), "--encoding", "koi8-r")
    assert capsys.readouterr().err == ""
    assert Invite.objects.get().name == "Грейс"


def test_a_file_that_is_no_list_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "people.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(CommandError) as refused:
        run("--csv", str(tmp_path / "people.pdf"))
    assert refused.value.returncode == 2
    assert str(refused.value) == "This file is PDF. Save it as .xlsx or CSV."
    assert not Batch.objects.exists()


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """The path of a list of six people. The command is told to stop while it invites the second pair."""
    listed = tmp_path / "people.csv"
    listed.write_text("".join(f"guest{n}@example.com\n" for n in range(6)))
    written = mails.invitations

    def invitations(invites, *given):
        if any(invite.email == "guest3@example.com" for invite in invites):
            os.kill(os.getpid(), signal.SIGTERM)
        return written(invites, *given)

    monkeypatch.setattr(send_invites, "CHUNK", 2)
    monkeypatch.setattr(mails, "invitations", invitations)
    return str(listed)


def stop_and_say(*command):
    with pytest.raises(CommandError) as stopped:
        run(*command)
    assert stopped.value.returncode == 130
    assert OutboxMessage.objects.count() == 4
    return str(stopped.value)


def test_a_command_interrupted_at_half_and_run_again_invites_nobody_twice(interrupted):
    assert "same command: nobody is invited twice" in stop_and_say("--csv", interrupted)

    done = run_json("--csv", interrupted)

    assert (done["queued"], done["skipped"]) == (2, {"invited": 4})
    assert sorted(OutboxMessage.objects.values_list("recipient", flat=True)) == [
        f"guest{n}@example.com" for n in range(6)
    ]


def test_an_interrupted_command_with_again_resumes_and_mails_everybody_once(interrupted):
    InviteFactory(email="guest1@example.com", sent_at=timezone.now() - timedelta(days=1))
    said = stop_and_say("--csv", interrupted, "--again")
    assert f"--resume {Batch.objects.get().pk}" in said

    done = run_json("--csv", interrupted, "--resume", Batch.objects.get().pk)

    assert (done["queued"], done["skipped"]) == (2, {"repeated": 4})
    assert OutboxMessage.objects.count() == 6


@pytest.mark.parametrize("stop", ["undo", "withdraw"])
@pytest.mark.parametrize("resumed", [False, True])
def test_a_list_that_is_stopped_at_the_desk_goes_no_further(tmp_path, monkeypatch, ada, stop, resumed):
    monkeypatch.setattr(send_invites, "CHUNK", 2)
    listed = tmp_path / "people.csv"
    listed.write_text("".join(f"guest{n}@example.com\n" for n in range(8)))
    go_on = []
    if resumed:
        run("first@example.com")
        go_on = ["--resume", Batch.objects.get().pk]
    written = mails.invitations

    def invitations(invites, *given):
        if any(invite.email == "guest3@example.com" for invite in invites):
            getattr(Batch.objects.get(), stop)(ada)
        return written(invites, *given)

    monkeypatch.setattr(mails, "invitations", invitations)
    with pytest.raises(CommandError) as stopped:
        run("--csv", str(listed), *go_on)

    assert stopped.value.returncode == 130
    assert "It was stopped at the desk." in str(stopped.value)
    assert not Invite.objects.filter(email__in=["guest4@example.com", "guest7@example.com"]).exists()
    batch = Batch.objects.get()
    assert batch.sent_at
    assert bool(batch.withdrawn_at) == (stop == "withdraw")
    assert batch.counts.done == 4 + resumed


def test_a_rehearsal_tells_whom_the_batch_has_mailed_from_others(tmp_path):
    run("mine@example.com", "--again")
    InviteFactory(email="other@example.com", sent_at=timezone.now() - timedelta(days=1))
    Invite.objects.filter(email="mine@example.com").update(sent_at=timezone.now() - timedelta(minutes=2))
    Batch.objects.update(begun_at=timezone.now() - timedelta(minutes=9))
    listed = ["mine@example.com", "other@example.com", "new@example.com", "--resume", Batch.objects.get().pk]

    rehearsed = run_json(*listed, "--dry-run")
    assert (rehearsed["queued"], rehearsed["skipped"]) == (2, {"repeated": 1})
    done = run_json(*listed)
    assert (done["queued"], done["skipped"]) == (2, {"repeated": 1})


def test_a_rehearsal_says_what_would_be_done(ada, monkeypatch, tmp_path):
    monkeypatch.setattr(send_invites, "CHUNK", 2)
    InviteFactory(email="old@example.com", sent_at=timezone.now() - timedelta(days=1))
    listed = ["new@example.com", "ada@example.com", "old@example.com", "new@example.com"]

    for again in ([], ["--again"]):
        rehearsed = run_json(*listed, "--dry-run", *again)
        assert not Batch.objects.exists()
        with transaction.atomic():
            done = run_json(*listed, *again)
            transaction.set_rollback(True)
        assert [rehearsed[name] for name in ("queued", "skipped")] == [done[name] for name in ("queued", "skipped")]
