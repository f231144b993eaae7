"""JSON doors that mail a link: to get in, for a new password, or as proof in place of the password.

Their answers are the same for every address, so that they tell nobody who has an account.
"""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.session.account_page import PersonRequest
from accounts.who import signed_in
from invites import limits, who_may_join
from invites.api import press
from invites.ask_for_link.ask import ask, ask_again
from invites.ask_for_link.asked import LinkRequest, remember
from invites.ask_for_link.form import EmailForm
from invites.link import opened
from invites.models import MagicLink
from kit.addresses import readable
from kit.form import STORED, safe_path
from kit.json_door import Fields, Invalid, Refused, door, message
from kit.rate_limit import Due


@door("POST", Due(limits.ASK_PER_NETWORK))
def invite(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Mails a link, which leads to `next`, to the address in `email`, whoever has it. Returns a message (202).

    With the `token` of an expired link, mails a fresh one in its place to its own address, and `email` and `next` are
    not read. `did_you_mean` in the answer is the address that was probably meant, if `email` looks like a typo. Answers
    409 to a signed-in person, 400 for a malformed address, 404 for an invalid token or one whose link has not expired,
    and 429 when the address was mailed, or the network has asked, too often.
    """
    if request.user.is_authenticated:
        raise already_signed_in()
    if "token" in sent:
        return mail_again(request, sent["token"])
    return mail_to(request, sent, MagicLink.Purpose.LINK)


@door("POST", Due(limits.ASK_PER_NETWORK))
def reset(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Mails a link to choose a new password by to the address in `email`, whoever has it. Returns a message (202).

    `did_you_mean` in the answer is the address that was probably meant, if `email` looks like a typo. Answers 400 for a
    malformed address, and 429 when the address was mailed, or the network has asked, too often.
    """
    return mail_to(request, sent, MagicLink.Purpose.RESET)


@door("POST", Due(limits.ASK_PER_NETWORK), guard=signed_in)
def prove(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Mails a link to the signed-in person: signing in by it is proof, as the password is. Returns a message (202).

    The link leads to `next`. Answers 401 if nobody is signed in, and 429 when the address was mailed, or the network
    has asked, too often.
    """
    next_url = safe_path(sent.get("next", ""), STORED)
    asked = LinkRequest(request.person.email, MagicLink.Purpose.PROOF, next_url)
    ask(request, asked)
    return remember(request, message(sent_to(asked.email), 202), asked)


def mail_to(request: HttpRequest, sent: Fields, purpose: str) -> HttpResponse:
    """Mails a link for this purpose, which leads to `next`, to the address in `email`. Returns a message (202).

    `did_you_mean` in the answer is the address that was probably meant, if `email` looks like a typo. Raises Invalid
    for a malformed address, and Limited when the address was mailed too often.
    """
    form = EmailForm(sent)
    if not form.is_valid():
        raise Invalid(form)
    asked = LinkRequest(form.cleaned_data["email"], purpose, form.cleaned_data["next"])
    ask(request, asked)
    warning = who_may_join.warning(asked.email) if purpose == MagicLink.Purpose.LINK else ""
    said = f"{sent_to(asked.email)} {warning}".strip()
    return remember(request, message(said, 202, did_you_mean=form.doubt() or None), asked)


def mail_again(request: HttpRequest, token: str) -> HttpResponse:
    """Mails a fresh link in place of the expired one of `token`, as its page does. Returns a message (202).

    Raises Refused (404) for an invalid token, or if its link may not be replaced, and Limited when the address was
    mailed, or a network has sent invalid tokens, too often.
    """
    link, purpose = opened.find_expired(request, token)
    if link is None:
        raise press.broken()
    asked = LinkRequest(link.email, purpose, opened.onward(link))
    ask_again(request, asked, link)
    said = _("We sent another email to %(email)s.") % {"email": readable(link.email)}
    return remember(request, message(said, 202, did_you_mean=None), asked)


def sent_to(email: str) -> str:
    """Returns the sentence for the visitor that a link was mailed to this address."""
    return _("We sent a link to %(email)s. It works once, within 1 hour.") % {"email": readable(email)}


def already_signed_in() -> Refused:
    """Returns the refusal (409) for a signed-in person who asks for a link or an account."""
    return Refused(409, "signed_in", _("You’re signed in. Sign out to use another address."))
