"""Where a list leads its people: into which groups, and to which app or page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts import groups
from accounts.groups import Groups
from accounts.models import User
from kit.form import STORED, safe_path
from sso.models import App

SEVERAL = "several"  # the code of the error that a group must be chosen


@dataclass(frozen=True)
class Leads:
    """Where the author of a list may lead its people, and where those are led of whom their line says nothing."""

    groups: Groups = MappingProxyType({})
    apps: tuple[App, ...] = ()  # with their groups, by name
    app: str = ""  # the id of the app chosen for all
    next: str = ""  # the page chosen for all
    into: tuple[int, ...] = ()  # the ids of the groups chosen for all

    @classmethod
    def of(cls, author: User | None) -> Self:
        """Returns where this person, or a command (None), may lead people: the apps are those that are on."""
        on = App.objects.filter(is_active=True).select_related("client").prefetch_related("groups")
        return cls(groups.named(author), tuple(on.order_by("client__name", "pk")))

    def chosen(self, app: str, next_path: str, into: tuple[int, ...]) -> Self:
        """Returns the same, with where all are led whose line does not say it."""
        return replace(self, app=app, next=next_path, into=into)

    def lead(self, row: Mapping[str, str]) -> dict[str, Any]:
        """Returns where a line leads its person, as fields of Entry; `row` maps column to text.

        A line that names an app or a page is not led to those of all, and one that names groups not into theirs.
        Raises ValidationError for what is unknown or not the author's to give, and as join() does.
        """
        app, page = self.find(row.get("app", "")), path(row.get("next", ""))
        if app and page:
            raise ValidationError(_("Name an app or a page, not both"))
        if not app and not page:
            app, page = self.find(self.app), self.next
        into = in_groups(row.get("group", ""), self.groups) or self.into
        return {"app": app.pk if app else "", "next": page, "groups": self.join(app, into)}

    def find(self, said: str) -> App | None:
        """Returns the app with this id or name, None for "".

        Raises ValidationError for an unknown one, one that is turned off, and a name that several have.
        """
        text = said.strip()
        if not text:
            return None
        found = [app for app in self.apps if app.pk == text] or [app for app in self.apps if app.name == text]
        found = found or [app for app in self.apps if app.name.casefold() == text.casefold()]
        if not found:
            raise ValidationError(_("There is no app called “%(name)s”, or it is turned off") % {"name": text[:50]})
        if len(found) > 1:
            raise ValidationError(_("Several apps are called “%(name)s”. Write the client ID") % {"name": text[:50]})
        return found[0]

    def join(self, app: App | None, into: tuple[int, ...]) -> tuple[int, ...]:
        """Returns these groups, and with them the one by which the app lets people in, if none of them does.

        Raises ValidationError if no group can: the app is for staff, lets nobody in yet, or does so by several groups,
        of which the author must choose; or if its group is not the author's to give.
        """
        if app is None:
            return into
        named = {"app": app.name}
        if app.staff_only:
            raise ValidationError(_("%(app)s is only for staff, and an invitation makes nobody staff") % named)
        doors = {group.pk: group.name for group in app.groups.all()}
        if app.everybody or not doors.keys().isdisjoint(into):
            return into
        if not doors:
            raise ValidationError(_("%(app)s lets nobody in yet. Choose under Apps who may use it") % named)
        ours = {pk: name for pk, name in doors.items() if self.groups.get(name) == pk}
        if not ours:
            raise ValidationError(
                _("Only a superuser may invite people to %(app)s: its group gives rights at the desk") % named
            )
        if len(doors) > 1:
            named["groups"] = ", ".join(sorted(ours.values()))
            raise ValidationError(_("Several groups let people into %(app)s. Choose one: %(groups)s") % named, SEVERAL)
        return (*into, *ours)


NOWHERE = Leads()


def path(text: str) -> str:
    """Returns the text, which must be a path of this site or "". Raises ValidationError for any other text."""
    if text != safe_path(text, STORED):
        raise ValidationError(_("It must lead to a path of this site, like /account"))
    return text


def in_groups(text: str, known: Groups) -> tuple[int, ...]:
    """Returns the ids of the groups that a text names, separated by ";", "|" or ","; () for "".

    A name that holds such a sign is found if it stands alone. Raises ValidationError for an unknown group, and for one
    that the author of the list may not give.
    """
    named = [text.strip()] if text.strip() in known else [name.strip() for name in re.split("[;|,]", text)]
    return tuple(dict.fromkeys(group(name, known) for name in named if name))


def group(name: str, known: Groups) -> int:
    """Returns the id of the group with this name. Raises ValidationError as in_groups() does."""
    if name not in known:
        raise ValidationError(_("There is no group called “%(name)s”") % {"name": name[:50]})
    found = known[name]
    if found is None:
        said = _("Only a superuser may put people into “%(name)s”: the group gives rights at the desk")
        raise ValidationError(said % {"name": name[:50]})
    return found
