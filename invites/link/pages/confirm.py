"""The page of one button, which signs in the owner of the account, or makes the account planned in this browser."""

import logging

from django.contrib import messages
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.session import devices, sessions
from invites import purposes
from invites.link import browser, carrying_on, dead, elsewhere, opened, planned
from invites.link.pages import into_groups
from invites.link.planned import UsernameForm
from invites.models import Invite, MagicLink
from kit import tokens

log = logging.getLogger("frontdoor.invites")


@opened.opened_by_link(purposes.CONFIRM)
def confirm(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Shows one button. Its POST signs in to the account with the link's address, and leads to where the link leads.

    In another browser than the one that asked for the link, the page shows a code to type there, and its button signs
    in only with the box `here` ticked: see invites.link.elsewhere.

    An invitation into groups gets a page of its own, see into_groups.answer(). If the account needs a code, the POST
    leads to the page that asks for it. Without an account, confirm_plan() answers, or a page for a visitor who is
    signed in to another one. An account that is turned off (403), and a link that works no longer, is too old for the
    account or was just used (410), get pages that say so. Raises Limited after too many presses or bad tokens.
    """
    account = User.objects.filter(email=link.email).first()
    if account is None:
        return opened.other_account_page(request, link, purposes.CONFIRM) or confirm_plan(request, link)
    return sign_in(request, link, account) if account.is_active else sessions.inactive(request)


def sign_in(request: HttpRequest, link: MagicLink, account: User) -> HttpResponse:
    """Shows the page that signs in to `account`, which has the link's address; a POST does. See confirm()."""
    if browser.is_other(request, link) and link.signs_in(account) and elsewhere.goes_first(request, link, account):
        return elsewhere.page(request, link, purposes.CONFIRM, account)
    if link.invite and link.invite.promised:
        return into_groups.answer(request, link, link.invite, account)
    if not link.signs_in(account):
        return dead.expired_page(request, link, purposes.CONFIRM)
    if request.method == "POST":
        link.sign_in(account, browser.identify(request, purposes.CONFIRM))
        return carrying_on.enter(request, link, account)
    return confirm_page(request, link, account=account)


def confirm_plan(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Shows one button. Its POST makes the account that was planned in this browser, and leads to the sign-in page.

    If the planned username can't be had, the page asks for another one; the password stays as planned. Any other
    browser is led to the sign-up form to choose again. If the address has an account by now, the POST leads to the page
    that signs in to it. If the database fails, the button is shown again (503). Where an invitation is needed, a GET
    shows a page that says so (403), and a POST raises NotInvited. Raises Unavailable when another press was faster.
    """
    if not link.is_planned_in(browser.seal(request)):
        if link.password and not browser.is_other(request, link):  # else the next page says it
            said = _("You signed up in another browser than this one. Choose a password again.")
            messages.info(request, said)
        return redirect(tokens.path(purposes.SIGNUP, link.pk))
    try:
        if request.method != "POST":
            return plan_page(request, link)
        account = planned.make(request, link, request.POST)
    except planned.NameRefused as refused:
        return confirm_page(request, link, form=refused.form)
    except planned.HasAccount:
        return redirect(tokens.path(purposes.CONFIRM, link.pk))
    except DatabaseError:
        log.exception("confirming an account failed")
        return confirm_page(request, link, status=503, failed=True)
    devices.mark_known(request, account)
    return dead.to_login_confirmed(request, link)


def plan_page(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Returns the page with the button that makes the planned account, or a page (403) if an invitation is needed.

    Raises NameRefused if the planned username can't be had.
    """
    if not Invite.objects.may_join(link.email):
        return dead.closed_page(request, link.email)
    planned.check_name(link)
    return confirm_page(request, link)


def confirm_page(
    request: HttpRequest,
    link: MagicLink,
    *,
    status: int = 200,
    account: User | None = None,
    form: UsernameForm | None = None,
    failed: bool = False,
) -> HttpResponse:
    """Returns the page with the button that signs in to `account` or, if it is None, makes the planned account.

    A link that was asked for as proof confirms where its owner is signed in, and says elsewhere that it signs in there.
    With `form` it asks for another username than the planned one. With `failed` it says that the last press could not
    be carried out.
    """
    context = {
        "link": link,
        "account": account,
        "form": form,
        "failed": failed,
        "proves": account is not None and carrying_on.is_proof_here(request, link, account),
        "token": tokens.sign(purposes.CONFIRM, link.pk),
        "other_user": request.user.get_username() if request.user != account else "",
    }
    return render(request, "invites/link/confirm.html", context, status=status)
