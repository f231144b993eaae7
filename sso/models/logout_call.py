"""Calls by which an app is told that somebody has signed out, and their tries (OpenID Connect Back-Channel Logout)."""

from datetime import timedelta
from typing import ClassVar

from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from outbox.models.message import clean_refusal
from outbox.models.retry_times import KEPT, pause_after, until_given_up

KEPT_TOLD = timedelta(days=7)


class LogoutCallQuerySet(models.QuerySet["LogoutCall"]):
    def waiting(self) -> "LogoutCallQuerySet":
        """Returns the calls that are neither told nor given up."""
        return self.filter(told_at=None, given_up_at=None)

    def due(self) -> "LogoutCallQuerySet":
        """Returns the waiting calls whose next try is due, app by app, of each first the one that is due longest."""
        return self.waiting().filter(next_try_at__lte=timezone.now()).order_by("client_id", "next_try_at")

    def give_up_overdue(self) -> int:
        """Gives up waiting calls past their `give_up_at`, and returns their number.

        They may never have been tried, if their app was away all the time. Passes over those that are tried just now.
        """
        now = timezone.now()
        late = self.waiting().filter(give_up_at__lt=now).select_for_update(skip_locked=True).values("pk")
        with transaction.atomic():
            return self.filter(pk__in=late).update(given_up_at=now, sub="", sid="")

    def prunable(self) -> "LogoutCallQuerySet":
        """Returns the calls to prune: told longer ago than KEPT_TOLD, or given up longer ago than KEPT."""
        now = timezone.now()
        return self.filter(Q(told_at__lt=now - KEPT_TOLD) | Q(given_up_at__lt=now - KEPT))


class LogoutCall(models.Model):
    """One login that has ended, and the app that must hear of it.

    It stands alone: login, person and app may be gone. Once nobody tries it any more it names nobody: `sub` and `sid`
    are emptied.
    """

    class Status(models.TextChoices):  # in words: sso/back_channel/in_words.py
        QUEUED = "queued"
        TRIED = "tried"
        TOLD = "told"
        REFUSED = "refused"
        GIVEN_UP = "given_up"

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

    objects: ClassVar[LogoutCallQuerySet] = LogoutCallQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["client_id", "next_try_at"],
                name="logout_call_waiting",
                condition=Q(told_at=None, given_up_at=None),
            ),
            models.Index(fields=["client_id", "-id"], name="logout_call_newest"),
            models.Index(fields=["told_at"], name="logout_call_done", condition=Q(told_at__isnull=False)),
            models.Index(fields=["given_up_at"], name="logout_call_lost", condition=Q(given_up_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"call {self.pk} to {self.client_id}"

    @property
    def status(self) -> Status:
        if self.told_at:
            return self.Status.TOLD
        if self.given_up_at:
            return self.Status.REFUSED if self.given_up_at < self.give_up_at else self.Status.GIVEN_UP
        return self.Status.TRIED if self.attempts else self.Status.QUEUED

    def mark_told(self, answer: str) -> None:
        """Saves that the app has heard it, with its answer, and whom it was about is forgotten. Counts as a try."""
        self.told_at = timezone.now()
        self._forget()
        self._save_try(answer, "told_at", "sub", "sid")

    def mark_failed(self, answer: str, wait: timedelta = timedelta()) -> None:
        """Saves a failed try, with the app's answer or the error as `answer`.

        The next try comes after pause_after(), or after `wait` if that is longer; if `give_up_at` is past, none does.
        """
        now = timezone.now()
        if now >= self.give_up_at:
            self.give_up(answer)
            return
        self.next_try_at = now + max(pause_after(self.attempts), wait)
        self._save_try(answer, "next_try_at")

    def give_up(self, answer: str) -> None:
        """Saves a failed try that no further one would heal, and whom it was about is forgotten."""
        self.given_up_at = timezone.now()
        self._forget()
        self._save_try(answer, "given_up_at", "sub", "sid")

    def _forget(self) -> None:
        self.sub = self.sid = ""

    def _save_try(self, answer: str, *changed: str) -> None:
        self.last_answer = clean_refusal(answer)
        self.attempts += 1
        self.save(update_fields=["attempts", "last_answer", *changed])
