"""Delivery: one row locked, sent, marked, committed; whatever fails waits its turn."""

import re
from base64 import b64encode
from datetime import timedelta
from email import policy
from email.parser import BytesParser
from unittest.mock import patch

import pytest
from aiosmtpd.controller import Controller
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.db.models.sql.compiler import SQLCompiler, SQLUpdateCompiler
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invites import purposes
from invites.models import MagicLink
from kit import tokens
from outbox.mail.deliver import Deliverer, deliver_due
from outbox.models import OutboxMessage
from outbox.models.message import clean_refusal

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


class Sink:
    """A mail server that keeps what it takes, and may be told to refuse."""

    def __init__(self):
        self.taken, self.refusal, self.refused = [], "", set()

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.refusal and (not self.refused or address in self.refused):
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.taken.append(BytesParser(policy=policy.default).parsebytes(envelope.content))
        return "250 taken"


@pytest.fixture
def smtp(settings, closed_port):
    """A real mail server on loopback, where deliveries go."""
    sink = Sink()
    host, port = closed_port  # closed until the server starts there
    server = Controller(sink, hostname=host, port=port)
    server.start()
    smtp = {"BACKEND": "outbox.mail.smtp.SmtpBackend"}
    settings.MAILERS |= {"delivery": smtp | {"OPTIONS": {"host": host, "port": port, "timeout": 2}}}
    yield sink
    server.stop()


def test_a_mail_is_handed_over_once_and_its_row_forgets_the_link(smtp):
    MagicLink.objects.issue("grace@example.com")
    link = MagicLink.objects.get().pk.hex
    deliver_due()
    deliver_due()

    (mail,) = smtp.taken
    assert mail["To"] == "grace@example.com"
    row = OutboxMessage.objects.get()
    assert row.sent_at
    assert row.parts == {}
    assert link not in str(OutboxMessage.objects.values().get())


def test_a_delivery_takes_three_statements_that_django_composes_once(smtp):
    for name in ("grace", "alan", "ada"):
        MagicLink.objects.issue(f"{name}@example.com")
    worker, last = Deliverer(), OutboxMessage.objects.latest("pk").pk
    OutboxMessage.objects.filter(pk=last).update(published_at=timezone.now(), next_try_at=timezone.now() + DAY)
    worker.next()
    worker.try_one(0)

    with (
        CaptureQueriesContext(connection) as queries,
        patch.object(SQLCompiler, "as_sql", side_effect=AssertionError),
        patch.object(SQLUpdateCompiler, "as_sql", side_effect=AssertionError),
    ):
        worker.next()
        worker.try_one(last)
    worker.rest()

    said = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert [re.match(r"SELECT|UPDATE", sql)[0] for sql in said] == ["SELECT", "SELECT", "UPDATE"] * 2
    assert "FOR UPDATE SKIP LOCKED" in said[0]
    assert len(smtp.taken) == 3


def test_a_refused_mail_waits_longer_each_time_and_keeps_what_the_server_said(smtp):
    smtp.refusal = "450 4.2.0 Greylisted, try again"
    MagicLink.objects.issue("grace@example.com")

    pauses = []
    for _ in range(4):
        deliver_due()
        row = OutboxMessage.objects.get()
        pauses.append((row.next_try_at - timezone.now()).total_seconds())
        OutboxMessage.objects.update(next_try_at=timezone.now())

    assert row.attempts == 4
    assert "Greylisted" in row.last_answer
    for n, pause in enumerate(pauses):
        assert 0.75 * 10 * 2**n < pause < 1.25 * 10 * 2**n

    smtp.refusal = ""
    deliver_due()
    assert len(smtp.taken) == 1


def test_one_bad_mail_does_not_hold_up_the_others(smtp):
    smtp.refusal, smtp.refused = "550 5.1.1 No such user", {"first@example.com"}
    for name in ("first", "second", "third"):
        MagicLink.objects.issue(f"{name}@example.com")

    deliver_due()

    assert sorted(mail["To"] for mail in smtp.taken) == ["second@example.com", "third@example.com"]
    assert OutboxMessage.objects.get(sent_at=None).recipient == "first@example.com"


def test_a_mail_server_that_is_away_costs_nothing_but_time(settings, closed_port):
    options = {"host": closed_port[0], "port": closed_port[1], "timeout": 1}
    settings.MAILERS |= {
        "delivery": settings.MAILERS["delivery"] | {"BACKEND": "outbox.mail.smtp.SmtpBackend", "OPTIONS": options}
    }
    MagicLink.objects.issue("grace@example.com")

    deliver_due()

    row = OutboxMessage.objects.get()
    assert (row.attempts, row.sent_at) == (1, None)
    assert "refused" in row.last_answer
    assert row.parts


def test_a_crash_between_lock_and_commit_leaves_the_row_ready(smtp, monkeypatch):
    MagicLink.objects.issue("grace@example.com")
    monkeypatch.setattr(OutboxMessage, "mark_sent", lambda *_: (_ for _ in ()).throw(SystemExit))

    with pytest.raises(SystemExit), transaction.atomic():
        deliver_due()
    monkeypatch.undo()
    row = OutboxMessage.objects.get()
    assert (row.attempts, row.sent_at) == (0, None)


@pytest.mark.django_db(transaction=True)
def test_a_mail_whose_database_session_was_lost_waits_and_is_not_the_next_again(smtp):
    for name in ("grace", "alan"):
        MagicLink.objects.issue(f"{name}@example.com")

    def lose_session(*_):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    worker = Deliverer()
    with patch.object(OutboxMessage, "mark_sent", lose_session), pytest.raises(OperationalError):
        worker.next()
    worker.next()
    worker.rest()

    row = OutboxMessage.objects.get(recipient="grace@example.com")
    assert (row.attempts, row.sent_at) == (1, None)
    assert [mail["To"] for mail in smtp.taken] == ["grace@example.com", "alan@example.com"]


def test_the_longest_pause_is_about_an_hour(smtp):
    smtp.refusal = "450 4.2.0 not now"
    MagicLink.objects.issue("grace@example.com")
    OutboxMessage.objects.update(attempts=1000)

    deliver_due()

    pause = OutboxMessage.objects.get().next_try_at - timezone.now()
    assert timedelta(minutes=45) < pause < timedelta(minutes=75)


def test_the_command_empties_the_outbox_and_stops_when_told_once(smtp):
    for n in range(5):
        MagicLink.objects.issue(f"guest{n}@example.com")

    call_command("deliver_mail", "--once")

    assert len(smtp.taken) == 5


def test_without_a_database_the_command_says_try_later():
    away = patch("outbox.management.commands.deliver_mail.deliver_due", side_effect=OperationalError("gone"))

    with away, pytest.raises(CommandError, match="The database does not answer") as stopped:
        call_command("deliver_mail", "--once")

    assert stopped.value.returncode == 4


@pytest.mark.parametrize("secret", ["g_rxetqbIVkZCUZSewxorULGfXI", "AaAaAaAaAaAaAaAaAaAaAa", "0123456789abcdefghij"])
def test_what_looks_like_a_token_is_not_kept_though_it_has_no_digits(secret):
    assert clean_refusal(f"550 5.7.1 no: {secret}") == "550 5.7.1 no: …"


@pytest.mark.parametrize(
    "word",
    [
        "Donaudampfschifffahrtsgesellschaft",
        "RecipientAddressRejectedByPolicy",
        "SPAM-AND-VIRUS-FILTER-REJECTED",
        "unsolicited-mail-is-not-accepted",
    ],
)
def test_a_long_word_of_an_answer_is_kept(word):
    assert clean_refusal(f"550 5.7.1 no: {word}") == f"550 5.7.1 no: {word}"


@pytest.mark.parametrize(
    "quoted",
    [
        "http://testserver/signup?token={token} thank you",
        "http://testserver/signup?token%253D{token}",
        '{{"token": "{token}"}}',
        "token&#61;{token}",
        "just {token}",
        "{base64}",
    ],
)
def test_a_server_that_quotes_the_mail_leaves_no_link_behind(smtp, quoted):
    link = MagicLink.objects.issue("grace@example.com")
    token = tokens.sign(purposes.SIGNUP, link.pk)
    base64 = b64encode(f"http://testserver/signup?token={token}".encode()).decode()
    smtp.refusal = f"550 5.7.1 I will not take {quoted.format(token=token, base64=base64)}"

    deliver_due()

    answer = OutboxMessage.objects.get().last_answer
    assert answer.startswith("550 5.7.1 I will not take ")
    assert not [part for part in (*token.split("."), base64) if part[:20] in answer]


@pytest.mark.parametrize(("refusal", "told"), [("550 5.1.1 No such user", True), ("450 4.2.0 Try again", False)])
def test_whoever_asked_hears_of_a_mail_that_is_refused_for_good(smtp, monkeypatch, refusal, told):
    heard = []
    monkeypatch.setattr("outbox.models.message.UNDELIVERED", [heard.append])
    smtp.refusal = refusal
    MagicLink.objects.issue("first@example.com")

    deliver_due()

    assert heard == ([OutboxMessage.objects.get()] if told else [])
