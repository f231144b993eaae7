"""Which links there are, and mailing one to whoever asks."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models, transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from accounts.models import User
from invites import mails
from invites.models.invite import Invite
from invites.models.queryset import lets_in
from invites.models.steps import INVITE_LIFETIME, LINK_LIFETIME
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from invites.models.magic_link import MagicLink

# What the form without a link leaves until its mail is answered. It opens nothing in any browser but its own.
PLAN = ("username", "password", "seal")
PLAN_KEPT = timedelta(days=1)  # after its end
UNUSED_KEPT = timedelta(days=30)
USED_KEPT = timedelta(days=365)

ASKED_FOR = ~Q(purpose="invite")  # all but those of invitations, which tell of themselves

# Whether a later use of another link has ended this one. What was asked for ends with any later use, an invitation's
# link with a use of that invitation only: so signing in eats no invitation into a group. An owner link ends by its own
# use alone, and an empty address is of people who have left. Asked with every press: Django would take longer to write
# it than PostgreSQL to answer.
SPENT = RawSQL(
    """EXISTS (
    SELECT FROM invites_magiclink later
    WHERE later.email = invites_magiclink.email AND later.email <> ''
      AND later.used_at >= invites_magiclink.sent_at
      AND (invites_magiclink.invite_id IS NULL OR later.invite_id = invites_magiclink.invite_id)
      AND 'owner' NOT IN (later.purpose, invites_magiclink.purpose)
)""",
    (),
    output_field=models.BooleanField(),
)
STAFF_INVITE = RawSQL(
    """(
    SELECT sent.id FROM invites_invite sent
    WHERE sent.email = invites_magiclink.email AND sent.source <> 'member' AND sent.accepted_at IS NULL
      AND sent.declined_at IS NULL AND sent.revoked_at IS NULL AND sent.replaced_at IS NULL
    LIMIT 1
)""",
    (),
    output_field=models.UUIDField(),
)


class MagicLinkQuerySet(models.QuerySet["MagicLink"]):
    def issue(
        self, email: str, purpose: str = "link", *, device: str = "", instead: "MagicLink | None" = None, **fields: Any
    ) -> "MagicLink":
        """Makes a link for a normalized address and puts one mail into the outbox, the one that fits the address today.

        `purpose` is what was asked for, `device` what asked for it, and `fields` are of the row: language, next and
        the planned account. `instead` is the dead link whose token has asked for a fresh one: it has proven the
        mailbox, so its invitation lasts again. Every address takes the same statements: their time tells nothing.
        """
        with transaction.atomic():
            account = User.objects.filter(email=email).first()
            invite = Invite.objects.to_accept(email, instead.invite_id if instead else None)
            # An invitation lasts again for whoever holds a link of that very one.
            if instead and invite and invite.pk == instead.invite_id and invite.is_expired and account is None:
                invite.revive(timezone.now() + INVITE_LIFETIME)
            link = self.model(email=email, purpose=purpose, **fields | self._terms(account, invite))
            link.save(force_insert=True)
            mails.letter(link, account, may_join=lets_in(invite), device=device).save()
        return link

    def _terms(self, account: User | None, invite: Invite | None) -> dict[str, Any]:
        """What a new one opens, and until when: that depends on whether its address has an account."""
        soon = timezone.now() + LINK_LIFETIME
        if account:
            return {"expires_at": soon, "epoch": account.session_epoch} | dict.fromkeys(PLAN, "")
        if invite:
            # What an invitation says, and where it leads, is not for a stranger to change.
            return {"expires_at": max(invite.expires_at, soon), "invite": invite, "next": ""}
        return {"expires_at": soon}

    def plan(self, instead: "MagicLink | None", email: str, seal: str) -> dict[str, str]:
        """The account that was planned with a dead link, or else last for this address in the browser with this seal.

        Asked of every address alike.
        """
        planned = instead or self.filter(email=email, seal=seal).exclude(seal="").order_by("-id").first()
        return {name: getattr(planned, name) for name in PLAN} if planned else {}

    def later_uses(self, link: "MagicLink") -> Self:
        """The uses that can have spent a link: SPENT, for one that is read."""
        uses = self.filter(email=link.email, used_at__gte=link.sent_at).exclude(purpose=self.model.Purpose.OWNER)
        return uses.filter(invite=link.invite_id) if link.invite_id else uses

    def with_spent(self) -> Self:
        """Tells of each whether a later use of another has spent it."""
        return self.annotate(is_spent=SPENT)

    def with_staff_invite(self) -> Self:
        """Tells of each what staff have sent to its address and is open."""
        return self.annotate(staff_invite_id=STAFF_INVITE)

    def pending(self) -> Self:
        """Those that work, as far as their own columns and later uses say: an UPDATE can be made of these."""
        return self.unused().filter(~Q(SPENT), expires_at__gt=timezone.now())

    def asked_for(self) -> Self:
        return self.filter(ASKED_FOR)

    def unused(self) -> Self:
        """Neither used nor ended by staff, as far as their own columns say."""
        return self.filter(used_at=None, revoked_at=None)

    def revoke(self) -> list[UUID]:
        """Ends those that nobody has used, and takes back their mail that has not left; gives their ids."""
        with transaction.atomic():
            ids = list(self.unused().select_for_update(no_key=True).values_list("pk", flat=True))
            self.model.objects.filter(pk__in=ids).update(revoked_at=timezone.now())
            OutboxMessage.objects.waiting().filter(about__in=ids).withdraw()
        return ids

    def to(self, user: User) -> Self:
        """Those to any address a person has had, and those that the person used."""
        return self.filter(Q(email__in=user.address.known()) | Q(used_by=user))

    def forget(self, user: User) -> None:
        """Takes a leaving person's address from every link, and what was planned with it; none works any more."""
        theirs = self.to(user)
        theirs.unused().update(revoked_at=timezone.now())
        theirs.update(email="", username="", password="", seal="")

    def forget_plans(self) -> None:
        """Drops what was planned and never confirmed, a day after its link ran out."""
        stale = self.filter(expires_at__lt=timezone.now() - PLAN_KEPT).exclude(password="")
        stale.update(username="", password="", seal="")

    def prunable(self) -> Self:
        """Long after their end, and much longer after that those that were used; what an invitation mails stays."""
        return self.filter(self._is_prunable())

    def remembered(self) -> Self:
        """Those that still tell whom they were for: neither over nor forgotten with somebody who left."""
        return self.exclude(email="").exclude(self._is_prunable())

    def _is_prunable(self) -> Q:
        now = timezone.now()
        unused = Q(used_at=None, expires_at__lt=now - UNUSED_KEPT)
        return (unused | Q(expires_at__lt=now - USED_KEPT)) & ASKED_FOR
