"""The history of one invitation in the order of time, and what is still to come, from its row, events and mails."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Event
from invites.models import Invite
from invites.models.reminders import MOST, quiet_until
from invites.models.states import FAILED
from kit.addresses import readable
from kit.ids import earliest
from kit.times import brief_html
from outbox import replies_in_words
from outbox.models import OutboxMessage

EVENTS_SHOWN = 50  # newest events
BAD, TO_COME = "bad", "next"  # how a line looks

ACTS = {
    Event.Kind.INVITED: gettext_lazy("%(who)s made this invitation"),
    Event.Kind.RESENT: gettext_lazy("%(who)s sent it again"),
    Event.Kind.EXTENDED: gettext_lazy("%(who)s extended it"),
    Event.Kind.REVOKED: gettext_lazy("%(who)s withdrew it"),
    Event.Kind.REMINDED: gettext_lazy("%(who)s sent a reminder"),
    Event.Kind.STOPPED: gettext_lazy("%(who)s stopped a mail before it left"),
}
BY_NOBODY = {
    Event.Kind.INVITED: gettext_lazy("This invitation was made"),
    Event.Kind.RESENT: gettext_lazy("It was sent again"),
    Event.Kind.EXTENDED: gettext_lazy("It was extended"),
    Event.Kind.REVOKED: gettext_lazy("It was withdrawn"),
    Event.Kind.REMINDED: gettext_lazy("A reminder was sent"),
    Event.Kind.STOPPED: gettext_lazy("A mail was stopped before it left"),
    Event.Kind.DECLINED: gettext_lazy("It was declined"),
}


@dataclass
class Moment:
    """One line of the history, in words of the reader's language."""

    at: datetime
    what: str
    detail: str = ""
    look: str = ""  # BAD, TO_COME or ""

    @property
    def when(self) -> str:
        """Its time in HTML."""
        return brief_html(self.at)


def timeline(invite: Invite, mails: Iterable[OutboxMessage], *, traces: bool) -> list[Moment]:
    """Returns the history of an invitation, oldest first, and what is still to come.

    With `traces` it names the device and IP address of the person who accepted. Takes two statements besides `mails`.
    """
    about = Event.objects.filter(about=invite.pk).exclude(kind=Event.Kind.ACCEPTED)
    events = list(about.select_related("user").order_by("-id")[:EVENTS_SHOWN])
    told = {event.kind for event in events}
    moments = [
        *begun(invite, told),
        *(of_event(event, invite) for event in reversed(events) if event.kind in BY_NOBODY),
    ]
    for mail in mails:
        moments += of_mail(mail)
    moments += settled(invite, told, traces=traces)
    # An act and the mail that it causes are milliseconds apart. Whole seconds keep the act before its mail.
    return [*sorted(moments, key=lambda moment: moment.at.replace(microsecond=0)), *to_come(invite)]


def begun(invite: Invite, told: set[str]) -> Iterator[Moment]:
    """Yields the line for the beginning of an invitation, unless `told`, the kinds of its events, has INVITED."""
    if Event.Kind.INVITED not in told:
        yield Moment(invite.created_at, act(Event.Kind.INVITED, invite.invited_by))


def act(kind: Event.Kind, who: Any) -> str:
    """Returns in words what `who`, a user or None, has done to the invitation."""
    return str(ACTS[kind]) % {"who": who.shown_name} if who and kind in ACTS else str(BY_NOBODY[kind])


def of_event(event: Event, invite: Invite) -> Moment:
    """Returns the line for one event of the history."""
    detail, kind = "", Event.Kind(event.kind)
    if kind == Event.Kind.REVOKED and invite.readdress_to:
        detail = _("%(email)s was invited instead") % {"email": readable(invite.readdress_to)}
    if kind == Event.Kind.DECLINED and invite.decline_reason:
        detail = f"“{invite.decline_reason}”"
    return Moment(event.at, act(kind, event.user), detail)


def settled(invite: Invite, told: set[str], *, traces: bool) -> Iterator[Moment]:
    """Yields what the columns of an invitation say, except what the kinds of its events (`told`) say already."""
    if invite.opened_at:
        yield Moment(invite.opened_at, _("The link was opened"), _("the last time; a mail scanner opens links, too"))
    if invite.accepted_at:
        yield accepted(invite, invite.accepted_at, traces=traces)
    if invite.declined_at and Event.Kind.DECLINED not in told:
        yield Moment(invite.declined_at, act(Event.Kind.DECLINED, None))
    if invite.revoked_at and Event.Kind.REVOKED not in told:
        yield Moment(invite.revoked_at, act(Event.Kind.REVOKED, None))
    if invite.replaced_at:
        yield Moment(invite.replaced_at, _("A newer one took its place"))
    elif invite.state == invite.State.EXPIRED:
        yield Moment(min(invite.expires_at, timezone.now()), _("It ended"))


def accepted(invite: Invite, at: datetime, *, traces: bool) -> Moment:
    """Returns the line for the acceptance at `at`: by whom and, with `traces`, on which device and IP address.

    An acceptance stores no device: that of the first event of the account from then on is taken.
    """
    if invite.accepted_by is None:
        return Moment(at, _("It was accepted"))
    said = _("%(who)s accepted it") % {"who": invite.accepted_by.shown_name}
    if invite.accepted_as:
        who = {"who": invite.accepted_by.shown_name, "address": readable(invite.accepted_as)}
        said = _("%(who)s accepted it as %(address)s") % who
    if not traces:
        return Moment(at, said)
    first = Event.objects.filter(user=invite.accepted_by, id__gte=earliest(at)).order_by("id").first()
    return Moment(at, said, " · ".join(filter(None, (first.device_name, first.ip))) if first else "")


def of_mail(mail: OutboxMessage) -> Iterator[Moment]:
    """Yields when a mail left, came back or was given up, or that it waits, with what the server said of it."""
    kind, said = mail.kind_in_words, replies_in_words.answer(mail)
    if mail.sent_at:
        yield Moment(mail.sent_at, _("A mail left: %(kind)s") % {"kind": kind}, "" if mail.bounced_at else said)
    if mail.bounced_at:
        yield Moment(mail.bounced_at, _("The mail came back"), said, BAD)
    elif mail.given_up_at:
        yield Moment(mail.given_up_at, _("The mail was given up: %(kind)s") % {"kind": kind}, said, BAD)
    elif not mail.sent_at and mail.attempts:
        yield Moment(mail.created_at, _("A mail was put off: %(kind)s") % {"kind": kind}, said, BAD)
    elif not mail.sent_at:
        yield Moment(mail.created_at, _("A mail waits to leave: %(kind)s") % {"kind": kind})


def to_come(invite: Invite) -> Iterator[Moment]:
    """Yields what is still to come of a pending invitation: its reminder and its end."""
    if invite.state != invite.State.PENDING:
        return
    at = None if invite.delivery in FAILED else reminder_at(invite)
    if at and at < invite.expires_at:
        yield Moment(at, _("One reminder goes out"), _("if it is still open"), TO_COME)
    yield Moment(invite.expires_at, _("It ends"), "", TO_COME)


def reminder_at(invite: Invite) -> datetime | None:
    """Returns when the next planned reminder goes out, as far as one can tell now; None if none is planned."""
    if invite.remind_at is None or invite.reminders >= MOST:
        return None
    return max(invite.remind_at, quiet_until(invite), timezone.now() + timedelta(minutes=1))
