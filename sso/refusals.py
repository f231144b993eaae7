"""The page for somebody who may not use an app: not at all, not yet, or not by this account."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.session.account_page import PersonRequest
from sso import access
from sso.models import AccessRequest, App, Refusal


def page(
    request: PersonRequest, app: App, refusal: Refusal, here: str = "", form: access.AskForm | None = None
) -> HttpResponse:
    """Returns the 403 page that says why the signed-in person may not use the app, and what they can do now.

    `here` is the path to which they come back with a code or another account; by default it is the app's own link.
    `form` is the form by which they asked to be let in, if something is wrong with it. `app` comes from
    AppQuerySet.with_access_of().
    """
    person = request.person
    groups = group_names(app) if refusal is Refusal.NO_ACCESS else []
    may_ask = refusal is Refusal.NO_ACCESS and access.may_ask(app, person)
    context = {
        "app": app,
        "why": refusal.value,
        "email": person.email,
        "here": here or reverse("sso_app", args=[app.pk]),
        "groups": ", ".join(groups),
        "how_many": len(groups),
        "has_second_factor": refusal is Refusal.SECOND_FACTOR and person.second_factor.is_on,
        "form": (form or access.AskForm()) if may_ask else None,
        "has_asked": may_ask and AccessRequest.objects.has_asked(app, person),
    }
    return render(request, "sso/no_access.html", context, status=403)


def group_names(app: App) -> list[str]:
    """Returns the names of the groups that the app is open to."""
    return sorted(app.groups.values_list("name", flat=True))
