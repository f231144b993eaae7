"""The page for somebody who may not use an app: not at all, not yet, or not by this account."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.session.account_page import PersonRequest
from sso.models import App, Refusal


def page(request: PersonRequest, app: App, refusal: Refusal, here: str = "") -> HttpResponse:
    """Returns the 403 page that says why the signed-in person may not use the app, and what they can do now.

    `here` is the path to which they come back with a code or another account; by default it is the app's own link.
    `app` comes from AppQuerySet.with_access_of().
    """
    groups = group_names(app) if refusal is Refusal.NO_ACCESS else []
    context = {
        "app": app,
        "why": refusal.value,
        "email": request.person.email,
        "here": here or reverse("sso_app", args=[app.pk]),
        "groups": ", ".join(groups),
        "how_many": len(groups),
        "has_second_factor": refusal is Refusal.SECOND_FACTOR and request.person.second_factor.is_on,
    }
    return render(request, "sso/no_access.html", context, status=403)


def group_names(app: App) -> list[str]:
    """Returns the names of the groups that the app is open to."""
    return sorted(app.groups.values_list("name", flat=True))
