"""The page of one button on which the owner of an account accepts an invitation into groups.

A link signs in for LINK_LIFETIME only, but the invitation lasts longer. So an older link opens a page that mails the
owner a fresh link to sign in by, which leads back to the button. Whoever is signed in needs one press, at any time.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.session import devices, sessions
from accounts.session.account_page import PersonRequest, account_page
from invites import purposes
from invites.link import browser, dead, elsewhere, opened, stored
from invites.models import Invite, MagicLink
from kit import tokens
from kit.page import bind_form


@account_page()
def signed_in(request: PersonRequest, pk: UUID) -> HttpResponse:
    """Shows the button for the invitation with this id, to the person whom it invites; its POST accepts it.

    The POST leads to where the invitation leads. An invitation that can't be accepted any more gets a page that says
    why (410), one that there is not, or that is for another address, a page as well (404); one whose groups are gone
    leads to where people land, with a message that says so. Raises Limited after too many presses.
    """
    person = request.person

    def find(request: HttpRequest) -> MagicLink | None:
        try:
            link = stored.read(pk)
        except MagicLink.DoesNotExist:
            return None
        return link if link.email == person.email and link.pk == link.invite_id else None

    def over(request: HttpRequest, link: MagicLink) -> HttpResponse:
        return dead.page(request, link, purposes.CONFIRM)

    def view(request: HttpRequest, link: MagicLink) -> HttpResponse:
        if not link.invite.promised:  # type: ignore[union-attr]
            said = _("This invitation leads into no group any more, so there is nothing left to accept.")
            messages.info(request, said)
            return redirect(sessions.landing(person))
        return answer(request, link, link.invite, person)  # type: ignore[arg-type]

    return opened.opened_by(find, {MagicLink.State.PENDING}, over, view)(request)


def answer(request: HttpRequest, link: MagicLink, invite: Invite, account: User) -> HttpResponse:
    """Shows the button that accepts `invite`, that of `link`, for `account`, which has its address; a POST accepts it.

    The POST signs in first, unless its owner is signed in, and leads to where the invitation leads. In a browser that
    the account does not know, it signs in only with the box `here` ticked, which no mail scanner does. A link that
    signs in no longer gets a page that mails a fresh one; a visitor who is signed in to another account, a page that
    says so. Raises Unavailable when another press was faster.
    """
    if wrong := opened.other_account_page(request, link, purposes.CONFIRM):
        return wrong
    is_here = request.user == account
    if not is_here and not link.signs_in(account):
        return show(request, link, account, "invites/link/into_groups_sign_in.html")
    form = bind_form(elsewhere.HereForm, request, asked=False) if must_tick(request, link, account) else None
    if request.method != "POST" or (form and not form.is_valid()):
        return show(request, link, account, "invites/link/into_groups.html", form=form)
    # The link may be too old to sign in by: so no browser may pass as the one whose second press signs in again.
    link.sign_in(account, "" if is_here else browser.identify(request, purposes.CONFIRM))
    messages.success(request, opened_now(invite))
    if is_here:
        return redirect(sessions.landing(account, link.leads_to))
    return sessions.start(request, account, link.leads_to, sessions.LINK)


def must_tick(request: HttpRequest, link: MagicLink, account: User) -> bool:
    """Returns whether a box goes before signing in to `account`: nobody is known here, by a cookie or as who asked."""
    known = request.user == account or devices.known_key(request, account)
    return not known and (not link.asked_in or browser.is_other(request, link))


def opened_now(invite: Invite) -> str:
    """Returns the sentence that says what the owner of an account has by accepting: an app, or else groups."""
    if invite.open_app:
        return _("%(app)s is open to you now.") % {"app": invite.open_app.name}
    return _("You are in %(groups)s now.") % {"groups": ", ".join(invite.promised.values())}


def show(request: HttpRequest, link: MagicLink, account: User, template: str, **more: Any) -> HttpResponse:
    """Returns the page of the invitation of `link` into groups, with a token for what its forms do.

    `more` is added to the context of the template.
    """
    context = {
        "link": link,
        "invite": link.invite,
        "account": account,
        "groups": ", ".join(link.invite.promised.values()) if link.invite else "",
        "token": tokens.sign(purposes.CONFIRM, link.pk),
        "here": opened.onward(link),
        "decline_url": tokens.path(purposes.DECLINE, link.subject),
    }
    return render(request, template, context | more)
