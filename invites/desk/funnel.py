"""The sign-up funnel at the desk: a picture, and the same numbers in tables."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from invites.funnel import count
from invites.models import Funnel, Invite
from kit.long_list import ReadOnly, whole_list
from sso.models import App

BY = {"day": _("day"), "week": _("week")}
PERIODS = {7: _("7 days"), 14: _("14 days"), 31: _("31 days"), 84: _("12 weeks")}
DEFAULT = 14  # days

WIDTH, HEIGHT, BAR = 600, 64, 560  # pixels: of the picture, of a step in it, and of the longest bar


@admin.register(Funnel)
class FunnelAdmin(ReadOnly):
    """The admin page of the sign-up funnel, for anyone who may view invitations."""

    def get_urls(self) -> list[URLPattern]:
        """Returns the URL of the one page. The rows are invitations, whose own pages are those of InviteAdmin."""
        view = self.admin_site.admin_view(self.changelist_view)
        return [path("", view, name="invites_funnel_changelist")]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Shows the funnel for the period, grouping, source and app that the query names.

        A query with anything else leads to the funnel without it, as in the lists. Raises PermissionDenied for a person
        who may not view invitations.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not request.GET.keys() <= {"by", "days", "source", "app", ERROR_FLAG}:
            return whole_list(request)
        by, days, source = read_choices(request)
        apps = dict(App.objects.order_by("client__name", "pk").values_list("pk", "client__name"))
        app = request.GET.get("app", "")
        app = app if app in apps else ""
        numbers = count.look(by, count.start(by, days), source, app)
        context = self.admin_site.each_context(request) | {
            "title": _("Sign-up funnel"),
            "opts": self.opts,
            "by": by,
            "days": days,
            "source": source,
            "app": app,
            "choices": {"by": BY, "days": PERIODS, "source": count.SOURCES, "app": apps},
            "funnel": numbers,
            "picture": picture(numbers),
            "names": count.SOURCES,
            "labels": count.STEPS.values(),
        }
        return TemplateResponse(request, "admin/invites/funnel/change_list.html", context)

    def has_view_permission(self, request: HttpRequest, obj: Invite | None = None) -> bool:
        return request.user.has_perm("invites.view_invite")


def read_choices(request: HttpRequest) -> tuple[str, int, str]:
    """Returns grouping ("day" or "week"), days to look back, and source ("" for all), from the query of the URL.

    An unknown value becomes the default, and too long a period the longest.
    """
    by, days, source = (request.GET.get(name, "") for name in ("by", "days", "source"))
    by = by if by in BY else "day"
    period = int(days) if days in {str(known) for known in PERIODS} else DEFAULT
    return by, min(period, count.DAYS[by]), source if source in count.SOURCES else ""


def picture(numbers: count.Funnel) -> dict[str, Any]:
    """Returns the sizes of the picture, and position and width of the bar of each step, in pixels."""
    most = max(numbers.steps[0].people, 1)
    bars = [
        {"step": step, "text": HEIGHT * n + 22, "top": HEIGHT * n + 30, "width": BAR * step.people // most}
        for n, step in enumerate(numbers.steps)
    ]
    return {"width": WIDTH, "height": HEIGHT * len(bars), "bar": BAR, "bars": bars}
