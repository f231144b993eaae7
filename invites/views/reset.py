"""A new password, from a mailed link."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters

from accounts import clients, devices, tokens
from accounts.adapters import inactive
from accounts.forms.password import ResetForm
from accounts.models import Superseded, User
from invites import links
from invites.models import Invite


@sensitive_post_parameters("password")
@links.opened_by_link(tokens.RESET)
def choose(request: HttpRequest, invite: Invite) -> HttpResponse:
    """Ends every session; whoever has the new password then signs in with it."""
    account = User.objects.filter(email=invite.email).first()
    if account is None:
        return redirect(tokens.path(tokens.SIGNUP, invite.pk))
    if not account.is_active:
        return inactive(request)
    if not invite.signs_in(account):
        return links.expired(request, invite, tokens.RESET)
    show = "show" in request.GET
    form = ResetForm(request.POST if request.method == "POST" else None, user=account, show_password=show)
    if not form.is_valid():
        return reset_page(request, invite, form, show=show)
    trace = clients.trace(request)
    try:
        invite.reset_password(account, form.cleaned_data["password"], browser=links.browser(request), **trace)
    except Superseded:  # by another of its links, or by "this was not me"
        return links.expired(request, invite, tokens.RESET)
    devices.recognize(request, account)  # where the mailbox is read is no news
    return links.password_changed(request)


def reset_page(request: HttpRequest, invite: Invite, form: ResetForm, *, show: bool) -> HttpResponse:
    here = tokens.path(tokens.RESET, invite.pk)
    context = {
        "invite": invite,
        "form": form,
        "token": tokens.sign(tokens.RESET, invite.pk),
        "show": show,
        "show_url": f"{here}&show=1",
        "hide_url": here,
    }
    return render(request, "invites/reset_password.html", context)
