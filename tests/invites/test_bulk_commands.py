"""The commands revoke_invites, extend_invites, remind_invites and list_invites: choices, acts, questions and output."""

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event
from invites import purposes
from invites.batch import exports
from invites.members.invitations import MemberInvites
from invites.models import Invite, MagicLink
from kit import csv_lines, tokens
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import InviteFactory, LinkFactory, UserFactory

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Keyboard(StringIO):
    """A terminal at which somebody has typed a text."""

    def isatty(self):
        return True


def invited(*names, **fields):
    fields = {"sent_at": LONG_AGO} | fields
    return [InviteFactory(email=f"{name}@example.com", **fields) for name in names]


def run(*command, **streams):
    out = StringIO()
    call_command(*command, **{"stdout": out} | streams)
    return out.getvalue()


def run_json(*command):
    return json.loads(run(*command, "--format", "json"))


def states(model=Invite):
    return {row.email.partition("@")[0]: row.state.value for row in model.objects.all()}


def test_withdrawing_kills_the_links_and_the_waiting_mail(mailbox, client):
    call_command("send_invites", "grace@example.com", "alan@example.com", stdout=StringIO())
    link = mailbox.link("grace@example.com")
    invited("used", accepted_at=LONG_AGO)

    assert run("revoke_invites", "--all", "--no-input").startswith("2 withdrawn, 0 skipped, 0 failed")

    assert client.get(link).status_code == 410
    assert states() == {"grace": "revoked", "alan": "revoked", "used": "accepted"}
    assert Event.objects.filter(kind="revoked").count() == 2
    assert run_json("revoke_invites", "--all", "--no-input")["matched"] == 0


@pytest.mark.parametrize(
    ("options", "typed", "code", "said"),
    [
        ([], "y\n", 2, "Which"),
        (["--source", "admin"], "\n", 1, "Nothing was changed"),
        (["--source", "admin"], None, 2, "add --no-input"),
    ],
)
def test_nothing_is_withdrawn_by_mistake(monkeypatch, options, typed, code, said):
    invited("grace")
    monkeypatch.setattr("sys.stdin", StringIO() if typed is None else Keyboard(typed))

    with pytest.raises(CommandError, match=said) as stopped:
        run("revoke_invites", *options, stderr=StringIO())

    assert stopped.value.returncode == code
    assert states() == {"grace": "pending"}


def test_a_yes_withdraws_as_many_invitations_as_the_question_said(monkeypatch):
    invited("grace", "alan", "ada")
    monkeypatch.setattr("sys.stdin", Keyboard("y\n"))
    asked = StringIO()

    done = run("revoke_invites", "--source", "admin", "--limit", "2", stderr=asked)

    assert "Withdraw 2 invitations? Their links stop working straight away. [y/N]" in asked.getvalue()
    assert done.startswith("2 withdrawn")
    assert states() == {"grace": "revoked", "alan": "revoked", "ada": "pending"}


def test_links_that_people_asked_for_are_withdrawn_only_when_they_are_meant():
    LinkFactory(email="asked@example.com")
    LinkFactory(email="owner@example.com", purpose="owner")

    assert run_json("revoke_invites", "--all", "--no-input")["matched"] == 0
    assert run_json("revoke_invites", "--email", "asked@example.com", "--dry-run")["withdrawn"] == 1
    assert states(MagicLink) == {"asked": "pending", "owner": "pending"}
    assert run_json("revoke_invites", "--email", "asked@example.com", "--no-input")["withdrawn"] == 1
    assert states(MagicLink) == {"asked": "revoked", "owner": "pending"}
    assert run_json("revoke_invites", "--email", "owner@example.com", "--no-input")["withdrawn"] == 1
    assert states(MagicLink) == {"asked": "revoked", "owner": "revoked"}


def test_revoking_an_address_ends_all_its_links_but_nobody_elses(mailbox, client):
    for email in ("grace@example.com", "alan@example.com"):
        MagicLink.objects.issue(email)
        Invite.objects.issue(email, source="admin")
        MemberInvites(UserFactory()).send(email)
    links = [mailbox.link("grace@example.com", "/signup"), mailbox.link("alan@example.com", "/signup")]

    assert run_json("revoke_invites", "--email", "grace@example.com", "--no-input")["withdrawn"] == 3

    assert [client.get(link).status_code for link in links] == [410, 200]
    for state, email in (("pending", "alan@example.com"), ("revoked", "grace@example.com")):
        assert {row.email for row in Invite.objects.in_state(state)} == {email}
        links = MagicLink.objects.select_related("invite")
        assert {link.email for link in links if link.state == state} == {email}


def test_the_question_counts_links_that_people_asked_for_too(monkeypatch):
    LinkFactory(email="asked@example.com")
    monkeypatch.setattr("sys.stdin", Keyboard("y\n"))
    asked = StringIO()

    assert run("revoke_invites", "--email", "asked@example.com", stderr=asked).startswith("1 withdrawn")

    assert "Withdraw 1 " in asked.getvalue()


def test_extending_opens_what_has_run_out_and_mails_nobody():
    invited("grace", expires_at=LONG_AGO)

    assert run_json("extend_invites", "--state", "expired", "--dry-run")["extended"] == 1
    assert states() == {"grace": "expired"}
    assert run_json("extend_invites", "--state", "expired")["extended"] == 1

    assert states() == {"grace": "pending"}
    assert not OutboxMessage.objects.exists()


def test_people_are_reminded_once_and_not_if_they_have_just_looked(mailbox):
    soon = timezone.now() + timedelta(days=1)
    due = {"expires_at": soon, "remind_at": timezone.now(), "created_at": LONG_AGO}
    looked, _grace, _wish = invited("looked", "grace", "suppressed", **due)
    invited("later", created_at=LONG_AGO)
    Suppression.objects.suppress("suppressed@example.com", "550 5.1.1 No such user")
    Client().get(f"/signup?token={tokens.sign(purposes.SIGNUP, looked.pk)}", follow=True)

    rehearsed = run_json("remind_invites", "--dry-run")
    assert not mailbox.letters()
    first, second = run_json("remind_invites"), run_json("remind_invites")

    assert rehearsed["dry_run"]
    assert (first["queued"], first["skipped"]) == (1, {"not_due": 1, "suppressed": 1})
    assert (second["queued"], second["skipped"]) == (0, {"not_due": 1, "suppressed": 1})
    assert mailbox.kinds("grace@example.com") == ["invite_reminder"]


def test_a_list_shows_state_and_delivery_but_no_link(monkeypatch, ada):
    monkeypatch.setattr(exports, "CHUNK", 2)  # so that the list takes several pages
    LinkFactory()  # must not be listed: it is no invitation
    for name in ("one", "two", "three"):
        Invite.objects.issue(f"{name}@example.com", source="admin", invited_by=ada, note="secret note")
    OutboxMessage.objects.get(recipient="one@example.com").give_up("550 5.1.1 No such user")

    rows = json.loads(run("list_invites", "--format", "json"))
    lines = run("list_invites").splitlines()

    assert [row["email"] for row in rows] == ["three@example.com", "two@example.com", "one@example.com"]
    assert (rows[2]["state"], rows[2]["delivery"], rows[2]["invited_by"]) == ("pending", "given_up", "ada")
    assert lines[2].startswith("one@example.com  pending  given_up  admin  20")
    assert not {"used_in", "password", "seal", "token", "note"} & set(rows[0])
    assert run_json("list_invites", "--state", "accepted") == run_json("list_invites", "--limit", "0") == []
    assert [row["email"] for row in run_json("list_invites", "--after-id", rows[1]["id"])] == ["one@example.com"]
    with pytest.raises(CommandError):
        run("list_invites", "--state", "lost")


def test_a_list_names_groups_page_and_end_and_may_be_of_one_group():
    editors, writers = (Group.objects.create(name=name) for name in ("Editors", "Writers"))
    into = {"groups": [editors.pk, writers.pk], "next": "/account", "lifetime": timedelta(hours=36)}
    invite = Invite.objects.issue("one@example.com", source="admin", **into)
    Invite.objects.issue("two@example.com", source="admin", groups=[writers.pk])
    Invite.objects.issue("three@example.com", source="admin")

    (row,) = run_json("list_invites", "--group", "Editors")
    assert (row["groups"], row["next"], row["lifetime"]) == (["Editors", "Writers"], "/account", "36h")
    assert row["expires_at"] == csv_lines.moment(invite.expires_at)
    assert [row["email"] for row in run_json("list_invites", "--group", "Writers")] == [
        "two@example.com",
        "one@example.com",
    ]
    assert run("list_invites", "--group", "Editors").endswith("Editors, Writers  –  /account\n")
    (line,) = csv.DictReader(
        run("list_invites", "--format", "csv", "--group", "Editors").removeprefix("\ufeff").splitlines()
    )
    assert (line["groups"], line["leads_to"]) == ("Editors; Writers", "/account")
    assert run_json("revoke_invites", "--group", "Writers", "--no-input")["matched"] == 2
    with pytest.raises(CommandError, match="There is no group called “Nobody”"):
        run("list_invites", "--group", "Nobody")


def test_a_spreadsheet_takes_nothing_in_a_list_for_a_formula():
    invited("+evil", name='=HYPERLINK("http://evil.example")')
    invited("grace", name="Grace, Hopper")

    grace, evil = csv.DictReader(run("list_invites", "--format", "csv").removeprefix("\ufeff").splitlines())

    assert grace["name"] == "Grace, Hopper"
    assert len(run("list_invites", "--format", "csv", "--limit", "1").splitlines()) == 2
    assert (evil["email"], evil["name"]) == ("'+evil@example.com", '\'=HYPERLINK("http://evil.example")')


def test_a_longer_list_costs_no_more_statements():
    def statements(*options):
        with CaptureQueriesContext(connection) as queries:
            run("list_invites", *options)
        return len(queries)

    invited(*(f"guest{n}" for n in range(20)))

    assert statements("--limit", "1") == statements("--limit", "20") == 2
