"""Counts how far people come, by the day or week of asking: asked or invited, mailed, opened, joined, came back.

People are counted, not mails: of all that was sent to one address in one day or week, the link that led furthest, and
only if the address had no account then. A replaced invitation is counted as the newer one. A person at a later step
counts at all steps before it, because openings are lost while Redis is away.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from invites.link import opens
from invites.models import Invite

STEPS: dict[str, Promise] = {
    "asked": _("Links asked for"),
    "handed": _("Email handed over"),
    "opened": _("Link opened"),
    "accepted": _("Account created"),
    "back": _("Signed in again within 7 days"),
}
DAYS = {"day": 31, "week": 12 * 7}  # the longest period to look back over, in days
CACHED = 60  # seconds
UNREADABLE = (TypeError, ValueError, LookupError, AttributeError, StopIteration)

SOURCES: dict[str, Any] = {"self": _("asked for it"), **dict(Invite.Source.choices)}

# Each lateral join looks into an index once for each row of the cohorts. Accepting an invitation signs a person in, or
# they sign in right after it: only the next sign-in counts as coming back (OFFSET 1).
LOOK = """
WITH sent AS (
  SELECT id, email, source, app_id, created_at, opened_at, accepted_at, accepted_by_id AS person_id,
    EXISTS (SELECT FROM accounts_user WHERE email = invite.email AND joined_at < invite.created_at) AS had_account
  FROM invites_invite invite WHERE created_at >= %(since)s AND replaced_at IS NULL
  UNION ALL
  SELECT id, email, 'self', NULL, created_at, opened_at, used_at, used_by_id, epoch IS NOT NULL
  FROM invites_magiclink
  WHERE created_at >= %(since)s AND invite_id IS NULL AND purpose IN ('link', 'register')
), best AS (
  SELECT DISTINCT ON (coalesce(nullif(sent.email, ''), sent.id::text), cohort) sent.*, cohort, mail.handed_at
  FROM sent
    LEFT JOIN LATERAL (SELECT id, joined_at FROM accounts_user WHERE id = sent.person_id LIMIT 1) person ON true,
    LATERAL (SELECT date_trunc(%(by)s, sent.created_at AT TIME ZONE %(zone)s)::date AS cohort) day,
    LATERAL (SELECT min(sent_at) AS handed_at FROM outbox_outboxmessage WHERE about = sent.id) mail
  WHERE (%(source)s = '' OR sent.source = %(source)s) AND (%(app)s = '' OR sent.app_id = %(app)s)
    AND CASE WHEN sent.accepted_at IS NULL THEN NOT sent.had_account
             ELSE person.id IS NULL OR person.joined_at >= sent.created_at END
  ORDER BY coalesce(nullif(sent.email, ''), sent.id::text), cohort, sent.accepted_at DESC NULLS LAST,
    sent.opened_at DESC NULLS LAST, mail.handed_at DESC NULLS LAST, sent.id
), steps AS (
  SELECT best.source, best.cohort,
    back.at IS NOT NULL AS back,
    best.accepted_at IS NOT NULL AS accepted,
    best.accepted_at IS NOT NULL OR best.opened_at IS NOT NULL AS opened,
    best.accepted_at IS NOT NULL OR best.opened_at IS NOT NULL OR best.handed_at IS NOT NULL AS handed,
    extract(epoch FROM best.handed_at - best.created_at) AS handed_after,
    extract(epoch FROM best.accepted_at - best.created_at) AS accepted_after,
    extract(epoch FROM back.at - best.created_at) AS back_after
  FROM best
  LEFT JOIN LATERAL (
    SELECT at FROM accounts_event
    WHERE user_id = best.person_id AND kind = 'signed_in'
      AND at BETWEEN best.accepted_at AND best.accepted_at + interval '7 days'
    ORDER BY id OFFSET 1 LIMIT 1
  ) back ON true
)
SELECT to_char(cohort, 'YYYY-MM-DD'), source, count(*), count(*) FILTER (WHERE handed), count(*) FILTER (WHERE opened),
  count(*) FILTER (WHERE accepted), count(*) FILTER (WHERE back),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY handed_after),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY accepted_after),
  percentile_cont(0.5) WITHIN GROUP (ORDER BY back_after)
FROM steps GROUP BY GROUPING SETS ((cohort), (source), ())
"""


@dataclass(frozen=True)
class Step:
    """One step of the funnel: how many people came so far, also in percent of all and of the step before."""

    name: str
    people: int
    of_all: int
    of_before: int
    left: int  # people of the step before who did not come as far as this
    # The time from asking within which half of them had come so far; None where it is not known.
    median: timedelta | None

    @property
    def label(self) -> Promise:
        """The name of the step for people; translated when it is shown."""
        return STEPS[self.name]


@dataclass(frozen=True)
class Funnel:
    """The steps of all people, and how many people came to each step, by cohort and by source."""

    steps: list[Step]
    # Each with the number of people at each step; a cohort is named by its first day.
    cohorts: list[tuple[date, list[int]]]
    sources: list[tuple[str, list[int]]]


def start(by: str, days: int) -> date:
    """Returns the first day of a period of `days` that ends today, in the active time zone.

    With `by` "day" it is exactly that long. With "week" it is rounded up to whole weeks, of which this is the last, so
    it begins on a Monday.
    """
    today = timezone.localdate()
    if by == "week":
        return today - timedelta(days=today.weekday(), weeks=-(-days // 7) - 1)
    return today - timedelta(days=days - 1)


def look(by: str, since: date, source: str = "", app: str = "") -> Funnel:
    """Returns the funnel of all who asked or were invited since a day, or of those with one of SOURCES as `source`.

    With the id of an app as `app`, of those who were invited to it.
    `by` is "day" or "week", the length of the cohorts; callers look back no further than DAYS[by]. The numbers are up
    to a minute old (CACHED).
    """
    key = f"funnel:{by}:{since}:{source}:{app}:{timezone.get_current_timezone_name()}"
    try:
        return put_together(cache.get(key))
    except UNREADABLE:  # it is not there, or nobody of ours has stored it
        rows = count(by, since, source, app)
        cache.set(key, rows, CACHED)
        return put_together(rows)


def put_together(rows: Any) -> Funnel:
    """Returns the funnel of the rows of count(). Raises one of UNREADABLE for anything else."""
    cohorts = sorted((date.fromisoformat(day), people) for day, _source, people, _medians in rows if day)
    sources = sorted((name, people) for _day, name, people, _medians in rows if name)
    people, medians = next((people, medians) for day, name, people, medians in rows if not day and not name)
    return Funnel(steps(people, medians), cohorts, sources)


def count(by: str, since: date, source: str, app: str) -> list[list[Any]]:
    """Returns rows of cohort or "", source or "", people at each step, and the median times of three steps in seconds.

    `by` is "day" or "week", `source` one of SOURCES or "" for all, `app` the id of an app or "" for all. A row has a
    cohort (its first day) or a source; the one with neither counts all people. First moves the openings noted in Redis
    into the database.
    """
    opens.gather()
    begin = timezone.make_aware(datetime.combine(since, time.min))
    given: dict[str, Any] = {"by": by, "since": begin, "source": source, "app": app}
    with connection.cursor() as cursor:
        cursor.execute(LOOK, given | {"zone": timezone.get_current_timezone_name()})
        rows = cursor.fetchall()
    size = 2 + len(STEPS)
    return [[row[0] or "", row[1] or "", list(row[2:size]), list(row[size:])] for row in rows]


def steps(people: list[int], medians: list[float | None]) -> list[Step]:
    """Returns the steps of a funnel, from the number of people at each step, in the order of STEPS.

    `medians` are the seconds to the steps "handed", "accepted" and "back", None where unknown.
    """
    handed, accepted, back = (None if m is None else timedelta(seconds=round(m)) for m in medians)
    known = {"handed": handed, "accepted": accepted, "back": back}
    befores = [people[0], *people]
    return [
        Step(name, number, percent(number, people[0]), percent(number, before), before - number, known.get(name))
        for name, number, before in zip(STEPS, people, befores, strict=False)
    ]


def percent(part: int, whole: int) -> int:
    """Returns `part` in percent of `whole`, rounded; 0 if `whole` is 0."""
    return round(100 * part / whole) if whole else 0
