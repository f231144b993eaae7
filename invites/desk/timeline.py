"""The history of one invitation in the order of time, from its own row, its events and its mails."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Event
from invites.models import Invite
from kit.ids import earliest
from outbox.models import OutboxMessage

EVENTS_SHOWN = 50  # newest events


@dataclass
class Moment:
    """One line of the history, in words of the reader's language."""

    at: datetime
    what: str
    who: str = ""  # username of the person who did it
    detail: str = ""


def timeline(invite: Invite, mails: Iterable[OutboxMessage], *, traces: bool) -> list[Moment]:
    """Returns the history of an invitation, oldest first.

    With `traces` it names the device and IP address of the person who accepted. Takes two statements besides `mails`.
    """
    about = Event.objects.filter(about=invite.pk).exclude(kind=Event.Kind.ACCEPTED)
    events = list(about.select_related("user").order_by("-id")[:EVENTS_SHOWN])
    told = {event.kind for event in events}
    moments = [*begun(invite, told), *map(of_event, reversed(events))]
    for mail in mails:
        moments += of_mail(mail)
    # An act and the mail that it causes are milliseconds apart. Whole seconds keep the act before its mail.
    return sorted(
        [*moments, *settled(invite, told, traces=traces)], key=lambda moment: moment.at.replace(microsecond=0)
    )


def begun(invite: Invite, told: set[str]) -> Iterator[Moment]:
    """Yields the line for the beginning of an invitation, unless `told`, the kinds of its events, has INVITED."""
    if Event.Kind.INVITED not in told:
        yield Moment(invite.created_at, _("Invited"), invite.invited_by.username if invite.invited_by else "")


def of_event(event: Event) -> Moment:
    """Returns the line for one event of the history."""
    kind = Event.Kind(event.kind)
    words = {
        Event.Kind.INVITED: _("Invited"),
        Event.Kind.RESENT: _("Sent again"),
        Event.Kind.EXTENDED: _("Extended"),
        Event.Kind.REVOKED: _("Withdrawn"),
        Event.Kind.REMINDED: _("Reminder sent"),
        Event.Kind.DECLINED: _("Declined"),
    }
    return Moment(event.at, words.get(kind, str(kind.label)), event.user.username if event.user else "")


def settled(invite: Invite, told: set[str], *, traces: bool) -> Iterator[Moment]:
    """Yields what the columns of an invitation say, except what the kinds of its events (`told`) say already."""
    if invite.opened_at:
        yield Moment(invite.opened_at, _("Link opened"), detail=_("the last time"))
    if invite.accepted_at:
        yield accepted(invite, invite.accepted_at, traces=traces)
    if invite.declined_at and Event.Kind.DECLINED not in told:
        yield Moment(invite.declined_at, _("Declined"))
    if invite.revoked_at and Event.Kind.REVOKED not in told:
        yield Moment(invite.revoked_at, _("Withdrawn"))
    if invite.replaced_at:
        yield Moment(invite.replaced_at, _("Replaced by a newer one"))
    elif invite.state == invite.State.EXPIRED:
        yield Moment(min(invite.expires_at, timezone.now()), _("Expired"))


def accepted(invite: Invite, at: datetime, *, traces: bool) -> Moment:
    """Returns the line for the acceptance at `at`: by whom and, with `traces`, on which device and IP address.

    An acceptance stores no device: that of the first event of the account from then on is taken.
    """
    if invite.accepted_by is None:
        return Moment(at, _("Accepted"))
    if not traces:
        return Moment(at, _("Accepted"), invite.accepted_by.username)
    first = Event.objects.filter(user=invite.accepted_by, id__gte=earliest(at)).order_by("id").first()
    detail = " · ".join(filter(None, (first.device_name, first.ip))) if first else ""
    return Moment(at, _("Accepted"), invite.accepted_by.username, detail)


def of_mail(mail: OutboxMessage) -> Iterator[Moment]:
    """Yields when a mail was stored, and when it was handed over, came back or was given up, with the last answer."""
    answer = mail.last_answer
    waits = mail.status in {mail.Status.QUEUED, mail.Status.TRIED}
    tries = _("tries: %(tries)s") % {"tries": mail.attempts} if waits and mail.attempts else ""
    yield Moment(
        mail.created_at,
        _("Queued"),
        detail=" · ".join(filter(None, (mail.kind_in_words, tries, answer if waits else ""))),
    )
    if mail.sent_at:
        yield Moment(mail.sent_at, _("Handed over"), detail="" if mail.bounced_at else answer)
    if mail.bounced_at:
        yield Moment(mail.bounced_at, _("Came back"), detail=answer)
    elif mail.given_up_at:
        yield Moment(mail.given_up_at, _("Given up"), detail=answer)
