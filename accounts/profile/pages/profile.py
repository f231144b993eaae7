"""The page to change what others read of the user, and what the site asks about them."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import profile_fields
from accounts.profile.profile_form import ProfileForm
from accounts.session.account_page import PersonRequest, account_page
from kit.page import bind_form


@account_page(changes=True)
def change(request: PersonRequest) -> HttpResponse:
    """Shows the form for the user's name and details. Its POST stores them, and leads to the account page.

    Asks for no proof, and mails nobody: they open nothing, and the history tells it. Raises Limited (the 429 page)
    after too many POSTs.
    """
    user = request.person
    held = profile_fields.first_values(profile_fields.held(user))
    form = bind_form(ProfileForm, request, initial={"name": user.name} | held)
    if not form.is_valid():
        context = {"form": form, "has_details": bool(profile_fields.own())}
        return render(request, "accounts/profile/profile.html", context)
    with transaction.atomic():
        user.call(form.cleaned_data["name"], **request.trace)
        user.fill_in(profile_fields.values(form.cleaned_data), **request.trace)
    messages.success(request, _("Saved."))
    return redirect("account")
