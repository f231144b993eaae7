"""What happened to one invite, in the order of time: from its own row, the history, and its mails."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Event
from invites.models import Invite
from kit.ids import earliest
from outbox.models import OutboxMessage

EVENTS_SHOWN = 50  # of the newest


@dataclass
class Moment:
    at: datetime
    what: str
    who: str = ""  # did it
    detail: str = ""


def timeline(invite: Invite, mails: Iterable[OutboxMessage], *, traces: bool) -> list[Moment]:
    """Oldest first, with devices and IP addresses where `traces` may be seen. Two statements."""
    about = Event.objects.filter(about=invite.pk).exclude(kind=Event.Kind.ACCEPTED)
    events = list(about.select_related("user").order_by("-id")[:EVENTS_SHOWN])
    told = {event.kind for event in events}
    moments = [*begun(invite, told), *map(of_event, reversed(events))]
    for mail in mails:
        moments += of_mail(mail)
    # What is done puts the mail, so it stands before that; they are milliseconds apart.
    return sorted(
        [*moments, *settled(invite, told, traces=traces)], key=lambda moment: moment.at.replace(microsecond=0)
    )


def begun(invite: Invite, told: set[str]) -> Iterator[Moment]:
    if Event.Kind.INVITED not in told:
        yield Moment(invite.created_at, _("Invited"), invite.invited_by.username if invite.invited_by else "")


def of_event(event: Event) -> Moment:
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
    """What its row says, as far as the history does not."""
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
    """By whom, and on which device: that of what the account did first from then on."""
    if invite.accepted_by is None:
        return Moment(at, _("Accepted"))
    if not traces:
        return Moment(at, _("Accepted"), invite.accepted_by.username)
    first = Event.objects.filter(user=invite.accepted_by, id__gte=earliest(at)).order_by("id").first()
    detail = " · ".join(filter(None, (first.device_name, first.ip))) if first else ""
    return Moment(at, _("Accepted"), invite.accepted_by.username, detail)


def of_mail(mail: OutboxMessage) -> Iterator[Moment]:
    """When it was put, and when it left, or why it did not."""
    answer = mail.last_answer
    waits = mail.status in {mail.Status.QUEUED, mail.Status.TRIED}
    tries = _("tries: %(tries)s") % {"tries": mail.attempts} if waits and mail.attempts else ""
    yield Moment(
        mail.created_at, _("Queued"), detail=" · ".join(filter(None, (mail.kind, tries, answer if waits else "")))
    )
    if mail.sent_at:
        yield Moment(mail.sent_at, _("Handed over"), detail="" if mail.bounced_at else answer)
    if mail.bounced_at:
        yield Moment(mail.bounced_at, _("Came back"), detail=answer)
    elif mail.given_up_at:
        yield Moment(mail.given_up_at, _("Given up"), detail=answer)
