"""The desk's home: what waits for staff, what has happened, how the site runs, and the way to every list."""

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import User
from operations.desk import chart, numbers, places
from operations.desk.first_day import first_day
from operations.desk.health import health
from operations.desk.latest import lines
from operations.desk.needs import needs
from operations.desk.sets import sets
from operations.desk.tiles import tiles


def show(request: HttpRequest) -> dict[str, Any]:
    """Returns what the template of the desk's home shows the signed-in person; nothing of lists they may not see."""
    found = numbers.look(request)
    common = {"may_invite": places.may_invite(request), "sets": sets(request, found)}
    if numbers.is_first_day(found) and common["may_invite"]:
        person = cast("User", request.user)
        title = _("Welcome, %(name)s") % {"name": person.shown_name}
        subtitle = _("You run %(site)s. Nobody else is here yet.") % {"site": settings.SITE_NAME}
        return common | {"title": title, "subtitle": subtitle, "first_day": first_day(person)}
    return common | {
        "title": _("Today at %(site)s") % {"site": settings.SITE_NAME},
        "may_search": any(place.is_open_to(request) for place in (places.INVITATIONS, places.PEOPLE)),
        "tiles": tiles(request, found),
        "needs": needs(request, found),
        "chart": chart.look(request) if places.INVITATIONS.is_open_to(request) else None,
        "funnel": places.FUNNEL,
        "latest": lines(request),
        "health": health(request, found),
    }
