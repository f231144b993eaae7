"""The filters of the list of invitations. Each has an index, and counts no further than needed."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from invites.models import Batch, Invite
from kit.ids import earliest
from kit.list_filter import Chips, ChoiceFilter
from sso.models import App

MONTHS = 6  # to choose from, the present one included


class StateChips(Chips):
    """The quick filters. What has ended without an invitee stands among the other filters."""

    title = _("ended")
    parameter_name = "state"
    rest = (Invite.State.DECLINED, Invite.State.REVOKED, Invite.State.EXPIRED)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [
            (Invite.State.PENDING, _("Waiting")),
            ("unopened", _("Not opened")),
            ("opened", _("Opened, not accepted")),
            ("undelivered", _("Not delivered")),
            ("ending", _("End in 48 hours")),
            (Invite.State.ACCEPTED, _("Accepted")),
            ("mine", _("Mine")),
            *((state, state.label) for state in map(Invite.State, self.rest)),
        ]

    def rows_of(self, queryset: Any, value: str) -> Any:
        if value == "mine":
            return queryset.filter(invited_by=self.request.user.pk)
        if value in {"unopened", "opened", "undelivered", "ending"}:
            return getattr(queryset, value)()
        return queryset.in_state(value)


class CreatedFilter(ChoiceFilter):
    """A filter by day or month of creation, as ranges of ids: Django's date hierarchy would read the whole table."""

    title = _("made")
    parameter_name = "created"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("1d", _("in the last 24 hours")), ("7d", _("in the last 7 days")), *self.months()]

    def months(self) -> list[tuple[str, str]]:
        """Returns the last MONTHS months, newest first, as choices: "2026-11", which is called "November 2026"."""
        now = timezone.localtime()
        numbers = range(now.year * 12 + now.month - 1, now.year * 12 + now.month - 1 - MONTHS, -1)
        days = [date(number // 12, number % 12 + 1, 1) for number in numbers]
        return [(f"{day:%Y-%m}", date_format(day, "YEAR_MONTH_FORMAT")) for day in days]

    def rows_of(self, queryset: Any, value: str) -> Any:
        if value.endswith("d"):
            return queryset.filter(id__gte=earliest(timezone.now() - timedelta(days=int(value[:-1]))))
        start = timezone.make_aware(datetime.fromisoformat(f"{value}-01"))
        end = timezone.make_aware(datetime(start.year + start.month // 12, start.month % 12 + 1, 1))  # noqa: DTZ001
        return queryset.filter(id__gte=earliest(start), id__lt=earliest(end))


class SourceFilter(ChoiceFilter):
    title = _("came by")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return Invite.Source.choices

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset.filter(source=value)


class LanguageFilter(ChoiceFilter):
    title = _("language")
    parameter_name = "language"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return settings.LANGUAGES

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset.filter(language=value)


class AppFilter(ChoiceFilter):
    title = _("app")
    parameter_name = "app"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return list(App.objects.order_by("client__name", "pk").values_list("pk", "client__name"))

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset.filter(app=value)


class LinkedFilter(ChoiceFilter):
    """A filter that is reached by links only: the list of its choices would be too long, so it shows just its value."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        value = self.value()
        name = self.name(value) if value else ""
        return [(value, name)] if name else []

    def name(self, value: str) -> str:
        """Returns the chosen value in words, or "" if there is nothing with this value."""
        raise NotImplementedError


class InviterFilter(LinkedFilter):
    title = _("invited by")
    parameter_name = "invited_by"

    def name(self, value: str) -> str:
        try:
            person = User.objects.filter(pk=UUID(value)).first()
        except ValueError:
            return ""
        return person.shown_name if person else ""

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset.filter(invited_by=UUID(value))


class BatchFilter(LinkedFilter):
    title = _("list")
    parameter_name = "batch"

    def name(self, value: str) -> str:
        """Returns the name of the batch, or its day and time; "" for an unknown one.

        A batch is pruned before its invitations, so an id that only invitations hold is known, too: as "a list".
        """
        batch = Batch.objects.filter(pk=value).first()
        if batch is None:
            return gettext("a list") if Invite.objects.filter(batch=value).exists() else ""
        return str(batch)

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset.filter(batch=value)
