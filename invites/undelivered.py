"""Tells other services of invitations whose mail came back or was refused for good."""

from invites.models import Invite
from outbox.models import OutboxMessage, when_undelivered


def take_part() -> None:
    """Has announce() called for each mail that was not delivered. To be called once, at start."""
    when_undelivered(announce)


def announce(mail: OutboxMessage) -> None:
    """Announces "invite.bounced", in the caller's transaction, if the mail is of an invitation."""
    if mail.about:
        Invite.objects.filter(pk=mail.about).announce_invites("invite.bounced")
