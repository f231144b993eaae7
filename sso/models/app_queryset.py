"""Sets of apps: by what somebody has sent, those that let somebody in, and what lists of apps say of each."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from sso.models.logout_call import LogoutCall

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from accounts.models import User
    from kit.prepared import Given
    from sso.models.app import App


class AppQuerySet(models.QuerySet["App"]):
    def by_id(self, client_id: str) -> "AppQuerySet":
        """Returns the app with this client id; none, without a query, for a text that no id can be.

        PostgreSQL would fail at a NUL.
        """
        can_be = client_id and client_id.isascii() and client_id.isprintable()
        return self.filter(pk=client_id) if can_be else self.none()

    def open_to(self, person: "UUID | Given", *, staff: "bool | Given") -> "AppQuerySet":
        """Returns the apps that are on and let this person in, whatever their session has shown, by name.

        `staff` says whether they are staff or superuser.
        """
        mine = self.model.groups.through.objects.filter(app=OuterRef("pk"), group__user=person)
        for_them = Q(staff_only=False) | Q(staff_only=staff)
        rows = self.filter(Q(everybody=True) | Exists(mine), for_them, is_active=True)
        return rows.select_related("client").order_by("client__name", "pk")

    def with_access_of(self, user: "User") -> "AppQuerySet":
        """Returns the apps, each with `lets_in`: whether the person is among those whom the app lets in.

        Whether the app is on, and for staff, and wants a code, is not part of it; refusal() asks all that.
        """
        mine = self.model.groups.through.objects.filter(app=OuterRef("pk"), group__user=user.pk)
        return self.select_related("client").annotate(
            lets_in=models.Case(models.When(everybody=True, then=True), default=Exists(mine))
        )

    def with_groups_of(self, user: "User") -> "AppQuerySet":
        """Returns the apps, each with `common_groups`: the names of those of its groups that the person is in."""
        names = Group.objects.filter(apps=OuterRef("pk"), user=user.pk).order_by().values("name")
        return self.annotate(common_groups=ArraySubquery(names))

    def with_last_use(self, person: "UUID | Given") -> "AppQuerySet":
        """Returns the apps, each with `last_used`: when this person last signed in to it, or None."""
        from sso.models.login import Login  # noqa: PLC0415 it refers to this model

        newest = Login.objects.filter(app=OuterRef("pk"), person=person, used_at__isnull=False).order_by("-made_at")
        return self.annotate(last_used=Subquery(newest.values("made_at")[:1]))

    @staticmethod
    def prefetch_groups(apps: "Iterable[App]") -> None:
        """Reads the groups of these apps, in one statement."""
        models.prefetch_related_objects(list(apps), "groups")

    @staticmethod
    def count_use(apps: "Iterable[App]") -> None:
        """Sets `people` and `last_use` of these apps in one statement.

        That is how many people have come in of late, and when the last one did. Logins that ended a month ago are gone.
        """
        from sso.models.login import Login  # noqa: PLC0415 it refers to this model

        listed = list(apps)
        used = Login.objects.filter(app__in=[app.pk for app in listed], used_at__isnull=False).order_by()
        rows = used.values_list("app").annotate(models.Count("person", distinct=True), models.Max("used_at"))
        found = {pk: counted for pk, *counted in rows} if listed else {}
        for app in listed:
            app.people, app.last_use = found.get(app.pk, (0, None))

    def find_last_calls(self, apps: "Iterable[App]") -> None:
        """Sets `last_call` of these apps in one statement: the logout call that was stored last for each, or None."""
        listed = list(apps)
        newest = LogoutCall.objects.filter(client_id=OuterRef("pk")).order_by("-pk").values("pk")[:1]
        called = self.filter(pk__in=[app.pk for app in listed]).order_by().annotate(newest=Subquery(newest))
        calls = {call.client_id: call for call in LogoutCall.objects.filter(pk__in=called.values("newest"))}
        for app in listed:
            app.last_call = calls.get(app.pk)
