"""Mail servers in trouble: mail that can arrive does, other mail shows its reason, and no mail waits for another."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from types import SimpleNamespace

import pytest
import time_machine
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

from invites.models import MagicLink
from outbox.mail.deliver import MAILS_PER_CONNECTION, deliver_due
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import UserFactory
from tests.tools.sink import Sink, Trouble, listening

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

TIMEOUT = 0.5  # seconds for each answer
STAGES = ("connect", "ehlo", "mail", "rcpt", "data", "dot")


@pytest.fixture
def deliver_to(settings):
    """A function that points deliveries at a port of this machine."""

    def point(port, **options):
        options = {"host": "127.0.0.1", "port": port, "timeout": TIMEOUT} | options
        settings.MAILERS |= {"delivery": {"BACKEND": "outbox.mail.smtp.SmtpBackend", "OPTIONS": options}}

    return point


@pytest.fixture
def smtp(deliver_to):
    """A mail server on loopback, where deliveries go."""
    sink = Sink()
    with listening(sink) as port:
        sink.port = port
        deliver_to(port)
        yield sink


def invite(*names):
    for name in names:
        MagicLink.objects.issue(f"{name}@example.com")


def row(name="grace"):
    return OutboxMessage.objects.get(recipient=f"{name}@example.com")


def arrived(smtp):
    return [mail.recipient.partition("@")[0] for mail in smtp.taken]


def later():
    """Makes all mail due again."""
    OutboxMessage.objects.update(next_try_at=timezone.now())


def only_for(name, answer):
    """Returns an unusual answer for the Sink that only mail to this name gets."""
    return lambda talk: answer if talk.recipient == f"{name}@example.com" else None


def once(answer):
    """Returns an unusual answer for the Sink that is given once; after that the usual one is."""
    answers = iter([answer])
    return lambda _talk: next(answers, None)


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
def test_a_final_refusal_gives_the_mail_up_at_once_with_its_reason(smtp, stage):
    smtp.says[stage] = "550 5.7.1 We do not want this"
    invite("grace")

    deliver_due()

    assert row().given_up_at
    assert (row().attempts, row().last_answer) == (1, "550 5.7.1 We do not want this")
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
def test_a_temporary_refusal_is_tried_again(smtp, stage):
    smtp.says[stage] = once("451 4.3.0 Try again later")
    invite("grace")

    deliver_due()
    assert (row().sent_at, row().given_up_at, row().last_answer) == (None, None, "451 4.3.0 Try again later")
    later()
    deliver_due()

    assert arrived(smtp) == ["grace"]
    assert row().attempts == 2


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("code", ["450", "550"])
def test_a_refused_mail_leaves_the_connection_to_the_next(smtp, stage, code):
    smtp.says[stage] = once(f"{code} {code[0]}.2.0 not this one")
    invite("ada", "grace", "alan")

    deliver_due()

    assert arrived(smtp) == ["grace", "alan"]
    assert smtp.connections == 1


def test_an_unknown_recipient_is_not_mailed_again(smtp):
    smtp.says["rcpt"] = "550 5.1.1 No such user"
    invite("grace")
    deliver_due()
    smtp.says.clear()

    invite("grace", "alan")
    deliver_due()

    assert arrived(smtp) == ["alan"]
    first, second = OutboxMessage.objects.filter(recipient="grace@example.com").order_by("id")
    assert first.given_up_at
    assert second.given_up_at
    assert "No such user" in second.last_answer
    assert smtp.said["rcpt"] == 2


def test_one_refusal_shuts_nobody_out_of_an_account(smtp):
    UserFactory(email="grace@example.com")
    smtp.says["rcpt"] = "550 5.1.1 No such user"
    MagicLink.objects.issue("grace@example.com")
    deliver_due()
    assert row().given_up_at
    assert not Suppression.objects.exists()

    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        MagicLink.objects.issue("grace@example.com")
        deliver_due()
    assert Suppression.objects.get().recipient == "grace@example.com"


@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        ("mail", "550 5.1.0 Sender rejected"),
        ("rcpt", "550 5.1.0 <hello@testserver>: Sender address rejected: User unknown in local recipient table"),
        ("rcpt", "554 5.7.1 Relay access denied"),
        ("rcpt", "550 5.0.0 Access denied"),
        ("rcpt", "550 5.1.1 Your network is on our block list"),
        ("rcpt", "550 5.2.1 The user is receiving mail at a rate that prevents more"),
        ("dot", "554 5.1.1 Your network is listed"),
    ],
)
def test_who_refuses_us_says_nothing_of_the_recipient(smtp, stage, answer):
    smtp.says[stage] = answer
    invite("grace")

    deliver_due()

    assert row().given_up_at
    assert not Suppression.objects.exists()


def test_a_greylisted_mail_is_tried_again(smtp):
    seen = set()

    def greylist(talk):
        known = talk.recipient in seen
        seen.add(talk.recipient)
        return None if known else "450 4.2.0 Greylisted"

    smtp.says["rcpt"] = greylist
    invite("ada", "grace")

    deliver_due()
    assert arrived(smtp) == []
    later()
    deliver_due()

    assert arrived(smtp) == ["ada", "grace"]


@pytest.mark.parametrize("trouble", [Trouble.HANG, Trouble.DROP])
@pytest.mark.parametrize("stage", STAGES)
def test_a_server_that_hangs_or_goes_costs_one_try_and_no_other_mail(smtp, stage, trouble):
    smtp.says[stage] = once(trouble)
    invite("ada", "grace")

    deliver_due()

    assert arrived(smtp) == ["grace"]
    assert (row("ada").attempts, row("ada").sent_at, row("ada").given_up_at) == (1, None, None)
    assert "closed" in row("ada").last_answer
    later()
    deliver_due()
    assert arrived(smtp) == ["grace", "ada"]


@pytest.mark.parametrize("stage", ["connect", "mail", "dot"])
def test_a_server_that_drips_is_left(smtp, stage, monkeypatch):
    monkeypatch.setattr("outbox.mail.smtp.LONGEST", TIMEOUT)
    smtp.says[stage] = once(Trouble.DRIP)
    invite("ada", "grace")

    deliver_due()

    assert arrived(smtp)[-1] == "grace"
    assert (row("ada").attempts, row("ada").sent_at, row("ada").given_up_at) == (1, None, None)
    assert "closed" in row("ada").last_answer


def test_a_server_whose_answer_has_no_end_is_left(smtp):
    smtp.says["rcpt"] = once(Trouble.FLOOD)
    invite("ada", "grace")

    deliver_due()

    assert arrived(smtp) == ["grace"]
    assert (row("ada").attempts, row("ada").sent_at, row("ada").given_up_at) == (1, None, None)
    assert "no end" in row("ada").last_answer


def test_all_the_addresses_of_a_server_get_no_longer_than_one_mail(deliver_to, monkeypatch):
    clock, waits = [1000.0], []

    def silent(address, timeout, _source):
        waits.append(timeout)
        clock[0] += timeout
        raise TimeoutError("timed out")

    monkeypatch.setattr("outbox.mail.smtp.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (f"127.0.0.{n}", 25)) for n in range(9)])
    monkeypatch.setattr("socket.create_connection", silent)
    deliver_to(25, host="many.example", timeout=10)
    invite("grace")

    deliver_due()

    assert waits == [10, 10, 10]
    assert (row().attempts, row().given_up_at) == (1, None)


def test_a_server_is_asked_at_its_next_address_when_one_is_closed(smtp, deliver_to, monkeypatch):
    addresses = [(0, 0, 0, "", (address, 25)) for address in ("127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: addresses)
    connect = socket.create_connection

    def some(address, *args):
        if address[0] == "127.0.0.2":
            raise ConnectionRefusedError
        monkeypatch.undo()
        return connect(address, *args)

    monkeypatch.setattr("socket.create_connection", some)
    invite("grace")

    deliver_due()

    assert arrived(smtp) == ["grace"]


def test_a_server_that_never_says_goodbye_is_left(smtp):
    smtp.says["quit"] = Trouble.HANG
    invite("ada", "grace")

    deliver_due()

    assert arrived(smtp) == ["ada", "grace"]
    assert OutboxMessage.objects.exclude(sent_at=None).count() == 2


def test_a_mail_whose_250_got_lost_comes_again_as_the_same_mail(smtp):
    smtp.says["taken"] = once(Trouble.DROP)
    invite("grace")

    deliver_due()
    later()
    deliver_due()

    first, second = smtp.taken
    assert first == second
    assert "/signup?token=" in first.link
    assert row().sent_at


@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        ("connect", "554 5.3.2 No service here today"),
        ("auth", "535 5.7.8 Wrong password"),
        ("mail", "530 5.7.0 Authentication required"),
        ("mail", "503 5.5.1 Bad sequence of commands"),
        *[(stage, "421 4.3.2 Shutting down") for stage in STAGES if stage != "ehlo"],
    ],
)
def test_what_is_about_our_connection_waits_and_is_not_given_up(smtp, deliver_to, stage, answer):
    deliver_to(smtp.port, username="frontdoor", password="wrong")
    smtp.says[stage] = answer
    invite("grace")

    deliver_due()
    assert (row().sent_at, row().given_up_at) == (None, None)
    assert row().last_answer.endswith(answer)
    smtp.says.clear()
    later()
    deliver_due()

    assert arrived(smtp) == ["grace"]


def test_a_server_that_hangs_up_after_some_mails_gets_all_of_them(smtp):
    smtp.says["mail"] = lambda talk: "421 4.7.0 Too many mails" if talk.carried == 2 else None
    invite("a", "b", "c", "d", "e")

    deliver_due()
    later()
    deliver_due()

    assert sorted(arrived(smtp)) == ["a", "b", "c", "d", "e"]


def test_one_connection_carries_many_mails_but_not_all(smtp, monkeypatch):
    monkeypatch.setattr("outbox.mail.deliver.MAILS_PER_CONNECTION", 3)
    invite("a", "b", "c", "d", "e", "f", "g")

    deliver_due()

    assert len(smtp.taken) == 7
    assert smtp.connections == 3
    assert smtp.said["quit"] == 3
    assert MAILS_PER_CONNECTION == 100


def test_the_connection_after_one_that_was_lost_carries_as_many(smtp, monkeypatch):
    monkeypatch.setattr("outbox.mail.deliver.MAILS_PER_CONNECTION", 3)
    smtp.says["rcpt"] = only_for("c", Trouble.DROP)
    invite("a", "b", "c", "d", "e", "f")

    deliver_due()

    assert arrived(smtp) == ["a", "b", "d", "e", "f"]
    assert smtp.connections == 2


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
def test_after_a_bad_sequence_of_commands_the_next_mail_has_a_connection_of_its_own(smtp, stage):
    smtp.says[stage] = once("503 5.5.1 Bad sequence of commands")
    invite("ada", "grace")

    deliver_due()

    assert arrived(smtp) == ["grace"]
    assert smtp.connections == 2


def test_each_mail_on_a_connection_has_the_time_of_a_mail(smtp, monkeypatch):
    now = [1000.0]

    def slow(_talk):
        now[0] += 20

    for module in ("outbox.mail.smtp", "outbox.mail.bounded_reading"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(monotonic=lambda: now[0]))
    smtp.says["dot"] = slow
    invite("ada", "grace", "alan")

    deliver_due()

    assert arrived(smtp) == ["ada", "grace", "alan"]
    assert smtp.connections == 1


def test_what_has_waited_longest_leaves_first(smtp):
    invite("ada", "grace")
    for minutes, name in enumerate(("ada", "grace"), 1):
        ago = timezone.now() - timedelta(minutes=minutes)
        OutboxMessage.objects.filter(pk=row(name).pk).update(next_try_at=ago)

    deliver_due()

    assert arrived(smtp) == ["grace", "ada"]


def test_mails_that_fail_together_are_not_tried_again_together(smtp):
    smtp.says["rcpt"] = "450 4.2.0 Greylisted"
    invite("a", "b", "c", "d", "e")

    with time_machine.travel(timezone.now(), tick=False):
        deliver_due()

    assert len(set(OutboxMessage.objects.values_list("next_try_at", flat=True))) > 1


def test_a_mail_that_fails_for_too_long_is_given_up_with_its_last_answer(smtp):
    smtp.says["rcpt"] = "450 4.2.2 Mailbox full"
    invite("grace")

    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=-1), tick=False):
        deliver_due()
        assert row().given_up_at is None
    with time_machine.travel(timezone.now() + timedelta(days=3, hours=2), tick=False):
        deliver_due()
        deliver_due()

    assert row().given_up_at
    assert (row().attempts, row().last_answer) == (2, "450 4.2.2 Mailbox full")
    assert smtp.taken == []


def test_the_answer_of_the_server_that_took_a_mail_is_stored(smtp):
    invite("grace")

    deliver_due()

    assert row().last_answer == "250 2.0.0 queued as 1"


def test_a_suppressed_address_is_never_mailed(smtp):
    Suppression.objects.suppress("grace@example.com", "550 5.1.1 No such user")
    invite("grace")

    deliver_due()

    assert smtp.connections == 0
    assert row().given_up_at
    assert row().last_answer.startswith("Not sent: ")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for this machine that nobody else has signed."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sink")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = tmp_path_factory.mktemp("tls") / "sink.pem"
    path.write_bytes(key.private_bytes(pem, secret, serialization.NoEncryption()) + certificate.public_bytes(pem))
    return path


@pytest.fixture(params=["use_tls", "use_ssl"])
def safe_smtp(request, certificate, deliver_to):
    """A mail server that speaks TLS: after STARTTLS, or from the first byte."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    sink = Sink(tls)
    with listening(sink, tls=tls if request.param == "use_ssl" else None) as port:
        deliver_to(port, username="frontdoor", password="right", **{request.param: True})
        yield sink


def test_mail_goes_over_tls(safe_smtp, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    invite("ada", "grace")

    deliver_due()

    assert arrived(safe_smtp) == ["ada", "grace"]
    assert (safe_smtp.connections, safe_smtp.said["auth"]) == (1, 1)


def test_a_server_with_somebody_elses_certificate_gets_neither_password_nor_mail(safe_smtp):
    invite("grace")

    deliver_due()

    assert safe_smtp.said["auth"] == safe_smtp.said["mail"] == 0
    assert row().given_up_at is None
    assert "certificate" in row().last_answer
