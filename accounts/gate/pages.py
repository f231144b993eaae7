"""The page that asks a user for what is missing, before they go on."""

from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts import asking, terms
from accounts.gate.form import GateForm
from accounts.session import sessions
from accounts.session.account_page import PersonRequest, account_page
from kit.form import safe_path
from kit.page import bind_form


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
