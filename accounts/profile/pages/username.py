"""The page to change the username."""

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import names
from accounts.models import User
from accounts.password import again
from accounts.profile.username_form import UsernameForm
from accounts.session.account_page import PersonRequest, account_page
from kit.page import bind_form


@account_page(changes=True)
def change(request: PersonRequest) -> HttpResponse:
    """Shows the form for another username. Its POST renames the account and leads to the account page.

    The POST asks for proof first, unless it is there. The owner is mailed about a new name. A taken name is an error of
    the form. Raises Limited (the 429 page) after too many POSTs.
    """
    user = request.person
    if request.method == "POST" and (asked := again.ask(request, _("Change your username"), request.path)):
        return asked
    form = bind_form(UsernameForm, request, user=user, initial={"username": user.username})
    if not form.is_valid():
        return username_page(request, form)
    name = form.cleaned_data["username"]
    try:
        if name != user.username:
            user.rename(name, **request.trace)
    except IntegrityError:  # somebody has taken it since the form was checked
        form.add_error("username", names.taken_error(User.objects.free_name(name)))
        return username_page(request, form)
    messages.success(request, _("Your username is now %(username)s.") % {"username": name})
    return redirect("account")


def username_page(request: HttpRequest, form: UsernameForm) -> HttpResponse:
    return render(request, "accounts/profile/username.html", {"form": form})
