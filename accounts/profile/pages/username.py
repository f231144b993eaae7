"""Another username."""

from typing import cast

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts import limits, names
from accounts.models import User
from accounts.profile.username_form import UsernameForm
from accounts.session import sessions
from kit import rate_limit, visitor
from kit.page import page


@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def change(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    if request.method != "POST":
        return username_page(request, UsernameForm(user=user, initial={"username": user.username}))
    limits.CHANGE_PER_USER.check(request, user.pk.hex)
    form = UsernameForm(request.POST, user=user)
    if not form.is_valid():
        return username_page(request, form)
    name = form.cleaned_data["username"]
    try:
        if name != user.username:
            user.rename(name, **visitor.trace(request))
    except IntegrityError:  # it was free when the form was checked
        form.add_error("username", names.taken(User.objects.free_name(name)))
        return username_page(request, form)
    messages.success(request, _("Your username is now %(username)s.") % {"username": name})
    return redirect("account")


def username_page(request: HttpRequest, form: UsernameForm) -> HttpResponse:
    return render(request, "accounts/profile/username.html", {"form": form})
