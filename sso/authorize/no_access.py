"""The page for somebody who may not use an app: not at all, not yet, or not by this account."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.session.account_page import PersonRequest
from sso.authorize.asked import Asked
from sso.models import App, Refusal


def no_access(request: PersonRequest, app: App, asked: Asked | None, why: str) -> HttpResponse:
    """Returns the 403 page that says why, and what can be done.

    `why` is the value of a Refusal, or "other_account" if the app expects somebody else. `asked` is what the app asks
    for; None if the person comes by the link of the app, which is where they come back to then.
    """
    here = asked.path if asked else reverse("sso_app", args=[app.pk])
    is_closed = why == Refusal.NO_ACCESS.value
    groups = sorted(app.groups.values_list("name", flat=True)) if is_closed else []
    context = {
        "app": app,
        "email": request.person.email,
        "why": why,
        "here": here,
        "groups": ", ".join(groups),
        "how_many": len(groups),
        "has_second_factor": why == Refusal.SECOND_FACTOR.value and request.person.second_factor.is_on,
        "again": f"{reverse('account_login_again')}?{urlencode({'next': here})}",
    }
    return render(request, "sso/authorize/no_access.html", context, status=403)
