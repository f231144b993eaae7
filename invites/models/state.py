"""The states of an invitation."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class InviteState(models.TextChoices):
    """What has become of an invitation; `Invite.state` says which of these it is in."""

    PENDING = "pending", _("Pending")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    REVOKED = "revoked", _("Withdrawn")
    EXPIRED = "expired", _("Expired")
