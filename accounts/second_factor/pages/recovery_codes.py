"""Recovery codes: shown for a while in the session that made them, and replaced by new ones."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.second_factor import shown_codes
from accounts.second_factor.forms import WithCode
from accounts.session.account_page import PersonRequest, account_page
from kit.form import safe_path
from kit.page import bind_form, mark_secret


@account_page(secret=("password", "code"), changes=True)
def codes(request: PersonRequest) -> HttpResponse:
    """Shows the recovery codes if this session has just made them; else a form, whose POST makes new ones.

    The POST leads back here. `?new=` with the number of the shown batch asks for the form in place of its codes; `next`
    is the path where the user was going. With two-step verification off the page leads to its overview. Raises Limited
    (the 429 page) after too many passwords, codes or changes.
    """
    user, next_url = request.person, safe_path(request.GET.get("next", ""))
    if not user.second_factor.is_on:
        return redirect("second_factor")
    shown, batch = shown_codes.are_shown(request), user.second_factor.batch
    if shown and request.GET.get("new") != str(batch):
        if request.method == "POST":  # a second press must not replace the codes just made
            return redirect(address(next_url))
        context = {"codes": codes_in_groups(user), "next": next_url, "batch": batch}
        return mark_secret(render(request, "accounts/second_factor/recovery_codes.html", context))
    form = bind_form(WithCode, request)
    if not form.is_valid():
        context = {"form": form, "left": len(user.second_factor.recovery_codes)}
        context["shown_at"] = address(next_url) if shown else ""
        return render(request, "accounts/second_factor/new_recovery_codes.html", context)
    user.second_factor.renew_codes(**request.trace)
    messages.success(request, _("Here are your new recovery codes. The old ones don’t work any more."))
    shown_codes.show(request)
    return redirect(address(next_url))


@account_page(safe_only=True)
def download(request: PersonRequest) -> HttpResponse:
    """Returns the recovery codes as a text file, if this session has just made them.

    Otherwise leads to the page that makes new ones.
    """
    user = request.person
    if not shown_codes.are_shown(request):
        return redirect("second_factor_codes")
    head = _("Recovery codes of %(username)s for %(site)s. Each works once.")
    lines = [head % {"username": user.username, "site": settings.SITE_NAME}, "", *codes_in_groups(user), ""]
    file = {"Content-Disposition": f'attachment; filename="{user.username}-recovery-codes.txt"'}
    return mark_secret(HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8", headers=file))


def address(next_url: str) -> str:
    """Returns the path of the page of recovery codes, with `next_url` as its `next`, unless that is ""."""
    return reverse("second_factor_codes") + (f"?{urlencode({'next': next_url})}" if next_url else "")


def codes_in_groups(user: User) -> list[str]:
    """Returns the unused recovery codes, each in two groups, which are easier to copy; typed spaces are ignored."""
    return [f"{code[:4]} {code[4:]}" for code in user.second_factor.recovery_codes]
