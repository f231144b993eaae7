"""The words and template contexts of the pages of a batch, in the reader's language."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from invites.models import AT_ONCE, Batch, Invite, Outcome, Reason
from kit.long_list import with_separators

SHOWN = 20  # lines of a list, or addresses, that a page shows at most


def state(batch: Batch) -> str:
    if batch.withdrawn_at:
        return _("Withdrawn")
    if batch.sent_at:
        return pgettext("batch", "Sent")
    return _("Being sent") if batch.begun_at else _("Checked, not sent")


def changed() -> str:
    """Returns the message that the list was checked again, and that its counts have changed."""
    return _(
        "The list was checked more than 15 minutes ago, so it was checked again, and something is different now. "
        "Nothing has been sent yet. Look at it, then send it."
    )


def not_theirs() -> str:
    """Returns the message that the list was not sent, because the person may not give the groups that it names."""
    return _("This list names groups that give rights at the desk. Only a superuser may send it. Nothing was sent.")


def paused() -> str:
    """Returns the message that the list was not sent, because the person must not invite anybody."""
    return _("Your invitations are paused, so nothing was sent. Ask whoever runs this site.")


def nobody() -> str:
    """Returns the message that nothing was sent, because sending would mail nobody."""
    return _("Nobody in this list is left to be invited. Nothing was sent. Tick whom to write to all the same.")


def queued(outcome: Outcome) -> str:
    """Returns the message after sending: how many mails are on their way, or that the list was sent already."""
    if not outcome.done and not outcome.skipped:
        return _("This list was sent already. Nobody was invited twice.")
    if not outcome.done:
        return _("Nothing was sent.")
    count = len(outcome.done)
    said = ngettext("%(count)s invitation is on its way.", "%(count)s invitations are on their way.", count)
    return said % {"count": with_separators(count)}


def withdrawn(outcome: Outcome) -> str:
    """Returns the message after withdrawing: how many invitations were withdrawn."""
    if not outcome.done:
        return _("Nothing was withdrawn.")
    return _("%(count)s withdrawn. Their links no longer work.") % {"count": with_separators(len(outcome.done))}


def reasons(numbers: dict[str, int]) -> str:
    """Returns the numbers of skipped people by their Reason as text, like "2 has an account, 1 invited already"."""
    return ", ".join(f"{with_separators(number)} {Reason(reason).label}" for reason, number in numbers.items())


def stop(unsent: int) -> str:
    """Returns the words of the button that stops this many mails or, if it is 0, the sending of a list."""
    if not unsent:
        return _("Stop the sending")
    said = ngettext("Stop the mail (%(count)s)", "Stop the %(count)s mails", unsent)
    return said % {"count": with_separators(unsent)}


def stopped(batch: Batch, withdrawn: Outcome, kept: Outcome) -> str:
    """Returns the message after Batch.undo() of `batch`, as it was before: what was stopped, and what had left."""
    mails, left = len(withdrawn.done) + len(kept.done), sum(why == Reason.LEFT for _email, why in kept.skipped)
    counted = [
        (len(batch.entries), nobody_more(len(batch.entries))),
        (mails, ngettext("%(count)s mail stopped.", "%(count)s mails stopped.", mails)),
        (
            len(withdrawn.done),
            ngettext("%(count)s invitation withdrawn.", "%(count)s invitations withdrawn.", len(withdrawn.done)),
        ),
        (left, ngettext("%(count)s mail had left already.", "%(count)s mails had left already.", left)),
    ]
    said = [words % {"count": with_separators(count)} for count, words in counted if count]
    return " ".join(said) or _("Nothing was waiting any more.")


def nobody_more(left: int) -> str:
    """Returns the sentence that so many people who are still in a list are not invited."""
    return ngettext(
        "%(count)s person who has not had a turn yet is not invited.",
        "%(count)s people who have not had their turn yet are not invited.",
        left,
    )


def confirm_undo(batch: Batch) -> dict[str, Any]:
    """Returns the template context of the page that asks before mails are stopped: whose, and what that does."""
    unsent, never_mailed = batch.unsent[:AT_ONCE].count(), batch.never_mailed[:AT_ONCE].count()
    is_withdrawn = ngettext(
        "No mail of %(count)s invitation has left: it is withdrawn, and its link never works.",
        "No mail of %(count)s invitations has left: they are withdrawn, and their links never work.",
        never_mailed,
    )
    stays = ngettext(
        "%(count)s person was mailed before: only this mail is stopped, and the invitation stays open.",
        "%(count)s people were mailed before: only this mail is stopped, and their invitations stay open.",
        unsent - never_mailed,
    )
    left = len(batch.entries)
    counted = [(never_mailed, is_withdrawn), (unsent - never_mailed, stays), (left, nobody_more(left))]
    said = [words % {"count": with_separators(count)} for count, words in counted if count]
    return confirm(batch.unsent) | {
        "title": stop(unsent),
        "question": " ".join([*said, _("Nobody else is touched.")]),
    }


def confirm_withdraw(batch: Batch) -> dict[str, Any]:
    """Returns the template context of the page that asks before all open invitations are withdrawn."""
    rows = batch.invites.open()
    return confirm(rows) | {
        "title": _("Withdraw what was not accepted"),
        "question": question(rows[:AT_ONCE].count()),
    }


def question(count: int) -> str:
    """Returns the question whether to withdraw `count` invitations, in the reader's language."""
    said = ngettext(
        "Withdraw %(count)s invitation? Its link stops working straight away.",
        "Withdraw %(count)s invitations? Their links stop working straight away.",
        count,
    )
    return said % {"count": with_separators(count)}


def confirm(rows: QuerySet[Invite]) -> dict[str, Any]:
    """Returns the template context with the first SHOWN addresses of these invitations, and how many more there are.

    Counts AT_ONCE invitations at most.
    """
    emails = list(rows.values_list("email", flat=True)[:SHOWN])
    return {"emails": emails, "more": max(rows[:AT_ONCE].count() - SHOWN, 0)}
