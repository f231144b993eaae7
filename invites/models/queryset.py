"""Which invites there are, and issuing one."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts.models import Event, User
from invites import mails
from invites.models.member_invites import MemberQuerySet
from invites.models.steps import INVITE_LIFETIME
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from invites.models.invite import Invite
    from outbox.models.queryset import OutboxQuerySet

LINK_LIFETIME = timedelta(hours=1)  # of what people ask for themselves
KEPT = timedelta(days=30)
USED_KEPT = timedelta(days=365)
TROUBLED = 1000  # mails: more than anybody looks through, and few enough to look them up one by one

# What the form without a link leaves until its mail is answered. It opens nothing in any browser but its own.
PLAN = ("username", "password", "seal")


class NotInvited(Exception):
    """SIGNUP is "invited", and nobody has invited this address."""


class InviteQuerySet(MemberQuerySet):
    def open(self) -> "InviteQuerySet":
        """Neither claimed nor declined, revoked or replaced; perhaps expired."""
        return self.filter(claimed_at=None, declined_at=None, revoked_at=None, replaced_at=None)

    def pending(self) -> "InviteQuerySet":
        return self.open().filter(expires_at__gt=timezone.now())

    def for_staff(self) -> "InviteQuerySet":
        """Without what members see of their own, which stands beside the invites themselves."""
        return self.exclude(source=self.model.Source.SHADOW)

    def standing(self) -> "InviteQuerySet":
        """The open invites that links are mailed of, at most one for an address."""
        return self.open().exclude(source__in=self.model.UNLINKED)

    def in_state(self, state: str) -> "InviteQuerySet":
        """Those whose `state` it is. Raises KeyError when there is no such state."""
        known, now = self.model.State, timezone.now()
        unsettled = self.filter(claimed_at=None, declined_at=None, revoked_at=None)
        chosen: dict[str, InviteQuerySet] = {
            known.PENDING: unsettled.filter(replaced_at=None, expires_at__gt=now),
            known.CLAIMED: self.filter(claimed_at__isnull=False),
            known.DECLINED: self.filter(claimed_at=None, declined_at__isnull=False),
            known.REVOKED: self.filter(claimed_at=None, declined_at=None, revoked_at__isnull=False),
            known.EXPIRED: unsettled.filter(expires_at__lte=now),  # what was replaced has ended then, too
        }
        return chosen[state]

    def may_join(self, email: str) -> bool:
        """The one rule for every door: may somebody who proves this address make an account?"""
        if settings.SIGNUP == "open":
            return True
        return self.standing().filter(email=email).exclude(source=self.model.Source.SELF).exists()

    def issue(
        self, email: str, *, source: str = "self", wish: str = mails.LINK, device: str = "", **given: Any
    ) -> "Invite":
        """Creates or reuses the standing invite of a normalized address, and puts one mail into the outbox.

        `given` are fields of the invite: invited_by, language, next, note, batch, and the planned account. `wish` is
        what was asked for, `device` what asked for it. Every address takes the same statements, so that the time they
        take tells a stranger nothing.
        """
        with transaction.atomic():
            account = User.objects.filter(email=email).first()
            invite = self.offer(email, source, account, **given)
            # Asked for known addresses too, so that all of them take the same time.
            mails.send(invite, account, wish, may_join=self.may_join(email), device=device)
            if source != self.model.Source.SELF:
                Event.objects.record(Event.Kind.INVITED, given.get("invited_by"), about=invite.pk)
        return invite

    def offer(self, email: str, source: str, account: User | None, **given: Any) -> "Invite":
        """The standing invite of an address, made, renewed or replaced; no mail."""
        if account:
            given = {name: value for name, value in given.items() if name not in PLAN} | dict.fromkeys(PLAN, "")
        # A link that signs in is as good as a password, so it lives as briefly as one that people ask for.
        lifetime = LINK_LIFETIME if account or source == self.model.Source.SELF else INVITE_LIFETIME
        terms: dict[str, Any] = {
            "epoch": account.session_epoch if account else None,
            "expires_at": timezone.now() + lifetime,
        }
        # One standing invite per address: the index decides, whoever asks in the same moment.
        self.model.objects.bulk_create([self.model(email=email, source=source, **terms)], ignore_conflicts=True)
        locked = self.standing().select_related("invited_by").select_for_update(of=("self",))
        invite = locked.filter(email=email).first()
        if invite is None:  # it was used between the two statements
            return self.offer(email, source, account, **given)
        if source == self.model.Source.SELF and invite.worn_out(**terms):
            invite = invite.replace(**terms)
        invite.renew(source, **terms, **given)
        return invite

    def join(
        self, email: str, uid: str, *, tell: bool = False, browser: str = "", trace: Mapping[str, Any], **fields: Any
    ) -> "tuple[User, Invite | None]":
        """An account for an address that Google has proven, and the standing invite that is claimed with it.

        `tell` mails the address, with a button to say that it was somebody else. The account's name is the free one
        nearest to the address; what somebody else has planned for the address is dropped. Raises NotInvited,
        IntegrityError or ConnectedElsewhere if the address, or that Google account, has an account by now.
        """
        with transaction.atomic():
            invite = self.standing().select_for_update().filter(email=email).first()
            if not self.may_join(email):
                raise NotInvited
            name = User.objects.free_name(email)
            user: User = User.objects.create_user(name, email, trace=trace, **fields)
            if tell:
                user.google.connect(uid, email, **trace)
            else:
                user.google.adopt(uid, email)
            if invite:
                claimed = {"claimed_at": timezone.now(), "claimed_by": user, "claimed_in": browser, "epoch": 0}
                self.filter(pk=invite.pk).update(**claimed, **dict.fromkeys(PLAN, ""))
                invite.welcome(user)
        return user, invite

    def read_mails(self, invites: "Iterable[Invite]") -> None:
        """Reads the newest mail of each of these in one statement."""
        listed = list(invites)
        newest = {row.about: row for row in OutboxMessage.objects.newest_about(invite.pk for invite in listed)}
        for invite in listed:
            invite.newest_mail = newest.get(invite.pk)

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
        return self.filter(models.Q(email__in=user.addresses) | models.Q(claimed_by=user))

    def forget(self, user: User) -> None:
        """Takes a leaving person's address, and what was written to it, from every invite; none stays open."""
        theirs = self.to(user)
        self.filter(source=self.model.Source.SHADOW, invited_by=user).delete()  # there is nobody to see them
        theirs.open().update(revoked_at=timezone.now())
        theirs.update(email="", name="", note="", username="", password="", seal="", readdress_to="")
        self.filter(readdress_to__in=user.addresses).update(readdress_to="")

    def forget_plans(self) -> None:
        """Drops the passwords of accounts that were planned and never confirmed, a day after their link ran out."""
        stale = self.filter(expires_at__lt=timezone.now() - timedelta(days=1)).exclude(password="")
        stale.update(password="", seal="")

    def over(self) -> "InviteQuerySet":
        """Links that people asked for themselves, long after they ran out.

        Much longer after, those that were used, and what members see of what they sent.
        """
        now = timezone.now()
        unused = models.Q(claimed_at=None, expires_at__lt=now - KEPT) | models.Q(expires_at__lt=now - USED_KEPT)
        seen = models.Q(source=self.model.Source.SHADOW, expires_at__lt=now - USED_KEPT)
        return self.filter(seen | models.Q(unused, source=self.model.Source.SELF))

    def remembered(self) -> "InviteQuerySet":
        """Those that still tell whom they were for: neither over nor forgotten with somebody who left."""
        return self.exclude(email="").exclude(pk__in=self.over().values("pk"))
