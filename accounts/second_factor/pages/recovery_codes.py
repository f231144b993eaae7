"""Recovery codes: shown for a while where they were made, and made anew."""

from typing import cast
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from accounts import limits
from accounts.models import User
from accounts.second_factor import shown_codes
from accounts.second_factor.forms import WithCode
from accounts.session import sessions
from kit import rate_limit, visitor
from kit.form import same_site
from kit.page import page


@sensitive_post_parameters("password", "code")
@never_cache
@page
@rate_limit.per_network(limits.POST_PER_NETWORK)
@sessions.required
def codes(request: HttpRequest) -> HttpResponse:
    """Shows those that were just made, else makes new ones; or others, if asked for in place of just these."""
    user, next_url = cast("User", request.user), same_site(request.GET.get("next", ""))
    if not user.second_factor.is_on:
        return redirect("second_factor")
    shown, batch = shown_codes.are_shown(request, user), user.second_factor.batch
    if shown and request.GET.get("new") != str(batch):
        if request.method == "POST":  # pressed twice
            return redirect(address(next_url))
        context = {"codes": spaced(user), "next": next_url, "batch": batch}
        return render(request, "accounts/second_factor/recovery_codes.html", context)
    if request.method == "POST":
        limits.CHANGE_PER_USER.check(request, user.pk.hex)
    form = WithCode(request, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        context = {"form": form, "left": len(user.second_factor.recovery_codes)}
        context["shown_at"] = address(next_url) if shown else ""
        return render(request, "accounts/second_factor/new_recovery_codes.html", context)
    user.second_factor.renew_codes(**visitor.trace(request))
    messages.success(request, _("Here are your new recovery codes. The old ones don’t work any more."))
    shown_codes.show(request, user)
    return redirect(address(next_url))


@never_cache
@require_safe
@sessions.required
def download(request: HttpRequest) -> HttpResponse:
    """The same as a file, for as long."""
    user = cast("User", request.user)
    if not shown_codes.are_shown(request, user):
        return redirect("second_factor_codes")
    head = _("Recovery codes of %(username)s for %(site)s. Each works once.")
    lines = [head % {"username": user.username, "site": settings.SITE_NAME}, "", *spaced(user), ""]
    file = {"Content-Disposition": f'attachment; filename="{user.username}-recovery-codes.txt"'}
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8", headers=file)


def address(next_url: str) -> str:
    return reverse("second_factor_codes") + (f"?{urlencode({'next': next_url})}" if next_url else "")


def spaced(user: User) -> list[str]:
    """In two groups, which are easier to copy; spaces are ignored when one is entered."""
    return [f"{code[:4]} {code[4:]}" for code in user.second_factor.recovery_codes]
