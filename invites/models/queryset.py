"""Inviting people, one or many: who may join, which older invitation is replaced, and when the mails leave."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import connection, models, transaction
from django.utils import timezone

from accounts import display_names
from accounts.models import Event, User
from invites import mails, who_may_join
from invites.models import domain_groups, lifetimes, reminders
from invites.models.answering import answer_by
from invites.models.joining import accounts_of, lacks
from invites.models.lifecycle import Lifecycle
from invites.models.outcome import Outcome, Reason
from invites.models.states import Unavailable
from kit import word_search
from kit.one_statement import Unmet, Write
from kit.prepared import Given
from outbox.models import OutboxEvent, OutboxMessage, Suppression
from sso.models import AccessRequest

if TYPE_CHECKING:
    from invites.models.invite import Invite

RATE = 20.0  # mails a second: one worker can send more, so a visitor who asks for a link meanwhile need not wait
WORDS = word_search.Words("name", "email")
UNANSWERED_KEPT = timedelta(days=365)  # for invitations from members that were not accepted, after their end
DECLINE_COUNTS = UNANSWERED_KEPT  # for so long a list leaves out whoever has declined


# A group that is being deleted is left out, or waited for: no invitation may lead into one that is not there.
STORE_GROUPS = """
INSERT INTO invites_invitegroup (group_id, invite_id)
SELECT led.id, told.invite FROM unnest(%s::int[], %s::uuid[]) told (id, invite) JOIN auth_group led ON led.id = told.id
FOR KEY SHARE OF led ON CONFLICT DO NOTHING
"""


# The columns in which an invitation keeps what its inviter says: also of one that takes its place, and in exports.
SAID = ("name", "profile", "app_id", "note", "language", "next")
# An app that is being deleted is waited for, and one that is gone is not among them: no invitation may name it.
HOLD_APPS = "SELECT client_id FROM sso_app WHERE client_id = ANY(%s) FOR KEY SHARE"


class NotInvited(Exception):
    """The address needs an invitation to join (invites/who_may_join.py), and none to it is open."""


@dataclass(frozen=True)
class Entry:
    """A person to be invited, with a normalized address, and what the invitation is to say."""

    email: str
    name: str = ""
    note: str = ""
    language: str = ""
    next: str = ""
    app: str = ""  # its id
    groups: tuple[int, ...] = ()  # their ids
    lifetime: timedelta | None = None  # None: as long as the site says
    remind: bool = True  # by a timer, as the site plans it
    profile: Mapping[str, str] = field(default_factory=dict)  # for the site's own fields, by their names
    asked_at: datetime | None = None  # when the person has asked to join; None if nobody says so


@dataclass(frozen=True)
class Sifted:
    """Who of some people would be skipped and why, and the entries of the others by address.

    `joining` are the accounts of those among them who have one, and are invited into a group.
    """

    outcome: Outcome
    chosen: dict[str, Entry]
    joining: dict[str, User]


def in_step(rate: float = RATE) -> Iterator[datetime]:
    """Yields the times at which one mail after another is to leave, without end: `rate` mails a second from now on."""
    start, pause = timezone.now(), timedelta(seconds=1 / rate)
    for number in count():
        yield max(start + number * pause, timezone.now())


def first_times(lifetime: timedelta | None = None, *, remind: bool = True) -> dict[str, Any]:
    """Returns the time columns and `sends` of a new invitation whose first mail is written now.

    It has this `lifetime`, or that of the site. Without `remind` no reminder is planned.
    """
    now, lasts = timezone.now(), lifetime or lifetimes.default()
    planned = {"remind_at": reminders.plan(now, now + lasts) if remind else None}
    return {"created_at": now, "sent_at": now, "sends": 1, "lifetime": lasts, "expires_at": now + lasts, **planned}


class InviteQuerySet(Lifecycle):
    """Queries for invitations, and inviting people. Its bases add states, and acts on invitations that exist."""

    def found_by(self, typed: str) -> Self:
        """Returns those of these invitations that a search for a name or an address finds; see kit.word_search."""
        return word_search.find(self, WORDS, typed)[0]

    def may_join(self, email: str) -> bool:
        """Returns whether a person who proves this address may make an account. All ways to sign up ask this.

        Settings and its domain can say that it needs an open invitation for that (invites/who_may_join.py).
        """
        return lets_in(None, email) or self.open().filter(email=email).exists()

    def to_accept(self, email: str, preferred: UUID | None = None) -> "Invite | None":
        """Returns the invitation that acceptable() finds, or None."""
        return self.with_groups().acceptable(email, preferred).first()

    def acceptable(self, email: "str | Given", preferred: "UUID | Given | None" = None) -> Self:
        """Returns the open invitation, if any, that a newcomer with this address is to accept, with its inviter.

        The one with the id `preferred` comes first, then the one from staff, then the member's that ends last: a
        member's must not take the place of a promise by staff. It may have expired: its address may still join.
        """
        by_member = models.When(source=self.model.Source.MEMBER, then=2)
        rank = models.Case(models.When(pk=preferred, then=0), by_member, default=1)
        rows = self.open().filter(email=email).select_related("invited_by")
        return rows.order_by(rank, "-expires_at")[:1]

    def admit(
        self, newcomer: User, invite: "Invite | None", beginning: Mapping[str, Any], *conditions: Write, **account: Any
    ) -> User:
        """Makes and returns the account of a newcomer, who accepts `invite` by it, or needs none (None).

        Adds the user to the invitation's groups and, unless they own the site, to those of their domain, and calls them
        as the inviter does, unless `account` has a `name`. Only the id of `newcomer` is read; `account` and `beginning`
        are arguments of UserManager.create_user(). To be called in a transaction. Raises Unavailable if the invitation
        is not open, or another of the `conditions` is not met, ValidationError for a malformed name or address,
        IntegrityError for a taken one; the transaction can't go on then.
        """
        beginning = {**beginning, "conditions": conditions}
        if invite:  # it is locked before any link: always in this order, so that nothing deadlocks
            beginning["conditions"] = [invite.taking(newcomer), *conditions]
            invite.hold_groups()
            account = {"name": display_names.fitting(invite.name), **account}
            beginning |= {"accepted": invite.pk, "events": [invite.acceptance(newcomer)]}
        joined = sorted(invite.promised.values()) if invite else []
        by_domain = {} if account.get("is_superuser") else domain_groups.hold(account["email"])
        beginning["groups"] = sorted({*joined, *by_domain.values()})
        try:
            user: User = User.objects.create_user(id=newcomer.pk, beginning=beginning, **account)
        except Unmet:
            raise Unavailable from None
        if invite and invite.promised:
            invite.add_to_groups(user, [])
        domain_groups.join(user, by_domain, joined)
        return user

    def issue(
        self,
        email: str,
        *,
        source: str,
        invited_by: User | None = None,
        lifetime: timedelta | None = None,
        groups: Iterable[int] = (),
        by: User | None = None,
        remind: bool = True,
        **said: Any,
    ) -> "Invite":
        """Invites one normalized address, even one with an account, and mails it. Returns the invitation.

        `groups` are ids; `lifetime` is that of the site unless given; `said` are other columns set by the inviter:
        SAID and batch. If the address has an open invitation already (for the source MEMBER
        from this member, else from staff), that one is mailed again and returned: its end may become later, what it
        says stays. One from staff to an address with an account lasts for LINK_LIFETIME only, unless it has groups.
        Stores all of this in one transaction. `by` is who did it, if not the inviter. Without `remind` no reminder is
        planned.
        """
        account = User.objects.filter(email=email).first()
        new = self.model(
            email=email, source=source, invited_by=invited_by, **said, **first_times(lifetime, remind=remind)
        )
        new.group_ids = list(groups)
        new.expires_at = new.end_if_mailed(account, new.created_at)
        with transaction.atomic():
            self.replace_expired([email], source, invited_by)
            stored = bool(self.store(self.without_lost_apps([new])).done)
            # Locked: the visitor's answer to it must come before this, or after it.
            rivals = self.rivals(source, invited_by).filter(email=email).select_for_update(no_key=True)
            invite = new if stored else rivals.first()
            if invite is None:  # a visitor answered it between the two statements
                said |= {"lifetime": lifetime, "groups": new.group_ids, "by": by, "remind": remind}
                return self.issue(email, source=source, invited_by=invited_by, **said)
            until = invite.end_if_mailed(account, new.created_at)
            if not stored:
                self.model.objects.filter(pk=invite.pk).mark_sent_again(until)
            link = self._links.select_related("invite__invited_by").get(pk=invite.pk)
            link.invite.group_ids = invite.group_ids
            link.last_until(until, account)
            mails.letter(link, account, may_join=True).save()
            Event.objects.record(Event.Kind.INVITED, by or invited_by, about=invite.pk)
        return invite

    def issue_many(
        self,
        entries: Sequence[Entry],
        *,
        source: str,
        invited_by: User | None = None,
        batch: str = "",
        leaving: Iterator[datetime] | None = None,
        again: bool = False,
    ) -> Outcome:
        """Invites some hundreds of people with different addresses, in one transaction. Returns the outcome.

        Skips addresses that are suppressed or invited already or have declined, and those that have an account unless
        its owner is to join a group: so it can be repeated after a crash. `batch` is the id that the invitations carry,
        or "". The mails leave at the times of `leaving`, or at RATE from now. `again` is as for sift(). It answers
        people who have asked for the app that they are invited to.
        """
        given = {"source": source, "invited_by": invited_by, "batch": batch}
        with transaction.atomic():
            sifted = self.sift(entries, again=again)
            self.replace_expired(sifted.chosen, source, invited_by)
            rows = self.without_lost_apps([self.of(entry, **given) for entry in sifted.chosen.values()])
            outcome, joining = sifted.outcome + self.store(rows), sifted.joining
            stored = set(outcome.done)
            ours = [row for row in rows if row.pk in stored]
            OutboxMessage.objects.bulk_create(mails.invitations(ours, leaving or in_step(), joining))
            asked = [(row.app_id, joining[row.email].pk) for row in ours if row.app_id and row.email in joining]
            AccessRequest.objects.answer_by_invitations(asked)
            Event.objects.bulk_create([Event(kind=Event.Kind.INVITED, user=invited_by, about=row.pk) for row in ours])
        return outcome

    def of(self, entry: Entry, **given: Any) -> "Invite":
        """Returns a new invitation of this person, not stored yet; `given` are the columns that do not stand there."""
        said = {name: getattr(entry, name) for name in SAID if name != "app_id"} | {"app_id": entry.app or None}
        invite = self.model(email=entry.email, **said, **given, **first_times(entry.lifetime, remind=entry.remind))
        invite.group_ids, invite.asked_at = list(entry.groups), entry.asked_at
        return invite

    def without_lost_apps(self, rows: "list[Invite]") -> "list[Invite]":
        """Returns these new invitations, without apps that were deleted meanwhile.

        The others can't be deleted until the caller's transaction ends. Takes one statement, none without apps.
        """
        named = {row.app_id for row in rows if row.app_id}
        if named:
            with connection.cursor() as cursor:
                cursor.execute(HOLD_APPS, [list(named)])
                named = {pk for (pk,) in cursor.fetchall()}
        for row in rows:
            row.app_id = row.app_id if row.app_id in named else None
        return rows

    def sift(self, entries: Sequence[Entry], *, again: bool = False) -> Sifted:
        """Returns who of these people would be skipped and why, and who would be invited.

        With `again` nobody is skipped because they have declined, or because a member has invited them. Changes
        nothing. Takes four statements, however many people they are; three with `again`.
        """
        emails = [entry.email for entry in entries]
        accounts = accounts_of(emails)
        joining = {one.email: accounts[one.email] for one in entries if is_to_join(accounts.get(one.email), one)}
        suppressed = Suppression.objects.among(emails)
        pending = self.model.objects.pending().filter(email__in=emails)
        if again:
            pending = pending.exclude(source=self.model.Source.MEMBER)
        invited = set(pending.values_list("email", flat=True))
        why = {Reason.HAS_ACCOUNT: accounts.keys() - joining.keys(), Reason.SUPPRESSED: suppressed}
        why[Reason.INVITED] = invited
        why[Reason.DECLINED] = {} if again else self.model.objects.find_declined(emails)
        outcome, chosen = Outcome(), {}
        for entry in entries:
            reason = next((reason for reason, among in why.items() if entry.email in among), None)
            if reason:
                outcome.skipped.append((entry.email, reason))
            else:
                chosen[entry.email] = entry
        return Sifted(outcome, chosen, {email: account for email, account in joining.items() if email in chosen})

    def find_declined(self, emails: Iterable[str]) -> dict[str, datetime]:
        """Returns when each of these addresses has declined an invitation, without those that never did.

        Only the newest invitation that was accepted or declined counts, and a decline for DECLINE_COUNTS.
        """
        answered = self.filter(email__in=list(emails)).exclude(accepted_at=None, declined_at=None)
        newest = answered.order_by("email", "-id").distinct("email").values_list("email", "declined_at", "accepted_at")
        since = timezone.now() - DECLINE_COUNTS
        return {email: declined for email, declined, accepted in newest if not accepted and declined > since}

    def rivals(self, source: str, invited_by: User | None) -> Self:
        """Returns the open invitations that keep their address from a new one of this source and inviter.

        For the source MEMBER they are those from the member `invited_by`, else all from staff.
        """
        member = self.model.Source.MEMBER
        rows = self.open()
        return rows.filter(source=member, invited_by=invited_by) if source == member else rows.exclude(source=member)

    def replace_expired(self, emails: Iterable[str], source: str, invited_by: User | None) -> None:
        """Marks expired open invitations to these addresses as replaced, so that new ones can be stored.

        For the source MEMBER only those from the member `invited_by`, else only those from staff. To be called in a
        transaction.
        """
        rows = self.model.objects.rivals(source, invited_by)
        expired = rows.filter(email__in=list(emails), expires_at__lte=timezone.now())
        # Every list locks in the same order, so that two lists of the same people can't deadlock.
        locked = expired.order_by("pk").select_for_update(no_key=True).values("pk")
        self.model.objects.filter(pk__in=locked).update(replaced_at=timezone.now())

    def store(self, rows: Sequence["Invite"]) -> Outcome:
        """Inserts new invitations, their groups and their own links, and announces them to other services.

        They answer the requests to join of their addresses.

        Returns the outcome. Their `group_ids` are set; groups that were deleted meanwhile are left out. Skips as
        INVITED an address that already has, perhaps since a moment ago, an open invitation from staff or, if the new
        one is from a member, from this member.
        """
        groups = {row.pk: row.group_ids for row in rows if row.group_ids}
        # Every list inserts in the same order, so that two lists of the same people can't deadlock.
        self.model.objects.bulk_create(sorted(rows, key=lambda row: row.email), ignore_conflicts=True)
        ours = self.model.objects.filter(pk__in=[row.pk for row in rows])
        # If nobody listens, no statement is spent on telling.
        stored = dict(ours.values_list("pk", OutboxEvent.objects.is_heard()))
        self._store_groups({invite: ids for invite, ids in groups.items() if invite in stored})
        self._links.store_own(stored)
        answer_by(stored)
        if any(stored.values()):
            ours.announce_invites("invite.sent")
        skipped = [(row.email, Reason.INVITED) for row in rows if row.pk not in stored]
        return Outcome([row.pk for row in rows if row.pk in stored], skipped)

    def _store_groups(self, groups: Mapping[UUID, Sequence[int]]) -> None:
        """Has each of these invitations lead into its groups, in one statement; in none if there are no groups."""
        pairs = [(group, invite) for invite, ids in groups.items() for group in ids]
        if pairs:
            with connection.cursor() as cursor:
                cursor.execute(STORE_GROUPS, [list(column) for column in zip(*pairs, strict=True)])

    def replace_groups(self, invite: "Invite", groups: Iterable[int]) -> None:
        """Has an invitation lead into these groups alone. To be called in a transaction that holds its row."""
        through: Any = self.model.groups.through
        through.objects.filter(invite=invite.pk).delete()
        invite.group_ids = list(groups)
        self._store_groups({invite.pk: invite.group_ids})

    def to(self, user: User) -> "InviteQuerySet":
        """Returns the invitations to any address of the user, present or former, and those that the user accepted."""
        return self.filter(models.Q(email__in=user.address.all_own()) | models.Q(accepted_by=user))

    def forget(self, user: User) -> None:
        """Erases a leaving user's address, name, details and note from every invitation.

        Revokes open invitations to the user, and drops requests to send an invitation to one of the user's addresses.
        """
        theirs = self.to(user)
        held = theirs.open().order_by("pk").select_for_update(no_key=True)
        if ids := list(held.values_list("pk", flat=True)):
            ended = self.model.objects.filter(pk__in=ids)
            ended.update(revoked_at=timezone.now())
            ended.announce_invites("invite.revoked")
        said = {"email": "", "name": "", "profile": {}, "note": ""}
        theirs.update(**said, readdress_to="", accepted_as="", decline_reason="", has_news=False)
        self.filter(readdress_to__in=user.address.all_own()).update(readdress_to="")

    def prunable(self) -> "InviteQuerySet":
        """Returns invitations to prune: from members, not accepted, expired over a year ago. Those from staff stay."""
        return self.filter(self._is_prunable())

    def remembered(self) -> "InviteQuerySet":
        """Returns the invitations that still hold an address and are not to be pruned."""
        return self.exclude(email="").exclude(self._is_prunable())

    def _is_prunable(self) -> models.Q:
        ended = {"expires_at__lt": timezone.now() - UNANSWERED_KEPT, "accepted_at": None}
        return models.Q(**ended, source=self.model.Source.MEMBER)


def is_to_join(account: Any, entry: Entry) -> bool:
    """Returns whether this person has an `account` of accounts_of(), and is not in all groups of the entry."""
    return account is not None and lacks(account, entry.groups)


def lets_in(invite: "Invite | None", email: str) -> bool:
    """Returns whether whoever proves this address may join: always with an open invitation; None is no invitation."""
    return invite is not None or who_may_join.obstacle(email) is None
