"""The filters of the desk's list of people. Each has an index, and counts no further than needed."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kit.list_filter import ChoiceFilter

YES, NO = "yes", "no"


class YesNoFilter(ChoiceFilter):
    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [(YES, _("Yes")), (NO, _("No"))]


class ActiveFilter(YesNoFilter):
    title = _("active")
    parameter_name = "active"

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset.filter(is_active=value == YES)


class StaffFilter(YesNoFilter):
    title = _("staff status")
    parameter_name = "staff"

    def rows_of(self, queryset: Any, value: str) -> Any:
        return queryset.filter(is_staff=value == YES)


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
        return [("1d", _("in the last 24 hours")), ("7d", _("in the last 7 days")), ("never", _("never"))]

    def rows_of(self, queryset: Any, value: str) -> Any:
        if value == "never":
            return queryset.filter(last_login=None)
        return queryset.filter(last_login__gte=timezone.now() - timedelta(days=int(value[:-1])))
