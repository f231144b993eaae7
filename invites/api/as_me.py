"""JSON doors to accept an invitation with the account at hand, though it went to another address."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.session.account_page import PersonRequest
from accounts.who import signed_in, who
from invites import limits
from invites.api import press
from invites.link import as_me, opened
from invites.models import Invite, MagicLink, Unavailable
from kit.addresses import readable
from kit.json_door import Fields, Invalid, door, message
from kit.rate_limit import Due


@door("POST", Due(limits.ASK_PER_NETWORK), guard=signed_in)
def ask(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Mails a code to the address of the invitation whose link has `token`. Answers 202 with a message.

    Answers 401 if nobody is signed in, 404 for an invalid token, 410 for an invitation that is over, 409 for one that
    this person can't accept like this, and 429 after too many mails, presses or bad tokens.
    """
    link, invite = find(request, sent)
    as_me.mail_code(request, invite, request.person)
    return message(_("We sent a code to %(email)s. It works for 15 minutes.") % {"email": readable(link.email)}, 202)


@door("POST", guard=signed_in)
def code(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Accepts the invitation of `token` for the signed-in person by the `code` that was mailed to its address.

    Answers 200 with the person, and `next`, where the invitation leads. Errors: as for asking, 400 for a wrong code,
    429 after five of them.
    """
    link, invite = find(request, sent)
    form = as_me.CodeForm(sent, invite=invite, person=request.person)
    if not form.is_valid():
        raise Invalid(form, limited=429)
    try:
        as_me.accept(link, request.person)
    except Unavailable:
        link = press.read_again(link)
        if link.used_by != request.person:
            raise press.over(link) from None
    return who(request, next=link.leads_to or None)


def find(request: HttpRequest, sent: Fields) -> tuple[MagicLink, Invite]:
    """Returns the pending link of the sent `token`, and its invitation, which the person may accept as they are.

    Raises Refused (404, 409, 410), and Limited after too many presses or bad tokens.
    """
    link = press.find(request, sent, *opened.FRESHENED)
    try:
        opened.count_press(request, link)
    except Unavailable:
        raise press.over(link) from None
    if link.invite is None or not as_me.is_possible(link, request.user):  # type: ignore[arg-type]
        raise press.wrong_account()
    return link, link.invite
