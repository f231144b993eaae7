"""Outgoing mail: stored in the transaction of its cause, and kept until a mail server has taken it."""

import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kit.prepared import Given, PreparedUpdate
from outbox import kinds, spared
from outbox.models.queryset import TROUBLE, OutboxQuerySet
from outbox.models.retry_times import GIVE_UP_AFTER, pause_after, until_given_up
from outbox.models.suppression import Suppression

REPUBLISH_AFTER = timedelta(seconds=settings.AMQP_REPUBLISH_SECONDS)  # a broker may lose messages
# The kind of the last mail to the owner of a deleted account. The address was deleted with the account, and a
# suppression would keep it for good.
FAREWELL = "deleted"
# How much later another mail must come back before an address is suppressed whose owner has an account. All mail of an
# hour may come back while a server has lost its list of users.
SECOND_REPORT_AFTER = timedelta(days=1)
COMPLAINT = "The mailbox's owner has reported this mail as unwanted."
NOT_SENT = "Not sent: "  # begins the answer of a mail whose address is suppressed; in English, as servers write
# Some servers quote the mail they refuse, and its link is as good as a password. All that follows "token=" is cut, as
# the quoted link may be broken into lines.
SECRET = re.compile(r"(token(?:=|%3D)).*", re.IGNORECASE | re.DOTALL)
# The quoted mail may be in another encoding, without "token=". A token is longer than the words of any language, and
# has digits in it, or else capitals that stand closer together than in any name.
LIKE_SECRET = re.compile(r"(?=[\w=+-]*(?:\d|[A-Z]{2}|(?:[A-Z][a-z]){2}[A-Z]))(?=[\w=+-]*[\da-z])[\w=+-]{20,}", re.ASCII)


UNDELIVERED: list[Callable[["OutboxMessage"], None]] = []


def when_undelivered(hear: Callable[["OutboxMessage"], None]) -> None:
    """Has `hear(mail)` called when a mail came back or was refused for good, in the transaction that saves it."""
    UNDELIVERED.append(hear)


def clean_answer(answer: str) -> str:
    """Returns a server's answer in at most 300 printable characters, without the token of a link."""
    return SECRET.sub(r"\1…", "".join(c if c.isprintable() else " " for c in answer))[:300]


def clean_refusal(answer: str) -> str:
    """Returns a server's refusal in at most 300 printable characters, without anything that looks like a token.

    A refusal may quote the mail, and with it the link.
    """
    return LIKE_SECRET.sub("…", clean_answer(answer))


TIME = models.DateTimeField()
SENT = PreparedUpdate(
    lambda: (
        OutboxMessage.objects.filter(pk=Given("pk", models.BigIntegerField())),
        {
            "sent_at": Given("sent_at", TIME),
            "parts": {},
            "attempts": Given("attempts", models.PositiveIntegerField()),
            "last_answer": Given("last_answer", models.CharField()),
        },
    )
)
PUBLISHED = PreparedUpdate(
    lambda: (
        OutboxMessage.objects.filter(pk=Given("pk", models.BigIntegerField())),
        {"published_at": Given("published_at", TIME), "next_try_at": Given("next_try_at", TIME)},
    )
)


class OutboxMessage(models.Model):
    """One mail to one recipient.

    Its parts are what the worker composes it of (outbox/mail/compose.py): facts for a template, frozen when the mail
    was caused, or a whole message. They tell of a person and may hold a code. So they are emptied when the mail has
    been handed over, or was given up too long ago to be tried again.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        TRIED = "tried", _("Put off")
        SENT = "sent", _("Sent")
        BOUNCED = "bounced", _("Came back")
        GIVEN_UP = "given_up", _("Given up")

    recipient = models.EmailField(_("to"), max_length=320)
    kind = models.CharField(_("kind"), max_length=40)
    # The id of the invitation or the link that the mail was sent for, if any.
    about = models.UUIDField(null=True, editable=False)
    parts = models.JSONField(default=dict)
    # The same in every try, so that a mailbox can tell a repeated mail from a new one. No mail is looked up by it, and
    # its 96 random bits make it unique. An index to check that would be the largest of the table.
    message_id = models.CharField(_("message ID"), max_length=200)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    attempts = models.PositiveIntegerField(_("tries"), default=0)
    # When the row is looked at next: to be tried again or, if it is with the broker, to be published again.
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    give_up_at = models.DateTimeField(
        _("given up after"), default=until_given_up, db_default=Now() + Value(GIVE_UP_AFTER)
    )
    published_at = models.DateTimeField(_("handed to the broker"), null=True)
    sent_at = models.DateTimeField(_("handed over"), null=True)
    bounced_at = models.DateTimeField(_("came back"), null=True)
    given_up_at = models.DateTimeField(_("given up"), null=True)
    last_answer = models.CharField(_("last answer"), max_length=300, blank=True)
    # When a server said of this mail that its address is dead.
    found_dead_at = models.DateTimeField(_("address found dead"), null=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("mail")
        verbose_name_plural = _("mails")
        indexes: ClassVar[list[models.Index]] = [
            # due(), lateness.measure() and the figures of what waits.
            models.Index(fields=["next_try_at"], name="outbox_waiting", condition=Q(sent_at=None, given_up_at=None)),
            # When mail was last handed over (lateness), how much in the last hour (stats), prunable().
            models.Index(fields=["sent_at"], name="outbox_sent", condition=Q(sent_at__isnull=False)),
            # All mail to an address: the desk's search, mail_queue, the export and erasure of a person's data.
            models.Index(fields=["recipient"], name="outbox_by_recipient"),
            # The desk's filter by kind.
            models.Index(fields=["kind", "-id"], name="outbox_kind"),
            # stale(), prunable(), and when mail was last given up (lateness, doctor).
            models.Index(fields=["given_up_at"], name="outbox_given_up", condition=Q(given_up_at__isnull=False)),
            # The mails of an invitation or a link, and the newest of them.
            models.Index(fields=["about", "-id"], name="outbox_about", condition=Q(about__isnull=False)),
            # in_trouble(), and those of them that came back.
            models.Index(fields=["-id"], name="outbox_trouble", condition=TROUBLE),
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.recipient}"

    @classmethod
    def of(cls, message: EmailMessage, kind: str, recipient: str, about: UUID | None) -> "OutboxMessage":
        """Returns an unsaved row for one recipient of a message, whose words are whole.

        `kind` is a short name. `about` is the id of the invitation or the link that the mail is sent for, or None.
        """
        parts = {
            "subject": str(message.subject),
            "body": str(message.body),
            "from_email": message.from_email,
            "reply_to": list(message.reply_to),
            "headers": {name: str(value) for name, value in message.extra_headers.items()},
            "alternatives": [[str(part.content), part.mimetype] for part in getattr(message, "alternatives", [])],
        }
        return cls.new(kind, recipient, about, parts, message.from_email)

    @classmethod
    def new(cls, kind: str, recipient: str, about: UUID | None, parts: dict[str, Any], sender: str) -> "OutboxMessage":
        """Returns an unsaved row with a new Message-ID, made of its kind and random digits, at the sender's domain.

        `parts` are what outbox.mail.compose needs to compose the mail. `sender` is an address, perhaps with a name.
        """
        domain = parseaddr(sender)[1].rpartition("@")[2] or settings.SITE_HOST
        message_id = f"<{kind}.{secrets.token_hex(12)}@{domain}>"
        return cls(recipient=recipient, kind=kind, about=about, parts=parts, message_id=message_id)

    def schedule(self, at: datetime) -> None:
        """Dates the mail to `at`, and lets it leave then. Does not save it."""
        self.created_at, self.next_try_at, self.give_up_at = at, at, at + GIVE_UP_AFTER

    @property
    def status(self) -> Status:
        if self.bounced_at:
            return self.Status.BOUNCED
        if self.sent_at:
            return self.Status.SENT
        if self.given_up_at:
            return self.Status.GIVEN_UP
        return self.Status.TRIED if self.attempts else self.Status.QUEUED

    @property
    def kind_in_words(self) -> str:
        return kinds.in_words(self.kind)

    def mark_published(self) -> None:
        """Saves that the broker has the mail. Unless it is delivered within REPUBLISH_AFTER, it is published again."""
        self.published_at, self.next_try_at = timezone.now(), timezone.now() + REPUBLISH_AFTER
        PUBLISHED.with_values(pk=self.pk, published_at=self.published_at, next_try_at=self.next_try_at).run()

    def mark_sent(self, answer: str = "") -> None:
        """Saves that a server took the mail, with its answer, and empties the parts. Counts as a try."""
        self.sent_at, self.parts, self.last_answer = timezone.now(), {}, clean_answer(answer)
        self.attempts += 1
        SENT.with_values(pk=self.pk, sent_at=self.sent_at, attempts=self.attempts, last_answer=self.last_answer).run()

    def mark_failed(self, answer: str) -> None:
        """Saves a failed try, with the server's answer or the error as `answer`.

        The next try comes after pause_after(); if `give_up_at` is past, none does: the mail is given up.
        """
        now = timezone.now()
        self.next_try_at, self.published_at = now + pause_after(self.attempts), None
        if now >= self.give_up_at:
            self.given_up_at = now
        self._save_try(clean_refusal(answer), "next_try_at", "published_at", "given_up_at")

    def give_up(self, reason: str) -> None:
        """Gives the mail up, and saves the reason as its last answer. Counts as a try.

        Nobody tries the mail again unless staff ask for it.
        """
        self.given_up_at, self.published_at = timezone.now(), None
        self._save_try(clean_refusal(reason), "given_up_at", "published_at")

    def mark_dead(self) -> None:
        """Saves that a server called the recipient's address dead, and suppresses it for the reason in the last answer.

        An address that is spared (outbox.spared) is only suppressed when another mail to it has been found dead
        SECOND_REPORT_AFTER before. Does nothing for the last mail to the owner of a deleted account (FAREWELL): the
        address must not outlive the account.
        """
        if self.kind == FAREWELL:
            return
        self.found_dead_at = timezone.now()
        self.save(update_fields=["found_dead_at"])
        if not spared.is_spared(self.recipient) or self._is_second_report():
            Suppression.objects.suppress(self.recipient, self.last_answer)

    def hear_complaint(self) -> None:
        """Saves that the owner of the mailbox has called this mail unwanted, and opts the address out of all mail.

        An address that is spared (outbox.spared) goes on getting mail: its owner must hear of the account.
        """
        self.last_answer = COMPLAINT
        self.save(update_fields=["last_answer"])
        if not spared.is_spared(self.recipient):
            Suppression.objects.opt_out(self.recipient)

    def mark_bounced(self, answer: str) -> bool:
        """Saves that the mail came back after it was handed over, with the reporting server's answer.

        Returns False, and changes only this object, if the row is marked already, or says that the mail was never
        handed over.
        """
        bounced = {"bounced_at": timezone.now(), "last_answer": clean_refusal(answer)}
        for name, value in bounced.items():
            setattr(self, name, value)
        rows = OutboxMessage.objects.filter(pk=self.pk, bounced_at=None).exclude(sent_at=None)
        if not rows.update(**bounced):
            return False
        self.tell_undelivered()
        return True

    def tell_undelivered(self) -> None:
        """Tells whoever has asked by when_undelivered() that the mail came back or was refused for good."""
        for hear in UNDELIVERED:
            hear(self)

    def _is_second_report(self) -> bool:
        """Returns whether an earlier mail to the same address was found dead SECOND_REPORT_AFTER ago, or before."""
        before = timezone.now() - SECOND_REPORT_AFTER
        others = OutboxMessage.objects.filter(recipient=self.recipient, found_dead_at__lte=before)
        return others.exclude(pk=self.pk).exists()

    def _save_try(self, answer: str, *changed: str) -> None:
        self.last_answer = answer
        self.attempts += 1
        self.save(update_fields=["attempts", "last_answer", *changed])
