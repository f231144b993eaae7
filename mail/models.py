"""The outbox: mail stored in the transaction of its cause, until somebody has taken it."""

import re
import secrets
from datetime import timedelta
from email.utils import format_datetime, parseaddr
from typing import Any, ClassVar

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

FIRST_PAUSE = timedelta(seconds=10)  # after the first failed try; doubled by each further one
LONGEST_PAUSE = timedelta(hours=1)
KEPT = timedelta(days=30)  # rows of mail that was handed over
PAUSE_SPREAD = 0.2  # of the pause, by chance, so that a returning server is not met by everything at once


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    def put(self, message: EmailMessage, kind: str = "mail") -> None:
        """Stores a message, one row for each recipient. Raises ValueError for attachments: no mail of ours has any."""
        if message.attachments:
            raise ValueError("The outbox carries no attachments.")
        rows = [OutboxMessage.of(message, kind, recipient) for recipient in message.recipients()]
        OutboxMessage.objects.bulk_create(rows)

    def over(self) -> "OutboxQuerySet":
        """Handed over so long ago that nobody asks for them any more."""
        return self.filter(sent_at__lt=timezone.now() - KEPT)

    def due(self) -> "OutboxQuerySet":
        return self.filter(sent_at=None, next_try_at__lte=timezone.now()).order_by("next_try_at")


class OutboxMessage(models.Model):
    """One mail to one recipient. Its parts hold live links, so they are emptied when it has been handed over."""

    recipient = models.EmailField(_("to"), max_length=320, db_index=True)
    kind = models.CharField(_("kind"), max_length=40)
    parts = models.JSONField(default=dict)
    # Fixed across tries, so that a mailbox can tell a repeated mail from a new one.
    message_id = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    attempts = models.PositiveIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), default=timezone.now)
    published_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(_("handed over"), null=True)
    last_answer = models.CharField(_("last answer"), max_length=300, blank=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outbox")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_try_at"], name="outbox_due", condition=models.Q(sent_at=None)),
            models.Index(fields=["sent_at"], name="outbox_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.recipient}"

    @classmethod
    def of(cls, message: EmailMessage, kind: str, recipient: str) -> "OutboxMessage":
        """A row for one recipient of a message; nothing is composed yet, that is the worker's work."""
        domain = parseaddr(message.from_email)[1].rpartition("@")[2] or settings.SITE_HOST
        parts = {
            "subject": str(message.subject),
            "body": str(message.body),
            "from_email": message.from_email,
            "reply_to": list(message.reply_to),
            "headers": {name: str(value) for name, value in message.extra_headers.items()},
            "alternatives": [[str(part.content), part.mimetype] for part in getattr(message, "alternatives", [])],
        }
        return cls(
            recipient=recipient,
            kind=kind,
            parts=parts,
            message_id=f"<{kind}.{secrets.token_hex(12)}@{domain}>",
        )

    def compose(self) -> EmailMultiAlternatives:
        """The message as it was put, with the Message-ID and Date that all its copies share."""
        parts: dict[str, Any] = dict(self.parts)
        alternatives = parts.pop("alternatives")
        fixed = {"Message-ID": self.message_id, "Date": format_datetime(self.created_at)}
        parts["headers"] = parts["headers"] | fixed
        message = EmailMultiAlternatives(to=[self.recipient], **parts)
        for content, mimetype in alternatives:
            message.attach_alternative(content, mimetype)
        return message

    def mark_sent(self, answer: str = "") -> None:
        self.sent_at, self.last_answer, self.parts = timezone.now(), answer[:300], {}
        self.attempts += 1
        self.save(update_fields=["sent_at", "last_answer", "parts", "attempts"])

    def mark_failed(self, answer: str) -> None:
        """Keeps what the server said, and waits twice as long as last time."""
        pause = min(FIRST_PAUSE * 2 ** min(self.attempts, 20), LONGEST_PAUSE)
        spread = secrets.SystemRandom().uniform(1 - PAUSE_SPREAD, 1 + PAUSE_SPREAD)
        # Some servers quote the mail they refuse, and its link is as good as a password.
        self.last_answer = re.sub(r"(token=)\S+", r"\1…", answer)[:300]
        self.next_try_at = timezone.now() + pause * spread
        self.attempts += 1
        self.save(update_fields=["next_try_at", "last_answer", "attempts"])
