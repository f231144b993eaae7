"""The filters of the desk's list of people. Each has an index, and counts no further than needed."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kit.list_filter import Chips, ChoiceFilter

YES, NO = "yes", "no"


class YesNoFilter(ChoiceFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [(YES, _("Yes")), (NO, _("No"))]


class PeopleChips(Chips):
    """The quick filters."""

    title = _("show")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [
            ("signed_in", _("Signed in now")),
            ("never_back", _("Never came back")),
            ("one_step", _("No two‑step")),
            ("staff", _("Staff")),
            ("off", _("Turned off")),
            ("leaving", _("Leaving")),
        ]

    def rows_of(self, queryset: Any, value: str) -> Any:
        if value in {"staff", "off"}:
            return queryset.filter(**({"is_staff": True} if value == "staff" else {"is_active": False}))
        return getattr(queryset, value)()


class PasswordFilter(YesNoFilter):
    title = _("has a password")
    parameter_name = "has_password"

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset.with_password() if value == YES else queryset.without_password()


class GoogleFilter(YesNoFilter):
    title = "Google"
    parameter_name = "google"

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset.with_google() if value == YES else queryset.without_google()


class LastSignInFilter(ChoiceFilter):
    title = _("last sign-in")
    parameter_name = "seen"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("1d", _("in the last 24 hours")), ("7d", _("in the last 7 days")), ("never", _("never"))]

    def rows_of(self, queryset: Any, value: str) -> Any:
        if value == "never":
            return queryset.filter(last_login=None)
        return queryset.filter(last_login__gte=timezone.now() - timedelta(days=int(value[:-1])))
