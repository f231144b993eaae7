"""What needs somebody of the staff: a few lines on the desk's home, each with its reason and one button."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from invites.models import Invite, JoinRequest
from kit.addresses import readable
from kit.findings import State
from kit.list_filter import capped_in_words
from kit.times import brief, lasting
from operations.desk import came_back, places
from operations.desk.numbers import Numbers
from operations.doctor import last_run
from outbox.mail import lateness
from sso.models import AccessRequest

MOST = 5  # lines; whoever has mended these sees the next ones
ASKING = 3  # lines about other addresses

# What doctor's last run may have found wrong that this page does not see for itself, and the list that says more.
FOUND = {
    "mail server": places.MAIL,
    "broker": places.MAIL,
    "given up": places.MAIL_GIVEN_UP,
    "webhooks": places.WEBHOOKS,
}


@dataclass(frozen=True)
class Need:
    """A line: what there is, why, and the button that leads to what can be done. `tone` is "bad", "warn" or "".

    `language` is that of `title` and `why`, if it is not the page's.
    """

    tone: str
    title: str
    why: str
    button: str
    url: str
    language: str = ""


def needs(request: HttpRequest, numbers: Numbers) -> list[Need]:
    """Returns what needs somebody, the worst first: MOST lines at most, and none of lists that the person can't see."""
    return list(islice(each(request, numbers), MOST))


def each(request: HttpRequest, numbers: Numbers) -> Iterator[Need]:
    """Yields all lines for the signed-in person: of invitations, only to whoever may do what the button says.

    What is counted in `numbers` is looked up only if there is any.
    """
    may_steer = places.may_steer(request)
    if places.MAIL.is_open_to(request):
        yield from late()
    if may_steer and numbers["undelivered"]:
        yield from returned()
    if places.REQUESTS.is_open_to(request) and numbers["requests"]:
        yield from joining(numbers["requests"])
    yield from found(request)
    if may_steer and numbers["ending"]:
        yield ending(numbers)
    if places.APPS.is_open_to(request) and numbers["access_requests"]:
        yield from asking(numbers["access_requests"])
    if places.WEBHOOKS.is_open_to(request) and numbers["webhooks_paused"]:
        yield paused(numbers["webhooks_paused"])
    if may_steer and numbers["readdressing"]:
        yield from map(wanted_elsewhere, Invite.objects.readdressing()[:ASKING])


def late() -> Iterator[Need]:
    """Yields that mail takes longer than lateness.LATE_AFTER, if it does."""
    span = lateness.last_measured()
    if span > lateness.LATE_AFTER:
        why = _("The oldest has waited for %(span)s. See that manage.py deliver_mail runs.") % {"span": lasting(span)}
        yield Need("bad", _("Mail is late"), why, _("See the mail"), places.MAIL.url)


def returned() -> Iterator[Need]:
    """Yields how many invitations came back, if any did, and why."""
    found = came_back.look()
    if found.count:
        title = ngettext("%(count)s invitation came back", "%(count)s invitations came back", found.count)
        title %= {"count": found.count}
        yield Need("bad", title, reasons(found), _("Mend and send"), places.UNDELIVERED.url)


def reasons(found: came_back.CameBack) -> str:
    """Returns why invitations came back, and what to do: the one reason with the domain, or each with its number."""
    if found.domain:
        said = _("“%(why)s” at %(domain)s. Check the addresses and send them again.")
        return said % {"why": capfirst(found.reasons[0][0]), "domain": found.domain}
    each = [_("“%(why)s”: %(count)s") % {"why": capfirst(why), "count": count} for why, count in found.reasons]
    return _("%(reasons)s. Check the addresses and send them again.") % {"reasons": ", ".join(each)}


def found(request: HttpRequest) -> Iterator[Need]:
    """Yields the worst of what `doctor` found when it last ran, in its own words, which are English."""
    run = last_run.recall()
    wrong = [one for one in run.findings if one.state != State.OK and one.name in FOUND] if run else []
    for one in sorted(wrong, key=lambda one: one.state != State.FAILURE)[:1]:
        place = FOUND[one.name]
        if place.is_open_to(request):
            tone = "bad" if one.state == State.FAILURE else "warn"
            yield Need(tone, one.said, one.advice, _("See what waits"), place.url, language="en")


def ending(numbers: Numbers) -> Need:
    """Returns how many invitations end soon, and whether they were opened."""
    title = ngettext(
        "%(count)s invitation ends in 48 hours", "%(count)s invitations end in 48 hours", numbers["ending"]
    )
    why = _("Opened: %(opened)s. Not opened yet: %(unopened)s.") % {
        "opened": capped_in_words(numbers["ending_opened"]),
        "unopened": capped_in_words(numbers["ending_unopened"]),
    }
    title %= {"count": capped_in_words(numbers["ending"])}
    return Need("warn", title, why, _("Remind them"), places.ENDING.url)


def joining(count: int) -> Iterator[Need]:
    """Yields how many people ask to join, and since when the oldest, unless all have been answered just now."""
    oldest = JoinRequest.objects.waiting().first()
    if oldest:
        title = ngettext("%(count)s person asks to join", "%(count)s people ask to join", count)
        why = _("The oldest has waited since %(when)s.") % {"when": brief(oldest.proven_at)}
        yield Need("", title % {"count": capped_in_words(count)}, why, _("Answer"), places.REQUESTS.url)


def asking(count: int) -> Iterator[Need]:
    """Yields how many people ask for access to apps, and since when; the button leads to the app of the first."""
    oldest = AccessRequest.objects.waiting().first()
    if oldest:
        title = ngettext("%(count)s person asks for access to an app", "%(count)s people ask for access to apps", count)
        why = _("The first request: %(when)s.") % {"when": brief(oldest.asked_at)}
        url = reverse("admin:sso_app_change", args=[oldest.app_id])
        yield Need("", title % {"count": capped_in_words(count)}, why, _("Answer"), url)


def paused(count: int) -> Need:
    """Returns how many webhooks are called less often, because their servers are slow or away."""
    title = ngettext("%(count)s webhook is slow or away", "%(count)s webhooks are slow or away", count)
    why = _("Events wait, and are tried again for three days.")
    return Need("warn", title % {"count": capped_in_words(count)}, why, _("See what it said"), places.WEBHOOKS.url)


def wanted_elsewhere(invite: Invite) -> Need:
    """Returns that the holder of an invitation wants it at another address."""
    title = _("%(who)s asks for another address") % {"who": invite.name or readable(invite.email)}
    why = _("Invited as %(invited)s, signed in as %(me)s.") % {
        "invited": readable(invite.email),
        "me": readable(invite.readdress_to),
    }
    return Need("", title, why, _("Decide"), reverse("admin:invites_invite_change", args=[invite.pk]))
