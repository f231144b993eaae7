"""People whom a batch skips because they are invited already: finding their invitations, and mailing them again."""

from typing import TYPE_CHECKING, Any

from django.db import models

from invites.models.invite import Invite
from invites.models.outcome import Outcome, Reason

if TYPE_CHECKING:
    from invites.models.queryset import InviteQuerySet


def find_invited(outcome: Outcome) -> "InviteQuerySet":
    """Returns one open invitation for each address that `outcome` skipped with the reason INVITED.

    An invitation from staff comes before one from a member, then the one that ends last.
    """
    emails = [email for email, reason in outcome.skipped if reason == Reason.INVITED]
    if not emails:
        return Invite.objects.none()
    # Each person is to get one mail, even if members have invited them too.
    by_member = models.Case(models.When(source=Invite.Source.MEMBER, then=1), default=0)
    rows = Invite.objects.open().filter(email__in=emails)
    return rows.order_by("email", by_member, "-expires_at").distinct("email")


def resend(outcome: Outcome, **given: Any) -> Outcome:
    """Mails the people again whom `outcome` skipped as INVITED. Returns the outcome of all people together.

    `given` are arguments of Lifecycle.resend().
    """
    again = find_invited(outcome).resend(**given)
    skipped = [pair for pair in outcome.skipped if pair[1] != Reason.INVITED]
    return Outcome(outcome.done, skipped, outcome.again_at) + again
