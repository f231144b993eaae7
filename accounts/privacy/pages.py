"""Taking one's data along, and deleting the account."""

import logging
from typing import cast

from django.contrib import messages
from django.contrib.auth import logout as forget
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts import limits
from accounts.models import Event, User
from accounts.password.forms import WithProof
from accounts.privacy.export import stream_zip
from accounts.session import sessions
from kit import rate_limit, visitor
from kit.page import page

log = logging.getLogger("frontdoor.accounts")


@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def export(request: HttpRequest) -> HttpResponseBase:
    """Everything held about somebody, as a ZIP; a reload of its address leads back."""
    if request.method != "POST":
        return redirect("account")
    user = cast("User", request.user)
    limits.CHANGE_PER_USER.check(request, user.pk.hex)
    user.happened(Event.Kind.EXPORTED, **visitor.trace(request))
    file = {"Content-Disposition": f'attachment; filename="{user.username}.zip"'}
    return StreamingHttpResponse(stream_zip(user), content_type="application/zip", headers=file)


@sensitive_post_parameters("password")
@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def delete(request: HttpRequest) -> HttpResponse:
    """Says what goes, and on POST with the password lets it go."""
    user = cast("User", request.user)
    form = WithProof(request, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return delete_page(request, form)
    try:
        user.erase(**visitor.trace(request))
    except DatabaseError:
        log.exception("deleting an account failed")
        said = _("We couldn’t delete your account just now. Nothing has been removed. Try again in a few minutes.")
        messages.warning(request, said)
        return delete_page(request, form, status=503)
    forget(request)
    messages.success(request, _("Your account has been deleted and you’re signed out everywhere."))
    return redirect("entry")


def delete_page(request: HttpRequest, form: WithProof, status: int = 200) -> HttpResponse:
    user = cast("User", request.user)
    context = {"form": form, "session_count": user.sessions.live().count(), "event_count": user.events.count()}
    return render(request, "accounts/privacy/delete.html", context, status=status)
