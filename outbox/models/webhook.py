"""Webhooks: URLs that are told of events over HTTP. Each has a secret, which signs the messages to it."""

import base64
import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kit import encryption
from kit.exact import ExactField

# The events that a webhook can choose from; docs/events.md explains each.
EVENTS = (
    "user.created",
    "user.updated",
    "user.leaving",
    "user.kept",
    "user.deleted",
    "invite.requested",
    "invite.sent",
    "invite.bounced",
    "invite.accepted",
    "invite.declined",
    "invite.expired",
    "invite.revoked",
    "session.revoked",
)

PREFIX = "whsec_"  # of a secret, as Standard Webhooks has it
SECRET_SIZE = 32  # bytes
BOTH_SIGN = timedelta(hours=24)  # the old and the new secret, after a renewal, so that the receiver can change over
PAUSE = timedelta(seconds=30)  # of a webhook whose server is away


class Renewed(Exception):
    """Another request has renewed the webhook's secret meanwhile, or deleted the webhook; nothing was changed."""


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def awake(self) -> "WebhookQuerySet":
        """Returns the webhooks that may be called now: turned on, and not paused for a slow or missing server."""
        return self.filter(Q(paused_until=None) | Q(paused_until__lte=timezone.now()), is_active=True)

    def forget_former_secrets(self) -> int:
        """Deletes the former secrets that sign no longer, and returns their number."""
        return self.filter(former_until__lt=timezone.now()).update(former_secret="", former_until=None)

    def reencrypt(self, ids: Iterable[int], *, save: bool) -> int:
        """Encrypts the secrets of the webhooks with these ids again, with the first of ENCRYPTION_KEYS.

        Returns how many webhooks could be decrypted; passes over the others. Locks the rows in a transaction, and saves
        nothing unless `save` is true.
        """
        readable = 0
        with transaction.atomic():
            for webhook in self.select_for_update().filter(pk__in=list(ids)).order_by("pk"):
                with suppress(encryption.Unreadable):
                    webhook.secret = encryption.renew(webhook.secret)
                    webhook.former_secret = webhook.former_secret and encryption.renew(webhook.former_secret)
                    readable += 1
                    if save:
                        webhook.save(update_fields=["secret", "former_secret"])
        return readable


class Webhook(models.Model):
    """A URL that is told of events, with the secret that signs them and the state of its server."""

    url = ExactField(_("address"), max_length=500, unique=True)
    # The names of the events it wants; an empty list means all.
    events = models.JSONField(_("events"), default=list, blank=True)
    is_active = models.BooleanField(_("on"), default=True)
    # `secret` and `former_secret` are encrypted by kit.encryption.
    secret = models.TextField(editable=False)
    secret_made_at = models.DateTimeField(default=timezone.now, editable=False)
    former_secret = models.TextField(blank=True, editable=False)
    former_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    # Set while the server is away or slow: nobody calls the webhook until then, and after that one worker does.
    paused_until = models.DateTimeField(null=True, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.host  # logs show this, and the rest of the URL may hold a key of the receiver's

    @property
    def host(self) -> str:
        """The host in the URL, with the port if the URL has one."""
        return urlsplit(self.url).netloc

    @property
    def secrets(self) -> list[str]:
        """The secrets that sign: the current one, and for BOTH_SIGN the former one, if it can be decrypted.

        Raises encryption.Unreadable if no key decrypts the current one.
        """
        signing = [encryption.decrypt(self.secret)]
        if self.former_until and self.former_until > timezone.now():
            with suppress(encryption.Unreadable):  # a lost key may be why the secret was renewed
                signing.append(encryption.decrypt(self.former_secret))
        return signing

    def store_new(self, secret: str | None = None) -> str:
        """Stores a new webhook with this secret, or a random one. Returns the secret, which nobody can read again.

        Raises IntegrityError if another webhook has this URL.
        """
        made = self.make_secret(secret)
        self.save(force_insert=True)
        return made

    def change(self, fields: Iterable[str]) -> None:
        """Stores these fields of the webhook, and ends its pause, so that it can be called at once.

        Stores no others: they were read a while ago, and a worker may have turned the webhook off since. Raises
        IntegrityError if another webhook has this URL, and DatabaseError if the webhook has been deleted.
        """
        self.paused_until = None
        self.save(update_fields=[*fields, "paused_until"])

    def make_secret(self, secret: str | None = None) -> str:
        """Sets the webhook's first secret, this or a random one, and returns it, the one time that it can be shown.

        Does not save it.
        """
        made = secret or new_secret()
        self.secret = encryption.encrypt(made)
        return made

    def renew_secret(self, made_at: datetime, secret: str | None = None) -> str:
        """Replaces the secret that was made at `made_at` by this or a random one, and returns the new one.

        The old one signs beside it for BOTH_SIGN. Changes the stored row, not this object. Raises Renewed if another
        request has replaced that secret or deleted the webhook.
        """
        made, now = secret or new_secret(), timezone.now()
        fresh = {"secret": encryption.encrypt(made), "secret_made_at": now}
        former = {"former_secret": models.F("secret"), "former_until": now + BOTH_SIGN}
        if not Webhook.objects.filter(pk=self.pk, secret_made_at=made_at).update(**fresh, **former):
            raise Renewed
        return made

    def announce(self, name: str) -> None:
        """Stores an event `name` for this webhook alone, with an empty payload."""
        self.deliveries.create(name=name)

    def is_mine_to_call(self) -> bool:
        """Returns whether this process may call the webhook.

        Returns False during a pause. After it, only the first worker that asks may call, and the stored row is paused
        again for the others: if the server is still away, all of them would wait for it, too.
        """
        if self.paused_until is None:
            return True
        now = timezone.now()
        free = Webhook.objects.filter(pk=self.pk, paused_until__lte=now)
        return bool(free.update(paused_until=now + PAUSE))

    def pause(self, pause: timedelta = PAUSE) -> None:
        """Pauses the webhook from now on for this long: nobody calls it until then.

        Changes the stored row, not this object.
        """
        Webhook.objects.filter(pk=self.pk).update(paused_until=timezone.now() + pause)

    def resume(self) -> None:
        """Ends the pause of the webhook in the stored row, not in this object, so that all workers may call it."""
        Webhook.objects.filter(pk=self.pk, paused_until__isnull=False).update(paused_until=None)

    def turn_off(self) -> None:
        """Turns the webhook off in the stored row, not in this object.

        Its events wait for three days, and go out if it is turned on again by then.
        """
        Webhook.objects.filter(pk=self.pk).update(is_active=False)


def is_secret(text: str) -> bool:
    """Returns whether `text` is a secret by Standard Webhooks: "whsec_" and base64 of 24 to 64 bytes."""
    try:
        return text.startswith(PREFIX) and 24 <= len(base64.b64decode(text.removeprefix(PREFIX), validate=True)) <= 64
    except ValueError:
        return False


def new_secret() -> str:
    """Returns a new random secret in the form of Standard Webhooks: "whsec_" and base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_SIZE)).decode()
