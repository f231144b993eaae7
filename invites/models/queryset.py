"""Inviting people, one or many: who may be, whom it takes the place of, and the mails that leave in step."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts.models import Event, User
from invites import mails
from invites.models.lifecycle import Lifecycle
from invites.models.outcome import Outcome, Reason
from invites.models.steps import INVITE_LIFETIME, LINK_LIFETIME
from outbox.models import OutboxMessage, Suppression

if TYPE_CHECKING:
    from invites.models.invite import Invite

RATE = 20.0  # mails a second: what one worker carries easily, so that nobody who asks for a link meanwhile need wait
UNANSWERED_KEPT = timedelta(days=365)  # what members have sent, after its end


class NotInvited(Exception):
    """SIGNUP is "invited", and nobody has invited this address."""


@dataclass(frozen=True)
class Entry:
    """One person to be invited, with a normalized address."""

    email: str
    name: str = ""
    note: str = ""
    language: str = ""
    next: str = ""
    group_id: int | None = None


def in_step(rate: float = RATE) -> Iterator[datetime]:
    """When each of many mails is to leave: `rate` of them a second, from now on."""
    start, pause = timezone.now(), timedelta(seconds=1 / rate)
    for number in count():
        yield max(start + number * pause, timezone.now())


def first_times(lifetime: timedelta = INVITE_LIFETIME) -> dict[str, Any]:
    """What a new invitation says of its one mail, which is written now."""
    now = timezone.now()
    return {"created_at": now, "sent_at": now, "sends": 1, "expires_at": now + lifetime}


class InviteQuerySet(Lifecycle):
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

    def admit(self, newcomer: User, invite: "Invite | None", beginning: Mapping[str, Any], **account: Any) -> User:
        """Makes the account of a newcomer who has taken this invitation or needs none. To be called in a transaction.

        `newcomer` has no more than the id of the new account; `account`, and `beginning` but for the invitation, are as
        UserManager.create_user takes them, which raises what it raises.
        """
        if invite:
            beginning = {**beginning, "accepted": invite.pk, "events": [invite.acceptance(newcomer)]}
        user: User = User.objects.create_user(id=newcomer.pk, beginning=beginning, **account)
        if invite:
            invite.add_to_group(user)
        return user

    def issue(self, email: str, *, source: str, invited_by: User | None = None, **said: Any) -> "Invite":
        """Invites one normalized address, whoever has it, and mails it; mails again what staff have open there.

        `said` is what the inviter says: name, note, language, next, group, batch.
        """
        account = User.objects.filter(email=email).first()
        # What signs in lives briefly; but a member sees until when it works, and must not learn who has an account.
        brief = account is not None and source != self.model.Source.MEMBER
        times = first_times(LINK_LIFETIME if brief else INVITE_LIFETIME)
        new = self.model(email=email, source=source, invited_by=invited_by, **said, **times)
        with transaction.atomic():
            self.replace_expired([email], source, invited_by)
            invite = new if self.store([new]).done else self.rivals(source, invited_by).filter(email=email).first()
            if invite is None:  # it was answered between the two statements
                return self.issue(email, source=source, invited_by=invited_by, **said)
            if invite is not new:
                self.model.objects.filter(pk=invite.pk).mark_sent_again(new.expires_at)
            link = self._links.select_related("invite__invited_by").get(pk=invite.pk)
            link.last_until(new.expires_at, account)
            mails.letter(link, account, may_join=True).save()
            Event.objects.record(Event.Kind.INVITED, invited_by, about=invite.pk)
        return invite

    def issue_many(
        self,
        entries: Sequence[Entry],
        *,
        source: str,
        invited_by: User | None = None,
        batch: str = "",
        leaving: Iterator[datetime] | None = None,
    ) -> Outcome:
        """Invites some hundreds of people, each address once, in one transaction; skips who is in or invited already.

        Their mails leave at the times that `leaving` gives. To be repeated after a crash: nobody is invited twice.
        """
        given = {"source": source, "invited_by": invited_by, "batch": batch, **first_times()}
        with transaction.atomic():
            outcome, chosen = self.sift(entries)
            self.replace_expired(chosen, source, invited_by)
            rows = [self.model(**asdict(entry), **given) for entry in chosen.values()]
            outcome += self.store(rows)
            stored = set(outcome.done)
            ours = [row for row in rows if row.pk in stored]
            OutboxMessage.objects.bulk_create(mails.invitations(ours, leaving or in_step()))
            Event.objects.bulk_create([Event(kind=Event.Kind.INVITED, user=invited_by, about=row.pk) for row in ours])
        return outcome

    def sift(self, entries: Sequence[Entry]) -> tuple[Outcome, dict[str, Entry]]:
        """Who would be skipped and why, and who is left; three statements for all."""
        emails = [entry.email for entry in entries]
        members = set(User.objects.filter(email__in=emails).values_list("email", flat=True))
        suppressed = Suppression.objects.among(emails)
        pending = self.model.objects.pending().filter(email__in=emails)
        invited = set(pending.values_list("email", flat=True))
        why = {Reason.HAS_ACCOUNT: members, Reason.SUPPRESSED: suppressed, Reason.INVITED: invited}
        outcome, chosen = Outcome(), {}
        for entry in entries:
            reason = next((reason for reason, among in why.items() if entry.email in among), None)
            if reason:
                outcome.skipped.append((entry.email, reason))
            else:
                chosen[entry.email] = entry
        return outcome, chosen

    def rivals(self, source: str, invited_by: User | None) -> Self:
        """Of which only one can be open for an address: those of staff, or those of one member."""
        member = self.model.Source.MEMBER
        rows = self.open()
        return rows.filter(source=member, invited_by=invited_by) if source == member else rows.exclude(source=member)

    def replace_expired(self, emails: Iterable[str], source: str, invited_by: User | None) -> None:
        """Makes room for new ones to these addresses, where older ones have run out."""
        rows = self.model.objects.rivals(source, invited_by)
        expired = rows.filter(email__in=list(emails), expires_at__lte=timezone.now())
        # Locked in one order, so that two lists of the same people never wait for each other.
        locked = expired.order_by("pk").select_for_update(no_key=True).values("pk")
        self.model.objects.filter(pk__in=locked).update(replaced_at=timezone.now())

    def store(self, rows: Sequence["Invite"]) -> Outcome:
        """Inserts them and their links; skips addresses that somebody else has just invited."""
        # In one order, for the same reason as above.
        self.model.objects.bulk_create(sorted(rows, key=lambda row: row.email), ignore_conflicts=True)
        stored = set(self.model.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
        self._links.bulk_create([self._links.model.of(row) for row in rows if row.pk in stored])
        skipped = [(row.email, Reason.INVITED) for row in rows if row.pk not in stored]
        return Outcome([row.pk for row in rows if row.pk in stored], skipped)

    def to(self, user: User) -> "InviteQuerySet":
        """Those to any address a person has had, and those by which the person came in."""
        return self.filter(models.Q(email__in=user.address.known()) | models.Q(accepted_by=user))

    def forget(self, user: User) -> None:
        """Takes a leaving person's address, and what was written to it, from every invitation; none stays open."""
        theirs = self.to(user)
        theirs.open().update(revoked_at=timezone.now())
        theirs.update(email="", name="", note="", readdress_to="")
        self.filter(readdress_to__in=user.address.known()).update(readdress_to="")

    def prunable(self) -> "InviteQuerySet":
        """What members have sent and nobody accepted, long after it ran out; invitations of staff stay."""
        return self.filter(self._is_prunable())

    def remembered(self) -> "InviteQuerySet":
        """Those that still tell whom they were for: neither over nor forgotten with somebody who left."""
        return self.exclude(email="").exclude(self._is_prunable())

    def _is_prunable(self) -> models.Q:
        ended = {"expires_at__lt": timezone.now() - UNANSWERED_KEPT, "accepted_at": None}
        return models.Q(**ended, source=self.model.Source.MEMBER)


def lets_in(invite: "Invite | None") -> bool:
    """Whether somebody may join with this open invitation, or without any."""
    return settings.SIGNUP == "open" or invite is not None
