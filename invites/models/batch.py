"""Many invitations at once: a list that was checked, then sent as one."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ids import uuid7
from accounts.models import User


def new_id() -> str:
    return f"b_{uuid7().hex}"


class Batch(models.Model):
    """Its invites carry its id. Until it is sent it holds who will be invited, and what could not be read."""

    id = models.CharField(primary_key=True, max_length=40, default=new_id, editable=False)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("invited by"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)
    # Emptied when it is sent: who will be invited, as Entry has it.
    entries = models.JSONField(default=list)
    # Number, text and reason of each line that could not be read.
    refused = models.JSONField(default=list)
    counts = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering: ClassVar[list[str]] = ["-id"]

    def __str__(self) -> str:
        return self.id
