"""Promise 5: mail is written in the transaction of its cause."""

import os
import secrets
import socket
from datetime import timedelta
from itertools import product
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.mail import EmailMessage
from django.db import DataError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invites.models import Invite, MagicLink
from outbox.mail.compose import compose
from outbox.models import OutboxMessage

pytestmark = pytest.mark.django_db


def test_a_request_writes_a_row_and_sends_nothing(client, tmp_path):
    client.post("/", {"email": "grace@example.com"})

    row = OutboxMessage.objects.get()
    assert (row.recipient, row.kind, row.attempts, row.sent_at) == ("grace@example.com", "link_new", 0, None)
    assert not list(tmp_path.rglob("*.eml"))


def test_the_request_that_causes_a_mail_stores_it_at_once_and_waits_for_no_network(client, settings, monkeypatch):
    settings.AMQP_URL = "amqp://127.0.0.1:5672/"
    parts = {urlsplit(os.environ[name]).port for name in ("DATABASE_URL", "REDIS_URL")}
    connect, others = socket.socket.connect, []

    def watched(self, address):
        if address[1] not in parts:
            others.append(address)
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    with CaptureQueriesContext(connection) as queries:
        client.post("/", {"email": "grace@example.com"})

    (statement,) = [query["sql"] for query in queries if "outbox_outbox" in query["sql"]]
    assert "INSERT INTO outbox_outboxmessage" in statement
    assert others == []


@pytest.mark.django_db(transaction=True)
def test_link_invite_and_mail_stand_or_fall_together(monkeypatch):
    monkeypatch.setattr(secrets, "token_hex", lambda _: "too long for its column" * 10)

    Client(raise_request_exception=False).post("/", {"email": "grace@example.com"})
    with pytest.raises(DataError):
        Invite.objects.issue("grace@example.com", source="admin")

    assert not MagicLink.objects.exists()
    assert not Invite.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_a_rolled_back_cause_leaves_no_mail():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        MagicLink.objects.issue("grace@example.com")
        raise ZeroDivisionError

    assert not OutboxMessage.objects.exists()


def test_any_mail_any_code_sends_goes_to_the_outbox_one_row_a_recipient():
    EmailMessage("Hello", "Text", to=["a@example.com", "b@example.com"], headers={"X-Kind": "test"}).send()

    assert [row.recipient for row in OutboxMessage.objects.order_by("id")] == ["a@example.com", "b@example.com"]
    assert compose(OutboxMessage.objects.first()).message()["X-Kind"] == "test"


def test_attachments_are_refused_and_not_lost():
    message = EmailMessage("Hello", "Text", to=["a@example.com"])
    message.attach("a.txt", "content")

    with pytest.raises(ValueError, match="no attachments"):
        message.send()


def test_every_try_carries_one_message_id_date_and_link():
    MagicLink.objects.issue("grace@example.com")

    first = compose(OutboxMessage.objects.get()).message()
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        second = compose(OutboxMessage.objects.get()).message()

    for header in ("Message-ID", "Date", "Subject"):
        assert first[header] == second[header]
    assert first.get_payload(0).get_payload() == second.get_payload(0).get_payload()


def test_every_mail_has_exactly_one_status():
    now = timezone.now()
    left = ({}, {"sent_at": now}, {"sent_at": now, "bounced_at": now})
    for n, (tried, what_left, given_up) in enumerate(product((0, 1), left, ({}, {"given_up_at": now}))):
        EmailMessage("Hello", "Text", to=[f"guest{n}@example.com"]).send()
        mail = OutboxMessage.objects.filter(recipient=f"guest{n}@example.com")
        mail.update(attempts=tried, **what_left, **given_up)

    for row in OutboxMessage.objects.all():
        assert [name for name in row.Status if OutboxMessage.objects.in_status(name).contains(row)] == [row.status]
