"""Queries for requests to join: proving, answering, taking back."""

from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import Event, User
from invites import join_request_mails
from invites.limits import REQUEST_NOTICES
from invites.models.invite import Invite
from invites.models.outcome import Outcome
from invites.models.plea import Plea
from invites.models.states import IN_USE, OPEN
from kit.rate_limit import Limited
from outbox.models import OutboxEvent, OutboxMessage

if TYPE_CHECKING:
    from invites.models.join_request import JoinRequest
    from invites.models.magic_link import MagicLink

WAITING = Q(answered_at=None)
UNANSWERED_KEPT = timedelta(days=90)
COUNTED = 1000  # waiting ones, at most, for the mail to staff
ANSWERED_KEPT = timedelta(days=7)  # in which somebody who was declined can be invited after all, and can't ask again
# True for a request whose address has an open invitation, perhaps sent while the address was being proven.
IS_INVITED = Exists(Invite.objects.filter(OPEN, email=OuterRef("email")))


class AlreadyIn(Exception):
    """The address needs no request: it has an account, or an open invitation."""


class JoinRequestQuerySet(models.QuerySet["JoinRequest"]):
    def prove(self, link: "MagicLink", browser: str) -> bool:
        """Uses a link of the purpose REQUEST, and stores what was asked with it. Returns whether that is new.

        It is not if the address has a request already, even one that was declined lately. `browser` is the keyed hash
        of the visitor's. Announces "invite.requested" to other services, and mails staff, at most once an hour. All of
        it is one transaction. Raises AlreadyIn, with nothing changed, if the address has an account or an open
        invitation, and Unavailable if the link works no longer.
        """
        if User.objects.filter(email=link.email).exists() or Invite.objects.open().filter(email=link.email).exists():
            raise AlreadyIn
        with transaction.atomic():
            link.use_up(browser)
            is_new = self._store(link)
            if is_new:
                OutboxEvent.objects.announce("invite.requested", request=link.pk)
                self._tell_staff()
        return is_new

    def _store(self, link: "MagicLink") -> bool:
        """Stores the request of a link, unless there is one already. Returns whether it did.

        One whose invitation is over by now makes room for it.
        """
        said = Plea.unpack(link.details)._asdict()
        said |= {"language": link.language, "asked_at": link.created_at, "proven_at": timezone.now()}
        row, is_new = self.get_or_create(email=link.email, defaults={"id": link.pk, **said})
        if is_new:
            return True
        over = self.filter(pk=row.pk, invite__isnull=False)
        fresh = {"id": link.pk, "invite": None, "answered_at": None, "answered_by": None, "reason": "", **said}
        return bool(over.update(**fresh))

    def _tell_staff(self) -> None:
        """Mails those who may answer, unless they were mailed within the last hour."""
        try:
            REQUEST_NOTICES.take("")
        except Limited:
            return
        waiting = list(self.waiting().values_list("proven_at", flat=True)[:COUNTED])
        if waiting:
            OutboxMessage.objects.bulk_create(join_request_mails.tell_staff(len(waiting), waiting[0]))

    def waiting(self) -> "JoinRequestQuerySet":
        """Returns the requests that nobody has answered, of people who can't come in meanwhile, oldest first."""
        return self.invitable().filter(WAITING).order_by("proven_at", "pk")

    def declined(self) -> "JoinRequestQuerySet":
        """Returns the requests that can still be granted after a decline, the last declined first."""
        return self.invitable().exclude(WAITING).order_by("-answered_at", "pk")

    def invitable(self) -> "JoinRequestQuerySet":
        """Returns the requests that wait, or were declined within ANSWERED_KEPT.

        Those of people who can come in meanwhile are not among them.
        """
        kept = WAITING | Q(answered_at__gt=timezone.now() - ANSWERED_KEPT)
        return self.filter(kept, ~IN_USE, ~IS_INVITED, invite=None)

    def invite(self, by: User, groups: Collection[int] = ()) -> Outcome:
        """Invites the people of these requests into groups, and mails them that the answer is yes. Returns the outcome.

        `groups` are ids. Locks the rows first, so that of two answers at once one wins: a request that somebody else
        has answered meanwhile, or that was taken back, is passed over. To be called on few rows of invitable(). All of
        it is one transaction.
        """
        with transaction.atomic():
            entries = [row.entry(groups=tuple(groups)) for row in self._locked()]
            return Invite.objects.issue_many(entries, source=Invite.Source.ADMIN, invited_by=by, again=True)

    def decline(self, by: User, reason: str = "") -> int:
        """Declines these requests, and mails the people, with the `reason`, one plain line or "". Returns how many.

        Locks the rows first, as invite() does. To be called on few rows, of waiting(). All of it is one transaction.
        """
        with transaction.atomic():
            rows = self._locked()
            given = {"answered_at": timezone.now(), "answered_by": by, "reason": reason}
            self.model.objects.filter(pk__in=[row.pk for row in rows]).update(**given)
            OutboxMessage.objects.bulk_create(join_request_mails.refusal(row, reason) for row in rows)
            Event.objects.bulk_create(
                Event(kind=Event.Kind.JOIN_DECLINED, user=by, about=row.pk, detail={}) for row in rows
            )
        return len(rows)

    def _locked(self) -> "list[JoinRequest]":
        """Returns these rows, locked in the order of their ids, so that two answers can't deadlock."""
        return list(self.order_by("pk").select_for_update(of=("self",), no_key=True))

    def take_back(self) -> None:
        """Deletes those of these requests that wait. One that was declined stays until it is pruned, without words.

        So nobody gets round the answer by asking again at once.
        """
        self.filter(WAITING).delete()
        self.update(name="", words="")

    def stands(self, email: str) -> bool:
        """Returns whether this address has a request that was not granted: it waits, or was declined lately."""
        return self.filter(email=email, invite=None).exists()

    def to(self, user: User) -> "JoinRequestQuerySet":
        """Returns the requests of any address of the user, present or former."""
        return self.filter(email__in=user.address.all_own())

    def prunable(self) -> "JoinRequestQuerySet":
        """Returns the requests to prune: answered ANSWERED_KEPT ago, or never, and proven UNANSWERED_KEPT ago."""
        now = timezone.now()
        never = WAITING & Q(proven_at__lte=now - UNANSWERED_KEPT)
        return self.filter(never | Q(answered_at__lte=now - ANSWERED_KEPT))
