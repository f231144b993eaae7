"""Queries for magic links, and issuing one to the visitor who asks for it."""

from collections.abc import Iterable
from contextlib import nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from accounts.models import User
from invites import mails
from invites.models.invite import Invite, InviteGroup
from invites.models.join_request import JoinRequest
from invites.models.queryset import lets_in
from invites.models.steps import LINK_LIFETIME
from kit.one_statement import OneStatement
from kit.prepared import Given, Prepared, first_of_each
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from invites.models.magic_link import MagicLink

# The account that a visitor plans on the sign-up form, until its mail is answered. It works only in that browser.
PLAN = ("username", "password", "seal", "details")
PLAN_KEPT = timedelta(days=1)  # after the end of its link
UNUSED_KEPT = timedelta(days=30)  # after the end of a link that nobody used
USED_KEPT = timedelta(days=365)  # after the end of a link that was used
REQUEST_KEPT = timedelta(days=1)  # after the end of a link to ask to join, of which no request is left

ASKED_FOR = ~Q(purpose="invite")  # not the own links of invitations, of which the invitations tell

# True if a later use of another link to the same address has ended this one. A link without an invitation ends with any
# later use. A link with an invitation ends only with a use of that invitation, so that signing in does not use up an
# invitation into a group. An owner link ends only by its own use. An empty address belongs to people who have left.
# It is raw SQL because each press asks it: Django would take longer to write the query than PostgreSQL to answer it.
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
# True for a link that has proven the address of a request to join, which is still kept.
HAS_REQUEST = Exists(JoinRequest.objects.filter(pk=OuterRef("pk")))
# The id of the open invitation from staff to the link's address, or NULL.
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

# Makes the own links of stored invitations. That no link is made in Python first saves a long list a tenth of its time.
# A member's invitation is mailed to an account without its link, so that is not made for the account.
STORE_OWN = """
INSERT INTO "invites_magiclink"
    (id, email, purpose, invite_id, next, language, account, epoch, created_at, sent_at, expires_at, used_in)
SELECT sent.id, sent.email, 'invite', sent.id, '', '', owner.id, owner.session_epoch,
    sent.created_at, COALESCE(sent.sent_at, sent.created_at), sent.expires_at, ''
FROM invites_invite sent LEFT JOIN accounts_user owner ON owner.email = sent.email AND sent.source <> 'member'
WHERE sent.id = ANY(%s)
"""


# What a link is made for: whoever has its address.
ACCOUNT = Prepared(lambda: User.objects.filter(email=Given("email", models.CharField()))[:1])
INVITATION = Prepared(
    lambda: Invite.objects.acceptable(Given("email", models.CharField()), Given("preferred", models.UUIDField()))
)


class MagicLinkQuerySet(models.QuerySet["MagicLink"]):
    """Queries for magic links, and issuing one."""

    def issue(
        self, email: str, purpose: str = "link", *, device: str = "", instead: "MagicLink | None" = None, **fields: Any
    ) -> "MagicLink":
        """Makes and returns a link for a normalized address, and puts the one mail that fits it into the outbox.

        `purpose` is a MagicLink.Purpose, `device` the visitor's, `fields` are columns: language, next, asked_in, the
        planned account. `instead` is the dead link on whose page a fresh one was asked for: its token proves the
        mailbox, so an expired invitation of it is revived, and no sign-in ends a fresh link for a new password. Every
        address takes the same statements, so that their time tells nothing about it.
        """
        asked = self.model.Purpose
        if instead and purpose == asked.RESET:
            purpose = asked.RENEWED
        preferred = instead.invite_id if instead else None
        account, invite = first_of_each(ACCOUNT, INVITATION, email=email, preferred=preferred)
        revives = bool(instead and invite and account is None and instead.revives(invite))
        with transaction.atomic() if revives else nullcontext():  # one statement needs none
            if revives:
                invite.revive()
            link = self.model(email=email, purpose=purpose, device=device, **fields | self._terms(account, invite))
            mail = mails.letter(link, account, may_join=lets_in(invite, email))
            OneStatement().insert(link, mail).execute()
        return link

    def store_own(self, invites: Iterable[UUID]) -> None:
        """Stores the own link of each of the stored invitations with these ids, in one statement; none without ids."""
        if ids := list(invites):
            with connection.cursor() as cursor:
                cursor.execute(STORE_OWN, [ids])

    def _terms(self, account: User | None, invite: Invite | None) -> dict[str, Any]:
        """Returns the columns of a new link that depend on its address: its end, and its account or invitation.

        A link to an account carries no planned account: those columns are emptied. A link with an invitation has no
        `next`.
        """
        soon = timezone.now() + LINK_LIFETIME
        if account:
            owner = {"account": account.pk, "epoch": account.session_epoch}
            return {"expires_at": soon} | owner | dict.fromkeys(PLAN, "")
        if invite:
            # Anyone may ask for a link to any address; they must not change where the invitation leads.
            return {"expires_at": max(invite.expires_at, soon), "invite": invite, "next": ""}
        return {"expires_at": soon}

    def plan(self, instead: "MagicLink | None", email: str, seal: str) -> dict[str, str]:
        """Returns the columns PLAN of the dead link `instead`, with "" for each if no account was planned with it.

        Without a dead link, they are those of the last account planned for this address in the browser with this
        `seal`, or {} if there is none. Every address takes the same statement.
        """
        planned = instead or self.filter(email=email, seal=seal).exclude(seal="").order_by("-id").first()
        return {name: getattr(planned, name) for name in PLAN} if planned else {}

    def asked_by(self, browser: str, email: str) -> Self:
        """Returns the links to this address that were asked for in the browser with this keyed hash, newest first."""
        return self.filter(email=email, asked_in=browser).exclude(asked_in="").order_by("-id")

    def later_uses(self, link: "MagicLink") -> Self:
        """Returns the used links whose use can have ended `link`: the condition SPENT, for a link already read."""
        uses = self.filter(email=link.email, used_at__gte=link.sent_at).exclude(purpose=self.model.Purpose.OWNER)
        return uses.filter(invite=link.invite_id) if link.invite_id else uses

    def with_spent(self) -> Self:
        """Adds `is_spent` to each link: whether a later use of another link has ended it."""
        return self.annotate(is_spent=SPENT)

    def with_groups(self) -> Self:
        """Adds `invite_groups` to each link: the ids of the groups of its invitation, [] without one."""
        led = InviteGroup.objects.filter(invite=OuterRef("invite")).values("group")
        return self.annotate(invite_groups=ArraySubquery(led))

    def with_staff_invite(self) -> Self:
        """Adds `staff_invite_id` to each link: the id of the open invitation from staff to its address, or None."""
        return self.annotate(staff_invite_id=STAFF_INVITE)

    def pending(self, now: Any = None) -> Self:
        """Returns the links that are not used, revoked, expired or spent, whatever became of their invitations.

        `now` is the present time, which a prepared query must be given. Since no other table is joined, the rows can be
        updated in one statement.
        """
        return self.unused().filter(~Q(SPENT), expires_at__gt=now or timezone.now())

    def asked_for(self) -> Self:
        """Returns the links that people asked for themselves: all but the own links of invitations."""
        return self.filter(ASKED_FOR)

    def unused(self) -> Self:
        """Returns the links that are neither used nor revoked by their own columns, even if spent or expired."""
        return self.filter(used_at=None, revoked_at=None)

    def revoke(self) -> list[UUID]:
        """Revokes the unused ones of these links, and deletes their mail that has not left, in one transaction.

        Returns the ids of the revoked links.
        """
        with transaction.atomic():
            ids = list(self.unused().select_for_update(no_key=True).values_list("pk", flat=True))
            self.model.objects.filter(pk__in=ids).update(revoked_at=timezone.now())
            OutboxMessage.objects.waiting().filter(about__in=ids).withdraw()
        return ids

    def to(self, user: User) -> Self:
        """Returns the links to any address of the user, present or former, and those that the user used."""
        return self.filter(Q(email__in=user.address.all_own()) | Q(used_by=user))

    def forget(self, user: User) -> None:
        """Erases a leaving user's address, and planned accounts, from all links to the user or used by the user.

        None of these links works any more.
        """
        theirs = self.to(user)
        theirs.unused().update(revoked_at=timezone.now())
        theirs.update(email="", account=None, **dict.fromkeys((*PLAN, "asked_in", "device"), ""))

    def forget_plans(self) -> None:
        """Erases planned accounts and pleas that were never confirmed, a day after their links have expired."""
        stale = self.filter(expires_at__lt=timezone.now() - PLAN_KEPT).exclude(seal="")
        stale.update(**dict.fromkeys(PLAN, ""))

    def prunable(self) -> Self:
        """Returns links to prune: expired over 30 days ago and unused, or over a year ago.

        Those to ask to join go a day after their end, unless their request is kept: it may be of somebody who never
        gets an account. Own links of invitations are not among them.
        """
        return self.filter(self._is_prunable())

    def remembered(self) -> Self:
        """Returns the links that still hold an address and are not to be pruned."""
        return self.exclude(email="").exclude(self._is_prunable())

    def _is_prunable(self) -> Q:
        now = timezone.now()
        unused = Q(used_at=None, expires_at__lt=now - UNUSED_KEPT)
        asked = Q(~Q(HAS_REQUEST), purpose=self.model.Purpose.REQUEST, expires_at__lt=now - REQUEST_KEPT)
        return (unused | asked | Q(expires_at__lt=now - USED_KEPT)) & ASKED_FOR
