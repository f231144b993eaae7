"""The JSON door of the confirm link: it signs in, or makes the account that was planned in this browser."""

import logging

from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.session import devices, sessions
from accounts.who import who
from invites import purposes
from invites.api import press
from invites.link import browser, dead, opened
from invites.models import MagicLink, NotInvited, Unavailable
from kit.json_door import Fields, Refused, door, message

log = logging.getLogger("frontdoor.invites")


@door("POST")
def confirm(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Uses the link of `token`: signs in to the account of its address, or makes the one that was planned here.

    Returns the signed-in user (200), the demand for a second factor (401), or a message (201) for a new account.
    Raises Refused for any other case, and Limited after too many presses or bad tokens.
    """
    link = press.find(request, sent, purposes.CONFIRM)
    try:
        opened.count_press(request, link)
        account = User.objects.filter(email=link.email).first()
        return sign_in(request, link, account) if account else make_planned(request, link)
    except NotInvited:
        raise press.closed() from None
    except Unavailable:
        return answer_again(request, press.read_again(link))


def sign_in(request: HttpRequest, link: MagicLink, account: User) -> HttpResponse:
    """Uses the link to sign in to the account of its address. Returns the signed-in user, or the demand for a code.

    Raises Refused when the account is turned off or the link too old for it, and Unavailable when it was just used.
    """
    if not account.is_active:
        raise press.inactive()
    if not link.signs_in(account):
        raise press.over(MagicLink.State.EXPIRED)
    link.sign_in(account, browser.identify(request, purposes.CONFIRM))
    return enter(request, link, account)


def enter(request: HttpRequest, link: MagicLink, account: User) -> HttpResponse:
    """Signs in to an account whose link is used. Returns the signed-in user, or the demand for a code (401)."""
    sessions.start(request, account, link.leads_to, sessions.LINK)
    return who(request, next=link.leads_to or None)


def make_planned(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Makes the account that was planned in this browser. Returns a message (201); nobody is signed in by it.

    Raises Refused for a visitor signed in to another account, in any other browser (choose a name and a password), and
    when name or address is taken or the database fails. Raises NotInvited, or Unavailable when the link was just used.
    """
    if opened.other_address(request, link):
        raise press.wrong_account()
    if not link.is_planned_in(browser.seal(request)):
        said = _("Choose a name and a password: send them with this token.")
        raise Refused(400, "choose", said, "token", next=reverse("api_create"))
    try:
        account = link.sign_up(link.username, encoded=link.password, **opened.sign_up_args(request, purposes.CONFIRM))
    except (IntegrityError, ValidationError):
        if User.objects.filter(email=link.email).exists():
            raise press.has_account() from None
        said = _("That username can’t be had any more. Choose another one and a password.")
        raise Refused(409, "taken", said, "username", next=reverse("api_create")) from None
    except DatabaseError:
        log.exception("confirming an account failed")
        said = _("We couldn’t confirm your account. Nothing has changed. Try again in a few minutes.")
        raise Refused(503, "unavailable", said) from None
    devices.mark_known(request, account)
    return confirmed(link)


def confirmed(link: MagicLink) -> HttpResponse:
    return message(_("Email address confirmed. Sign in to carry on."), 201, next=link.leads_to or None)


def answer_again(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Returns the answer of the first press, for its second press in one browser and for whoever is signed in by it.

    The link must have been read again. For anyone else, raises Refused with what became of the link.
    """
    account = link.used_by
    if account and dead.is_second_press(request, link, purposes.CONFIRM):
        return confirmed(link) if link.username else enter(request, link, account)
    if account and account == request.user:
        return who(request, next=link.leads_to or None)
    raise press.changed() if link.state == MagicLink.State.PENDING else press.over(link.state)
