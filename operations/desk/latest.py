"""What has just happened: the newest events that concern staff, each in a sentence, for the desk's home."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import Event
from accounts.sentences import read_names, sentence
from operations.desk import places

SHOWN = 5
TOGETHER = timedelta(hours=1)  # within which the invitations of one person are told in one sentence

# Who comes and who goes, who was invited, and who got power. Signing in and wrong passwords are too many, and what is
# POWER_USED on people is told of those people.
Kind = Event.Kind
TOLD = (
    *(Kind.ACCEPTED, Kind.CREATED, Kind.DECLINED, Kind.INVITED, Kind.REVOKED),
    *(Kind.RIGHTS_CHANGED, Kind.TURNED_OFF, Kind.TURNED_ON, Kind.DELETED),
)


@dataclass(frozen=True)
class Line:
    """A sentence without a full stop, and when it happened."""

    sentence: str
    at: datetime


def lines(request: HttpRequest) -> list[Line] | None:
    """Returns the SHOWN newest events in sentences, the newest first; None for whoever may not see the history."""
    if not places.HISTORY.is_open_to(request):
        return None
    told = list(islice(together(newest()), SHOWN))
    read_names(event for event, _others in told)
    return [Line(in_words(event, is_one_of_many), event.at) for event, is_one_of_many in told]


def newest() -> Iterable[Event]:
    """Returns the SHOWN newest events of each kind in TOLD, the newest first, with their people; takes one statement.

    Each kind is looked up by itself, and so by its index: the events between them may be millions.
    """
    each = [Event.objects.filter(kind=kind).order_by("-id").values("pk")[:SHOWN] for kind in TOLD]
    return Event.objects.filter(pk__in=each[0].union(*each[1:], all=True)).select_related("user").order_by("-id")


def together(events: Iterable[Event]) -> Iterator[tuple[Event, bool]]:
    """Yields the events, the newest first, but only one of those that belong together; True if it stands for others.

    So it is with the invitations of a list, and with an account that was made by accepting an invitation.
    """
    kept: list[list[Event]] = []
    for event in events:
        group = next((group for group in kept if belongs(event, group[-1])), None)
        if group:
            group.append(event)
        else:
            kept.append([event])
    for group in kept:
        yield group[0], len(group) > 1 and group[0].kind == Kind.INVITED


def belongs(event: Event, later: Event) -> bool:
    """Returns whether two events, of which `later` is the newer one, are told in one sentence."""
    if event.user_id is None or event.user_id != later.user_id:
        return False
    if event.kind == later.kind == Kind.INVITED:
        return later.at - event.at < TOGETHER
    return event.kind == Kind.CREATED and later.kind == Kind.ACCEPTED and later.at - event.at < TOGETHER


def in_words(event: Event, is_one_of_many: bool) -> str:
    """Returns the sentence of an event, or of the invitations that it stands for."""
    if is_one_of_many and event.user:
        return _("%(who)s invited several people") % {"who": event.user.username}
    return sentence(event)
