"""The return path: each mail leaves with an address of its own to come back to."""

from email import policy
from email.parser import BytesParser
from email.utils import formataddr, parseaddr

import pytest
from aiosmtpd.controller import Controller
from django.core.management import call_command

from invites.models import MagicLink
from outbox import verp
from outbox.mail.deliver import deliver_due
from outbox.models import OutboxMessage, Suppression

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"


class Sink:
    """A mail server that keeps what it takes, with its envelope, and may refuse senders."""

    def __init__(self):
        self.taken, self.refusal = [], ""

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        envelope.mail_from = address
        return self.refusal or "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.taken.append((envelope.mail_from, BytesParser(policy=policy.default).parsebytes(envelope.content)))
        return "250 taken"


@pytest.fixture
def smtp(settings, closed_port):
    sink = Sink()
    host, port = closed_port  # closed until the server starts there
    server = Controller(sink, hostname=host, port=port)
    server.start()
    options = {"host": host, "port": port, "timeout": 2}
    settings.MAILERS |= {"delivery": {"BACKEND": "outbox.mail.smtp.SmtpBackend", "OPTIONS": options}}
    yield sink
    server.stop()


def issue():
    MagicLink.objects.issue(EMAIL)
    return OutboxMessage.objects.get()


@pytest.mark.parametrize("name", ["Frontdoor", "Фронтдор", 'Front, "door" <x@y.example>'])
def test_the_envelope_has_the_return_path_and_people_see_the_sender(settings, smtp, name):
    settings.BOUNCE_ADDRESS = "bounces@mail.example"
    settings.DEFAULT_FROM_EMAIL = formataddr((name, "hello@testserver"))
    row = issue()

    deliver_due()

    ((envelope, letter),) = smtp.taken
    assert envelope == verp.return_path(row)
    assert envelope.startswith(f"bounces+{row.pk}-")
    assert letter["From"].addresses[0].display_name == name
    assert letter["From"].addresses[0].addr_spec == "hello@testserver"
    assert letter["Message-ID"].endswith("@testserver>")


def test_without_a_bounce_address_the_sender_is_the_return_path(smtp):
    issue()

    deliver_due()

    ((envelope, letter),) = smtp.taken
    assert envelope == parseaddr(str(letter["From"]))[1] == "hello@testserver"


def test_it_is_short_and_survives_servers_that_change_its_case(settings):
    settings.BOUNCE_ADDRESS = "Twenty.characters-it@example.com"
    row = OutboxMessage(pk=2**63 - 1)
    path = verp.return_path(row)

    assert len(path.partition("@")[0]) <= 64
    for changed in (path, path.upper(), path.lower(), f"Delivered-To: <{path}>, other@example.com"):
        assert verp.row_id(changed) == row.pk


def test_only_what_we_have_signed_is_ours(settings):
    settings.BOUNCE_ADDRESS = "bounces@example.com"
    path = verp.return_path(OutboxMessage(pk=7))
    signature = path.partition("-")[2].partition("@")[0]

    for forged in (
        path.replace("+7-", "+8-"),
        path.replace("@example.com", "@elsewhere.example"),
        path.replace(signature, signature[:-1]),
        path.replace(signature, "0" * len(signature)),
        path.replace("+7-", "+٧-"),
        f"bounces+{'9' * 5000}-{signature}@example.com",
        "bounces@example.com",
        "",
    ):
        assert verp.row_id(forged) is None, forged
    assert verp.row_id(f"bounces+8-{signature}@example.com, {path}") == 7
    settings.BOUNCE_ADDRESS = ""
    assert verp.row_id(path) is None


def test_what_was_sent_before_a_new_key_still_comes_back(settings):
    settings.BOUNCE_ADDRESS = "bounces@example.com"
    path = verp.return_path(OutboxMessage(pk=7))
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another-" * 10

    assert verp.row_id(path) is None
    settings.SECRET_KEY_FALLBACKS = [old]
    assert verp.row_id(path) == 7


def test_a_server_that_refuses_our_own_address_costs_nobody_their_mail(smtp):
    smtp.refusal = "550 5.1.0 Sender not allowed"
    row = issue()

    deliver_due()

    row.refresh_from_db()
    assert row.status == row.Status.GIVEN_UP
    assert row.last_answer == smtp.refusal
    assert not Suppression.objects.exists()
    smtp.refusal = ""
    call_command("retry_mail", "--given-up")
    deliver_due()
    assert len(smtp.taken) == 1
