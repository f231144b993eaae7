"""Addresses that no mail goes to, until staff say otherwise."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def suppress(self, recipient: str, reason: str) -> None:
        """Stops all mail to an address; the first reason stays."""
        self.bulk_create([self.model(recipient=recipient, reason=reason[:300])], ignore_conflicts=True)

    def of(self, recipient: str) -> "Suppression | None":
        return self.filter(recipient=recipient).first()


class Suppression(models.Model):
    """An address whose mail came back for good. What is mailed to it all the same is given up at once."""

    recipient = models.EmailField(_("address"), max_length=320, unique=True)
    reason = models.CharField(_("reason"), max_length=300)
    created_at = models.DateTimeField(_("since"), default=timezone.now)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")

    def __str__(self) -> str:
        return self.recipient

    @property
    def summary(self) -> str:
        """The same in a few words, for lists of many."""
        return f"suppressed after a bounce on {self._since}"

    @property
    def explanation(self) -> str:
        """Why nothing goes to it, for staff."""
        return f"mail to this address came back on {self._since}: {self.reason}"

    def lift(self) -> None:
        """Lets mail go to the address again."""
        self.delete()

    @property
    def _since(self) -> str:
        return f"{self.created_at.day} {self.created_at:%b %Y}"
