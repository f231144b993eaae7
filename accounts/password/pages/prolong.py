"""The page on which a session is prolonged: its owner proves once more that it is theirs."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.models import Event
from accounts.password import again
from accounts.password.forms import WithProof
from accounts.session import proof, sessions
from accounts.session.account_page import PersonRequest, account_page
from kit.form import safe_path
from kit.lane import Full
from kit.page import bind_form
from kit.rate_limit import Limited


@account_page(secret=("password", "code"), asks=False)
def prolong(request: PersonRequest) -> HttpResponse:
    """Asks for the password, and for a code if two-step verification is on; the POST gives the session 12 hours more.

    They count from now, the session gets a new id, and the history says so. Leads to `next`, or else to the account
    page. Whoever has no password is mailed a link: opening it is a new sign-in. After too many passwords or codes
    (429), and while too many hashes wait (503), the page says when to try again. Raises Limited after too many POSTs.
    """
    next_url = safe_path(request.POST.get("next", "") or request.GET.get("next", ""))
    missing = proof.everything(request)
    limit: Limited | Full | None = None
    form = bind_form(WithProof, request, missing=missing)
    try:
        is_proven = form.is_valid()
    except (Limited, Full) as reached:
        is_proven, limit, form = False, reached, WithProof(request, missing=missing)
    if not is_proven:
        context = {"form": form, "next": next_url, "until": sessions.ends_at(request)}
        return again.page(request, "accounts/password/prolong.html", context, limit)
    proof.give(request, form.way)
    Event.objects.record(Event.Kind.PROLONGED, request.person, **request.trace)
    messages.success(request, _("You stay signed in for 12 more hours."))
    return redirect(next_url or "account")
