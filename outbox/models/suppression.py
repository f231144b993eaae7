"""Suppressed addresses: no mail goes to them, because it came back or because their owners want none."""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kit.exact import ExactEmailField, ExactField
from kit.one_statement import Write
from kit.prepared import Given, Prepared

OF = Prepared(
    lambda: Suppression.objects.filter(
        RawSQL(
            "recipient = %s OR digest = ANY(%s)",
            (Given("recipient", models.CharField()), Given("digests", ArrayField(models.CharField()))),
            models.BooleanField(),
        )
    ).order_by("pk")[:1]
)


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def suppress(self, recipient: str, reason: str) -> None:
        """Stops all mail to an address, with a reason for staff, cut to 300 characters.

        If the address is suppressed already, its reason stays.
        """
        self.bulk_create([self.model(recipient=recipient, reason=reason[:300])], ignore_conflicts=True)

    def opt_out(self, recipient: str) -> None:
        """Stops all mail to an address whose owner wants none. Stores only a keyed hash of the address.

        If that hash is stored already, nothing changes.
        """
        self.bulk_create([self.model(digest=digests(recipient)[0])], ignore_conflicts=True)

    def has_opted_out(self, recipient: str) -> bool:
        """Returns whether the owner of the address has opted out of all mail."""
        return self.filter(digest__in=digests(recipient)).exists()

    def undo_opt_out(self, recipient: str) -> None:
        """Undoes opt_out() for an address. An address whose mail came back stays suppressed."""
        self.opt_out_undone(recipient).run()

    def opt_out_undone(self, recipient: str) -> Write:
        """Returns the statement of undo_opt_out(), which nobody has run yet."""
        return Write("DELETE FROM outbox_suppression WHERE digest = ANY(%s)", [digests(recipient)])

    def lift(self) -> list[str]:
        """Deletes those of these suppressions whose mail came back. Returns their addresses.

        Those whose owners asked for no mail stay, also of the same addresses: only they can take that back. What
        servers have said of these addresses until now no longer counts against them.
        """
        from outbox.models.message import OutboxMessage  # noqa: PLC0415 its module needs this one

        rows = self.exclude(recipient=None)
        named = list(rows.values_list("recipient", flat=True))
        self.model.objects.filter(recipient__in=named).delete()
        OutboxMessage.objects.filter(recipient__in=named).update(found_dead_at=None)
        return named

    def to(self, recipients: Iterable[str]) -> "SuppressionQuerySet":
        """Returns the suppressions of any of these addresses."""
        addresses = list(recipients)
        hashes = [digest for address in addresses for digest in digests(address)]
        return self.filter(models.Q(recipient__in=addresses) | models.Q(digest__in=hashes))

    def of(self, recipient: str) -> "Suppression | None":
        """Returns the suppression of an address, or None if mail may go to it."""
        found = OF.read(recipient=recipient, digests=digests(recipient))
        return found[0] if found else None

    def among(self, recipients: Iterable[str]) -> "dict[str, Suppression]":
        """Returns the suppressed ones of these addresses, each with its suppression, read in one statement."""
        addresses = list(recipients)
        found = {key: row for row in self.to(addresses) for key in (row.recipient, row.digest) if key}
        known = {address: [address, *digests(address)] for address in addresses}
        return {a: next(found[key] for key in keys if key in found) for a, keys in known.items() if found.keys() & keys}


def digests(recipient: str) -> list[str]:
    """Returns the keyed hashes under which an address may be stored: first by SECRET_KEY, then by its fallbacks."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [salted_hmac("mail.Suppression", recipient, secret=key, algorithm="sha256").hexdigest() for key in keys]


class Suppression(models.Model):
    """An address that no mail goes to; mail that is stored for it all the same is given up unsent.

    Its mail came back for good; or its owner wants none, and then only a keyed hash of the address is stored.
    """

    recipient = ExactEmailField(_("address"), max_length=320, unique=True, null=True)
    digest = ExactField(max_length=64, unique=True, null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("since"), default=timezone.now)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")

    def __str__(self) -> str:
        return self.recipient or f"#{self.pk}"

    @property
    def is_opt_out(self) -> bool:
        """True if the owner of the address asked for no mail; False if mail came back."""
        return self.recipient is None

    @property
    def summary(self) -> str:
        """The reason and date of the suppression in a few words, for lists of many."""
        return (
            f"wants no mail since {self._since}" if self.is_opt_out else f"suppressed after a bounce on {self._since}"
        )

    @property
    def explanation(self) -> str:
        """The reason and date of the suppression, for staff, in the active language."""
        since = date_format(timezone.localtime(self.created_at), gettext("j M Y"))
        if self.is_opt_out:
            return gettext("its owner asked on %(date)s never to be written to") % {"date": since}
        return gettext("mail to this address came back on %(date)s: %(reason)s") % {
            "date": since,
            "reason": self.reason,
        }

    def lift(self) -> None:
        """Deletes this suppression, unless the owner of the address asked for no mail."""
        Suppression.objects.filter(pk=self.pk).lift()

    @property
    def _since(self) -> str:
        return f"{self.created_at.day} {self.created_at:%b %Y}"
