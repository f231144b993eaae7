"""What has just happened: the newest events that concern staff, each in a sentence, for the desk's home."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import Event
from accounts.sentences import read_names, sentence
from invites.models import Batch
from kit.long_list import with_separators
from operations.desk import places

SHOWN = 5
TOGETHER = timedelta(hours=1)  # within which what one person does to many is told in one sentence

# Who comes and who goes, who was invited, and who got power. Signing in and wrong passwords are too many, and what is
# POWER_USED on people is told of those people.
Kind = Event.Kind
TOLD = (
    *(Kind.ACCEPTED, Kind.CREATED, Kind.DECLINED, Kind.INVITED, Kind.REVOKED),
    *(Kind.RIGHTS_CHANGED, Kind.TURNED_OFF, Kind.TURNED_ON, Kind.DELETED),
)

# What stands for many events of a kind, and for the invitations of a list: of somebody, and of a command.
MANY = {
    Kind.INVITED: (_("%(who)s invited several people"), _("Several people were invited")),
    Kind.REVOKED: (_("%(who)s withdrew several invitations"), _("Several invitations were withdrawn")),
}
Lists = Mapping[UUID | None, Batch]  # by the ids of their invitations
SENT = _("%(who)s sent “%(batch)s” to %(count)s people"), _("“%(batch)s” was sent to %(count)s people")


@dataclass(frozen=True)
class Line:
    """A sentence without a full stop, and when it happened."""

    sentence: str
    at: datetime


def lines(request: HttpRequest) -> list[Line] | None:
    """Returns the SHOWN newest events in sentences, the newest first; None for whoever may not see the history."""
    if not places.HISTORY.is_open_to(request):
        return None
    events = list(newest())
    read_names(events)
    lists = lists_of(events)
    told = islice(together(events, lists), SHOWN)
    return [Line(in_words(*one, lists), one[0].at) for one in told]


def newest() -> Iterable[Event]:
    """Returns the SHOWN newest events of each kind in TOLD, the newest first, with their people; takes one statement.

    Each kind is looked up by itself, and so by its index: the events between them may be millions.
    """
    each = [Event.objects.filter(kind=kind).order_by("-id").values("pk")[:SHOWN] for kind in TOLD]
    return Event.objects.filter(pk__in=each[0].union(*each[1:], all=True)).select_related("user").order_by("-id")


def lists_of(events: Iterable[Event]) -> Lists:
    """Returns the lists of several people with which these events' invitations were sent; takes one statement or none.

    The names of the events have been read.
    """
    invited = {event.about: event.names.invitation.batch for event in events if event.kind == Kind.INVITED}
    named = set(invited.values()) - {""}
    found = Batch.objects.only("name", "created_at", "begun_at", "counts").in_bulk(named) if named else {}
    return {about: found[key] for about, key in invited.items() if key in found and found[key].people > 1}


def together(events: Iterable[Event], lists: Lists) -> Iterator[tuple[Event, bool]]:
    """Yields the events, the newest first, but only one of those that belong together; True if it stands for others.

    So it is with the invitations of a list, with all that one person withdraws, and with an account that was made by
    accepting an invitation.
    """
    kept: list[list[Event]] = []
    for event in events:
        group = next((group for group in kept if belongs(event, group[-1], lists)), None)
        if group:
            group.append(event)
        else:
            kept.append([event])
    for group in kept:
        yield group[0], len(group) > 1 and group[0].kind in MANY


def belongs(event: Event, later: Event, lists: Lists) -> bool:
    """Returns whether two events, of which `later` is the newer one, are told in one sentence."""
    if event.user_id != later.user_id or later.at - event.at >= TOGETHER:
        return False
    if event.kind == later.kind and event.kind in MANY:
        return lists.get(event.about) == lists.get(later.about)
    return event.user_id is not None and event.kind == Kind.CREATED and later.kind == Kind.ACCEPTED


def in_words(event: Event, is_one_of_many: bool, lists: Lists) -> str:
    """Returns the sentence of an event, or of those that it stands for."""
    if (batch := lists.get(event.about)) and event.kind == Kind.INVITED:
        said, blanks = SENT[event.user is None], {"batch": str(batch), "count": with_separators(batch.people)}
    elif is_one_of_many:
        said, blanks = MANY[Kind(event.kind)][event.user is None], {}
    else:
        return sentence(event)
    return str(said) % (blanks | {"who": event.user.username if event.user else ""})
