"""The command resend_invites: which invitations it mails again, at which pace, and what it prints."""

import csv
import json
import signal
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from invites.management import filters
from invites.models import Invite, InviteQuerySet, MagicLink
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import InviteFactory, LinkFactory, UserFactory

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Terminal(StringIO):
    def isatty(self):
        return True


def invited(*names, **fields):
    fields = {"sent_at": LONG_AGO} | fields
    return [InviteFactory(email=f"{name}@example.com", **fields) for name in names]


def run(*options, **streams):
    out = StringIO()
    call_command("resend_invites", *options, **{"stdout": out} | streams)
    return out.getvalue()


def run_json(*options, **streams):
    return json.loads(run(*options, "--format", "json", **streams))


def mailed():
    return list(OutboxMessage.objects.order_by("id").values_list("recipient", flat=True))


def interrupted_once(monkeypatch, pause):
    """Sends the signal `pause` once, while the command works on its first chunk of two rows."""
    monkeypatch.setattr(filters, "CHUNK", 2)
    original = InviteQuerySet.resend

    def resend(self, *args, **options):
        if not mailed():
            signal.raise_signal(pause)
        return original(self, *args, **options)

    monkeypatch.setattr(InviteQuerySet, "resend", resend)


def test_resending_skips_people_with_an_account_and_minds_the_state():
    invited("grace", "alan")
    invited("old", expires_at=timezone.now())
    UserFactory(email="grace@example.com")

    done = run_json("--state", "pending")

    assert (done["matched"], done["queued"], done["skipped"]) == (2, 1, {"has_account": 1})
    assert mailed() == ["alan@example.com"]


def test_resending_extends_and_keeps_old_links(mailbox, client):
    call_command("send_invites", "grace@example.com", stdout=StringIO())
    old = mailbox.link("grace@example.com")
    for model in (Invite, MagicLink):
        model.objects.update(expires_at=timezone.now() - timedelta(days=1), sent_at=timezone.now() - timedelta(days=8))
    assert client.get(old).status_code == 410

    assert run_json("--state", "expired", "--older-than", "3d")["queued"] == 1

    assert client.get(old).status_code == 200
    assert len(mailbox.letters("grace@example.com")) == 2
    assert run_json("--state", "expired")["queued"] == 0


def test_resending_leaves_alone_dead_invitations_and_links_asked_for():
    for over in ("accepted_at", "revoked_at", "declined_at", "replaced_at"):
        invited(over, **{over: LONG_AGO})
    LinkFactory(sent_at=LONG_AGO)
    LinkFactory(purpose="owner", sent_at=LONG_AGO)

    assert run_json()["matched"] == 0
    assert not mailed()


def test_each_filter_narrows():
    invited("grace", batch="b_1", source="csv")
    invited("late", expires_at=LONG_AGO)
    invited("fresh", sent_at=timezone.now())
    invited("declined", declined_at=LONG_AGO)
    bounced = invited("bounced")[0]
    OutboxMessage.objects.create(
        recipient=bounced.email, about=bounced.pk, message_id="1", sent_at=LONG_AGO, bounced_at=LONG_AGO
    )

    def matched(*options):
        return run_json(*options, "--dry-run")["matched"]

    assert matched() == 4
    assert matched("--email", " Grace@example.com ") == 1
    assert matched("--batch", "b_1") == 1
    assert matched("--source", "csv") == 1
    assert matched("--state", "expired") == 1
    assert matched("--state", "declined") == 1
    assert matched("--state", "bounced") == 1
    assert matched("--older-than", "1h") == 3
    assert matched("--limit", "2") == 2
    assert mailed() == ["bounced@example.com"]
    assert set(Invite.objects.values_list("sends", flat=True)) == {0}


def test_options_that_cannot_be_meant_are_refused():
    invited("grace")

    for wrong in [
        *(["--limit", "-1"], ["--older-than", "3"], ["--older-than", "999999d"], ["--state", "accepted"]),
        *(["--rate", "0/s"], ["--after-id", "x"], ["--email", " "], ["--batch", "\udcff"], ["--source", "self"]),
    ]:
        with pytest.raises(CommandError):
            run(*wrong)

    assert not mailed()


def test_the_mails_leave_at_the_pace_that_was_asked_for():
    invited("grace", "alan", "ada")

    run("--rate", "30/m")

    first, second, third = OutboxMessage.objects.order_by("id").values_list("next_try_at", flat=True)
    assert timedelta(seconds=1.9) < second - first < timedelta(seconds=2.1)
    assert timedelta(seconds=1.9) < third - second < timedelta(seconds=2.1)


@pytest.mark.parametrize("pause", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_finishes_what_is_in_hand_and_says_how_to_go_on(monkeypatch, pause):
    invites = invited(*(f"guest{n}" for n in range(5)))
    interrupted_once(monkeypatch, pause)
    out = StringIO()

    with pytest.raises(CommandError) as stopped:
        run("--format", "json", stdout=out)

    done = json.loads(out.getvalue())
    assert (stopped.value.returncode, done["queued"], done["interrupted"]) == (130, 2, True)
    assert f"--after-id {invites[1].pk}" in str(stopped.value)

    assert run_json("--after-id", str(invites[1].pk))["queued"] == 3
    assert mailed() == [f"guest{n}@example.com" for n in range(5)]


def test_failed_addresses_are_masked_unless_every_row_is_asked_for():
    invited("grace", "alan")
    Suppression.objects.suppress("grace@example.com", "550 5.1.1 No such user")

    for verbosity, said in [("1", "failed  g•••@example.com  suppressed after"), ("2", "failed  grace@example.com")]:
        out = StringIO()
        with pytest.raises(CommandError, match="1 failed") as stopped:
            run("--dry-run", "--verbosity", verbosity, stdout=out)
        assert stopped.value.returncode == 3
        assert said in out.getvalue()
        assert ("queued  alan@example.com" in out.getvalue()) == (verbosity == "2")
    with pytest.raises(CommandError):
        run("--dry-run", "--verbosity", "1", stdout=(out := StringIO()))
    assert "grace@" not in out.getvalue()


def test_progress_on_standard_error_leaves_the_results_clean(capsys):
    invited("grace")
    watched = Terminal()

    shown = run("--dry-run", stderr=watched)
    counts = list(csv.reader(run("--dry-run", "--format", "csv", stderr=(silent := Terminal())).splitlines()))

    assert shown.startswith("DRY RUN  1 queued, 0 skipped, 0 failed")
    assert "Sending  1/1 ████████████████████  100%" in watched.getvalue()
    assert counts == [["outcome", "reason", "rows"], ["queued", "", "1"]]
    assert run_json("--email", "nobody@example.com", stderr=silent)["matched"] == 0
    assert silent.getvalue() == "There is no such invitation to nobody@example.com.\n"
    assert run("--verbosity", "0") == ""


def test_a_lost_database_stops_the_command_which_says_what_was_done(monkeypatch):
    monkeypatch.setattr(filters, "CHUNK", 2)
    original = InviteQuerySet.resend

    def resend(self, *args, **options):
        if mailed():
            raise OperationalError("gone")
        return original(self, *args, **options)

    monkeypatch.setattr(InviteQuerySet, "resend", resend)
    _grace, alan, _ada = invited("grace", "alan", "ada")
    told = StringIO()

    with pytest.raises(CommandError, match="does not answer") as stopped:
        run(stderr=told)

    assert stopped.value.returncode == 4
    assert "Done before: 2 queued" in told.getvalue()
    assert f"--after-id {alan.pk}" in told.getvalue()
