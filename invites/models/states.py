"""Queries for invitations by their state and their mails, and changes to many that every act shares."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Case, Exists, ExpressionWrapper, F, OuterRef, Q, Subquery, Value, When
from django.db.models.expressions import Combinable, RawSQL
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from accounts import groups
from accounts.models import User
from kit.prepared import Given
from outbox.models import OutboxEvent, OutboxMessage

if TYPE_CHECKING:
    from invites.models.invite import Invite  # noqa: F401 named in brackets, which ruff takes for a text
    from outbox.models.queryset import OutboxQuerySet

UNANSWERED = Q(accepted_at=None, declined_at=None, revoked_at=None)
OPEN = UNANSWERED & Q(replaced_at=None)
OPENED = OPEN & Q(opened_at__isnull=False)
ONE_OPEN = "one_open_invite_per_address"  # the constraint: from staff, an address has one open invitation at most
# True for a link or an invitation whose address has an account.
IN_USE = Exists(User.objects.filter(email=OuterRef("email")))

# True for an invitation of whose end other services have not been told; it may not have come yet.
UNTOLD = UNANSWERED & (Q(told_end=None) | Q(told_end__lt=F("expires_at")))
# What other services are told of an invitation: keys of the event, and columns.
TOLD = {"invite": "pk", "source": "source", "batch": "batch", "invited_by": "invited_by", "app": "app"}

# The id of the user who uses a link or an invitation, in a prepared UPDATE. The second one is for a user who is stored:
# it locks the account's row against deletion before the UPDATE locks its own. Without that, the account's row would be
# locked only by the check of the foreign key at the end of the transaction; a deletion of the account, which locks in
# the other order, would then be a deadlock. For a deleted account the UPDATE sets NULL.
BY = Given("by", models.UUIDField())
LOCKED = RawSQL("(SELECT id FROM accounts_user WHERE id = %s FOR KEY SHARE)", (BY,), models.UUIDField())

# The states of a mail that did not arrive, and the condition for such mails.
FAILED = frozenset({OutboxMessage.Status.BOUNCED, OutboxMessage.Status.GIVEN_UP})
LOST = Q(bounced_at__isnull=False) | Q(given_up_at__isnull=False, sent_at=None)

SOON = timedelta(hours=48)  # before the end
TROUBLED = 1000  # mails: more than staff look through, and few enough for one index look-up each


class Unavailable(Exception):
    """The link or the invitation is used, expired, declined, replaced or withdrawn, perhaps by another press just now.

    Also raised for an owner link once there is a superuser.
    """


def until_end(end: Any) -> dict[str, Any]:
    """Returns new values of an invitation's columns with which it lasts until `end`, an expression.

    A planned reminder keeps its distance from the end.
    """
    moved = ExpressionWrapper(F("remind_at") + (end - F("expires_at")), models.DateTimeField())
    return {"expires_at": end, "remind_at": moved}


class InviteStates(models.QuerySet["Invite"]):
    """Queries for invitations by their state and their mails, and changes to many at once."""

    def with_news(self) -> Self:
        """Returns the invitations of which their inviter is to be told; see digest.py."""
        return self.filter(has_news=True, invited_by__isnull=False)

    def open(self) -> Self:
        """Returns the invitations that are not accepted, declined, revoked or replaced; they may have expired."""
        return self.filter(OPEN)

    def pending(self) -> Self:
        """Returns the invitations that are open and not expired."""
        return self.open().filter(expires_at__gt=timezone.now())

    def expired(self) -> Self:
        """Returns the invitations past their end that were not accepted, declined or revoked.

        Replaced ones are among them: each had expired before it was replaced.
        """
        return self.filter(UNANSWERED, expires_at__lte=timezone.now())

    def with_groups(self) -> Self:
        """Adds `group_ids` to each invitation: the ids of the groups that its holder joins by accepting it."""
        return self.annotate(group_ids=ArraySubquery(self._memberships("pk").values("group")))

    def with_group_names(self) -> Self:
        """Adds `group_names` to each invitation: the names of the groups that its holder joins by accepting it."""
        names = self._memberships("pk").order_by("group__name").values("group__name")
        return self.annotate(group_names=ArraySubquery(names))

    def into(self, group: int) -> Self:
        """Returns the invitations into the group with this id."""
        return self.filter(groups=group)

    def into_power(self) -> Self:
        """Returns the invitations into a group that grants permissions."""
        through: Any = self.model.groups.through
        return self.filter(pk__in=through.objects.filter(group__in=groups.with_rights()).values("invite"))

    def accepted(self) -> Self:
        return self.filter(accepted_at__isnull=False)

    def in_state(self, state: str) -> Self:
        """Returns the invitations in `state`, a value of Invite.State. Raises KeyError if there is no such state."""
        known = self.model.State
        chosen: dict[str, Callable[[], Self]] = {
            known.PENDING: self.pending,
            known.ACCEPTED: self.accepted,
            known.DECLINED: lambda: self.filter(accepted_at=None, declined_at__isnull=False),
            known.REVOKED: lambda: self.filter(accepted_at=None, declined_at=None, revoked_at__isnull=False),
            known.EXPIRED: self.expired,
        }
        return chosen[state]()

    def in_trouble(self) -> Self:
        """Returns the invitations whose newest mail came back or was given up.

        Only the newest TROUBLED of all such mails are looked at.
        """
        return self.filter(pk__in=failed_newest())

    def undelivered(self) -> Self:
        """Returns the pending invitations whose newest mail did not arrive; see in_trouble()."""
        return self.pending().in_trouble()

    def unopened(self) -> Self:
        """Returns the pending invitations whose link was not opened, and whose newest mail may have arrived."""
        return self.pending().filter(opened_at=None).without_trouble()

    def opened(self) -> Self:
        """Returns the pending invitations whose link was opened, and whose newest mail may have arrived."""
        return self.filter(OPENED, expires_at__gt=timezone.now()).without_trouble()

    def ending(self) -> Self:
        """Returns the pending invitations that end within SOON."""
        return self.pending().filter(expires_at__lte=timezone.now() + SOON)

    def without_trouble(self) -> Self:
        """Returns those of these invitations that are not among in_trouble()."""
        return self.exclude(pk__in=failed_newest())

    def bounced(self) -> Self:
        """Returns the invitations whose newest mail came back."""
        return self._with_newest(OutboxMessage.objects.in_status(OutboxMessage.Status.BOUNCED))

    def readdressing(self) -> Self:
        """Returns the pending invitations that their holders want at another address; their senders have not answered.

        Those that were asked for first come first.
        """
        return self.pending().exclude(readdress_to="").order_by("readdress_asked_at")

    def _with_newest(self, mails: "OutboxQuerySet") -> Self:
        """Returns the invitations whose newest mail is one of `mails`."""
        return self.filter(pk__in=newest_about(mails))

    def mark_sent_again(self, until: datetime | None = None) -> None:
        """Notes in the stored rows that these invitations are mailed again, and announces it to other services.

        Sends no mail; runs three statements. Each invitation lasts as long from now as its inviter meant it to, or
        until `until`; or longer if it did. So do its unused links, see lengthen_links(). Declined ones are open again:
        raises IntegrityError if the address has another open invitation. Callers have locked the rows, or this could
        undo an answer that was given meanwhile, and have selected them by columns that this does not change, such as
        their ids.
        """
        now = timezone.now()
        again = {"declined_at": None, "decline_reason": ""}
        end = Greatest("expires_at", until or Value(now) + F("lifetime"))
        self.update(**again, **until_end(end), sent_at=now, sends=F("sends") + 1)
        self.lengthen_links(sent_at=now, epoch=None, account=None)
        self.announce_invites("invite.sent")

    def move_end(self, end: Any) -> None:
        """Lets these invitations and their links last until `end`, an expression; see until_end(), lengthen_links().

        None ends later than INVITE_MAX_LIFETIME from now by this, and none sooner than before.
        """
        latest = Value(timezone.now() + settings.INVITE_MAX_LIFETIME)
        self.update(**until_end(Greatest("expires_at", Least(end, latest))))
        self.lengthen_links()

    def announce_invites(self, name: str) -> None:
        """Stores an event `name` about each of these invitations for other services, in the caller's transaction.

        Takes one statement, however many they are.
        """
        names = self._memberships("pk").order_by("group__name").values("group__name")
        OutboxEvent.objects.announce_each(name, self, **TOLD, groups=ArraySubquery(names))

    def lengthen_links(self, **terms: Any) -> None:
        """Lets the unused links of these invitations, their own and those holders asked for, last as long as they do.

        Also sets the columns `terms`. Links to an address that has an account by now stay as they are: nobody else may
        prolong a link that signs in. Only those into groups last longer, but sign in no longer: they keep `terms`.
        """
        self._lengthen(Q(invite__in=self.order_by().values("pk")), **terms)

    def wake_links(self) -> None:
        """Lets the own links of these invitations last as long as they do, to be mailed again, as lengthen_links().

        When the holder has renewed an expired invitation, its own link has ended before it.
        """
        self._lengthen(Q(pk__in=self.order_by().values("pk")))

    def _lengthen(self, which: Q, **terms: Any) -> None:
        end = self.model.objects.filter(pk=OuterRef("invite")).values("expires_at")
        links = self._links.filter(which, ~IN_USE | Exists(self._memberships("invite")), used_at=None)
        terms = {name: unless_in_use(name, value) for name, value in terms.items()}
        links.update(expires_at=Greatest("expires_at", Subquery(end)), **terms)

    def _memberships(self, invite: str) -> models.QuerySet[Any]:
        """Returns a subquery: the groups of the invitation whose id is in the column `invite` of the outer query."""
        through: Any = self.model.groups.through
        rows: models.QuerySet[Any] = through.objects.filter(invite=OuterRef(invite))
        return rows

    def withdraw_mails(self) -> None:
        """Deletes the mails about these invitations and their links that have not left: they would bring dead links.

        A mail that a worker is handing over just now stays.
        """
        # An invitation's own link has the id of the invitation, so mail about the invitation is found by it.
        links = self._links.filter(invite__in=self.order_by().values("pk"))
        OutboxMessage.objects.waiting().filter(about__in=links.values("pk")).withdraw()

    @property
    def _links(self) -> Any:
        """The manager of all magic links. Their module imports this one, so it can't be imported here."""
        model: Any = self.model
        return model.links.rel.related_model.objects


def unless_in_use(column: str, value: Any) -> Combinable:
    """Returns an expression for links: what stands in `column` if the address has an account by now, else `value`."""
    return Case(When(IN_USE, then=F(column)), default=Value(value))


def newest_about(mails: "OutboxQuerySet") -> Any:
    """Returns a subquery: the ids of the invitations or links whose newest mail is one of `mails`."""
    later = OutboxMessage.objects.filter(about=OuterRef("about"), id__gt=OuterRef("id"))
    return mails.filter(~Exists(later), about__isnull=False).values("about")


def failed_newest() -> Any:
    """Returns a subquery: the ids of the invitations or links whose newest mail came back or was given up.

    Only the newest TROUBLED of all such mails are looked at.
    """
    mails = OutboxMessage.objects.filter(LOST, about__isnull=False).order_by("-id")[:TROUBLED]
    return newest_about(OutboxMessage.objects.filter(pk__in=mails.values("pk")))
