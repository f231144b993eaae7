"""The keys that sign what apps are told: made by the site itself, encrypted, and replaced one by another."""

from collections.abc import Iterable
from contextlib import suppress
from typing import ClassVar

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from kit import encryption


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    def published(self) -> "SigningKeyQuerySet":
        """Returns the keys that apps may find: those that sign, will sign, or have signed what may still be shown."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=timezone.now()))

    def prunable(self) -> "SigningKeyQuerySet":
        """Returns the keys that are published no more."""
        return self.filter(ends_at__lte=timezone.now())

    def reencrypt(self, ids: Iterable[int], *, save: bool) -> int:
        """Encrypts the keys with these ids again, with the first of ENCRYPTION_KEYS.

        Returns how many could be decrypted; passes over the others. Locks the rows in a transaction, and saves nothing
        unless `save` is true.
        """
        readable = 0
        with transaction.atomic():
            for key in self.select_for_update().filter(pk__in=list(ids)).order_by("pk"):
                with suppress(encryption.Unreadable):
                    key.pem = encryption.renew(key.pem)
                    readable += 1
                    if save:
                        key.save(update_fields=["pem"])
        return readable


class SigningKey(models.Model):
    """An RSA key. It is published as soon as it is made, signs later, and stays published for a day after its end."""

    pem = models.TextField(editable=False)  # encrypted by kit.encryption
    made_at = models.DateTimeField(default=timezone.now)
    signs_from = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True)  # when it leaves the published set

    objects: ClassVar[SigningKeyQuerySet] = SigningKeyQuerySet.as_manager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return f"key of {self.made_at:%Y-%m-%d %H:%M}"
