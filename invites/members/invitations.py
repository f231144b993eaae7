"""The invitations that members send, on sites where members may invite.

What members see must not tell whether an address has an account, was invited by another person, or wants no mail. So an
invitation from a member is a row of its own, whatever other invitations its address has. It changes only if that member
acts on it, if staff withdraw it, or if the invited person answers the mail that this member sent. To a person with an
account, that mail has no token.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Event, Superseded, User
from invites import mails
from invites.models import Invite, InviteQuerySet, MagicLink
from invites.models.queryset import first_times
from invites.models.steps import SENT_JUST_NOW
from kit import times
from kit.rate_limit import Limited
from outbox import limits as mail_limits
from outbox.models import OutboxMessage

QUOTA_WINDOW = timedelta(days=7)  # in which a member may send MEMBERS_INVITE_QUOTA invitations
MEMBER_SENDS = 5  # mails from one member to one address within QUOTA_WINDOW


class MemberInvites:
    """The invitations of one member. Every address takes the same statements, so that time tells nothing about it."""

    def __init__(self, member: User) -> None:
        self.member = member

    def sent(self) -> InviteQuerySet:
        """Returns the invitations that this member has sent, newest first, except to people who have left."""
        sent = Invite.objects.filter(source=Invite.Source.MEMBER, invited_by=self.member)
        return sent.exclude(email="").order_by("-created_at")

    def left(self) -> tuple[int, datetime | None]:
        """Returns how many more invitations this member may send, and when the number next rises.

        Invitations of the last QUOTA_WINDOW count, withdrawn ones too. The time is None if there are none.
        """
        since, quota = timezone.now() - QUOTA_WINDOW, settings.MEMBERS_INVITE_QUOTA
        sent = Invite.objects.filter(source=Invite.Source.MEMBER, invited_by=self.member, created_at__gt=since)
        times_sent = list(sent.order_by("-created_at").values_list("created_at", flat=True)[:quota])
        return quota - len(times_sent), times_sent[-1] + QUOTA_WINDOW if times_sent else None

    def send(self, email: str, *, note: str = "", language: str = "") -> Invite:
        """Invites a normalized address and mails it. Returns the invitation.

        `note` is one plain line, `language` the code of the mail's language. Raises ValidationError, in words for the
        member, if the member is paused, has no invitations left, has invited the address already or mailed it too
        often, or if the address is their own; also if all together have mailed its mailbox too often. Raises Superseded
        if the member's account was deleted meanwhile.
        """
        with transaction.atomic():
            self._admit()
            self._check_quota()
            if email == self.member.email:
                raise ValidationError(_("This is your own address"), code="own")
            if self.sent().pending().filter(email=email).exists():
                raise self._invited_already()
            self._check_mails(email)
            said = {"note": note, "language": language}
            invite = Invite(email=email, source=Invite.Source.MEMBER, invited_by=self.member, **said, **first_times())
            Invite.objects.replace_expired([email], invite.source, self.member)
            if not Invite.objects.store([invite]).done:  # another request has just stored one
                raise self._invited_already()
            self._mail(invite, Event.Kind.INVITED)
        return invite

    def resend(self, invite: Invite) -> None:
        """Mails an invitation again, with its lifetime from now. Its older links go on working.

        Raises ValidationError, in words for the member, if the member is paused, or has mailed the address too often or
        less than a minute ago, or all together have mailed its mailbox too often. Raises Invite.DoesNotExist if the
        invitation is not this member's, or no longer open, and Superseded if the member's account was deleted
        meanwhile.
        """
        with transaction.atomic():
            self._admit()
            invite = self.sent().open().select_for_update(no_key=True).get(pk=invite.pk)
            now = timezone.now()
            self._check_sends(invite, now)
            self._check_mails(invite.email)
            Invite.objects.filter(pk=invite.pk).mark_sent_again()
            invite.expires_at, invite.invited_by = max(invite.expires_at, now + invite.lifetime), self.member
            self._mail(invite, Event.Kind.RESENT)

    def withdraw(self, invite: Invite) -> None:
        """Withdraws an invitation and its mail that has not left. Links that the person asked for go on working.

        Raises Invite.DoesNotExist if the invitation is not this member's, or no longer pending, and Superseded if the
        member's account was deleted meanwhile.
        """
        with transaction.atomic():
            self._lock()
            if not self.sent().pending().filter(pk=invite.pk).update(revoked_at=timezone.now()):
                raise Invite.DoesNotExist
            # A link that the person asked for is theirs: it must not end with the member's invitation.
            asked_for = MagicLink.objects.asked_for().filter(invite=invite.pk, used_at=None)
            asked_for.update(invite=None)
            OutboxMessage.objects.waiting().filter(about=invite.pk).withdraw()
            Invite.objects.filter(pk=invite.pk).announce_invites("invite.revoked")
            Event.objects.record(Event.Kind.REVOKED, self.member, about=invite.pk)

    def _lock(self) -> User:
        """Locks the member's row until the transaction ends, so that two presses at once count one after the other.

        Returns the member as stored now. Raises Superseded if the account was deleted meanwhile.
        """
        locked: User | None = User.objects.select_for_update(no_key=True).filter(pk=self.member.pk).first()
        if locked is None:
            raise Superseded
        return locked

    def _admit(self) -> None:
        """Locks the member's row as _lock() does. Raises ValidationError if the member's invitations are paused."""
        if self._lock().invites_paused_at:
            raise ValidationError(_("Your invitations are paused"), code="paused")

    def _invited_already(self) -> ValidationError:
        said = _("You’ve already invited this address. You can send it again below")
        return ValidationError(said, code="invited")

    def _check_quota(self) -> None:
        """Raises ValidationError if the member may send no more invitations now."""
        left, until = self.left()
        if left <= 0 and until:
            quota = settings.MEMBERS_INVITE_QUOTA
            said = ngettext(
                "You’ve sent %(count)s invitation within seven days. You can send the next one after %(time)s.",
                "You’ve sent %(count)s invitations within seven days. You can send the next one after %(time)s.",
                quota,
            )
            raise ValidationError(said % {"count": quota, "time": times.until(until)}, code="quota")

    def _check_sends(self, invite: Invite, now: datetime) -> None:
        """Raises ValidationError if the invitation was mailed less than SENT_JUST_NOW ago."""
        again_at = (invite.sent_at or invite.created_at) + SENT_JUST_NOW
        if again_at > now:
            at = times.clock(times.next_minute(again_at))
            said = _("We sent an email less than a minute ago. You can send another one after %(time)s.")
            raise ValidationError(said % {"time": at}, code="too_soon")

    def _check_mails(self, email: str) -> None:
        """Raises ValidationError if the member has mailed the address MEMBER_SENDS times within QUOTA_WINDOW.

        Withdrawn invitations count too, or the member could mail without end by withdrawing and inviting again.
        """
        since = timezone.now() - QUOTA_WINDOW
        sent = self.sent().filter(email=email, sent_at__gt=since)
        count = sent.aggregate(total=Sum("sends"))["total"] or 0
        if count >= MEMBER_SENDS:
            said = _("We’ve sent this person %(count)s emails for you within seven days. Ask them in another way.")
            raise ValidationError(said % {"count": count}, code="enough")

    def _mail(self, invite: Invite, kind: Event.Kind) -> None:
        """Stores the mail of the invitation, and a line of the history of this `kind`.

        If the address has an account, the mail has no token. Raises ValidationError if its mailbox was mailed too
        often.
        """
        try:
            mail_limits.take(invite.email)
        except Limited as limit:
            raise ValidationError(limit.words, code="enough") from None
        account = User.objects.filter(email=invite.email).first()
        mails.from_member(invite, account).save()
        Event.objects.record(kind, self.member, about=invite.pk)
