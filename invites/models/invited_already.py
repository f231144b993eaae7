"""Those whom a batch skips because they are invited already."""

from typing import TYPE_CHECKING, Any

from django.db import models

from invites.models.invite import Invite
from invites.models.outcome import Outcome, Reason

if TYPE_CHECKING:
    from invites.models.queryset import InviteQuerySet


def invited(outcome: Outcome) -> "InviteQuerySet":
    """The invites of those whom `outcome` skipped because of them."""
    emails = [email for email, reason in outcome.skipped if reason == Reason.INVITED]
    if not emails:
        return Invite.objects.none()
    # One mail is enough, whichever members have invited them as well.
    by_member = models.Case(models.When(source=Invite.Source.MEMBER, then=1), default=0)
    rows = Invite.objects.open().filter(email__in=emails)
    return rows.order_by("email", by_member, "-expires_at").distinct("email")


def resend(outcome: Outcome, **given: Any) -> Outcome:
    """Writes to them as well, as InviteQuerySet.resend does; returns what came of all."""
    again = invited(outcome).resend(**given)
    skipped = [pair for pair in outcome.skipped if pair[1] != Reason.INVITED]
    return Outcome(outcome.done, skipped, outcome.again_at) + again
