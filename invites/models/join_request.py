"""Requests to join: people without an invitation who have proven their address and wait for an answer."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import display_names
from accounts.models import User
from invites.models.invite import Invite
from invites.models.join_request_queryset import WAITING, JoinRequestQuerySet
from invites.models.queryset import Entry
from kit.addresses import MAX_LENGTH
from kit.exact import ExactEmailField
from kit.ids import uuid7

LONGEST = 300  # letters of the words that somebody adds


class JoinRequest(models.Model):
    """Somebody asks to join. The row is made when their address is proven; an address has one at most.

    It has the id of the link that proved the address. It waits until it is answered: by an invitation, whoever sends
    it, or by a decline. It is kept for a while after that. Whoever takes it back before deletes it.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        INVITED = "invited", _("Invited")
        DECLINED = "declined", _("Declined")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = ExactEmailField(_("email address"), max_length=MAX_LENGTH, unique=True)
    name = models.CharField(_("name"), max_length=display_names.MAX_LENGTH, blank=True)
    words = models.CharField(_("their words"), max_length=LONGEST, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    network = models.CharField(_("network"), max_length=50, blank=True)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    proven_at = models.DateTimeField(_("address proven"), default=timezone.now)
    answered_at = models.DateTimeField(_("answered"), null=True)
    answered_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(_("reason for declining"), max_length=200, blank=True)
    # The invitation that answers it, also one that was sent without a look at it. A request that was declined can
    # still get one.
    invite = models.ForeignKey(Invite, models.CASCADE, null=True, related_name="+")

    objects: ClassVar[JoinRequestQuerySet] = JoinRequestQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("request to join")
        verbose_name_plural = _("requests to join")
        default_permissions = ()  # JoinRequestAdmin asks for the permission to add invitations
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(email=models.functions.Lower("email")), name="join_request_is_lower_case"
            )
        ]
        indexes: ClassVar[list[models.Index]] = [
            # The queue at the desk, its number on the desk's home.
            models.Index(fields=["proven_at"], name="join_request_waiting", condition=WAITING),
            # declined(), prunable().
            models.Index(fields=["answered_at"], name="join_request_answered"),
            # How many have asked from one network.
            models.Index(fields=["network", "proven_at"], name="join_request_by_network"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def state(self) -> State:
        """WAITING until it is answered; INVITED if there is an invitation, even after a decline; else DECLINED."""
        if self.answered_at is None:
            return self.State.WAITING
        return self.State.INVITED if self.invite_id else self.State.DECLINED

    def entry(self, **given: Any) -> Entry:
        """Returns the person to be invited; `given` are fields of Entry that the inviter chooses."""
        return Entry(self.email, name=self.name, language=self.language, asked_at=self.asked_at, **given)
