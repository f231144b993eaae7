"""What becomes of a link in the browser of its owner: by the button of its page, or by the code that is shown there."""

import logging

from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.session import devices, sessions
from invites import purposes
from invites.link import browser, dead, planned
from invites.models import MagicLink
from kit import tokens

log = logging.getLogger("frontdoor.invites")

TO_NEW_PASSWORD = {MagicLink.Purpose.RESET, MagicLink.Purpose.RENEWED, MagicLink.Purpose.DISOWNED}


def by_code(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Returns the answer to the right code of a pending link: what a press of its button does in this browser.

    So it signs in, or makes the account that was planned here. Where more is to be chosen or said, it leads to the
    page of the link. Raises NotInvited where an invitation is needed, and Unavailable when another press was faster.
    """
    if link.purpose in TO_NEW_PASSWORD:
        return redirect(tokens.path(purposes.RESET, link.pk))
    account = User.objects.filter(email=link.email).first()
    if account and may_enter(request, link, account):
        link.sign_in(account, browser.identify(request, purposes.CONFIRM))
        return enter(request, link, account)
    if account is None and link.is_planned_in(browser.seal(request)) and not request.user.is_authenticated:
        return make_planned(request, link)
    return redirect(tokens.path(purposes.CONFIRM, link.pk))


def may_enter(request: HttpRequest, link: MagicLink, account: User) -> bool:
    """Returns whether a right code signs in to the link's account at once: its page would have nothing more to say."""
    stranger_here = request.user.is_authenticated and request.user != account
    into_groups = link.invite and link.invite.promised
    return account.is_active and not into_groups and not stranger_here and link.signs_in(account)


def enter(request: HttpRequest, link: MagicLink, account: User) -> HttpResponse:
    """Signs in to an account whose link is used. Returns the way on, as sessions.start() does.

    If the link has proven something to the page of another tab, a message says to go back there.
    """
    to_other_tab = is_proof_here(request, link, account) and not link.leads_to
    answer = sessions.start(request, account, link.leads_to, sessions.LINK)
    if to_other_tab:
        messages.success(request, _("Confirmed. Go back to the other tab and press “Go on”."))
    return answer


def is_proof_here(request: HttpRequest, link: MagicLink, account: User) -> bool:
    """Returns whether the link is to prove something in this browser, where its owner is signed in."""
    return link.purpose == link.Purpose.PROOF and sessions.goes_on(request, account)


def make_planned(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Makes the account that was planned in this browser, and leads to the sign-in page.

    If that can't be done as planned, leads to the page of the link, which says why. Raises as planned.make() does.
    """
    try:
        account = planned.make(request, link, {})
    except (planned.NameRefused, planned.HasAccount):
        return redirect(tokens.path(purposes.CONFIRM, link.pk))
    except DatabaseError:
        log.exception("confirming an account failed")
        return redirect(tokens.path(purposes.CONFIRM, link.pk))
    devices.mark_known(request, account)
    return dead.to_login_confirmed(request, link)
