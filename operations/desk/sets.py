"""The links to all lists of the desk, in groups, each with its number, for whoever may see it."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invites.models import Batch, Inviter, MagicLink
from kit.list_filter import capped_in_words
from operations.desk import places
from operations.desk.numbers import Numbers, is_first_day
from operations.desk.places import Place
from outbox.models import Suppression
from sso.models import App

# Each link: its words, where it leads, and the name of its number, if it has one.
SETS: list[tuple[Any, list[tuple[Any, Place, str]]]] = [
    (
        gettext_lazy("Inviting"),
        [
            (gettext_lazy("All invitations"), places.INVITATIONS, "invitations"),
            (gettext_lazy("Sent together"), Place(Batch), "batches"),
            (gettext_lazy("Requests to join"), places.REQUESTS, "requests"),
            (gettext_lazy("Sign-up funnel"), places.FUNNEL, ""),
            (gettext_lazy("Sign-in links"), Place(MagicLink), ""),
        ],
    ),
    (
        gettext_lazy("People"),
        [
            (gettext_lazy("People"), places.PEOPLE, "people"),
            (gettext_lazy("Groups"), Place(Group), "groups"),
            (gettext_lazy("Who invited whom"), Place(Inviter), ""),
            (gettext_lazy("Security history"), places.HISTORY, ""),
        ],
    ),
    (
        gettext_lazy("Mail"),
        [
            (gettext_lazy("Outgoing mail"), places.MAIL, "mails_waiting"),
            (gettext_lazy("Addresses we don’t write to"), Place(Suppression), "suppressed"),
        ],
    ),
    (
        gettext_lazy("Connecting"),
        [(gettext_lazy("Apps"), Place(App), ""), (gettext_lazy("Webhooks"), places.WEBHOOKS, "webhooks")],
    ),
]


@dataclass(frozen=True)
class Link:
    """A link to a list, with its number in words, or ""."""

    label: Any
    url: str
    number: str


def sets(request: HttpRequest, numbers: Numbers) -> list[tuple[Any, list[Link]]]:
    """Returns the name and the links of each group in which the signed-in person may see a list."""
    return [
        (name, [Link(label, place.url, number(request, counted, numbers)) for label, place, counted in open_ones])
        for name, links in SETS
        if (open_ones := [link for link in links if link[1].is_open_to(request)])
    ]


def number(request: HttpRequest, name: str, numbers: Numbers) -> str:
    """Returns the number beside a link in words; "" if it has none, or is none of the person's business.

    There is none on the first day, either: all would be nothing.
    """
    if is_first_day(numbers) or (name == "batches" and not places.INVITATIONS.is_open_to(request)):
        return ""  # whoever may only invite sees nothing of the lists of others
    if name == "mails_waiting":
        return _("%(count)s waiting") % {"count": capped_in_words(numbers[name])} if numbers[name] else ""
    return capped_in_words(numbers[name]) if name else ""
