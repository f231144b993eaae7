"""JSON doors of those who ask to join: asking, proving the address, taking it back."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from invites import limits, purposes, who_may_join
from invites.api import press
from invites.api.links import already_signed_in, sent_to
from invites.ask_for_link.ask import ask as mail_link
from invites.ask_for_link.asked import remember
from invites.join_requests.form import PleaForm
from invites.link import browser
from invites.models import AlreadyIn, JoinRequest, MagicLink, Unavailable
from kit.addresses import readable
from kit.json_door import Fields, Invalid, Refused, door, message
from kit.rate_limit import Due


@door("POST", Due(limits.ASK_PER_NETWORK))
def ask(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Mails a link to the address in `email`, whoever has it, by which its owner asks to join. Returns a message (202).

    `name` and `why` are what staff read. `did_you_mean` in the answer is the address that was probably meant, if
    `email` looks like a typo. Answers 409 where anybody may join, and to a signed-in person, 400 for the form's errors,
    and 429 when the address was mailed, or the network has asked, or all people have, too often.
    """
    if not who_may_join.can_ask():
        raise Refused(409, "open", _("Nobody needs to ask here: anybody may create an account."))
    if request.user.is_authenticated:
        raise already_signed_in()
    form = PleaForm(sent)
    if not form.is_valid():
        raise Invalid(form)
    asked = form.asked()
    mail_link(request, asked, **form.plan(request))
    return remember(request, message(sent_to(asked.email), 202, did_you_mean=form.doubt() or None), asked)


@door("POST")
def confirm(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Proves an address by the `token` of the mail: now staff see the request. Returns a message (200).

    The answer is the same for a request that has been there before, even if it was declined. Answers 404 for an invalid
    token, 409 if the address can come in by now, 410 for a link that works no longer, and 429 after too many presses or
    bad tokens.
    """
    link = press.find(request, sent, purposes.REQUEST)
    limits.PRESS_PER_LINK.check(request, link.pk.hex)
    if link.state == MagicLink.State.USED and JoinRequest.objects.stands(link.email):
        return is_in(link)
    if link.state != MagicLink.State.PENDING:
        raise press.over(link)
    try:
        JoinRequest.objects.prove(link, browser.identify(request, purposes.REQUEST))
    except AlreadyIn:
        said = _("You can come in already: there is an account, or an invitation, for this address.")
        raise Refused(409, "already_in", said, "token") from None
    except Unavailable:
        if not JoinRequest.objects.stands(link.email):
            raise press.over(press.read_again(link)) from None
    return is_in(link)


@door("POST")
def take_back(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Deletes the request of the address that the `token` of the mail is for. Returns a message (200).

    It does not say whether there was one. Answers 404 for an invalid token, and 429 after too many presses or bad
    tokens.
    """
    link = press.find(request, sent, purposes.REQUEST)
    limits.PRESS_PER_LINK.check(request, link.pk.hex)
    JoinRequest.objects.filter(email=link.email).take_back()
    return message(_("Your request is deleted."))


def is_in(link: MagicLink) -> HttpResponse:
    """Returns the answer (200) that the request is in."""
    return message(_("Your request is in. We’ll answer by email at %(email)s.") % {"email": readable(link.email)})
