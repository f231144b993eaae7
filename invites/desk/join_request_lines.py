"""What staff read of each request to join: who asks, and how likely it is that they belong here."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from invites.ask_for_link import webmail
from invites.models import JoinRequest
from kit.list_filter import Capped, capped_in_words
from sso.models import AccessRequest

PEOPLE = 100  # of one domain that are counted
DAY = timedelta(days=1)
APPS = 10  # for which people ask for access


@dataclass(frozen=True)
class Line:
    """A request with its hints, each with its tone, "ok" or "warn"; `ticked` says whether its box has a tick."""

    asked: JoinRequest
    hints: list[tuple[str, str]]
    ticked: bool


def lines(waiting: Iterable[JoinRequest], ticked: Collection[str]) -> list[Line]:
    """Returns a line for each of these requests, in two more statements; `ticked` are the ids of those with a tick."""
    rows = list(waiting)
    people = people_of({domain for row in rows if (domain := domain_of(row)) not in webmail.BY_DOMAIN})
    asked = asked_from({row.network for row in rows if row.network})
    return [
        Line(row, hints(row, people.get(domain_of(row), 0), asked.get(row.network, 0)), str(row.pk) in ticked)
        for row in rows
    ]


def domain_of(row: JoinRequest) -> str:
    return row.email.rpartition("@")[2]


def hints(row: JoinRequest, people: int, asked: int) -> list[tuple[str, str]]:
    """Returns the hints of a request: how many people of its domain are in, how many asked from its network today."""
    found = []
    if people:
        said = ngettext("%(count)s person @%(domain)s is in", "%(count)s people @%(domain)s are in", people)
        number = f"{PEOPLE}+" if people > PEOPLE else str(people)
        found.append((said % {"count": number, "domain": domain_of(row)}, "ok"))
    if asked > 1:
        said = _("%(count)s requests from this network today")
        found.append((said % {"count": capped_in_words(asked)}, "warn"))
    return found


def people_of(domains: Collection[str]) -> dict[str, int]:
    """Returns how many accounts have an address of each of these domains, PEOPLE and one more at most, by domain.

    Domains where anybody gets an address say nothing of anybody: callers leave them out.
    """
    named = dict(enumerate(domains))
    if not named:
        return {}
    found = {f"of_{n}": User.objects.at_domain(one).order_by() for n, one in named.items()}
    counts = {name: Capped(rows.values("pk")[: PEOPLE + 1]) for name, rows in found.items()}
    row = User.objects.order_by()[:1].values(**counts).first() or {}  # a row to hang them on
    return {one: row.get(f"of_{n}", 0) for n, one in named.items()}


def asked_from(networks: Collection[str]) -> dict[str, int]:
    """Returns how many people have asked from each of these networks within a day, by network."""
    today = JoinRequest.objects.filter(network__in=networks, proven_at__gt=timezone.now() - DAY)
    return dict(today.order_by().values_list("network").annotate(Count("pk")))


def asking_for_apps() -> list[tuple[str, str, int]]:
    """Returns id and name of the first APPS for which people with an account ask for access, and how many do."""
    rows = AccessRequest.objects.waiting().order_by("app__client__name", "app")
    return list(rows.values_list("app", "app__client__name").annotate(Count("pk"))[:APPS])
