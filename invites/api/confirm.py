"""The JSON door of the confirm link: it signs in, or makes the account that was planned in this browser."""

import logging

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.session import devices, sessions
from accounts.who import who
from invites import purposes
from invites.api import press
from invites.link import browser, dead, opened, planned
from invites.link.planned import UsernameForm
from invites.models import MagicLink, NotInvited, Unavailable
from kit.json_door import Fields, Invalid, Refused, door, message

log = logging.getLogger("frontdoor.invites")


@door("POST")
def confirm(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Uses the link of `token`: signs in to the account of its address, or makes the one planned in this browser.

    A `username` replaces the planned one, which may be taken. Answers 200 with the signed-in user, 401 if a code is
    missing, or 201 with a message for a new account. Errors: 404 for an invalid token, 410 for a link that works no
    longer, 403 for an account that is turned off or without an invitation, 400 if name and password must be chosen
    again or the name is malformed, 409 for a visitor signed in to another account, a taken name or address, or a link
    that has changed just now, 503 if the database fails, 429 after too many presses or bad tokens.
    """
    link = press.find(request, sent, purposes.CONFIRM)
    try:
        opened.count_press(request, link)
        account = User.objects.filter(email=link.email).first()
        return sign_in(request, link, account) if account else make_planned(request, link, sent)
    except NotInvited:
        raise press.closed(link.email) from None
    except Unavailable:
        return answer_again(request, press.read_again(link))


def sign_in(request: HttpRequest, link: MagicLink, account: User) -> HttpResponse:
    """Uses the link to sign in to its address's account. Returns the signed-in user, or the 401 that asks for a code.

    A link into groups is used as it is by the owner who is signed in here. Raises Refused when the account is turned
    off (403) or the link is too old for it (410), for a visitor signed in to another account than one that is to join
    groups (409), and Unavailable when the link was used or ended just now.
    """
    if not account.is_active:
        raise press.inactive()
    if link.invite and link.invite.promised:
        if opened.other_address(request, link):
            raise press.wrong_account()
        if request.user == account:
            link.sign_in(account, "")  # see into_groups.answer()
            return who(request, next=link.leads_to or None)
    if not link.signs_in(account):
        raise press.over(link, MagicLink.State.EXPIRED)
    link.sign_in(account, browser.identify(request, purposes.CONFIRM))
    return enter(request, link, account)


def enter(request: HttpRequest, link: MagicLink, account: User) -> HttpResponse:
    """Signs in to an account whose link is used. Returns the signed-in user, or the 401 that asks for a code."""
    sessions.start(request, account, link.leads_to, sessions.LINK)
    return who(request, next=link.leads_to or None)


def make_planned(request: HttpRequest, link: MagicLink, sent: Fields) -> HttpResponse:
    """Makes the account that was planned in this browser. Returns a message (201); nobody is signed in by it.

    A sent `username` replaces the planned one. Raises Refused for a visitor signed in to another account (409), in any
    other browser (400: choose a name and a password), if the name is taken or the address has an account (409), for
    other errors of a sent name (400), and if the database fails (503). Raises NotInvited where an invitation is needed,
    and Unavailable when the link was used or ended just now.
    """
    if opened.other_address(request, link):
        raise press.wrong_account()
    if not link.is_planned_in(browser.seal(request)):
        said = _("Choose a name and a password: send them with this token.")
        raise Refused(400, "choose", said, "token", next=reverse("api_create"))
    try:
        account = planned.make(request, link, sent)
    except planned.HasAccount:
        raise press.has_account() from None
    except planned.NameRefused as refused:
        raise name_refused(refused.form) from None
    except DatabaseError:
        log.exception("confirming an account failed")
        said = _("We couldn’t confirm your account. Nothing has changed. Try again in a few minutes.")
        raise Refused(503, "unavailable", said) from None
    devices.mark_known(request, account)
    return confirmed(link)


def name_refused(form: UsernameForm) -> Refused:
    """Returns the refusal of a username: with the errors of `form` if it was typed (409 if it is taken), else 409."""
    if form.errors:
        return Invalid(form, taken=409)
    said = _(
        "That username isn’t available, but %(suggestion)s is free. Send one with the token; the password is kept."
    )
    said %= {"suggestion": form["username"].initial}
    return Refused(409, "taken", said, "username", next=reverse("api_confirm"))


def confirmed(link: MagicLink) -> HttpResponse:
    """Returns the message (201) that the address is confirmed, with the path that the link leads to as `next`."""
    return message(_("Email address confirmed. Sign in to carry on."), 201, next=link.leads_to or None)


def answer_again(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Returns the answer of the first press to a second one, from the same browser or the user whom it signed in.

    `link` must have been read again. For anyone else, raises Refused: 410 with what became of the link, or 409 if it
    still works or works again.
    """
    account = link.used_by
    if account and dead.is_second_press(request, link, purposes.CONFIRM):
        return confirmed(link) if link.username else enter(request, link, account)
    if account and account == request.user:
        return who(request, next=link.leads_to or None)
    raise press.changed() if link.state == MagicLink.State.PENDING else press.over(link)
