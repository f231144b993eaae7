"""What would become of each line of a list that was checked, in words: by kinds, a page at a time, or all of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from itertools import batched
from typing import Any

from django.contrib.auth.models import Group
from django.core.paginator import Paginator
from django.utils.timesince import timesince
from django.utils.translation import get_language_info, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from accounts import profile_fields
from invites.batch import rows as texts
from invites.models import Batch, Invite, entries, lifetimes
from invites.models.lifecycle import CHUNK
from kit import each_language
from kit.long_list import with_separators
from outbox.models import Suppression

PAGE = 50  # lines
# What a chip finds: the fates of entries, each a field of Counts. Those of the first are mailed.
CHIPS = {
    "new": (gettext_lazy("Will be invited"), {"new"}),
    "account": (gettext_lazy("Have an account"), {"joins", "has_account"}),
    "invited": (gettext_lazy("Invited already"), {"invited"}),
    "declined": (gettext_lazy("Declined"), {"declined"}),
    "typos": (gettext_lazy("Look like typos"), {"doubted"}),
    "unread": (gettext_lazy("Can’t be read"), {"unreadable"}),
    "skipped": (gettext_lazy("Skipped"), {"suppressed", "repeated"}),
}
TONES = {"new": "ok", "joins": "ok", "doubted": "warn", "unreadable": "bad"}
MAILED = {"new", "joins", "doubted"}  # the fates of those who get a mail of this list, or may get one


def context(batch: Batch, shown: str, number: str) -> dict[str, Any]:
    """Returns the template context of the preview of a batch: a page of the lines that the chip `shown` finds.

    An unknown chip finds all lines, and an unknown page `number` shows the first or the last.
    """
    every = lines(batch)
    found = [row for row in every if row["fate"] in CHIPS[shown][1]] if shown in CHIPS else every
    page = Paginator(found, PAGE).get_page(number)
    count = ngettext("%(shown)s of %(all)s line shown", "%(shown)s of %(all)s lines shown", len(found))
    return {
        "title": _("Check before sending"),
        "subtitle": _("Nothing has been sent yet."),
        "remarks": list(map(each_language.read, batch.remarks)),
        "chips": chips(batch, shown, len(every)),
        "shown": shown if shown in CHIPS else "",
        "page": page,
        "rows": in_words(batch, list(page)),
        "numbers": count % {"shown": with_separators(len(page)), "all": with_separators(len(found))},
        "typos": batch.counts.doubted,
        "has_bad": any(row["fate"] in {"unreadable", "doubted"} for row in every),
        "can_send": batch.has_any(again=True, doubted=True),
        "send": send(batch.people),
    }


def chips(batch: Batch, shown: str, count: int) -> list[dict[str, Any]]:
    """Returns the chips with something behind them: key, words, number of lines, and whether it is the one `shown`.

    The first is for all lines, of which there are `count`.
    """
    counts = asdict(batch.counts)
    numbers = {key: sum(counts[fate] for fate in fates) for key, (_words, fates) in CHIPS.items()}
    found = [{"key": key, "words": CHIPS[key][0], "count": number} for key, number in numbers.items() if number]
    offered = [{"key": "", "words": _("All lines"), "count": count}, *found]
    return [chip | {"is_current": chip["key"] == (shown if shown in CHIPS else "")} for chip in offered]


def lines(batch: Batch) -> list[dict[str, Any]]:
    """Returns the lines of a list in their order: its stored entries, and those that could not be read.

    An entry has its place among the entries as "place"; a line that could not be read has a "problem" in each language.
    """
    read = [row | {"place": place} for place, row in enumerate(batch.entries)]
    bad = [row | {name: texts.shown(row.get(name, "")) for name in ("email", "name")} for row in batch.refused]
    return sorted(read + [row | {"fate": "unreadable"} for row in bad], key=lambda row: row["line"])


def in_words(batch: Batch, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns these lines of a list, each with "tag", what happens, its "tone", and "said", with what or why.

    "is_mailed" says whether a mail of this list can be shown. Takes five statements at most, for however many lines.
    """
    facts = Facts(rows)
    return [
        row
        | {"tag": facts.tag(row), "tone": TONES.get(row["fate"], ""), "is_mailed": row["fate"] in MAILED}
        | {"said": facts.said(row, batch.common)}
        for row in rows
    ]


class Facts:
    """What must be known to speak of lines: groups, apps, suppressions, and when people were invited or declined."""

    def __init__(self, rows: Iterable[dict[str, Any]]) -> None:
        of = {
            fate: [row["email"] for row in rows if row["fate"] == fate]
            for fate in ("invited", "declined", "suppressed")
        }
        named = entries.groups(rows)
        self.groups = dict(Group.objects.filter(pk__in=named).values_list("pk", "name")) if named else {}
        self.apps = entries.app_names(rows)
        sent = Invite.objects.pending().filter(email__in=of["invited"]).order_by("sent_at")
        self.sent = dict(sent.values_list("email", "sent_at")) if of["invited"] else {}
        self.declined = Invite.objects.find_declined(of["declined"]) if of["declined"] else {}
        self.suppressed = Suppression.objects.among(of["suppressed"]) if of["suppressed"] else {}

    def tag(self, row: dict[str, Any]) -> str:
        """Returns what happens with a line."""
        match row["fate"]:
            case "joins":
                return _("Has an account, joins %(groups)s") % {"groups": self.joined(row)}
            case "invited" if sent := self.sent.get(row["email"]):
                return _("Invited %(ago)s ago") % {"ago": timesince(sent, depth=1)}
            case "declined" if declined := self.declined.get(row["email"]):
                return _("Declined %(ago)s ago") % {"ago": timesince(declined, depth=1)}
            case "suppressed" if (found := self.suppressed.get(row["email"])) and found.is_opt_out:
                return _("Asked never to be written to")
        return {
            "new": _("Will be invited"),
            "doubted": _("Looks like a typo"),
            "has_account": _("Has an account"),
            "invited": _("Invited already"),
            "declined": _("Declined"),
            "suppressed": _("Mail came back"),
            "repeated": _("Repeated"),
        }.get(row["fate"]) or _("Can’t be read")

    def said(self, row: dict[str, Any], common: dict[str, Any]) -> str:
        """Returns with what a person is invited, or why nothing is sent; notes and such only if they are their own."""
        if row["fate"] == "suppressed":
            found = self.suppressed.get(row["email"])
            return lift(found) if found and not found.is_opt_out else ""
        if row["fate"] == "has_account":
            return self.idle(row)
        if row["fate"] not in MAILED:
            return each_language.read(row.get("problem", {}))
        own = {
            name: row[name] for name in ("lifetime", "language", "note") if row.get(name, "") != common.get(name, "")
        }
        if "lifetime" in own:
            own["lifetime"] = lifetimes.in_words(timedelta(seconds=own["lifetime"]))
        if "language" in own:
            own["language"] = get_language_info(own["language"])["name_local"]
        return " · ".join(
            filter(None, [self.joined(row), self.app(row), row.get("next", ""), *own.values(), *about(row)])
        )

    def idle(self, row: dict[str, Any]) -> str:
        """Returns why somebody who has an account is not invited."""
        if app := self.app(row):
            return _("Can open %(app)s already, or is turned off") % {"app": app}
        if row.get("groups"):
            return _("In these groups already, or turned off")
        return _("Choose a group to invite them into it")

    def app(self, row: dict[str, Any]) -> str:
        """Returns the name of the app that a line says, "" without one."""
        return self.apps.get(row.get("app", ""), "")

    def joined(self, row: dict[str, Any]) -> str:
        """Returns the names of the groups that a line says, without those that are gone."""
        return ", ".join(self.groups[one] for one in row.get("groups", ()) if one in self.groups)


def about(row: dict[str, Any]) -> Iterator[str]:
    """Yields what a line says of a person for the site's own fields. Whoever has an account keeps what is there."""
    if row["fate"] != "joins":
        said = profile_fields.of_site(row.get("profile", {}))
        asked = [field for field in profile_fields.own() if said[field.name]]
        yield from (f"{field.label}: {field.shown(said[field.name])}" for field in asked)


def lift(found: Suppression) -> str:
    """Returns why no mail goes to an address whose mail came back, and what to do about it."""
    said = _("%(why)s. Lift it under “Addresses we don’t write to”, then invite again")
    return said % {"why": found.explanation.rstrip(".")}


def table(batch: Batch) -> Iterator[list[Any]]:
    """Yields rows for a CSV file: headings, then each line of a list and what would become of it."""
    yield [_("line"), _("name"), _("email address"), _("what happens"), _("with")]
    for chunk in batched(lines(batch), CHUNK):
        for row in in_words(batch, chunk):
            meant = did_you_mean(row) if row.get("meant") else ""
            said = " · ".join(filter(None, [meant, row["said"]]))
            yield [row["line"], row.get("name", ""), row["email"], row["tag"], said]


def did_you_mean(row: dict[str, Any]) -> str:
    return _("Did you mean %(email)s?") % {"email": row["meant"]}


def send(count: int) -> str:
    """Returns the words of the button that sends the list to `count` people, or for 0 to those ticked above it."""
    if not count:
        return _("Send to those ticked above")
    return ngettext("Send %(count)s invitation", "Send %(count)s invitations", count) % {
        "count": with_separators(count)
    }
