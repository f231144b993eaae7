"""Calls by which an app is told that somebody has signed out, and their tries (OpenID Connect Back-Channel Logout)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from outbox.models.retry_times import until_given_up


class LogoutCall(models.Model):
    """One login that has ended, and the app that must hear of it.

    It stands alone: login, person and app may be gone.
    """

    client_id = models.CharField(max_length=100)  # of the app; no reference
    uri = models.CharField(max_length=500)
    sub = models.CharField(max_length=36)
    sid = models.CharField(max_length=64)
    made_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    give_up_at = models.DateTimeField(default=until_given_up)
    told_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    last_answer = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["next_try_at"], name="logout_call_waiting", condition=Q(told_at=None, given_up_at=None)
            ),
            models.Index(fields=["client_id", "-id"], name="logout_call_newest"),
            models.Index(fields=["told_at"], name="logout_call_done", condition=Q(told_at__isnull=False)),
            models.Index(fields=["given_up_at"], name="logout_call_lost", condition=Q(given_up_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.sid[:8]} to {self.client_id}"
