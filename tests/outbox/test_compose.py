"""Mail is composed by the worker alone; requests store what it has to say."""

from contextlib import contextmanager
from copy import deepcopy
from datetime import timedelta

import pytest
import time_machine
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.test.signals import template_rendered
from django.utils import timezone

from accounts.models import Event, User
from invites.models import Entry, Invite, MagicLink
from outbox.mail.compose import compose
from outbox.mail.deliver import deliver_due
from outbox.models import OutboxMessage
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@contextmanager
def watching():
    """Gives the names of all templates that are rendered in its block; None for one made of a text."""
    names = []

    def hear(template, **_):
        names.append(template.name)

    template_rendered.connect(hear)
    yield names
    template_rendered.disconnect(hear)


def of_mail(names):
    """Returns those templates that make mail; subjects are rendered upon a template that is made of a text."""
    return [name for name in names if name is None or name.startswith("mail/")]


def sign_in(client, ada):
    client.post("/login", {"login": ada.email, "password": PASSWORD}, headers={"User-Agent": FIREFOX})


def invite_many(client, ada):
    Invite.objects.issue_many([Entry(f"guest{n}@example.com") for n in range(3)], source="csv", invited_by=ada)


CAUSES = {
    "link_new": lambda client, ada: client.post("/", {"email": "grace@example.com"}),
    "link_known": lambda client, ada: client.post("/", {"email": ada.email}),
    "reset": lambda client, ada: client.post("/reset", {"email": ada.email}),
    "new_device": sign_in,
    "invite": invite_many,
}


@pytest.mark.parametrize("kind", CAUSES)
def test_what_causes_a_mail_renders_none_but_the_worker_does(kind, client, ada, mailbox):
    with watching() as names:
        CAUSES[kind](client, ada)
    assert OutboxMessage.objects.first().kind == kind
    assert of_mail(names) == []

    with watching() as names:
        assert mailbox.letters()
    assert f"mail/{kind}.html" in of_mail(names)


def test_the_words_stay_those_of_the_moment_in_which_the_mail_was_caused(mailbox):
    ada = UserFactory(username="ada", email="ada@example.com", settings={"language": "ru"})
    ada.record_and_notify(Event.Kind.SIGNED_IN, ip="203.0.113.7", device="Firefox/Windows")
    before = compose(OutboxMessage.objects.get())
    User.objects.update(username="lovelace", settings={"language": "en", "time_zone": "Asia/Tokyo"})

    with time_machine.travel(timezone.now() + timedelta(days=1)):
        after = compose(OutboxMessage.objects.get())

    assert (after.subject, after.body) == (before.subject, before.body)
    assert "Firefox, Windows" in after.subject
    assert "ada" in after.body


def test_composing_leaves_the_row_as_it_was_stored(ada):
    """The links in its parts are unsigned, so whoever reads them can open nothing."""
    Invite.objects.issue("grace@example.com", source="admin", invited_by=ada)
    EmailMessage("Hello", "Text\n", to=["alan@example.com"]).send()

    for row in OutboxMessage.objects.all():
        before = deepcopy(row.parts)
        compose(row)
        assert row.parts == before


def test_a_mail_that_cannot_be_composed_is_a_failed_try_and_holds_up_no_other(mailbox):
    for name in ("grace", "alan"):
        MagicLink.objects.issue(f"{name}@example.com")
    OutboxMessage.objects.filter(recipient="grace@example.com").update(kind="of_a_newer_release")

    (letter,) = mailbox.letters()

    assert letter["To"] == "alan@example.com"
    row = OutboxMessage.objects.get(recipient="grace@example.com")
    assert (row.attempts, row.sent_at, row.given_up_at) == (1, None, None)
    assert row.last_answer == "TemplateDoesNotExist: mail/of_a_newer_release.html"
    assert row.next_try_at > timezone.now()

    OutboxMessage.objects.filter(pk=row.pk).update(kind="link_new", next_try_at=timezone.now())
    deliver_due()
    assert [letter["To"] for letter in mailbox.letters("grace@example.com")] == ["grace@example.com"]


def test_facts_that_do_not_fit_the_form_are_a_failed_try(mailbox):
    MagicLink.objects.issue("grace@example.com")
    OutboxMessage.objects.update(parts={"context": {}, "unheard_of": 1})

    assert mailbox.letters() == []

    row = OutboxMessage.objects.get()
    assert (row.attempts, row.sent_at) == (1, None)
    assert "TypeError" in row.last_answer


def test_a_whole_message_of_other_code_is_sent_as_it_is(mailbox):
    message = EmailMultiAlternatives(
        "Hello", "Text\n", "Lab <lab@example.com>", ["ada@example.com"], reply_to=["a@example.org", "b@example.org"]
    )
    message.attach_alternative("<p>HTML</p>\n", "text/html")
    message.send()

    (letter,) = mailbox.letters()

    assert (letter["Subject"], letter["From"]) == ("Hello", "Lab <lab@example.com>")
    assert letter["Message-ID"].endswith("@example.com>")
    assert letter["Reply-To"] == "a@example.org, b@example.org"
    assert [part.get_content() for part in letter.iter_parts()] == ["Text\n", "<p>HTML</p>\n"]
