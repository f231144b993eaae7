"""Which invitations are asked for by other rooms of the house, and issuing one."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts.models import Event, User
from invites import mails
from invites.models.bulk import Bulk
from invites.models.steps import INVITE_LIFETIME, LINK_LIFETIME
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from invites.models.invite import Invite
    from outbox.models.queryset import OutboxQuerySet

UNANSWERED_KEPT = timedelta(days=365)  # what members have sent, after its end
TROUBLED = 1000  # mails: more than anybody looks through, and few enough to look them up one by one


class NotInvited(Exception):
    """SIGNUP is "invited", and nobody has invited this address."""


class InviteQuerySet(Bulk):
    def may_join(self, email: str) -> bool:
        """The one rule for every door: may somebody who proves this address make an account?"""
        return lets_in(None) or self.open().filter(email=email).exists()

    def to_accept(self, email: str, preferred: UUID | None = None) -> "Invite | None":
        """The open invitation, with its inviter, that a newcomer accepts: the preferred one, or that of staff.

        Else that which ends last: no member takes the place of what staff have promised. It may have expired, for an
        address that was invited is one that may join.
        """
        by_member = models.When(source=self.model.Source.MEMBER, then=2)
        rank = models.Case(models.When(pk=preferred, then=0), by_member, default=1)
        rows = self.open().filter(email=email).select_related("invited_by")
        return rows.order_by(rank, "-expires_at").first()

    def issue(self, email: str, *, source: str, invited_by: User | None = None, **said: Any) -> "Invite":
        """Invites one normalized address, whoever has it, and mails it; mails again what staff have open there.

        `said` is what the inviter says: name, note, language, next, group, batch.
        """
        account, now = User.objects.filter(email=email).first(), timezone.now()
        # What signs in lives briefly; but a member sees until when it works, and must not learn who has an account.
        brief = account is not None and source != self.model.Source.MEMBER
        terms = {"sent_at": now, "sends": 1, "expires_at": now + (LINK_LIFETIME if brief else INVITE_LIFETIME)}
        new = self.model(email=email, source=source, invited_by=invited_by, **said, **terms)
        with transaction.atomic():
            self.replace_expired([email], source, invited_by)
            invite = new if self.store([new]) else self.rivals(source, invited_by).filter(email=email).first()
            if invite is None:  # it was answered between the two statements
                return self.issue(email, source=source, invited_by=invited_by, **said)
            if invite is not new:
                self.model.objects.filter(pk=invite.pk).mark_sent_again(new.expires_at)
            link = self._links.select_related("invite__invited_by").get(pk=invite.pk)
            link.last_until(new.expires_at, account)
            mails.letter(link, account, may_join=True).save()
            Event.objects.record(Event.Kind.INVITED, invited_by, about=invite.pk)
        return invite

    def in_trouble(self) -> "InviteQuerySet":
        """Those whose newest mail came back, was given up, or was refused more than once so far.

        It looks through no more than the newest TROUBLED of such mails.
        """
        troubled = OutboxMessage.objects.in_trouble().filter(about__isnull=False).order_by("-id")[:TROUBLED]
        return self._with_newest(OutboxMessage.objects.filter(pk__in=troubled.values("pk")))

    def bounced(self) -> "InviteQuerySet":
        """Those whose newest mail came back."""
        return self._with_newest(OutboxMessage.objects.in_status(OutboxMessage.Status.BOUNCED))

    def _with_newest(self, mails: "OutboxQuerySet") -> "InviteQuerySet":
        """Those whose newest mail is one of these."""
        later = OutboxMessage.objects.filter(about=models.OuterRef("about"), id__gt=models.OuterRef("id"))
        newest = mails.filter(~models.Exists(later), about__isnull=False)
        return self.filter(pk__in=newest.values("about"))

    def to(self, user: User) -> "InviteQuerySet":
        """Those to any address a person has had, and those by which the person came in."""
        return self.filter(models.Q(email__in=user.address.known()) | models.Q(accepted_by=user))

    def forget(self, user: User) -> None:
        """Takes a leaving person's address, and what was written to it, from every invitation; none stays open."""
        theirs = self.to(user)
        theirs.open().update(revoked_at=timezone.now())
        theirs.update(email="", name="", note="", readdress_to="")
        self.filter(readdress_to__in=user.address.known()).update(readdress_to="")

    def over(self) -> "InviteQuerySet":
        """What members have sent and nobody accepted, long after it ran out; invitations of staff stay."""
        return self.filter(self._is_over())

    def remembered(self) -> "InviteQuerySet":
        """Those that still tell whom they were for: neither over nor forgotten with somebody who left."""
        return self.exclude(email="").exclude(self._is_over())

    def _is_over(self) -> models.Q:
        ended = models.Q(expires_at__lt=timezone.now() - UNANSWERED_KEPT, accepted_at=None)
        return ended & models.Q(source=self.model.Source.MEMBER)


def lets_in(invite: "Invite | None") -> bool:
    """Whether somebody may join with this open invitation, or without any."""
    return settings.SIGNUP == "open" or invite is not None
