"""Counts what became of many invitations, and of their mails."""

from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, Exists, Max, OuterRef, Q, When
from django.utils import timezone

from accounts.models import User
from invites.models.reminders import MOST, is_quiet
from invites.models.states import IN_USE, LOST, OPEN, UNANSWERED
from outbox.models import OutboxMessage
from outbox.models.queryset import OutboxQuerySet

if TYPE_CHECKING:
    from invites.models.queryset import InviteQuerySet


def newest_mails(invites: "InviteQuerySet") -> OutboxQuerySet:
    """Returns the newest mail of each of these invitations. `invites` must be sliced or few: all of them are read."""
    mails = OutboxMessage.objects.filter(about__in=invites.values("pk"))
    return OutboxMessage.objects.filter(pk__in=mails.order_by("about", "-id").distinct("about").values("pk"))


def standings(invites: "InviteQuerySet") -> dict[str, Q]:
    """Returns the conditions for what became of these invitations, by name; an invitation meets one of them at most.

    Those that are waited for are "lost" if their newest mail did not arrive, "opened", or "unopened".
    """
    waiting = OPEN & Q(expires_at__gt=timezone.now())
    is_lost = Q(pk__in=newest_mails(invites).filter(LOST).values("about"))
    return {
        "accepted": Q(accepted_at__isnull=False),
        "declined": Q(accepted_at=None, declined_at__isnull=False),
        "revoked": Q(accepted_at=None, declined_at=None, revoked_at__isnull=False),
        "expired": UNANSWERED & ~waiting,
        "lost": waiting & is_lost,
        "opened": waiting & ~is_lost & Q(opened_at__isnull=False),
        "unopened": waiting & ~is_lost & Q(opened_at=None),
    }


def is_corrected(invites: "InviteQuerySet") -> Q:
    """Returns the condition for invitations whose person is invited at another address instead, in the same list."""
    instead = invites.model.objects.filter(batch=OuterRef("batch"), email=OuterRef("readdress_to"))
    return Q(revoked_at__isnull=False) & ~Q(readdress_to="") & Q(Exists(instead))


def gains_nothing(invites: "InviteQuerySet") -> Q:
    """Returns the condition for invitations to an address with an account, which joins no group by accepting them."""
    through: Any = invites.model.groups.through
    account = User.objects.usable().filter(email=OuterRef("email"))
    theirs = User.groups.through.objects.filter(user__email=OuterRef(OuterRef("email")), group=OuterRef("group"))
    joined = through.objects.filter(~Exists(theirs), invite=OuterRef("pk"))
    return Q(IN_USE) & ~(Q(Exists(account)) & Q(Exists(joined)))


def progress(invites: "InviteQuerySet") -> dict[str, Any]:
    """Returns how many of these invitations have each of standings(), and how many there are, "invited".

    A person who was invited at another address instead counts once. Also "open", how many can be withdrawn, and
    "to_stop", how many of these have a mail that has not left; "to_write" and "to_remind", how many of the opened and
    of the unopened ones may be reminded by hand now, but for suppressed addresses; "queued", how many have a newest
    mail that has not left; "reminded_at", when the last reminder was sent, and "until", when the last of the open ones
    ends, each None if there is none. Takes two statements. `invites` must be sliced or few: all are read.
    """
    rows = invites.model.objects.filter(~is_corrected(invites), pk__in=invites.values("pk"))
    conditions = standings(invites)
    waiting_mails = newest_mails(invites).filter(sent_at=None, given_up_at=None)
    may_be_reminded = Q(reminders__lt=MOST) & ~is_quiet(timezone.now()) & ~gains_nothing(invites)
    may_be_reminded &= ~Q(pk__in=waiting_mails.values("about"))
    conditions["to_write"] = conditions["opened"] & may_be_reminded
    conditions["to_remind"] = conditions["unopened"] & may_be_reminded
    found = rows.aggregate(
        **{name: Count("pk", filter=condition) for name, condition in conditions.items()},
        invited=Count("pk"),
        open=Count("pk", filter=OPEN),
        to_stop=Count("pk", filter=OPEN & Q(pk__in=waiting_mails.values("about"))),
        reminded_at=Max("reminded_at"),
        until=Max("expires_at", filter=OPEN),
    )
    return found | {"queued": waiting_mails.count()}


def neediest_first(invites: "InviteQuerySet") -> "InviteQuerySet":
    """Returns these invitations, first those that need somebody: lost, opened, unopened, and last the accepted ones.

    `invites` must be sliced or few: all of them are read.
    """
    conditions = standings(invites)
    order = ("lost", "opened", "unopened", "expired", "declined", "revoked")
    rank = Case(*(When(conditions[name], then=number) for number, name in enumerate(order)), default=len(order))
    return invites.model.objects.filter(pk__in=invites.values("pk")).order_by(rank, "-id")
