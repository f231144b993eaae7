"""The pages between signing in and going on: for what is missing, and for whether an account stays that was left."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import asking, limits, terms
from accounts.gate import keeping
from accounts.gate.form import GateForm
from accounts.models import Superseded
from accounts.session import coming_back, sessions
from accounts.session.account_page import PersonRequest, account_page
from kit.form import safe_path
from kit.page import bind_form, page
from kit.times import day


@account_page(changes=True, asks=False)
def complete(request: PersonRequest) -> HttpResponse:
    """Asks for what is missing, all on one page. Its POST stores it and leads to `next`, or where landing() says.

    If nothing is missing, as after another press, it leads there at once. Raises Limited (the 429 page) after too many
    POSTs.
    """
    user = request.person
    form = bind_form(GateForm, request, user=user, initial={"next": safe_path(request.GET.get("next", ""))})
    if form.is_valid():
        asking.store(user, form.cleaned_data, **request.trace)
    elif len(form.fields) > 1:
        context = {"form": form, "agreed": terms.last_agreed(user), "changes": terms.changes()}
        return render(request, "accounts/gate/complete.html", context)
    sessions.let_on(request)
    return redirect(sessions.landing(user, form.cleaned_data["next"] if form.is_bound else form.initial["next"]))


@page(limits.POST_PER_NETWORK)
def keep(request: HttpRequest) -> HttpResponse:
    """Asks whoever has just signed in to an account that they have left whether it stays.

    A POST keeps it, starts the session and leads where the visitor was going; one with `leave` leaves it at that, and
    leads to the start page. If no sign-in waits for this (accounts.session.coming_back), the page leads to sign-in.
    Raises Limited (the 429 page) after too many POSTs.
    """
    if request.user.is_authenticated:
        return redirect(sessions.landing(request.user))
    waiting = keeping.find(request)
    if waiting is None:
        messages.info(request, _("Sign in first. Then there are 15 minutes to keep your account."))
        return redirect("account_login")
    if request.method != "POST":
        return render(request, "accounts/gate/keep.html", {"account": waiting.user})
    if "leave" in request.POST:
        coming_back.give_up(request)
        if waiting.user.leaves_at:
            said = _("Your account will be deleted on %(day)s. Until then you can come back.")
            messages.info(request, said % {"day": day(waiting.user.leaves_at)})
        return redirect("entry")
    try:
        return keeping.keep(request, waiting)
    except Superseded:
        messages.info(request, _(sessions.ENDED))
        return sessions.back_to_login(waiting.next_url)
