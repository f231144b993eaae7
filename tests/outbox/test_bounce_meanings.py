"""What reports mean that servers of many kinds write, with fields or only in words; all of them are made up here."""

import base64
import quopri

import pytest

from outbox.bounces import delivery_reports, parts, report
from outbox.bounces.meaning import Kind, meaning
from outbox.mail import replies
from outbox.mail.dead_address import says_dead

EMAIL = "grace@example.com"
SERVER = "From: MAILER-DAEMON@mx.example.com (Mail Delivery System)\nReturn-Path: <>\n"
RETURNED = "\nReceived: from here\nSubject: 550 5.1.1 No such user\n\nYour link does not exist\n"


def read(text, recipient=EMAIL):
    head, body = parts.split_message(text.encode() if isinstance(text, str) else text)
    return meaning(report.read(head, body), recipient)


def by_server(words, head=""):
    return read(f"{SERVER}{head}\n{words}{RETURNED}")


DEAD = {
    "qmail": f"Hi. This is the qmail-send program at mx.\nI've given up.\n\n<{EMAIL}>:\nSorry, no mailbox here by "
    "that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n",
    "qmail, another server": f"I wasn't able to deliver your message.\n\n<{EMAIL}>:\n192.0.2.1 does not like "
    f"recipient.\nRemote host said: 550 5.1.1 <{EMAIL}>: User unknown\nGiving up on 192.0.2.1.\n",
    "old Gmail": f"Delivery to the following recipient failed permanently:\n\n     {EMAIL}\n\nTechnical details of "
    "permanent failure:\nThe error that the other server returned was:\n550 5.1.1 No such person here\n\n"
    "----- Original message -----\n",
    "Exim": "A message that you sent could not be delivered to one or more recipients. The following address(es) "
    f"failed:\n\n  {EMAIL}\n    host mx.example.com [192.0.2.1]\n    SMTP error from remote mail server after RCPT TO:"
    f"<{EMAIL}>:\n    550 User not found\n\n------ This is a copy of the message, including all the headers. ------\n",
    "Exim, no route": f"The following address(es) failed:\n\n  {EMAIL}\n    Unrouteable address\n",
    "OpenSMTPD": "An error has occurred while attempting to deliver a message for the following list of recipients:\n\n"
    f"{EMAIL}: Domain does not exist\n\n    Below is a copy of the original message:\n",
    "Sendmail 5": "   ----- Transcript of session follows -----\n550 example.com (smtp)... 550 Host unknown\n"
    f"554 <{EMAIL}>... 550 Host unknown\n\n   ----- Unsent message follows -----\n",
    "Notes": f"Your message\n  Subject: Hello\nwas not delivered to:\n  {EMAIL}\nbecause:\n  User Grace ({EMAIL}) not "
    "listed in Domino Directory\n",
    "Exchange": f"Your message\n  Subject: Hello\ndid not reach the following recipient(s):\n\n{EMAIL} on Tue\n    The "
    "recipient name is not recognized\n    Unknown Recipient\n",
    "Yahoo": f"Sorry, we were unable to deliver your message to the following address.\n\n<{EMAIL}>:\n554 delivery "
    "error: dd This user doesn't have an account\n",
    "a page": f"<html><style>a {{b: c}}</style><p>Not sent to &lt;{EMAIL}&gt;<br>550 5.1.1 User unknown</p></html>",
}


@pytest.mark.parametrize("server", DEAD)
def test_words_that_call_a_named_address_dead_are_a_failure(server):
    head = "Content-Type: text/html\n" if DEAD[server].startswith("<html>") else ""
    means = by_server(DEAD[server], head)

    assert means.kind == Kind.FAILURE
    assert means.is_dead
    assert means.answer
    assert "link does not exist" not in means.answer


@pytest.mark.parametrize("server", DEAD)
def test_words_about_somebody_else_call_no_address_dead(server):
    head, body = parts.split_message(f"{SERVER}\n{DEAD[server]}".encode())
    means = meaning(report.read(head, body), "alan@example.com")

    assert (means.kind, means.is_dead) == (Kind.FAILURE, False)


@pytest.mark.parametrize(
    "words",
    [
        f"<{EMAIL}>:\nRemote host said: 450 4.2.2 Mailbox full\nI'm not going to try again.",
        f"{EMAIL}: Envelope expired\nA message could not be delivered.",
        f"{EMAIL}\n  SMTP error from remote mail server after MAIL FROM:<hello@site.example>:\n  550 User unknown",
        f"{EMAIL}\n  550 unknown user\nalan@example.com\n  552 quota exceeded"[::1].replace(
            "550 unknown user", "552 full"
        ),
        f"Could not be delivered to: <{EMAIL}>\nAs their mailbox is full.",
        "The group you tried to contact may not exist, and your message was not delivered.",
    ],
)
def test_other_words_of_failure_call_no_address_dead(words):
    means = by_server(words)

    assert (means.kind, means.is_dead) == (Kind.FAILURE, False)


def test_of_several_addresses_only_the_words_after_ours_count():
    alan, ours = "alan@example.com\n    550 5.1.1 User unknown", f"{EMAIL}\n    552 5.2.2 Mailbox full"
    words = f"could not be delivered:\n\n  {alan}\n  {ours}\n"

    assert not by_server(words).is_dead
    assert read(f"{SERVER}\n{words}", "alan@example.com").is_dead
    assert by_server(words).answer == "552 5.2.2 Mailbox full"
    for other in ("an@example.com", "alan@example.co", "alan@example.com.au"):
        assert not read(f"{SERVER}\n{words}", other).is_dead


def test_a_report_that_names_who_failed_is_no_holiday():
    head = "From: noreply@example.com\nReturn-Path: <>\nAuto-Submitted: auto-replied\n"

    assert read(f"{head}X-Failed-Recipients: {EMAIL}\n\nНедоступно").kind == Kind.FAILURE
    assert read(f"{head}\n{EMAIL}: 550 5.1.1 No such user; not delivered").kind == Kind.FAILURE
    assert read(f"{SERVER}Auto-Submitted: auto-replied\n\nUnerwartet").kind == Kind.UNSURE


HOLIDAYS = [
    "Auto-Submitted: auto-replied",
    "Auto-Submitted: auto-replied\nReturn-Path: <>",
    "Auto-Submitted: auto-generated",
    "Auto-Submitted: auto-notified",
    "X-Autoreply: yes",
    "X-Autorespond: yes\nReturn-Path: <>",
    "Precedence: auto_reply",
    "Subject: Automatic reply: Your link",
    "Subject: Out of Office: Your link",
    "Subject: AUTO: Grace is away",
    "Subject: Автоматический ответ: ссылка",
    "X-MS-Exchange-Inbox-Rules-Loop: grace@example.com",
    "X-Auto-Response-Suppress: All\nReturn-Path: <>",
]


@pytest.mark.parametrize("head", HOLIDAYS)
def test_an_automatic_answer_of_a_person_is_other_mail(head):
    assert read(f"From: Grace <{EMAIL}>\n{head}\n\nI am away until Monday.").kind == Kind.AUTOMATIC


def test_a_person_who_writes_is_read_by_somebody():
    assert read(f"From: Grace <{EMAIL}>\n\nWho are you?").kind == Kind.UNSURE
    assert read(f"From: Grace <{EMAIL}>\n\nYour mail was not delivered to my wife.").kind == Kind.UNSURE


def test_who_wants_no_answer_is_believed_unless_a_program_of_a_mailbox_writes():
    words = "Your message could not be delivered."

    assert read(f"From: relay@example.com\nReturn-Path: <>\n\n{words}").kind == Kind.FAILURE
    assert read(f"From: noreply@example.com\n\n{words}").kind == Kind.FAILURE
    assert read(f"From: relay@example.com\n\n{words}").kind == Kind.UNSURE
    for head in ("From: relay@example.com\nReturn-Path: <>", "From: noreply@example.com"):
        assert read(f"{head}\nAuto-Submitted: auto-replied\n\n{words}").kind == Kind.UNSURE


@pytest.mark.parametrize("reply", ["550 no such user", "550: no such user", "550-no such user", "550; no such user"])
def test_a_reply_of_a_server_is_one_however_it_is_written(reply):
    means = read(f"From: relay@example.com\n\n{EMAIL}: {reply}")

    assert (means.kind, means.is_dead, means.answer) == (Kind.FAILURE, True, reply)
    assert says_dead(reply)
    assert not says_dead(reply.replace("550", "450"))


@pytest.mark.parametrize("number", ["192.0.2.550 x", "12:550 x", "1550 x", "5500 x", "5.1.1.550", "15.1.1", "5.1.1234"])
def test_a_longer_number_is_no_reply(number):
    assert not replies.refuses(f"{EMAIL} {number}")
    assert replies.find_status(number) == ""


def part(kind, text, head=""):
    return f"--b\nContent-Type: {kind}\n{head}\n{text}\n"


def fields(**changes):
    found = {"Final-Recipient": f"rfc822; {EMAIL}", "Action": "failed", "Status": "5.1.1"} | changes
    return "Reporting-MTA: dns; mx\n\n" + "\n".join(
        f"{name.replace('_', '-')}: {value}" for name, value in found.items()
    )


def reported(*blocks):
    status = part("message/delivery-status", "\n\n".join(fields(**block) for block in blocks))
    return read(f"{SERVER}Content-Type: multipart/report; boundary=b\n\n{status}")


OTHER = {"Final-Recipient": "rfc822; alan@example.com"}
WAITING = {"Action": "delayed", "Status": "4.4.1"}


def test_a_mail_fails_if_all_that_is_said_of_its_recipient_is_final():
    assert reported({}, {}).kind == Kind.FAILURE
    assert reported({}, WAITING).kind == Kind.DELAYED
    assert reported(WAITING, {}).kind == Kind.DELAYED
    assert reported({}, OTHER | WAITING).kind == Kind.FAILURE
    assert reported(OTHER, WAITING).kind == Kind.DELAYED
    assert reported(OTHER, OTHER | WAITING).kind == Kind.DELAYED


def test_one_verdict_that_names_the_recipient_is_enough_to_call_the_address_dead():
    assert reported({"Status": "5.0.0"}, {}).is_dead
    assert reported({}, {"Status": "5.0.0"}).is_dead
    assert reported({"Final-Recipient": f"rfc822; {EMAIL.upper()}"}).is_dead
    assert reported(OTHER | {"Original-Recipient": f"rfc822; {EMAIL}"}).is_dead


def test_a_verdict_about_somebody_else_fails_the_mail_and_calls_no_address_dead():
    means = reported(OTHER)

    assert (means.kind, means.is_dead) == (Kind.FAILURE, False)


def test_the_words_fill_in_for_a_missing_diagnosis():
    words = part("text/plain", f"<{EMAIL}>\n    (reason: 550 5.7.1 Blocked by policy)")
    means = read(
        f"{SERVER}Content-Type: multipart/mixed; boundary=b\n\n{words}{part('message/delivery-status', fields())}"
    )

    assert (means.kind, means.is_dead) == (Kind.FAILURE, False)
    assert "Blocked by policy" in means.answer
    assert read(f"{SERVER}\n{part('message/delivery-status', fields())}").is_dead


def test_a_report_that_speaks_of_a_full_mailbox_calls_no_address_dead():
    words = part("text/plain", "Your message was automatically rejected: Not enough disk space")

    assert not read(f"{SERVER}\n{words}{part('message/delivery-status', fields())}").is_dead


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", "deliverable"])
def test_what_fields_call_unfinished_is_delayed_whatever_the_words_are(action):
    status = part("message/delivery-status", fields(Action=action, Status="4.4.1"))

    assert read(f"{SERVER}\n{part('text/plain', 'could not be delivered')}{status}").kind == Kind.DELAYED


@pytest.mark.parametrize(
    "words",
    [
        "THIS IS A WARNING MESSAGE ONLY.\nDelivery to the following recipient has been delayed:\n\n  a@b.example\n",
        "A message that you sent has not yet been delivered.\nDelivery attempts will continue for some time.\n550 x",
        "Errors.\nMessage will be retried for 4 more day(s)",
    ],
)
def test_a_warning_in_words_alone_is_left_to_somebody(words):
    assert by_server(words).kind == Kind.UNSURE


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_encoded_words_are_read(encoding):
    words = f"Не доставлено.\n{EMAIL}: 550 5.1.1 No such user ".encode() + b"x" * 100
    encoded = base64.encodebytes(words) if encoding == "base64" else quopri.encodestring(words)
    means = read(
        SERVER.encode()
        + b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\nContent-Transfer-Encoding: "
        + encoding.encode()
        + b"\n\n"
        + encoded
        + b"--b--\n"
    )

    assert (means.kind, means.is_dead, means.code) == (Kind.FAILURE, True, "5.1.1")


@pytest.mark.parametrize(
    ("kind", "types"),
    [(Kind.COMPLAINT, ["abuse", "Fraud", "opt-out"]), (Kind.UNSURE, ["auth-failure", "virus", "other", "not-spam"])],
)
def test_complaints_are_no_failures(kind, types):
    for feedback in types:
        words = part("text/plain", "This is an abuse report; 550 5.1.1 could not be delivered")
        complaint = part("message/feedback-report", f"User-Agent: x/1\nFeedback-Type: {feedback}\nVersion: 1")
        head = "From: feedback@example.com\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n"
        assert read(f"{head}\n{words}{complaint}").kind == kind
        assert read(f"{SERVER}\n{words}\nFeedback-Type: {feedback}").kind == kind
    assert read(f"{SERVER}Content-Type: multipart/report; report-type=feedback-report\n\n{words}").kind == Kind.UNSURE


def test_a_receipt_is_other_mail_unless_nobody_has_seen_the_mail():
    head = (
        f"From: Grace <{EMAIL}>\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n"
    )
    for disposition, kind in (("displayed", Kind.AUTOMATIC), ("deleted", Kind.UNSURE)):
        receipt = f"Final-Recipient: rfc822; {EMAIL}\nDisposition: manual-action/MDN-sent-manually; {disposition}"
        assert read(head + part("message/disposition-notification", receipt)).kind == kind


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.1.1 No such user",
        "550 No such user here",
        "550 5.1.1 <spam@example.com>: Recipient address rejected: User unknown in local recipient table",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        "550-5.1.1 The email account that you tried to reach does not exist. Please try",
        "550 5.2.1 Mailbox disabled, not accepting messages",
        "556 5.1.10 Domain has a null MX record",
        "5.4.4 Host or domain name not found. Name service error for name=x.example type=A: Host not found",
        "551 5.1.6 User has moved",
        "550 unknown or illegal alias: x",
    ],
)
def test_an_answer_about_a_dead_address_says_so(answer):
    assert says_dead(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "550 5.7.1 Access denied",
        "550 Mailbox unavailable",
        "550 5.2.1 Account temporarily unavailable",
        "550 5.1.1 <a@b.example> 192.0.2.1 has sent to too many recipients this hour",
        "550 5.1.1 User unknown, or your server is on our block list",
        "450 4.1.1 User unknown",
        "554 Sender address rejected: Domain not found",
        "550 5.1.8 Domain of sender address does not exist",
        "550 Client host rejected: cannot find your hostname",
        "450 4.7.25 Client host rejected: cannot find your hostname",
        "552 5.1.1 mailbox is over quota",
        "5.4.4 Host not found, try again",
        "550 5.2.0 From: Domain is invalid. Please provide a valid From:",
        "550 5.4.1 Recipient address rejected: Access denied",
        "553 5.1.0 Address rejected",
    ],
)
def test_any_other_answer_calls_no_address_dead(answer):
    assert not says_dead(answer)
    assert not says_dead(answer, "5.1.0")


def test_a_status_alone_is_believed_if_it_is_about_the_address():
    assert says_dead("", "5.1.1")
    assert not any(says_dead("", status) for status in ("", "5.0.0", "5.1.0", "5.2.1", "5.4.4", "4.1.1"))
    assert not says_dead("550 No such user", "4.0.0")
    assert not says_dead("550 Go away", "5.1.1")


def test_no_more_is_read_than_the_bounds_say():
    many = part("text/plain", "x" * (parts.LONGEST_PART + 99)) * 2 * parts.MOST_PARTS
    head, body = parts.split_message(f"{SERVER}\n{many}".encode())

    found = list(parts.parts(head, body))
    assert len(found) == parts.MOST_PARTS + 1
    assert max(len(one.text) for one in found) == parts.LONGEST_PART
    assert len(report.read(head, body).words) == report.LONGEST_WORDS
    long = part("message/delivery-status", "\n\n".join([fields()] * 1000))
    assert len(report.read(*parts.split_message(f"{SERVER}\n{long}".encode())).verdicts) <= delivery_reports.MOST_BLOCKS
