"""Where you are signed in: ending one session, and staying in this one."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts import limits
from accounts.models import Event, User
from accounts.session import sessions
from kit import rate_limit, visitor
from kit.form import same_site
from kit.page import page


@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def end(request: HttpRequest) -> HttpResponse:
    """Ends one of one's own sessions, named by its handle."""
    user = cast("User", request.user)
    if request.method != "POST":
        return redirect("account")
    session = user.end_session(request.POST.get("session", ""), **visitor.trace(request))
    if session is None:
        messages.info(request, _("That session had already ended."))
        return redirect("account")
    messages.success(request, _("Session ended: %(device)s.") % {"device": session.called})
    return redirect("account")


@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def prolong(request: HttpRequest) -> HttpResponse:
    """Twelve more hours, in the last one."""
    if request.method == "POST" and sessions.ends_at(request) < timezone.now() + sessions.LAST_HOUR:
        sessions.prolong(request)
        Event.objects.record(Event.Kind.PROLONGED, cast("User", request.user), **visitor.trace(request))
        messages.success(request, _("You stay signed in for 12 more hours."))
    return redirect(same_site(request.POST.get("next", "")) or "account")
