"""Tells other services and the inviter of invitations whose mail came back or was refused for good."""

from invites.models import Invite
from outbox.models import OutboxMessage, when_undelivered


def take_part() -> None:
    """Has hear() called for each mail that was not delivered. To be called once, at start."""
    when_undelivered(hear)


def hear(mail: OutboxMessage) -> None:
    """Announces "invite.bounced" if the mail is of an invitation, and notes that there is news for its inviter.

    Does both in the caller's transaction. Not for members: they see no delivery status.
    """
    if mail.about:
        rows = Invite.objects.filter(pk=mail.about)
        rows.announce_invites("invite.bounced")
        rows.open().exclude(source=Invite.Source.MEMBER).update(has_news=True)
