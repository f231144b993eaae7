"""The page on which a session is prolonged: its owner proves once more that it is theirs."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.models import Event
from accounts.password.forms import WithProof
from accounts.session import proof, sessions
from accounts.session.account_page import PersonRequest, account_page
from kit.form import safe_path
from kit.page import bind_form


@account_page(secret=("password", "code"))
def prolong(request: PersonRequest) -> HttpResponse:
    """Asks for the password, and for a code if two-step verification is on; the POST gives the session 12 hours more.

    They count from now, the session gets a new id, and the history says so. Leads to `next`, or else to the account
    page. Whoever has no password is mailed a link: opening it is a new sign-in. Raises Limited (the 429 page) after too
    many passwords, codes or POSTs.
    """
    next_url = safe_path(request.POST.get("next", "") or request.GET.get("next", ""))
    form = bind_form(WithProof, request, missing=proof.everything(request))
    if not form.is_valid():
        context = {"form": form, "next": next_url, "until": sessions.ends_at(request)}
        return render(request, "accounts/password/prolong.html", context)
    proof.give(request)
    Event.objects.record(Event.Kind.PROLONGED, request.person, **request.trace)
    messages.success(request, _("You stay signed in for 12 more hours."))
    return redirect(next_url or "account")
