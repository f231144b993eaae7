"""What staff read of a mail: when it left, or why it did not arrive, in words."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from invites.models import Invite
from outbox.mail.deliver import deliver_due
from outbox.models import OutboxMessage, Suppression
from outbox.models.message import COMPLAINT
from outbox.replies_in_words import code_of, delivery, reason

ANSWERS = [
    (
        "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown",
        "mailbox does not exist",
    ),
    ("550: no such user", "mailbox does not exist"),
    ("550 No such user here", "mailbox does not exist"),
    ("5.1.1 The email account that you tried to reach does not exist.", "mailbox does not exist"),
    ("452 4.2.2 Mailbox full", "mailbox full"),
    ("552 5.2.2 The email account that you tried to reach is over quota", "mailbox full"),
    ("554 delivery error: Sorry, the mailbox is full", "mailbox full"),
    ("550 5.2.1 This mailbox has been disabled", "mailbox turned off"),
    ("556 5.1.10 Recipient address has null MX", "this domain takes no mail"),
    ("550 Domain example.com does not exist", "this domain takes no mail"),
    ("451 4.7.1 Greylisting in action, please come back later", "the server wants to see it again later"),
    ("554 5.7.1 Message blocked: spam content", "the server doesn’t take our mail"),
    ("550 JFE040014 Your mail is blocked due to security reasons", "the server doesn’t take our mail"),
    ("421 Too many concurrent connections", "too much mail at once"),
    ("450 4.4.1 Connection timed out", "the server of this address can’t be reached"),
    ("TimeoutError: timed out", "no mail server answers"),
    ("gaierror: [Errno -2] Name or service not known", "no mail server answers"),
    ("ConnectionRefusedError: [Errno 111] Connection refused", "no mail server answers"),
    ("SMTPServerDisconnected: Connection unexpectedly closed", "no mail server answers"),
    ("SMTPAuthenticationError: 535 5.7.8 Error: authentication failed", "our mail server refuses our password"),
    ("450 Requested action not taken", "the server says: not now"),
    ("554 Transaction failed", "the server refused it"),
    ("", "the server refused it"),
    (COMPLAINT, "reported as unwanted"),
]


@pytest.mark.parametrize(("answer", "words"), ANSWERS)
def test_the_answer_of_a_server_is_said_in_words(answer, words):
    assert reason(answer) == words


@pytest.mark.parametrize(
    ("answer", "code"), [("550 5.1.1 No", "5.1.1"), ("550 No", "550"), ("TimeoutError: timed out", ""), ("", "")]
)
def test_its_code_is_found_to_stand_beside_them(answer, code):
    assert code_of(answer) == code


AGO = timezone.now() - timedelta(minutes=5, seconds=30)
NO = "550 5.1.1 No such user"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Waiting to leave"),
        ({"attempts": 1, "last_answer": "452 4.2.2 Mailbox full"}, "Put off: mailbox full, tried once"),
        ({"attempts": 3, "last_answer": "452 4.2.2 Mailbox full"}, "Put off: mailbox full, tried 3 times"),
        ({"sent_at": AGO, "bounced_at": AGO, "last_answer": NO}, "Came back: mailbox does not exist"),
        ({"given_up_at": AGO, "attempts": 1, "last_answer": NO}, "Refused: mailbox does not exist"),
        ({"given_up_at": AGO, "attempts": 8, "last_answer": "452 4.2.2 Mailbox full"}, "Given up after 8 tries"),
    ],
)
def test_what_became_of_a_mail_is_one_sentence(fields, words):
    assert delivery(OutboxMessage(**fields)) == words


def test_a_mail_that_has_left_says_when():
    said = delivery(OutboxMessage(sent_at=timezone.now() - timedelta(minutes=5, seconds=30)))

    assert said.endswith(">5 min ago</time>")
    assert said.startswith('Sent <time datetime="')


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize(
    ("suppress", "words"),
    [
        (Suppression.objects.opt_out, "Not written to: asked never to be"),
        (lambda to: Suppression.objects.suppress(to, NO), "Not written to: mail to this address has come back before"),
    ],
)
def test_an_address_that_is_not_written_to_is_known_by_workers_of_any_language(mailbox, language, suppress, words):
    invite = Invite.objects.issue("grace@example.com", source="admin")
    suppress(invite.email)
    with translation.override(language):
        deliver_due()

    assert delivery(invite.newest_mail) == words
