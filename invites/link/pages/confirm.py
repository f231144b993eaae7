"""One button that signs in whoever has the account and its mail, or makes the account that was planned here."""

import logging

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.adapters import inactive
from accounts.models import User
from accounts.session import devices, sessions
from invites import purposes
from invites.link import browser, dead, opened
from invites.models import Invite
from kit import tokens

log = logging.getLogger("frontdoor.invites")


@opened.opened_by_link(purposes.CONFIRM)
def confirm(request: HttpRequest, invite: Invite) -> HttpResponse:
    account = User.objects.filter(email=invite.email).first()
    if account is None:
        return opened.came_as_another(request, invite, purposes.CONFIRM) or planned(request, invite)
    if not account.is_active:
        return inactive(request)
    if not invite.signs_in(account):
        return dead.expired(request, invite, purposes.CONFIRM)
    if request.method == "POST":
        invite.claim(browser.identify(request), by=account)
        return sessions.start(request, account, invite.next, sessions.LINK)
    return confirm_page(request, invite, account=account)


def planned(request: HttpRequest, invite: Invite) -> HttpResponse:
    """The button for the account that was planned in this browser; any other browser chooses anew."""
    if not invite.is_planned_in(browser.seal(request)):
        if invite.password:
            said = _("You signed up in another browser than this one. Choose a password again.")
            messages.info(request, said)
        return redirect(tokens.path(purposes.SIGNUP, invite.pk))
    if not Invite.objects.may_join(invite.email):
        return dead.closed(request)
    if request.method != "POST":
        return confirm_page(request, invite)
    try:
        account = invite.accept(invite.username, encoded=invite.password, **opened.newcomer(request))
    except (IntegrityError, ValidationError):
        if not User.objects.filter(email=invite.email).exists():
            messages.warning(request, _("That username can’t be had any more. Choose another one and a password."))
        return redirect(tokens.path(purposes.SIGNUP, invite.pk))
    except DatabaseError:
        log.exception("confirming an account failed")
        return confirm_page(request, invite, status=503, failed=True)
    devices.recognize(request, account)
    return dead.confirmed(request, invite)


def confirm_page(
    request: HttpRequest, invite: Invite, *, status: int = 200, account: User | None = None, failed: bool = False
) -> HttpResponse:
    context = {
        "invite": invite,
        "account": account,
        "failed": failed,
        "token": tokens.sign(purposes.CONFIRM, invite.pk),
        "other_user": request.user.get_username() if request.user != account else "",
    }
    return render(request, "invites/link/confirm.html", context, status=status)
