"""What the desk's page of a group says of apps."""

from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _

from kit.one_row import Fact
from sso.models import App


def apps_of(request: HttpRequest, group: Group) -> list[Fact]:
    """Returns the apps that a group opens, each with a link for who may see it; none if it opens none."""
    names = (
        App.objects.filter(groups=group, everybody=False)
        .order_by("client__name", "pk")
        .values_list("pk", "client__name")
    )
    if not request.user.has_perm("sso.view_app"):
        listed = format_html_join(", ", "{}", ((name,) for _pk, name in names))
    else:
        links = ((reverse("admin:sso_app_change", args=[pk]), name) for pk, name in names)
        listed = format_html_join(", ", '<a href="{}">{}</a>', links)
    return [Fact(_("Apps it opens"), listed)] if listed else []


def names_of_apps(group: Group) -> list[str]:
    """Returns the names of the apps that are told who is in a group, by its name."""
    return list(group.apps.order_by("client__name", "pk").values_list("client__name", flat=True))
