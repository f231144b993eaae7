"""JSON doors for a link that is opened in another browser than the one that asked for it: the code, and its other end.

A page or a program that opens the link shows the code, and one that has asked for the link sends it, with the cookies
that the asking has set.
"""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from invites import purposes
from invites.api import confirm, press
from invites.ask_for_link.asked import recall
from invites.ask_for_link.typed_code import CodeForm
from invites.link import browser, carrying_on, elsewhere, opened
from invites.models import MagicLink, NotInvited, Unavailable
from kit import tokens
from kit.json_door import Fields, Invalid, door, message


@door("POST")
def show(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Answers the code of the link of `token`, for whoever has opened it elsewhere than where it was asked for.

    `code` is null if this browser has asked for the link, or nobody has; else it is good for 15 minutes in the browser
    that asked. `device` and `asked_at` say where and when that was. Nothing is used up. Answers 404 for an invalid
    token, 410 for a link that works no longer, 429 after too many presses or bad tokens.
    """
    link = pending(request, sent)
    code = elsewhere.show_code(link) if browser.is_other(request, link) else ""
    return JsonResponse({"code": code or None, "device": link.device, "asked_at": link.created_at.isoformat()})


@door("POST")
def disown(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Makes the codes worthless of the link of `token`, which its holder has not asked for. Answers with a message.

    The link itself still works. Answers 404 for an invalid token, 410 for a link that works no longer, 429 after too
    many presses or bad tokens.
    """
    pending(request, sent).disown()
    return message(_("We’ve forgotten that request. No code lets that browser in any more."))


def pending(request: HttpRequest, sent: Fields) -> MagicLink:
    """Returns the pending link of the sent `token`, of whatever page. Raises Refused (404, 410) and Limited."""
    link = press.find(request, sent, *opened.FRESHENED)
    try:
        opened.count_press(request, link)
    except Unavailable:
        raise press.over(link) from None
    return link


@door("POST")
def code(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Takes the `code` of a link that this browser has asked for, by its cookies, and does what a press would do here.

    Answers 200 with the signed-in user, 401 if a second factor is missing, 201 with a message for an account that was
    planned here; or 200 with a `token` and the door to send it to, `next`, where more is to be chosen. Errors: 400 for
    a wrong code, 429 after five of them, 410 for a link that works no longer, and those of auth/confirm.
    """
    form = CodeForm(request, recall(request), sent)
    if not form.is_valid():
        raise Invalid(form, limited=429)
    try:
        if form.link.state == MagicLink.State.PENDING:
            return use(request, form.link)
    except NotInvited:
        raise press.closed(form.link.email) from None
    except Unavailable:
        pass  # another press was faster, perhaps of this very browser
    return confirm.answer_again(request, press.read_again(form.link))


def use(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Returns the answer to the right code of a pending link. Raises as the doors do that confirm or reset."""
    if link.purpose in carrying_on.TO_NEW_PASSWORD:
        return go_on(link, purposes.RESET, "api_reset_save")
    account = User.objects.filter(email=link.email).first()
    if account:
        return confirm.sign_in(request, link, account)
    if link.is_planned_in(browser.seal(request)):
        return confirm.make_planned(request, link, {})
    return go_on(link, purposes.SIGNUP, "api_create")


def go_on(link: MagicLink, purpose: tokens.Purpose, door_name: str) -> HttpResponse:
    """Returns the token for the door of this URL name, where the person chooses what is missing."""
    said = _("The code is right. Choose what is missing, and send it with this token.")
    return message(said, token=tokens.sign(purpose, link.pk), next=reverse(door_name))
