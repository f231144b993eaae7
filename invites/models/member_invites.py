"""What members send, where members may invite.

What a member sees must not tell whether an address has an account, was invited by somebody else, or wants no mail. So
each invitation of a member is a row of its own (Source.SHADOW), which changes only by what that member does with it, or
when the person answers what that member sent. No link is made of it. Links are mailed of the standing invite of the
address as ever (Source.MEMBER, if the member is the first to invite it), and none to who has an account.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Event, User
from invites import mails
from invites.models.bulk import BulkQuerySet
from invites.models.steps import INVITE_LIFETIME, SENT_JUST_NOW
from kit import times
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from invites.models.invite import Invite
    from invites.models.queryset import InviteQuerySet

QUOTA_WINDOW = timedelta(days=7)  # in which a member may send MEMBERS_INVITE_QUOTA invitations
MEMBER_SENDS = 5  # mails of one member to one address within that time


class MemberQuerySet(BulkQuerySet):
    def seen_by(self, member: User) -> "InviteQuerySet":
        """What this member has sent, as the member sees it, newest first; not what was to somebody who has left."""
        sent = self.model.objects.filter(source=self.model.Source.SHADOW, invited_by=member)
        return sent.exclude(email="").order_by("-created_at")

    def left_for(self, member: User) -> tuple[int, datetime | None]:
        """How many more this member may send, and until when; withdrawn ones count too."""
        since, quota = timezone.now() - QUOTA_WINDOW, settings.MEMBERS_INVITE_QUOTA
        sent = self.filter(source=self.model.Source.SHADOW, invited_by=member, created_at__gt=since)
        times_sent = list(sent.order_by("-created_at").values_list("created_at", flat=True)[:quota])
        return quota - len(times_sent), times_sent[-1] + QUOTA_WINDOW if times_sent else None

    def issue_for_member(self, member: User, email: str, *, note: str = "", language: str = "") -> "Invite":
        """Invites a normalized address and mails it; gives the invitation as the member sees it.

        Every address takes the same statements. Raises ValidationError, with words for the member, who may be paused,
        have no invitations left, or have invited the address already.
        """
        with transaction.atomic():
            self._admit(member)
            self._check_quota(member)
            if email == member.email:
                raise ValidationError(_("This is your own address"), code="own")
            if self.seen_by(member).pending().filter(email=email).exists():
                said = _("You’ve already invited this address. You can send it again below")
                raise ValidationError(said, code="invited")
            self._check_mails(member, email)
            now = timezone.now()
            seen = self.model(email=email, source=self.model.Source.SHADOW, invited_by=member)
            seen.note, seen.language, seen.created_at = note, language, now
            seen.expires_at, seen.sent_at, seen.sends = now + INVITE_LIFETIME, now, 1
            self._reach(seen, Event.Kind.INVITED)
        return seen

    def resend_for_member(self, member: User, seen: "Invite") -> None:
        """Mails it again; its time starts anew.

        Raises ValidationError, with words for the member, or DoesNotExist when it is over.
        """
        with transaction.atomic():
            self._admit(member)
            seen = self.seen_by(member).open().get(pk=seen.pk)
            now = timezone.now()
            self._check_sends(seen, now)
            self._check_mails(member, seen.email)
            again = {"expires_at": now + INVITE_LIFETIME, "sent_at": now, "sends": seen.sends + 1}
            for name, value in again.items():
                setattr(seen, name, value)
            seen.invited_by = member
            self._reach(seen, Event.Kind.RESENT)
            # Last, as it is by whoever answers: what is linked is locked first.
            if not self.seen_by(member).open().filter(pk=seen.pk).update(**again):
                raise self.model.DoesNotExist

    def withdraw_for_member(self, member: User, seen: "Invite") -> None:
        """Withdraws it, and the standing invite if that is this member's and nobody else needs it.

        Takes the same statements whether there is one. Raises DoesNotExist when it is over.
        """
        with transaction.atomic():
            self._hold(member)
            source, now = self.model.Source, timezone.now()
            own = self.model.objects.standing().filter(email=seen.email, source=source.MEMBER, invited_by=member)
            linked = own.select_for_update().first() or seen
            heir = self._heir(seen)
            rest = {"invited_by": heir.invited_by_id, "note": heir.note, "expires_at": heir.expires_at} if heir else {}
            own.filter(pk=linked.pk).update(**(rest or {"revoked_at": now}))
            if not self.seen_by(member).pending().filter(pk=seen.pk).update(revoked_at=now):
                raise self.model.DoesNotExist
            OutboxMessage.objects.waiting().filter(about__in=[seen.pk, linked.pk]).withdraw()
            Event.objects.record(Event.Kind.REVOKED, member, about=linked.pk)

    def shadows_of(self, invites: "Iterable[Invite]") -> "InviteQuerySet":
        """What members see of these, if members sent them and still wait for an answer."""
        listed = [invite for invite in invites if invite.source == self.model.Source.MEMBER]
        same = {"email": OuterRef("email"), "invited_by": OuterRef("invited_by")}
        theirs = self.model.objects.filter(pk__in=[invite.pk for invite in listed], **same)
        rows = self.model.objects.open().filter(source=self.model.Source.SHADOW)
        return rows.filter(Exists(theirs), email__in=[invite.email for invite in listed])

    def _hold(self, member: User) -> User:
        """Locks the member for the rest of the transaction, so that two presses at once count one after the other."""
        held: User = User.objects.select_for_update(no_key=True).get(pk=member.pk)
        return held

    def _admit(self, member: User) -> None:
        if self._hold(member).invites_paused_at:
            raise ValidationError(_("Your invitations are paused"), code="paused")

    def _check_quota(self, member: User) -> None:
        left, until = self.left_for(member)
        if left <= 0 and until:
            quota = settings.MEMBERS_INVITE_QUOTA
            said = ngettext(
                "You’ve sent %(count)s invitation within seven days. You can send the next one after %(time)s.",
                "You’ve sent %(count)s invitations within seven days. You can send the next one after %(time)s.",
                quota,
            )
            raise ValidationError(said % {"count": quota, "time": times.until(until)}, code="quota")

    def _check_sends(self, seen: "Invite", now: datetime) -> None:
        again_at = (seen.sent_at or seen.created_at) + SENT_JUST_NOW
        if again_at > now:
            # Pages name minutes, and nobody should come back within the one that is not over yet.
            at = times.clock((again_at + timedelta(minutes=1)).replace(second=0, microsecond=0))
            said = _("We sent an email less than a minute ago. You can send another one after %(time)s.")
            raise ValidationError(said % {"time": at}, code="too_soon")

    def _check_mails(self, member: User, email: str) -> None:
        """No address gets more mails of one member, whatever is withdrawn and sent anew meanwhile."""
        since = timezone.now() - QUOTA_WINDOW
        sent = self.seen_by(member).filter(email=email, created_at__gt=since)
        count = sent.aggregate(total=Sum("sends"))["total"] or 0
        if count >= MEMBER_SENDS:
            said = _("We’ve sent this person %(count)s emails for you within seven days. Ask them in another way.")
            raise ValidationError(said % {"count": count}, code="enough")

    def _reach(self, seen: "Invite", kind: Event.Kind) -> None:
        """Stores it, sees to the standing invite of its address, and mails the person."""
        now, account = timezone.now(), User.objects.filter(email=seen.email).first()
        # Older links of what has run out stay dead.
        self.model.objects.standing().filter(email=seen.email, expires_at__lte=now).update(replaced_at=now)
        linked, is_own = self._stand(seen, account)
        letter = mails.from_member(seen, linked, account)
        letter.about = linked.pk if linked and is_own else seen.pk
        letter.save()
        Event.objects.record(kind, seen.invited_by, about=letter.about)

    def _stand(self, seen: "Invite", account: User | None) -> "tuple[Invite | None, bool]":
        """The standing invite of its address, made where there is none, and whether it is the member's."""
        source, standing = self.model.Source, self.model.objects.standing().filter(email=seen.email)
        given: dict[str, Any] = {"source": source.MEMBER, "invited_by": seen.invited_by, "sent_at": seen.sent_at}
        given |= {"note": seen.note, "language": seen.language, "expires_at": seen.expires_at}
        # What its owner has asked for becomes the member's; not what signs in.
        free = Q(source=source.SELF) | Q(source=source.MEMBER, invited_by=seen.invited_by)
        in_use = Exists(User.objects.filter(email=OuterRef("email")))
        standing.filter(free, ~in_use).update(epoch=None, next="", sends=F("sends") + 1, **given)
        own = self.model(email=seen.email, sends=1, **given)
        self.model.objects.bulk_create([seen] if account else [seen, own], ignore_conflicts=True)
        linked = standing.select_for_update().first()
        if account:
            return None, False
        if linked is None:  # it was used between the statements
            return self._stand(seen, account)
        return linked, linked.source == source.MEMBER and linked.invited_by_id == own.invited_by_id

    def _heir(self, seen: "Invite") -> "Invite | None":
        """What another member sees, and waits for, of an invitation to the same address."""
        others = self.model.objects.pending().filter(source=self.model.Source.SHADOW, email=seen.email)
        return others.exclude(invited_by=seen.invited_by_id).exclude(invited_by=None).order_by("created_at").first()
