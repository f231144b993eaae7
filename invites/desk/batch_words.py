"""The words and template contexts of the pages of a batch, in the reader's language."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import batched
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from invites.models import AT_ONCE, Batch, Invite, Outcome, Reason, entries, lifetimes
from invites.models.entries import unpack
from invites.models.lifecycle import CHUNK
from invites.models.queryset import Sifted
from kit.long_list import with_separators

SHOWN = 20  # lines of a list, or addresses, that a page shows at most


def state(batch: Batch) -> str:
    if batch.withdrawn_at:
        return _("Withdrawn")
    if batch.sent_at:
        return pgettext("batch", "Sent")
    return _("Being sent") if batch.begun_at else _("Checked, not sent")


def preview(batch: Batch) -> dict[str, Any]:
    """Returns the template context for the preview of a batch that was not sent yet."""
    bad = unread(batch)
    return {
        "title": _("Check the list"),
        "counts": counts(batch),
        "remarks": batch.remarks,
        "people": fates(batch.entries[:SHOWN]),
        "more_people": max(len(batch.entries) - SHOWN, 0),
        "unread": bad[:SHOWN],
        "more_unread": max(len(bad) - SHOWN, 0),
        "again": batch.counts.invited,
        "typos": batch.counts.doubted,
        "send": send(batch.people),
        "has_bad": bool(bad),
        "can_send": batch.has_any(again=True, doubted=True),
    }


def counts(batch: Batch) -> list[tuple[str, int]]:
    """Returns pairs of what would become of people or lines of the list, and how many there are."""
    found = batch.counts
    joins = [(_("Have an account, join the groups"), found.joins)] if found.joins else []
    return [
        (_("Will be invited"), found.new),
        *joins,
        (_("Already have an account (skipped)"), found.has_account),
        (_("Already invited (skipped)"), found.invited),
        (_("Repeated in this list (counted once)"), found.repeated),
        (_("No mail goes to them (skipped)"), found.suppressed),
        (_("Likely typos (skipped)"), found.doubted),
        (_("Can’t be read (download to fix)"), found.unreadable),
    ]


def people(batch: Batch) -> Iterator[list[str]]:
    """Yields rows for a CSV file: the names of the columns, then each person and what would become of them."""
    yield [_("email address"), _("what happens"), _("what the list says")]
    for chunk in batched(batch.entries, CHUNK):
        for row in fates(chunk):
            yield [row["email"], str(row["fate"]), row["said"]]


def fates(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns these stored entries, each with "fate", what would become of it now, and "said", what the list says."""
    sifted = Invite.objects.sift([unpack(row) for row in rows])
    reasons = {email: reason.label for email, reason in sifted.outcome.skipped}
    names = dict(Group.objects.filter(pk__in=entries.groups(rows)).values_list("pk", "name"))
    return [row | {"fate": reasons.get(row["email"]) or fate(row, sifted), "said": said_of(row, names)} for row in rows]


def fate(row: dict[str, Any], sifted: Sifted) -> str:
    """Returns what would become of a stored entry that is not skipped for another reason than a likely typo."""
    found = entries.fate(row, sifted)
    if found == "doubted":
        return did_you_mean(row)
    return _("has an account, joins the groups") if found == "joins" else _("will be invited")


def said_of(row: dict[str, Any], names: dict[int, str]) -> str:
    """Returns what a stored entry says beside the address, as one line; `names` are those of the groups, by id."""
    said = [row[name] for name in ("name", "note", "language", "next") if row.get(name)]
    joined = [names[one] for one in row.get("groups", ()) if one in names]
    lasts = [lifetimes.in_words(timedelta(seconds=row["lifetime"]))] if "lifetime" in row else []
    return " · ".join([*said, *joined, *lasts])


def did_you_mean(row: dict[str, Any]) -> str:
    return _("did you mean %(meant)s?") % {"meant": row["meant"]}


def send(count: int) -> str:
    """Returns the words of the button that sends the list to `count` people, or for 0 to those ticked above it."""
    if not count:
        return _("Send to those ticked above")
    return ngettext("Send %(count)s invitation", "Send %(count)s invitations", count) % {
        "count": with_separators(count)
    }


def changed() -> str:
    """Returns the message that the list was checked again, and that its counts have changed."""
    return _(
        "The list was checked more than 15 minutes ago, so it was checked again, and something is different now. "
        "Nothing has been sent yet. Look at it, then send it."
    )


def not_theirs() -> str:
    """Returns the message that the list was not sent, because the person may not give the groups that it names."""
    return _("This list names groups that give rights at the desk. Only a superuser may send it. Nothing was sent.")


def nobody() -> str:
    """Returns the message that nothing was sent, because sending would mail nobody."""
    return _("Nobody in this list is left to be invited. Nothing was sent. Tick whom to write to all the same.")


def queued(outcome: Outcome) -> str:
    """Returns the message after sending: how many mails were queued, or that the list was sent already."""
    if not outcome.done and not outcome.skipped:
        return _("This list was sent already. Nobody was invited twice.")
    return _("%(queued)s queued.") % {"queued": with_separators(len(outcome.done))}


def withdrawn(outcome: Outcome) -> str:
    """Returns the message after withdrawing: how many invitations were withdrawn."""
    if not outcome.done:
        return _("Nothing was withdrawn.")
    return _("%(count)s withdrawn. Their links no longer work.") % {"count": with_separators(len(outcome.done))}


def reasons(numbers: dict[str, int]) -> str:
    """Returns the numbers of skipped people by their Reason as text, like "2 has an account, 1 invited already"."""
    return ", ".join(f"{with_separators(number)} {Reason(reason).label}" for reason, number in numbers.items())


def unread_header() -> list[str]:
    """Returns the first line of the file of bad lines, by which columns.is_bad_lines() recognizes the file."""
    return [_("line"), _("text"), _("reason")]


def unread(batch: Batch) -> list[list[Any]]:
    """Returns number, text and reason of each line that could not be read or looks mistyped, in the list's order."""
    doubted = [[row["line"], row["email"], did_you_mean(row)] for row in batch.entries if row.get("meant")]
    return sorted(batch.refused + doubted, key=lambda line: line[0])


def progress(batch: Batch) -> dict[str, Any]:
    """Returns the template context for the progress of a batch whose sending has begun."""
    found = batch.progress
    is_moving = bool(found["queued"] or batch.entries)
    is_part = batch.counts.done > AT_ONCE
    return {
        "title": _("Invitations sent together"),
        "state": state(batch),
        "done": with_separators(batch.counts.done),
        "reasons": reasons(batch.counts.skipped),
        "rows": whereabouts(found),
        "left": len(batch.entries),
        "is_part": is_part,
        "most": with_separators(AT_ONCE),
        "is_moving": is_moving,
        "can_undo": not is_part and is_moving,
        "can_withdraw": not is_part and found["open"] > 0,
        "has_bad": bool(batch.refused),
    }


def whereabouts(found: dict[str, int]) -> list[tuple[str, int]]:
    """Returns the numbers of Batch.progress in pairs: what became of invitations, in words, and of how many."""
    return [
        (_("Queued"), found["queued"]),
        (_("Handed over"), found["handed"]),
        (_("Came back"), found["bounced"]),
        (_("Given up"), found["given_up"]),
        (_("Opened"), found["opened"]),
        (_("Accepted"), found["accepted"]),
        (_("Declined"), found["declined"]),
        (_("Withdrawn"), found["revoked"]),
    ]


def confirm_undo(batch: Batch) -> dict[str, Any]:
    """Returns the template context of the page that asks before unsent invitations are withdrawn."""
    return confirm(batch.unsent) | {
        "title": _("Undo what has not been sent"),
        "question": _("Their mails are deleted before they leave, and their links never work. Nobody else is touched."),
    }


def confirm_withdraw(batch: Batch) -> dict[str, Any]:
    """Returns the template context of the page that asks before all open invitations are withdrawn."""
    rows = batch.invites.open()
    count = rows[:AT_ONCE].count()
    said = ngettext(
        "Withdraw %(count)s invitation? Its link stops working straight away.",
        "Withdraw %(count)s invitations? Their links stop working straight away.",
        count,
    )
    return confirm(rows) | {
        "title": _("Withdraw what was not accepted"),
        "question": said % {"count": with_separators(count)},
    }


def confirm(rows: QuerySet[Invite]) -> dict[str, Any]:
    """Returns the template context with the first SHOWN addresses of these invitations, and how many more there are.

    Counts AT_ONCE invitations at most.
    """
    emails = list(rows.values_list("email", flat=True)[:SHOWN])
    return {"emails": emails, "more": max(rows[:AT_ONCE].count() - SHOWN, 0)}
