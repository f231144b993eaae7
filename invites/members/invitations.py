"""What members send, where members may invite.

What a member sees must not tell whether an address has an account, was invited by somebody else, or wants no mail. So
each invitation of a member is a row of its own, beside whatever else there is for the address; it changes only by what
its member does with it, when the desk withdraws it, or when the person answers the very mail that the member sent. To
somebody who has an account that mail holds no link.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Event, User
from invites import mails
from invites.models import INVITE_LIFETIME, Invite, InviteQuerySet, MagicLink
from invites.models.queryset import first_times
from invites.models.steps import SENT_JUST_NOW
from kit import times
from outbox.models import OutboxMessage

QUOTA_WINDOW = timedelta(days=7)  # in which a member may send MEMBERS_INVITE_QUOTA invitations
MEMBER_SENDS = 5  # mails of one member to one address within that time


class MemberInvites:
    """The invitations of one member. Every address takes the same statements."""

    def __init__(self, member: User) -> None:
        self.member = member

    def sent(self) -> InviteQuerySet:
        """What this member has sent, newest first; not what was to somebody who has left."""
        sent = Invite.objects.filter(source=Invite.Source.MEMBER, invited_by=self.member)
        return sent.exclude(email="").order_by("-created_at")

    def left(self) -> tuple[int, datetime | None]:
        """How many more this member may send, and until when; withdrawn ones count too."""
        since, quota = timezone.now() - QUOTA_WINDOW, settings.MEMBERS_INVITE_QUOTA
        sent = Invite.objects.filter(source=Invite.Source.MEMBER, invited_by=self.member, created_at__gt=since)
        times_sent = list(sent.order_by("-created_at").values_list("created_at", flat=True)[:quota])
        return quota - len(times_sent), times_sent[-1] + QUOTA_WINDOW if times_sent else None

    def send(self, email: str, *, note: str = "", language: str = "") -> Invite:
        """Invites a normalized address and mails it.

        Raises ValidationError, with words for the member, who may be paused, have no invitations left, or have invited
        the address already.
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
            if not Invite.objects.store([invite]).done:  # what was declined has just been opened again
                raise self._invited_already()
            self._mail(invite, Event.Kind.INVITED)
        return invite

    def resend(self, invite: Invite) -> None:
        """Mails it again; its time starts again, and its older links go on working.

        Raises ValidationError, with words for the member, or DoesNotExist when it is over.
        """
        with transaction.atomic():
            self._admit()
            invite = self.sent().open().select_for_update(no_key=True).get(pk=invite.pk)
            now = timezone.now()
            self._check_sends(invite, now)
            self._check_mails(invite.email)
            until = now + INVITE_LIFETIME
            Invite.objects.filter(pk=invite.pk).mark_sent_again(until)
            invite.expires_at, invite.invited_by = max(invite.expires_at, until), self.member
            self._mail(invite, Event.Kind.RESENT)

    def withdraw(self, invite: Invite) -> None:
        """Withdraws it, and its mail that has not left; nobody else's link is touched.

        Raises DoesNotExist when it is over.
        """
        with transaction.atomic():
            self._lock()
            if not self.sent().pending().filter(pk=invite.pk).update(revoked_at=timezone.now()):
                raise Invite.DoesNotExist
            # What the person has asked for goes on without it.
            asked_for = MagicLink.objects.asked_for().filter(invite=invite.pk, used_at=None)
            asked_for.update(invite=None)
            OutboxMessage.objects.waiting().filter(about=invite.pk).withdraw()
            Event.objects.record(Event.Kind.REVOKED, self.member, about=invite.pk)

    def _lock(self) -> User:
        """Locks the member for the rest of the transaction, so that two presses at once count one after the other."""
        locked: User = User.objects.select_for_update(no_key=True).get(pk=self.member.pk)
        return locked

    def _admit(self) -> None:
        if self._lock().invites_paused_at:
            raise ValidationError(_("Your invitations are paused"), code="paused")

    def _invited_already(self) -> ValidationError:
        said = _("You’ve already invited this address. You can send it again below")
        return ValidationError(said, code="invited")

    def _check_quota(self) -> None:
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
        again_at = (invite.sent_at or invite.created_at) + SENT_JUST_NOW
        if again_at > now:
            at = times.clock(times.next_minute(again_at))
            said = _("We sent an email less than a minute ago. You can send another one after %(time)s.")
            raise ValidationError(said % {"time": at}, code="too_soon")

    def _check_mails(self, email: str) -> None:
        """No address gets more mails of one member, whatever is withdrawn and sent anew meanwhile."""
        since = timezone.now() - QUOTA_WINDOW
        sent = self.sent().filter(email=email, sent_at__gt=since)
        count = sent.aggregate(total=Sum("sends"))["total"] or 0
        if count >= MEMBER_SENDS:
            said = _("We’ve sent this person %(count)s emails for you within seven days. Ask them in another way.")
            raise ValidationError(said % {"count": count}, code="enough")

    def _mail(self, invite: Invite, kind: Event.Kind) -> None:
        account = User.objects.filter(email=invite.email).first()
        mails.from_member(invite, account).save()
        Event.objects.record(kind, self.member, about=invite.pk)
