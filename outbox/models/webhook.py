"""Webhooks: addresses that are told of events over HTTP, each with a secret that signs what it is told."""

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

# What can be chosen; docs/events.md says what each is.
EVENTS = ("user.created", "user.deleted", "invite.accepted", "session.revoked")

PREFIX = "whsec_"  # of a secret, as Standard Webhooks has it
SECRET_SIZE = 32  # bytes
BOTH_SIGN = timedelta(hours=24)  # after a secret was renewed, so that its receiver can change over
PAUSE = timedelta(seconds=30)  # of a webhook whose server is away


class Renewed(Exception):
    """Somebody else has just made another secret."""


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def awake(self) -> "WebhookQuerySet":
        """Those that may be called now; one whose server is away only now and then."""
        return self.filter(Q(paused_until=None) | Q(paused_until__lte=timezone.now()), is_active=True)

    def forget_former_secrets(self) -> int:
        """Those that sign no more; says of how many."""
        return self.filter(former_until__lt=timezone.now()).update(former_secret="", former_until=None)

    def reencrypt(self, ids: Iterable[int], *, save: bool) -> int:
        """Encrypts their secrets with the first key; gives how many webhooks could be read."""
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
    url = models.CharField(_("address"), max_length=500, unique=True)
    # The names of those it wants; none means all.
    events = models.JSONField(_("events"), default=list, blank=True)
    is_active = models.BooleanField(_("on"), default=True)
    # Encrypted, both of them.
    secret = models.TextField(editable=False)
    secret_made_at = models.DateTimeField(default=timezone.now, editable=False)
    former_secret = models.TextField(blank=True, editable=False)
    former_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    # Its server is away or slow: until then nobody calls it, then one worker does.
    paused_until = models.DateTimeField(null=True, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.host  # the rest may hold a key of the receiver's, and this goes into logs

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def secrets(self) -> list[str]:
        """That which signs, and the one before it for as long as it signs, too. Raises encryption.Unreadable."""
        signing = [encryption.decrypt(self.secret)]
        if self.former_until and self.former_until > timezone.now():
            with suppress(encryption.Unreadable):  # a lost key may be why there is a new one
                signing.append(encryption.decrypt(self.former_secret))
        return signing

    def store_new(self) -> str:
        """Stores a new webhook; returns its secret, which nobody can read again."""
        made = self.make_secret()
        self.save(force_insert=True)
        return made

    def change(self, fields: Iterable[str]) -> None:
        """Stores these fields, and lets it be called at once.

        Only these: the others were read a while ago, and a worker may have turned it off since.
        """
        self.paused_until = None
        self.save(update_fields=[*fields, "paused_until"])

    def make_secret(self) -> str:
        """Gives it its first one, which nobody can read again; not stored yet."""
        made = new_secret()
        self.secret = encryption.encrypt(made)
        return made

    def renew_secret(self, made_at: datetime) -> str:
        """A new one in place of that which was made then; both sign for a day. Raises Renewed."""
        made, now = new_secret(), timezone.now()
        fresh = {"secret": encryption.encrypt(made), "secret_made_at": now}
        former = {"former_secret": models.F("secret"), "former_until": now + BOTH_SIGN}
        if not Webhook.objects.filter(pk=self.pk, secret_made_at=made_at).update(**fresh, **former):
            raise Renewed
        return made

    def announce(self, name: str) -> None:
        """Stores an event that is for it alone, and says nothing but its name."""
        self.deliveries.create(name=name)

    def is_mine_to_call(self) -> bool:
        """Whether this process may. A server that was away is called by one worker, as all would wait for it."""
        if self.paused_until is None:
            return True
        now = timezone.now()
        free = Webhook.objects.filter(pk=self.pk, paused_until__lte=now)
        return bool(free.update(paused_until=now + PAUSE))

    def pause(self, pause: timedelta = PAUSE) -> None:
        Webhook.objects.filter(pk=self.pk).update(paused_until=timezone.now() + pause)

    def resume(self) -> None:
        """Its server is there."""
        Webhook.objects.filter(pk=self.pk, paused_until__isnull=False).update(paused_until=None)

    def turn_off(self) -> None:
        """What waits for it waits on for three days, and goes out if it is turned on again until then."""
        Webhook.objects.filter(pk=self.pk).update(is_active=False)


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_SIZE)).decode()
