"""retry_mail: waiting mail is tried now, given up mail waits again, mail that is being tried is left alone."""

import json
from argparse import ArgumentError
from datetime import timedelta
from io import StringIO
from unittest.mock import patch

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone

from invites.models import MagicLink
from outbox.models import OutboxMessage, Suppression

pytestmark = pytest.mark.django_db

GREYLISTED = "450 4.2.0 Greylisted"


def run(*options):
    out = StringIO()
    call_command("retry_mail", *options, stdout=out)
    return out.getvalue().strip()


def run_json(*options):
    return json.loads(run(*options, "--format", "json"))


def mail(email="grace@example.com"):
    MagicLink.objects.issue(email)
    return OutboxMessage.objects.get(recipient=email)


def failing(email="grace@example.com"):
    row = mail(email)
    row.mark_failed(GREYLISTED)
    OutboxMessage.objects.filter(pk=row.pk).update(published_at=timezone.now())
    return row


def given_up(email="grace@example.com", *, days=1):
    row = mail(email)
    row.give_up("550 5.7.1 No")
    ago = timezone.now() - timedelta(days=days)
    OutboxMessage.objects.filter(pk=row.pk).update(given_up_at=ago, give_up_at=ago)
    return row


def due():
    return set(OutboxMessage.objects.due().values_list("recipient", flat=True))


def test_mail_that_waits_for_its_next_try_is_tried_now(mailbox):
    failing()
    assert not due()

    assert run_json("--all") == {"command": "retry_mail", "dry_run": False, "queued": 1, "skipped": {}}

    row = OutboxMessage.objects.get()
    assert (row.attempts, row.last_answer, row.published_at) == (1, GREYLISTED, None)
    assert mailbox.link("grace@example.com")


def test_given_up_mail_waits_again_for_three_days(mailbox):
    given_up()

    assert run("--given-up") == "1 queued, 0 skipped"

    row = OutboxMessage.objects.get()
    assert (row.given_up_at, row.attempts) == (None, 1)
    assert timedelta(days=2.9) < row.give_up_at - timezone.now() < timedelta(days=3.1)
    assert mailbox.link("grace@example.com")


def test_who_waits_gets_no_more_time_by_being_tried_now():
    row = failing()

    run("--all")

    assert OutboxMessage.objects.get().give_up_at == row.give_up_at


def test_an_address_is_found_in_any_case_and_its_given_up_mail_only_on_request(capsys):
    failing("grace@example.com")
    failing("alan@example.com")
    given_up("ada@example.com")

    assert run_json("--email", "Grace@Example.com ")["queued"] == 1
    assert due() == {"grace@example.com"}
    assert run_json("--email", "ada@example.com")["queued"] == 0
    assert "add --given-up" in capsys.readouterr().err
    assert run_json("--email", "ada@example.com", "--given-up")["queued"] == 1
    assert run_json("--email", "nobody@example.com")["queued"] == 0
    assert "mail_queue --email nobody@example.com" in capsys.readouterr().err


def test_all_spares_what_was_given_up_and_both_together_take_both():
    failing("alan@example.com")
    given_up("ada@example.com")

    assert run_json("--all")["queued"] == 1
    assert run_json("--all", "--given-up")["queued"] == 2


def test_mail_without_its_parts_and_suppressed_addresses_are_skipped_with_the_reason():
    given_up("old@example.com", days=8)
    given_up("dead@example.com")
    given_up("grace@example.com")
    Suppression.objects.suppress("dead@example.com", "550 5.1.1 No such user")
    Suppression.objects.opt_out("grace@example.com")
    call_command("prune")

    assert run_json("--given-up")["skipped"] == {"too_old": 1, "suppressed": 2}
    said = run("--given-up")
    assert said.startswith("0 queued, 3 skipped (")
    assert "1 too old: send it again" in said
    assert "2 to a suppressed address" in said
    assert OutboxMessage.objects.given_up().count() == 3


def test_what_was_handed_over_stays_so(mailbox):
    mail()
    mailbox.letters()

    assert run_json("--all", "--given-up")["queued"] == 0
    assert OutboxMessage.objects.get().sent_at


def test_what_has_left_after_it_was_given_up_is_skipped_by_its_name():
    OutboxMessage.objects.filter(pk=given_up().pk).update(sent_at=timezone.now())

    assert run_json("--given-up")["skipped"] == {"sent": 1}


def test_a_rehearsal_changes_nothing():
    failing("alan@example.com")
    given_up("ada@example.com")
    before = list(OutboxMessage.objects.order_by("id").values())

    assert run("--all", "--given-up", "--dry-run") == "DRY RUN  2 queued, 0 skipped"
    assert list(OutboxMessage.objects.order_by("id").values()) == before


def test_a_limit_takes_the_oldest():
    for n in range(4):
        failing(f"guest{n}@example.com")

    assert run_json("--all", "--limit", "2")["queued"] == 2
    assert due() == {"guest0@example.com", "guest1@example.com"}
    assert run_json("--all", "--limit", "0")["queued"] == 0


@pytest.mark.django_db(transaction=True)
def test_a_mail_that_is_being_tried_is_left_alone_and_nobody_waits_for_it():
    busy = failing("busy@example.com")
    failing("free@example.com")
    given = {name: connection.settings_dict[key] for name, key in KEYS.items()}
    with psycopg.connect(**given) as worker:
        worker.execute("SELECT FROM outbox_outboxmessage WHERE id = %s FOR UPDATE", [busy.pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")

        done = run_json("--all")
        worker.execute("UPDATE outbox_outboxmessage SET sent_at = now() WHERE id = %s", [busy.pk])
    connection.close()

    assert (done["queued"], done["skipped"]) == (1, {"busy": 1})
    assert due() == {"free@example.com"}
    assert OutboxMessage.objects.get(pk=busy.pk).sent_at


KEYS = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER", "password": "PASSWORD"}


@pytest.mark.parametrize("wrong", [[], ["--limit", "5"], ["--dry-run"]])
def test_nothing_chosen_is_a_mistake(wrong):
    failing()

    with pytest.raises(CommandError) as stopped:
        run(*wrong)

    assert stopped.value.returncode == 2
    assert not due()


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize("more", [[], ["--given-up"], ["--all"]])
def test_no_address_is_a_mistake_and_not_everybodys(blank, more):
    failing("grace@example.com")
    given_up("ada@example.com")

    with pytest.raises(CommandError, match="--email has no address") as stopped:
        run("--email", blank, *more)

    assert stopped.value.returncode == 2
    assert not due()


def test_a_limit_that_cannot_be_meant_is_refused():
    with pytest.raises((CommandError, ArgumentError)):
        run("--all", "--limit", "-1")


def test_without_a_database_it_says_try_later():
    away = patch("outbox.management.commands.retry_mail.retry", side_effect=OperationalError("gone"))
    with away, pytest.raises(CommandError) as stopped:
        run("--all")

    assert stopped.value.returncode == 4
    assert "try again later" in str(stopped.value)
