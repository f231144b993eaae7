"""The desk's search over people and invitations: how their names and addresses begin, and "@" for a company."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, Model, When
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.desk_offers import state_tag
from accounts.models import User
from invites import state_in_words
from invites.models import Invite
from kit import addresses
from kit.long_list import shortened
from kit.times import brief
from kit.word_search import legible
from operations.desk.places import may_invite
from outbox.models import OutboxMessage

SHOWN = 20  # rows of each column


@dataclass(frozen=True)
class Found:
    """A row that was found: its name, which leads to its page, a line of facts, and its state as HTML."""

    name: str
    url: str
    facts: str
    state: str


@dataclass(frozen=True)
class Column:
    """What was found of one kind. `more` is the URL of the list with the same search, "" if all is shown here."""

    title: str
    rows: list[Found]
    more: str


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Shows the people and the invitations that the search "q" finds, each for whoever may see their list.

    Where nothing is found it offers to invite the address that was typed. Raises PermissionDenied for staff who may see
    neither list.
    """
    typed = legible(shortened(request.GET.get("q", "")))
    kinds = [find for model, find in ((User, people), (Invite, invitations)) if may_see(request, model)]
    if not kinds:
        raise PermissionDenied
    columns = [column for find in kinds if (column := find(typed)).rows] if typed else []
    shown = {
        "title": _("Found for “%(typed)s”") % {"typed": typed} if typed else _("Find a person or an invitation"),
        "typed": typed,
        "columns": columns,
        "invite_url": "" if columns else invite_url(request, typed),
    }
    return TemplateResponse(request, "admin/search.html", admin.site.each_context(request) | shown)


def may_see(request: HttpRequest, model: type[Model]) -> bool:
    """Returns whether the signed-in person may see the list of these rows at the desk."""
    return admin.site.get_model_admin(model).has_view_permission(request)


def people(typed: str) -> Column:
    """Returns the people that were found: whoever is called just so first, then the newest."""
    just_so = Case(When(username=addresses.key(typed), then=0), default=1)
    found = list(User.objects.found_by(typed).order_by(just_so, "-pk")[: SHOWN + 1])
    title = ngettext("%(count)s person", "%(count)s people", len(found)) % {"count": number(found)}
    return Column(title, [person_found(person) for person in found[:SHOWN]], more("accounts_user", typed, found))


def person_found(person: User) -> Found:
    url = reverse("admin:accounts_user_change", args=[person.pk])
    return Found(person.shown_name, url, addresses.readable(person.email), state_tag(person))


def invitations(typed: str) -> Column:
    """Returns the invitations that were found, newest first."""
    rows = Invite.objects.found_by(typed).select_related("invited_by").order_by("-pk")
    found = list(rows[: SHOWN + 1])
    OutboxMessage.objects.attach_newest(found)
    title = ngettext("%(count)s invitation", "%(count)s invitations", len(found)) % {"count": number(found)}
    return Column(title, [invite_found(invite) for invite in found[:SHOWN]], more("invites_invite", typed, found))


def invite_found(invite: Invite) -> Found:
    by = _("from %(who)s") % {"who": invite.invited_by.shown_name} if invite.invited_by else ""
    ends = _("ends %(when)s") % {"when": brief(invite.expires_at)} if invite.state == Invite.State.PENDING else ""
    facts = ", ".join(filter(None, (invite.name, by, ends)))
    url = reverse("admin:invites_invite_change", args=[invite.pk])
    return Found(addresses.readable(invite.email), url, facts, state_in_words.tag(invite))


def number(found: list[Any]) -> str:
    """Returns the number of rows found, in words: "20+" if they are more than SHOWN."""
    return f"{SHOWN}+" if len(found) > SHOWN else str(len(found))


def more(rows: str, typed: str, found: list[Any]) -> str:
    """Returns the URL of the list of these rows with the same search, if more than SHOWN were found; else ""."""
    return f"{reverse(f'admin:{rows}_changelist')}?{urlencode({'q': typed})}" if len(found) > SHOWN else ""


def invite_url(request: HttpRequest, typed: str) -> str:
    """Returns the URL of the form that invites the typed address; "" if it is none, or the person may not invite."""
    try:
        address = addresses.normalize(typed)
    except ValidationError:
        return ""
    return f"{reverse('admin:invites_batch_add')}?{urlencode({'email': address})}" if may_invite(request) else ""
