"""The keys that sign what apps are told: made by the site itself, encrypted, and replaced one by another."""

from django.db import models
from django.utils import timezone


class SigningKey(models.Model):
    """An RSA key. It is published as soon as it is made, signs later, and stays published for a day after its end."""

    pem = models.TextField(editable=False)  # encrypted by kit.encryption
    made_at = models.DateTimeField(default=timezone.now)
    signs_from = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True)  # when it leaves the published set

    def __str__(self) -> str:
        return f"key of {self.made_at:%Y-%m-%d %H:%M}"
