"""The page of a list that was sent, in words: what became of it, what can be done now, and who needs somebody."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from invites import state_in_words
from invites.desk import batch_words as words
from invites.models import AT_ONCE, Batch, Invite, entries
from kit import times
from kit.long_list import with_separators
from outbox import replies_in_words
from outbox.models import OutboxMessage

SHOWN = 20  # people in the table
VIEW = "invites.view_invite"


@dataclass
class Tile:
    """A number of the list; `url` leads to the people who are counted, or is "" for whoever may not see them."""

    count: str
    label: str
    tone: str
    url: str


@dataclass
class Offer:
    """Something to do now: why, in one line and a quiet one, and the link of the button that leads there, if any."""

    what: str
    why: Any
    button: str
    url: str


def context(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    """Returns the template context of the page. Takes eight statements at most, for however many people."""
    found = batch.progress
    is_part = batch.counts.done > AT_ONCE
    sees_all = request.user.has_perm(VIEW)
    unsent, to_stop, is_open = found["queued"], found["to_stop"], found["open"] > 0
    return {
        "title": str(batch),
        "unsent": unsent,
        "left": len(batch.entries),
        "is_moving": bool(unsent or batch.entries),
        "is_part": is_part,
        "most": with_separators(AT_ONCE),
        "tiles": list(tiles(batch, found, sees_all=sees_all)),
        "offers": list(offers(batch, found)),
        "rows": rows(batch),
        "all": with_separators(found["invited"]),
        "list_url": list_url(batch) if sees_all else "",
        "facts": [fact for fact in facts(batch, found) if fact[1]],
        "has_bad": bool(batch.refused),
        "can_undo": not is_part and bool(to_stop or batch.entries),
        "can_withdraw": not is_part and is_open,
        "undo_why": undo_why(to_stop, found["open"]),
        "undo": words.stop(to_stop),
        "withdraw": _("Withdraw %(count)s") % {"count": with_separators(found["open"])},
    }


def still_to_leave(unsent: int, seconds: int) -> str:
    """Returns as HTML how many mails have not left, and that the page loads itself again in `seconds`, unless in 0."""
    count = ngettext("%(count)s mail still to leave.", "%(count)s mails still to leave.", unsent)
    said = count % {"count": with_separators(unsent)}
    if not seconds:
        return said
    again = _("This page looks again every %(count)s seconds.") % {"count": seconds}
    return format_html('{} {} <a href="?still">{}</a>', said, again, _("Stop that"))


def list_url(batch: Batch, **query: str) -> str:
    """Returns the URL of the list of invitations, narrowed to those of this batch and by `query`."""
    return f"{reverse('admin:invites_invite_changelist')}?{urlencode({'batch': batch.pk} | query)}"


def tiles(batch: Batch, found: dict[str, Any], *, sees_all: bool) -> Iterator[Tile]:
    """Yields the numbers at the top of the page."""
    labels = {
        "": (_("invited"), found["invited"], ""),
        "accepted": (_("accepted"), found["accepted"], ""),
        "opened": (_("opened, not accepted"), found["opened"], "warn"),
        "unopened": (_("have not opened it"), found["unopened"], "warn"),
        "undelivered": (_("not delivered"), found["lost"], "bad"),
    }
    for state, (label, count, tone) in labels.items():
        url = list_url(batch, **({"state": state} if state else {})) if sees_all else ""
        yield Tile(with_separators(count), label, tone if count else "", url)


def offers(batch: Batch, found: dict[str, Any]) -> Iterator[Offer]:
    """Yields what can be done now about people who are waited for."""
    if count := found["unopened"]:
        what = ngettext("%(count)s has not opened it", "%(count)s have not opened it", count)
        url = page_url(batch, "unopened")
        button = offered(_("Remind the %(count)s"), found["to_remind"])
        yield Offer(offered(what, count), last_mail(batch, found), button, url)
    if count := found["opened"]:
        what = ngettext("%(count)s opened it and stopped", "%(count)s opened it and stopped", count)
        why = _("Perhaps they need a word from you.") if found["to_write"] else last_mail(batch, found)
        button = offered(_("Write to the %(count)s"), found["to_write"])
        yield Offer(offered(what, count), why, button, page_url(batch, "opened"))
    if count := found["lost"]:
        what = ngettext("%(count)s did not arrive", "%(count)s did not arrive", count)
        why = _("Mend the addresses first, then send again.")
        url = reverse("admin:invites_batch_resend_lost", args=[quote(batch.pk)])
        yield Offer(offered(what, count), why, offered(_("Send again to %(count)s"), count), url)


def last_mail(batch: Batch, found: dict[str, Any]) -> SafeString | str:
    """Returns as HTML when the people of the list were last written to; "" if that is not known."""
    if found["reminded_at"]:
        return format_html(_("Reminded {when}."), when=times.brief_html(found["reminded_at"]))
    return format_html(_("Sent {when}."), when=times.brief_html(batch.begun_at)) if batch.begun_at else ""


def offered(said: str, count: int) -> str:
    """Returns the words with `count` in them, or "" if it is 0."""
    return said % {"count": with_separators(count)} if count else ""


def page_url(batch: Batch, name: str) -> str:
    """Returns the URL of the page that asks before those are reminded who are counted as `name`."""
    return reverse(f"admin:invites_batch_remind_{name}", args=[quote(batch.pk)])


def rows(batch: Batch) -> list[dict[str, Any]]:
    """Returns the table of SHOWN people; those come first who need something. Takes two statements."""
    invites = list(batch.neediest[:SHOWN])
    OutboxMessage.objects.attach_newest(invites)
    return [
        {
            "pk": invite.pk,
            "email": invite.email,
            "state": state_in_words.tag(invite),
            "delivery": delivery(invite),
            "opened": times.brief_html(invite.opened_at) if invite.opened_at else "",
        }
        for invite in invites
    ]


def delivery(invite: Invite) -> str:
    """Returns what became of the newest mail of an invitation that is waited for; "" for others."""
    is_over = invite.state in {Invite.State.ACCEPTED, Invite.State.DECLINED, Invite.State.REVOKED}
    return "" if is_over or invite.newest_mail is None else replies_in_words.delivery(invite.newest_mail)


def facts(batch: Batch, found: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yields what the page says of the list: labels, and words or HTML, which may be empty."""
    yield _("State"), words.state(batch)
    yield _("Sent by"), sent_by(batch)
    leads_to = [*entries.group_names(batch.common.get("groups", ())), *entries.app_names([batch.common]).values()]
    leads_to.append(batch.common.get("next", ""))
    yield _("Leads to"), ", ".join(filter(None, leads_to))
    yield _("Works until"), times.until(found["until"]) if found["until"] else ""
    yield _("Skipped"), words.reasons(batch.counts.skipped)
    ended = {"declined": _("Declined"), "revoked": _("Withdrawn"), "expired": _("Expired")}
    for name, label in ended.items():
        yield label, with_separators(found[name]) if found[name] else ""


def sent_by(batch: Batch) -> SafeString:
    """Returns as HTML who has sent the list and when."""
    who = batch.created_by.shown_name if batch.created_by else _("deleted account")
    if batch.begun_at is None:
        return format_html("{}", who)
    return format_html("{}, {}", who, times.brief_html(batch.begun_at))


def undo_why(unsent: int, is_open: int) -> str:
    """Returns what can be taken back, in one or two sentences."""
    said = []
    if unsent:
        one = ngettext("%(count)s mail has not left yet.", "%(count)s mails have not left yet.", unsent)
        said.append(one % {"count": with_separators(unsent)})
    if is_open:
        one = ngettext(
            "%(count)s person has not accepted; you can withdraw the invitation, and its link stops working.",
            "%(count)s people have not accepted; you can withdraw their invitations, and their links stop working.",
            is_open,
        )
        said.append(one % {"count": with_separators(is_open)})
    return " ".join(said)
