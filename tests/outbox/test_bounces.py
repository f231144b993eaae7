"""Mail that comes back: marked once, its address left alone; nothing that a stranger makes up marks anything."""

import io
import json
import os
import secrets
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.feedparser import FeedParser
from email.message import Message
from types import SimpleNamespace

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st

from invites.models import MagicLink
from outbox import verp
from outbox.bounces.parts import LONGEST, LONGEST_HEAD
from outbox.bounces.receive import Outcome, receive
from outbox.mail.deliver import deliver_due
from outbox.models import OutboxMessage, Suppression
from tests.faults.parts import wait_until
from tests.outbox.reports import EXCHANGE, GMAIL, POSTFIX, STYLES, report

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

EMAIL = "grace@example.com"


@pytest.fixture(autouse=True)
def bounce_address(settings):
    settings.BOUNCE_ADDRESS = "bounces@site.example"


@pytest.fixture
def mail(mailbox):
    """A mail that was handed over to a server."""
    return handed_over()


def handed_over(email=EMAIL):
    MagicLink.objects.issue(email)
    deliver_due()
    return OutboxMessage.objects.get(recipient=email)


def back(mail, *changes, style=POSTFIX):
    return report(verp.return_path(mail), mail.recipient, *changes, style=style)


def status(mail):
    return OutboxMessage.objects.get(pk=mail.pk).status


def run(path, **options):
    """Runs receive_bounces; returns what it printed, and its exit code."""
    out = io.StringIO()
    try:
        call_command("receive_bounces", str(path), stdout=out, stderr=io.StringIO(), format="json", **options)
    except CommandError as error:
        return out.getvalue() and json.loads(out.getvalue()), error.returncode
    return json.loads(out.getvalue()), 0


@pytest.fixture
def maildir(tmp_path):
    for name in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / name).mkdir(parents=True)
    return tmp_path / "Maildir"


def names(folder):
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("style", STYLES)
def test_a_mail_that_came_back_says_so_and_its_address_is_left_alone(mail, tmp_path, mailbox, style):
    file = tmp_path / "bounce.eml"
    file.write_bytes(back(mail, style=STYLES[style]))

    counts, code = run(file)

    assert (counts["bounced"], code) == (1, 0)
    mail.refresh_from_db()
    assert mail.status == mail.Status.BOUNCED
    said = {
        "postfix": f"550 5.1.1 <{EMAIL}>: Recipient address rejected: User unknown in virtual mailbox table",
        "exchange": "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        "gmail": "5.4.4 DNS Error: DNS type 'mx' lookup of example.com responded with code NXDOMAIN Domain name not "
        "found: example.com",
    }[style]
    assert mail.last_answer == Suppression.objects.get().reason == said
    MagicLink.objects.issue(EMAIL)
    assert len(mailbox.letters(EMAIL)) == 1
    assert OutboxMessage.objects.order_by("id").last().status == "given_up"


def test_the_same_report_again_changes_nothing(mail):
    assert receive(back(mail)) == Outcome.BOUNCED
    Suppression.objects.get().lift()
    before = OutboxMessage.objects.values().get()

    assert receive(back(mail, ("5.1.1", "5.1.2"))) == Outcome.REPEATED
    assert OutboxMessage.objects.values().get() == before
    assert not Suppression.objects.exists()


UNKNOWN = f"550 5.1.1 <{EMAIL}>: Recipient address rejected: User\n    unknown in virtual mailbox table"


@pytest.mark.parametrize(
    ("status_code", "answer"),
    [
        ("5.2.2", "550 5.2.2 Mailbox full"),
        ("5.0.0", "550 DMARC check failed"),
        ("5.1.1", "550 5.7.1 IP address blacklisted by recipient"),
        ("5.2.1", "550-5.2.1 The user you are trying to contact is receiving mail at a rate that prevents more"),
        ("5.0.0", "552 Too many recipients"),
        ("5.4.4", "554 5.7.1 Relay access denied"),
        ("5.1.0", "550 5.1.0 Address rejected"),
        ("5.1.1", "550 Requested action not taken"),
        ("4.4.1", "connect to mx.example.com: Connection timed out"),
        ("4.4.7", "450 4.1.1 User unknown"),
    ],
)
def test_what_is_not_said_of_the_address_itself_suppresses_nothing(mail, status_code, answer):
    changes = ("Status: 5.1.1", f"Status: {status_code}"), (UNKNOWN, answer)

    assert receive(back(mail, *changes)) == Outcome.BOUNCED
    assert status(mail) == "bounced"
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    "changes",
    [
        [("Action: failed", "Action: delayed"), ("Status: 5.1.1", "Status: 4.4.1")],
        [("Action: failed", "Action: delayed")],
        [("Action: failed", "Action: delivered"), ("Status: 5.1.1", "Status: 2.0.0")],
        [("Action: failed", "Action: relayed"), ("Status: 5.1.1", "Status: 2.1.9")],
        [("Action: failed", "Action: expanded")],
        [("Action: failed", "Action: retrying"), ("Status: 5.1.1", "Status: 4.2.2")],
    ],
)
def test_what_is_not_final_marks_nothing(mail, changes):
    assert receive(back(mail, *changes)) == Outcome.NOT_FINAL
    assert status(mail) == "sent"


def test_a_mail_that_was_sent_on_and_died_there_says_nothing_of_its_own_address(mail):
    changes = (f"rfc822; {EMAIL}", "rfc822; grace@old.example"), (f"rfc822;{EMAIL}", "rfc822;list@old.example")

    assert receive(back(mail, *changes)) == Outcome.BOUNCED
    assert not Suppression.objects.exists()


QMAIL = """\
Return-Path: <>
Delivered-To: TO
From: MAILER-DAEMON@mx.example.com
Subject: failure notice

Hi. This is the qmail-send program at mx.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.

<EMAIL>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

Return-Path: <TO>
"""
COMPLAINT = """\
From: feedback@example.com
To: TO
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: text/plain

This is an abuse report for a message that could not be delivered.

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Example/1.0
Version: 1

--b--
"""


def test_a_report_in_words_alone_marks_its_mail_and_suppresses_the_address(mail, maildir):
    (maildir / "new" / "1.host").write_bytes(back(mail, style=QMAIL))

    counts, code = run(maildir)

    assert (counts["bounced"], code) == (1, 0)
    assert names(maildir / "cur") == ["1.host:2,S"]
    assert status(mail) == "bounced"
    assert "no mailbox here by that name" in Suppression.objects.get().reason


def test_a_report_in_words_about_another_address_suppresses_nothing(mail):
    assert receive(back(mail, (f"<{EMAIL}>", "<grace@old.example>"), style=QMAIL)) == Outcome.BOUNCED
    assert not Suppression.objects.exists()


def test_a_complaint_is_a_wish_and_somebody_hears_of_it(mail, maildir, mailbox):
    (maildir / "new" / "1.host").write_bytes(back(mail, style=COMPLAINT))

    counts, code = run(maildir)

    assert (counts["complaint"], counts["bounced"], code) == (1, 0, 0)
    assert names(maildir / "cur") == ["1.host:2,FS"]
    assert status(mail) == "sent"
    assert "unwanted" in OutboxMessage.objects.get().last_answer
    assert Suppression.objects.has_opted_out(EMAIL)


def test_a_complaint_cuts_nobody_off_from_their_account(ada, mail):
    OutboxMessage.objects.update(recipient=ada.email)
    mail.refresh_from_db()

    assert receive(back(mail, style=COMPLAINT)) == Outcome.COMPLAINT
    assert not Suppression.objects.exists()


def test_one_report_shuts_off_no_address_of_an_account_and_a_second_does_a_day_later(ada, mailbox):
    first, second, third = handed_over(ada.email), *(to_ada(ada) for _ in range(2))

    assert receive(back(first)) == Outcome.BOUNCED
    assert receive(back(second)) == Outcome.BOUNCED  # a server that has lost its users bounces all mail of an hour
    assert receive(back(first)) == Outcome.REPEATED
    assert (status(first), Suppression.objects.exists()) == ("bounced", False)

    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert receive(back(second)) == Outcome.REPEATED
        assert not Suppression.objects.exists()
        assert receive(back(third)) == Outcome.BOUNCED
        assert Suppression.objects.get().recipient == ada.email


def test_reports_from_before_an_address_was_lifted_no_longer_count(ada, mailbox):
    first, second, third = handed_over(ada.email), *(to_ada(ada) for _ in range(2))
    receive(back(first))
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        receive(back(second))
        Suppression.objects.all().lift()

        assert receive(back(third)) == Outcome.BOUNCED
        assert not Suppression.objects.exists()


def test_an_address_that_gets_no_account_is_shut_off_by_one_report_as_before(ada, mail):
    assert receive(back(mail)) == Outcome.BOUNCED
    assert Suppression.objects.get().recipient == EMAIL


def to_ada(ada):
    MagicLink.objects.issue(ada.email)
    deliver_due()
    return OutboxMessage.objects.filter(recipient=ada.email).latest("id")


def blocks(**actions):
    """Returns the blocks of a report on a mail that was forwarded to several people, by name and action."""
    status = {"failed": "5.1.1", "delivered": "2.0.0"}
    return "\n".join(
        f"Final-Recipient: rfc822; {name}@example.com\nAction: {action}\nStatus: {status[action]}\n"
        for name, action in actions.items()
    )


@pytest.mark.parametrize(
    ("actions", "outcome"),
    [
        ({"alan": "failed", "grace": "delivered"}, Outcome.NOT_FINAL),
        ({"alan": "delivered", "grace": "failed"}, Outcome.BOUNCED),
        ({"alan": "delivered", "ada": "failed"}, Outcome.NOT_FINAL),
        ({"alan": "failed", "ada": "failed"}, Outcome.BOUNCED),
    ],
)
def test_of_several_recipients_ours_counts_or_all(mail, actions, outcome):
    several = back(mail)[: back(mail).index(b"Final-Recipient")] + blocks(**actions).encode()

    assert receive(several) == outcome
    assert Suppression.objects.exists() == (actions.get("grace") == "failed")


@pytest.mark.parametrize("header", ["Delivered-To", "X-Original-To", "Envelope-To", "To"])
def test_any_header_of_the_envelope_leads_to_the_mail(mail, header):
    to = verp.return_path(mail)
    body = back(mail, style=EXCHANGE).partition(b"Content-Type: multipart")
    head = f"To: postmaster@site.example\r\n{header}: Bounces <{to.upper()}>\r\n".encode()

    assert receive(head + body[1] + body[2]) == Outcome.BOUNCED


def test_a_return_path_that_is_only_quoted_leads_nowhere(mail):
    _head, _, body = back(mail).partition(b"MIME-Version")
    assert b"Return-Path: <bounces+" in body

    assert receive(b"To: bounces@site.example\nMIME-Version" + body) == Outcome.OTHER
    assert status(mail) == "sent"


def test_nobody_can_bounce_another_mail_than_their_own(mail):
    other = handed_over("alan@example.com")
    theirs = verp.return_path(mail).replace(f"+{mail.pk}-", f"+{other.pk}-")

    assert receive(report(theirs, other.recipient)) == Outcome.OTHER
    assert receive(back(mail, (f"; {EMAIL}", "; alan@example.com"))) == Outcome.BOUNCED
    assert status(other) == "sent"
    assert not Suppression.objects.filter(recipient="alan@example.com").exists()


def test_a_mail_that_is_not_handed_over_or_pruned_is_unknown(mailbox):
    MagicLink.objects.issue(EMAIL)
    mail = OutboxMessage.objects.get()
    came_back = back(mail)

    assert receive(came_back) == Outcome.UNKNOWN
    assert status(mail) == "queued"
    mail.delete()
    assert receive(came_back) == Outcome.UNKNOWN
    assert not Suppression.objects.exists()


def test_no_link_that_a_server_quotes_is_kept(mail, caplog):
    quoted = "No such user: http://testserver/signup?token=\n   secret.signa\n   ture"

    receive(back(mail, ("Recipient address rejected: User\n    unknown in virtual mailbox table", quoted)))

    mail.refresh_from_db()
    for kept in (mail.last_answer, Suppression.objects.get().reason, caplog.text):
        assert "secret" not in kept
        assert "ture" not in kept
    assert "token=…" in mail.last_answer


def test_the_log_names_the_mail_and_not_the_address(mail, caplog):
    receive(back(mail))

    (line,) = [record.getMessage() for record in caplog.records]
    assert line == f"mail {mail.message_id} came back: 5.1.1"


INNER = (
    "--4XYZ12.1793700000/mx.site.example\nContent-Type: multipart/report; boundary=inner\n\n--inner\n"
    "Content-Description: Delivery"
)
# Takes away all words of failure outside the fields.
NO_WORDS = (
    ("Undelivered Mail Returned to Sender", "News"),
    ("I'm sorry to have to inform you", "Hello"),
    ("Diagnostic-Code: smtp; 550 5.1.1", "Diagnostic-Code: smtp; "),
)
NOT_SPAM = ("Reporting-MTA: dns", "Feedback-Type: virus\nReporting-MTA: dns")
CHANGED = {
    "a temporary status": [("Status: 5.1.1", "Status: 4.4.7")],
    "no action": [("Action: failed\n", "")],
    "no status": [("Status: 5.1.1\n", "")],
    "a status that is none": [("Status: 5.1.1", "Status: 5.x.1")],
    "no kind of report": [("report-type=delivery-status;", "")],
    "no report": [("multipart/report", "multipart/mixed")],
    "another boundary": [('boundary="4XYZ12', 'boundary="other')],
    "no boundary": [('\tboundary="4XYZ12.1793700000/mx.site.example"\n', "")],
    "an odd charset": [('\tboundary="4XYZ12', "\tboundary*=\x00'en'4XYZ12")],
    "a report within a mail": [
        ("multipart/report; report-type=delivery-status;", "multipart/mixed; a=b;"),
        ("--4XYZ12.1793700000/mx.site.example\nContent-Description: Delivery", INNER),
    ],
    "fields among the words": [("Content-Type: message/delivery-status", "Content-Type: text/plain")],
}


@pytest.mark.parametrize("why", CHANGED)
def test_the_fields_of_a_report_count_wherever_they_stand(mail, why):
    assert receive(back(mail, *CHANGED[why])) == Outcome.BOUNCED
    assert status(mail) == "bounced"


MALFORMED = {
    "no action and no status": [("Action: failed\n", ""), ("Status: 5.1.1\n", ""), *NO_WORDS],
    "another class": [("Action: failed\n", ""), ("Status: 5.1.1", "Status: 9.1.1"), *NO_WORDS],
    "no recipient": [("Final-Recipient", "X-Final"), ("Original-Recipient", "X-Original"), *NO_WORDS],
    "no fields": [("Content-Type: message/delivery-status", "Content-Type: image/png"), *NO_WORDS],
    "nothing that we know of": [("message/delivery-status", "message/feedback-report"), *NO_WORDS, NOT_SPAM],
}


@pytest.mark.parametrize("why", MALFORMED)
def test_a_malformed_report_marks_nothing_and_is_kept_for_somebody_to_read(mail, maildir, why):
    (maildir / "new" / "1.host").write_bytes(back(mail, *MALFORMED[why]))

    counts, code = run(maildir)

    assert (counts["unreadable"], code) == (1, 3)
    assert names(maildir / "cur") == ["1.host:2,FS"]
    assert status(mail) == "sent"


@pytest.mark.parametrize(
    "head",
    [
        "X-Autoreply: yes",
        "Precedence: auto_reply",
        "Auto-Submitted: auto-generated",
        "Return-Path: <>\nX-Autorespond: y",
    ],
)
def test_holidays_are_passed_over_without_a_flag(mail, maildir, head):
    (maildir / "new" / "1.host").write_bytes(f"To: {verp.return_path(mail)}\n{head}\n\nI am away".encode())

    counts, code = run(maildir)

    assert (counts["other_mail"], code) == (1, 0)
    assert names(maildir / "cur") == ["1.host:2,S"]
    assert status(mail) == "sent"


def test_an_automatic_answer_that_a_server_signs_is_kept_for_somebody_to_read(mail, maildir):
    head = (
        f"From: mailer-daemon@example.com\nReturn-Path: <>\nTo: {verp.return_path(mail)}\nAuto-Submitted: auto-replied"
    )
    (maildir / "new" / "1.host").write_bytes(f"{head}\n\nHm.".encode())

    assert run(maildir)[1] == 3
    assert names(maildir / "cur") == ["1.host:2,FS"]


def test_holidays_and_strangers_are_not_reported(mail):
    reply = f"To: {verp.return_path(mail)}\nAuto-Submitted: auto-replied (vacation)\n\nI am away".encode()

    assert receive(reply) == Outcome.OTHER
    assert receive(b"To: bounces@site.example\n\nBuy now!") == Outcome.OTHER
    assert receive(b"") == Outcome.OTHER


@how(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=400), at=st.integers(0, 3000), style=st.sampled_from(list(STYLES.values())))
def test_no_noise_in_a_report_raises(mail, noise, at, style):
    """Noise in a part that is not read leaves the report valid, so any outcome is right."""
    whole = back(mail, style=style)

    assert receive(whole[:at] + noise + whole[at + len(noise) :]) in Outcome
    assert receive(noise) == Outcome.OTHER


@how(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.binary(max_size=60), name=st.sampled_from(["Status: ", "Action: ", "Final-Recipient: ", "smtp; "]))
def test_no_value_of_a_field_raises_or_cannot_be_stored(mail, value, name):
    OutboxMessage.objects.update(bounced_at=None)
    whole = back(mail)

    assert receive(whole.replace(name.encode(), name.encode() + value)) in Outcome


def test_what_is_huge_or_deeply_nested_costs_little(mail):
    nested = (
        b"".join(
            b"Content-Type: multipart/report; report-type=delivery-status; boundary=b%d\n\n--b%d\n" % (n, n)
            for n in range(900)
        )
        + b"x\n" * LONGEST
    )
    to = f"To: {verp.return_path(mail)}\n".encode()

    assert receive(to + nested) == Outcome.UNREADABLE
    assert receive(to + secrets.token_bytes(2 * LONGEST)) == Outcome.UNREADABLE
    assert receive(back(mail) + b"x" * 2 * LONGEST) == Outcome.BOUNCED


PARAMETERS = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b"
MADE_UP = {
    "parameters without end": b"Content-Type: multipart/report" + b";" * LONGEST,
    "a quote that is never closed": PARAMETERS + b'; a="' + b";" * LONGEST,
    "a charset that is slow": PARAMETERS + b"; charset=punycode\n\n\xff-" + b"a" * LONGEST,
    "a parameter that no int can count": PARAMETERS + b"; boundary*" + b"9" * 5000 + b"=x\n\nx",
    "numbered parameters": PARAMETERS + b"".join(b"; boundary*%d=x" % n for n in range(70_000)),
    "headers without end": b"a:\n" * (LONGEST // 3),
    "addressees without end": b"To: x\n" * (LONGEST // 6),
    "a header that is folded without end": b"Content-Type: a\n" + b" b\n" * (LONGEST // 3),
    "no ascii": b"To: " + b"\xff" * LONGEST,
    "a head within": PARAMETERS + b"\n\n--b\n" + b"a:\n" * (LONGEST // 3),
    "parts without end": PARAMETERS + b"\n" + (b"\n--b\n" + b"a:\n" * 30_000) * 12,
    "a status without end": PARAMETERS + b"\n\n--b\nContent-Type: message/delivery-status\n\n" + b"a:\n" * LONGEST,
}


@pytest.fixture
def parsed(monkeypatch):
    """The `characters` that the standard parser was given, and the names of its `slow` parts that were called."""
    seen = SimpleNamespace(characters=0, slow=[])
    feed = FeedParser.feed

    def counted(parser, data):
        seen.characters += len(data)
        feed(parser, data)

    def asked(name):
        def ask(*_args, **_kwargs):
            seen.slow.append(name)
            raise ValueError(name)

        return ask

    monkeypatch.setattr(FeedParser, "feed", counted)
    for name in ("get_payload", "get_params", "get_param", "get_boundary", "get_content_charset"):
        monkeypatch.setattr(Message, name, asked(name))
    return seen


@pytest.mark.parametrize("why", MADE_UP)
def test_what_nobody_has_signed_is_not_looked_into(why, parsed, tmp_path):
    file = tmp_path / "bounce.eml"
    file.write_bytes(b"To: bounces+1-0123456789abcdef0123@site.example\n" + MADE_UP[why])

    counts, code = run(file)

    assert (counts["other_mail"], code) == (1, 0)
    assert parsed.characters <= LONGEST_HEAD
    assert parsed.slow == []


@pytest.mark.parametrize("why", MADE_UP)
def test_what_is_made_up_on_purpose_costs_no_more_when_it_is_signed(mail, why, parsed):
    outcome = receive(f"To: {verp.return_path(mail)}\n".encode() + MADE_UP[why])

    assert outcome == Outcome.UNREADABLE
    assert parsed.characters <= LONGEST_HEAD
    assert parsed.slow == []


def test_only_the_beginning_of_a_long_head_counts(mail):
    assert receive(b"X-Spam: " + b"x" * LONGEST_HEAD + b"\n" + back(mail)) == Outcome.OTHER
    assert receive(b"X-Spam: " + b"x" * (LONGEST_HEAD - 2000) + b"\n" + back(mail)) == Outcome.BOUNCED


def test_the_last_mail_to_a_deleted_account_suppresses_no_address(ada, mailbox):
    ada.erase()
    deliver_due()
    mail = OutboxMessage.objects.get(recipient="ada@example.com")

    assert receive(back(mail)) == Outcome.BOUNCED
    assert status(mail) == "bounced"
    assert not Suppression.objects.exists()


def test_a_maildir_is_read_once_and_what_was_seen_is_left_alone(mail, maildir):
    (maildir / "new" / "1.host").write_bytes(back(mail))
    (maildir / "new" / "2.host").write_bytes(b"To: bounces@site.example\n\nBuy now!")
    (maildir / "cur" / "0.host:2,R").write_bytes(back(mail))
    (maildir / "cur" / "3.host:2,S").write_bytes(back(mail))
    (maildir / "new" / ".hidden").write_bytes(back(mail))

    counts, code = run(maildir)

    assert code == 0
    assert counts == {
        "command": "receive_bounces",
        "bounced": 1,
        "repeated": 1,
        "not_final": 0,
        "complaint": 0,
        "unknown": 0,
        "other_mail": 1,
        "unreadable": 0,
    }
    assert names(maildir / "new") == [".hidden"]
    assert names(maildir / "cur") == ["0.host:2,RS", "1.host:2,S", "2.host:2,S", "3.host:2,S"]
    assert sum(n for n in run(maildir)[0].values() if isinstance(n, int)) == 0


def test_the_oldest_is_read_first_and_what_is_no_file_is_not_read(mail, maildir, monkeypatch):
    for n in (3, 1, 2, 9, 7, 8):
        (maildir / "new" / f"{n}.host").write_bytes(b"%d" % n)
    (maildir / "cur" / "0.host:2,S").write_bytes(b"seen")
    os.mknod(maildir / "new" / "4.host", stat.S_IFSOCK | 0o600)
    (maildir / "new" / "5.host").mkdir()
    read = []

    def note(data):
        read.append(int(data))
        return Outcome.OTHER

    monkeypatch.setattr("outbox.management.commands.receive_bounces.receive", note)
    assert run(maildir)[1] == 0

    assert read == [1, 2, 3, 7, 8, 9]
    assert names(maildir / "new") == ["4.host", "5.host"]


def test_what_was_interrupted_is_read_again(mail, maildir, monkeypatch):
    for n in range(3):
        (maildir / "new" / f"{n}.host").write_bytes(back(mail))

    def interrupted(data):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr("outbox.management.commands.receive_bounces.receive", interrupted)
        assert run(maildir)[1] == 130
    assert len(names(maildir / "new")) == 3

    assert run(maildir)[0]["repeated"] == 2
    assert status(mail) == "bounced"


def test_two_that_run_at_once_read_nothing_twice_and_lose_nothing(mail, maildir, monkeypatch):
    for n in range(3):
        (maildir / "new" / f"{n}.host").write_bytes(back(mail))
    other = []

    def meanwhile(data):
        monkeypatch.undo()
        other.append(run(maildir)[0])
        return receive(data)

    monkeypatch.setattr("outbox.management.commands.receive_bounces.receive", meanwhile)
    counts, code = run(maildir)

    assert (other[0]["bounced"], other[0]["repeated"]) == (1, 2)
    assert (counts["repeated"], code) == (1, 0)
    assert names(maildir / "cur") == ["0.host:2,S", "1.host:2,S", "2.host:2,S"]


def test_a_mail_server_may_pipe_a_report_to_it(mail, monkeypatch):
    rest = io.BytesIO(back(mail) + b"x" * 2 * LONGEST)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=rest))

    assert run("-")[0]["bounced"] == 1
    assert not rest.read()


@pytest.mark.parametrize(("path", "code"), [("-", 75), ("maildir", 4)])
def test_while_the_database_is_away_reports_wait(mail, maildir, monkeypatch, path, code):
    (maildir / "new" / "1.host").write_bytes(back(mail))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(back(mail))))

    def away(*_args, **_kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr("django.db.models.QuerySet.select_for_update", away)
    assert run(maildir if path == "maildir" else path)[1] == code

    monkeypatch.undo()
    assert names(maildir / "new") == ["1.host"]


def test_what_cannot_be_meant_is_refused(settings, tmp_path):
    assert run(tmp_path / "nowhere")[1] == 2
    assert run(tmp_path)[1] == 2
    settings.BOUNCE_ADDRESS = ""
    assert run("-")[1] == 2


def test_one_line_says_what_was_found(mail, tmp_path, capsys):
    file = tmp_path / "bounce.eml"
    file.write_bytes(back(mail, style=GMAIL))
    call_command("receive_bounces", str(file))

    assert (
        capsys.readouterr().out
        == "1 bounced, 0 repeated, 0 not final, 0 complaint, 0 unknown, 0 other mail, 0 unreadable\n"
    )


@pytest.mark.django_db(transaction=True)
def test_a_bounce_that_is_faster_than_the_commit_waits_for_it(mailbox):
    MagicLink.objects.issue(EMAIL)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            row = OutboxMessage.objects.select_for_update().get()
            outcome = pool.submit(receive_and_close, back(row))
            wait_until(is_waited_for)
            row.mark_sent("250 taken")
        assert outcome.result() == Outcome.BOUNCED


def receive_and_close(data):
    try:
        return receive(data)
    finally:
        connection.close()


def is_waited_for():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        return cursor.fetchone()[0]
