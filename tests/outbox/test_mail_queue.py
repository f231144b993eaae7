"""mail_queue: what waits, for how long and why; and whether one address got its mail."""

import json
from datetime import timedelta
from io import StringIO
from unittest.mock import patch

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from invites.models import MagicLink
from outbox.models import OutboxEvent, OutboxMessage, Suppression, Webhook, WebhookDelivery

pytestmark = pytest.mark.django_db

GREYLISTED = "450 4.2.0 Greylisted"
NOW = timezone.now()


@pytest.fixture(autouse=True)
def still():
    """Stops the clock."""
    with time_machine.travel(NOW, tick=False):
        yield


def run(*options):
    out = StringIO()
    call_command("mail_queue", *options, stdout=out)
    return out.getvalue().strip()


def run_json(*options):
    return json.loads(run(*options, "--format", "json"))


def mail(email, **fields):
    MagicLink.objects.issue(email)
    row = OutboxMessage.objects.filter(recipient=email).latest("id")
    OutboxMessage.objects.filter(pk=row.pk).update(**fields)
    row.refresh_from_db()
    return row


@pytest.fixture
def outbox():
    """Stores one mail in each state, and some more that fail."""
    for n in range(2):
        mail(f"grey{n}@example.com").mark_failed(GREYLISTED)
    mail("full@example.com").mark_failed("452 4.2.2 Mailbox full")
    mail("dead@example.com").give_up("550 5.1.1 No such user")
    mail("back@example.com", sent_at=NOW - timedelta(hours=2), bounced_at=NOW)
    mail("there@example.com").mark_sent("250 taken")
    mail("new@example.com", created_at=NOW - timedelta(minutes=12))
    Suppression.objects.suppress("dead@example.com", "550 5.1.1 No such user")
    OutboxEvent.objects.bulk_create([OutboxEvent(name="user.created"), OutboxEvent(name="x", published_at=NOW)])
    hook = Webhook.objects.create(url="https://example.com/")
    WebhookDelivery.objects.bulk_create(WebhookDelivery(webhook=hook, delivered_at=at) for at in (None, NOW, None))


def test_the_queue_is_told_in_numbers(outbox):
    told = run_json()

    assert told == {
        "command": "mail_queue",
        "waiting": 4,
        "failing": 3,
        "due": 1,
        "given_up": 1,
        "bounced": 1,
        "sent_last_hour": 1,
        "oldest_at": (NOW - timedelta(minutes=12)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "oldest_seconds": 720,
        "late_seconds": 720,
        "late": True,
        "answers": [{"answer": GREYLISTED, "mails": 2}, {"answer": "452 4.2.2 Mailbox full", "mails": 1}],
        "events_waiting": 1,
        "webhooks_waiting": 2,
        "suppressed_addresses": 1,
        "broker": None,
    }


def test_the_queue_is_told_in_words(outbox):
    told = run()

    for line in [
        "waiting      4 (3 failing, 1 due now)",
        "oldest       0:12:00, since 20",
        "mail is      late: 0:12:00",
    ]:
        assert line in told
    assert "handed over  1 in the last hour" in told
    assert "webhooks     2 waiting" in told
    assert "suppressed   1 address\n" in told
    assert told.endswith("Failing with:\n       2  450 4.2.0 Greylisted\n       1  452 4.2.2 Mailbox full")
    assert "broker" not in told


def test_an_empty_queue_is_told_too():
    told = run_json()

    assert (told["waiting"], told["oldest_at"], told["oldest_seconds"], told["late"]) == (0, None, 0, False)
    assert "mail is      not late" in run()
    assert "Failing" not in run()


def test_only_the_five_most_frequent_answers_are_told():
    for n in range(6):
        for guest in range(n + 1):
            mail(f"{n}.{guest}@example.com").mark_failed(f"450 {n}")

    assert [row["answer"] for row in run_json()["answers"]] == ["450 5", "450 4", "450 3", "450 2", "450 1"]


@pytest.mark.parametrize(
    ("depths", "said"),
    [
        ({"ready": 1200, "dead": 3}, "broker       1,200 ready, 3 dead letters"),
        ({"ready": 0, "dead": 1}, "broker       0 ready, 1 dead letter"),
        ({"error": "Refused: 5672"}, "broker       away: Refused: 5672. Mail stays in the database until it is back."),
    ],
)
def test_the_broker_is_told_of_where_there_is_one(depths, said):
    with patch("outbox.stats.broker", return_value=depths):
        assert said in run()
        assert run_json()["broker"] == depths


def test_staff_see_what_became_of_the_mail_to_one_address():
    mail("grace@example.com").mark_sent("250 taken")
    mail("grace@example.com").mark_failed(GREYLISTED)
    mail("alan@example.com")

    told = run_json("--email", " Grace@example.com")

    newest, oldest = told["mails"]
    assert told["suppressed"] is None
    assert (newest["status"], newest["tries"], newest["last_answer"]) == ("tried", 1, GREYLISTED)
    assert newest["next_try_at"] > newest["created_at"]
    assert (oldest["status"], oldest["next_try_at"], oldest["last_answer"]) == ("sent", None, "250 taken")
    text = run("--email", "grace@example.com")
    assert "link_new  tried  1 try, next try 20" in text
    assert text.index(GREYLISTED) < text.index("250 taken")


def test_mail_that_the_broker_has_is_said_to_be_there():
    mail("grace@example.com").mark_published()
    mail("grace@example.com", attempts=2, published_at=NOW).mark_sent("250 taken")

    _sent, published = run_json("--email", "grace@example.com")["mails"]

    assert published["published_at"] == NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    left, waits = run("--email", "grace@example.com").splitlines()
    assert waits.endswith("queued  0 tries, with the broker")
    assert "sent  3 tries  250 taken" in left


def test_no_link_is_told():
    mail("grace@example.com")

    assert "token" not in run("--email", "grace@example.com") + run("--email", "grace@example.com", "--format", "json")


def test_an_address_that_is_not_mailed_any_more_is_explained():
    mail("dead@example.com").give_up("550 5.1.1 No such user")
    Suppression.objects.suppress("dead@example.com", "550 5.1.1 No such user")

    assert run("--email", "dead@example.com").startswith("Suppressed: mail to this address came back on")
    assert "given_up  1 try" in run("--email", "dead@example.com")


def test_the_twenty_newest_are_told_and_no_more():
    for _ in range(22):
        mail("grace@example.com")

    told = run_json("--email", "grace@example.com")["mails"]

    newest = OutboxMessage.objects.order_by("-id").values_list("message_id", flat=True)[:20]
    assert [row["message_id"] for row in told] == list(newest)


def test_an_address_without_mail_is_said_to_have_none():
    assert run("--email", "nobody@example.com") == "There is no mail to nobody@example.com."


@pytest.mark.parametrize("blank", ["", " "])
def test_no_address_is_a_mistake(blank):
    with pytest.raises(CommandError, match="--email has no address") as stopped:
        run("--email", blank)

    assert stopped.value.returncode == 2


def test_without_a_database_it_says_try_later():
    with patch("outbox.stats.outbox", side_effect=OperationalError("gone")), pytest.raises(CommandError) as stopped:
        run()

    assert stopped.value.returncode == 4
    assert "try again later" in str(stopped.value)


def test_a_broker_that_is_away_is_said_and_the_rest_is_told_all_the_same(settings, closed_port):
    settings.AMQP_URL = f"amqp://{closed_port[0]}:{closed_port[1]}"

    told = run_json()

    assert "Connection" in told["broker"]["error"]
    assert told["waiting"] == 0
