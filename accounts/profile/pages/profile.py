"""The page to change what others read of the user: their name."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.profile.profile_form import ProfileForm
from accounts.session.account_page import PersonRequest, account_page
from kit.page import bind_form


@account_page(changes=True)
def change(request: PersonRequest) -> HttpResponse:
    """Shows the form for the user's name. Its POST stores it, or takes it away, and leads to the account page.

    Asks for no proof, and mails nobody: the name opens nothing, and the history tells it. Raises Limited (the 429 page)
    after too many POSTs.
    """
    user = request.person
    form = bind_form(ProfileForm, request, initial={"name": user.name})
    if not form.is_valid():
        return render(request, "accounts/profile/profile.html", {"form": form})
    user.call(form.cleaned_data["name"], **request.trace)
    messages.success(request, _("Saved."))
    return redirect("account")
