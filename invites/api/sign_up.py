"""The JSON door for sign-up: with the token of a mailed link, or all at once, to be confirmed by a mail."""

from django.http import HttpRequest, HttpResponse

from accounts import profile_fields, terms
from accounts.models import User
from accounts.session import sessions
from accounts.who import who
from invites import limits, purposes, who_may_join
from invites.api import press
from invites.api.links import already_signed_in, sent_to
from invites.ask_for_link.ask import ask
from invites.ask_for_link.asked import remember
from invites.link import dead, opened
from invites.link.planned import HasAccount
from invites.models import Invite, MagicLink, NotInvited, Unavailable
from invites.sign_up import join, plan
from invites.sign_up.forms import RegisterForm, SignupForm
from kit import addresses
from kit.json_door import Fields, Invalid, Refused, door, message


@door("POST", objects=(profile_fields.KEY,))
def create(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Makes an account of `username` and `password` with the `token` of a mailed link, or else plans it for `email`.

    `name` and the object `profile` hold what the site asks about people, `terms` the version agreed to. What a list has
    said for `profile` counts unless it is sent.

    Answers 201 with the signed-in user, or 202 with a message: a mailed link confirms the plan. Errors: 404 for an
    invalid token, 410 for a link that works no longer, 403 without an invitation, 409 for a name or address that is
    found taken with a token, or a visitor who is signed in, 400 for other errors of the form, and 429 after too many
    requests, presses or bad tokens.
    """
    return from_link(request, sent) if "token" in sent else register(request, sent)


def from_link(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Makes an account of `username` and `password` with the link of `token`, and signs in to it.

    Returns the signed-in user (201); a second press of the same browser gets the same answer. Raises Refused when the
    token is invalid (404), the link works no longer (410), an invitation is needed (403), or the address or the visitor
    has an account (409); Invalid for the form's errors, and Limited after too many presses or bad tokens.
    """
    link = press.find(request, sent, purposes.SIGNUP, purposes.CONFIRM)
    try:
        opened.count_press(request, link)
        return make_account(request, link, sent)
    except NotInvited:
        raise press.closed(link.email) from None
    except HasAccount:
        return answer_again(request, link, sent, press.has_account())
    except Unavailable:
        return answer_again(request, link, sent, press.changed())


def make_account(request: HttpRequest, link: MagicLink, sent: Fields) -> HttpResponse:
    """Makes an account of the sent `username` and `password` with the link's address, and signs in to it.

    Returns the signed-in user (201). Raises Refused for a visitor who is signed in to another account, Invalid for the
    form's errors (409 for a taken name), NotInvited where an invitation is needed, HasAccount if the address has an
    account, and Unavailable when the link works no longer.
    """
    if opened.other_address(request, link):
        raise press.wrong_account()
    if User.objects.filter(email=link.email).exists():
        raise HasAccount
    if not Invite.objects.may_join(link.email):
        raise NotInvited
    known = profile_fields.first_values(profile_fields.fitting(link.invite.profile)) if link.invite else {}
    form = SignupForm(known | profile_fields.from_json(sent), link=link)
    user = join.join(request, link, form, purposes.SIGNUP)
    if user is None:
        raise Invalid(form, profile_fields.json_names(), terms.told(form), taken=409)
    return enter(request, link, user, new=True)


def answer_again(request: HttpRequest, link: MagicLink, sent: Fields, still_open: Refused) -> HttpResponse:
    """Returns the answer (201) of the press that made the account to a second one with the same username.

    It must come from the same browser, or from the user who is signed in by the first. For any other press, raises
    Refused: `still_open` while the link works, 410 with what became of the link if it does not, 404 if its person has
    left.
    """
    link = press.read_again(link)
    account = link.used_by
    if account and account.username == addresses.key(sent.get("username", "")):
        if account == request.user:
            return who(request, 201, next=link.leads_to or None)
        if dead.is_second_press(request, link, purposes.SIGNUP):
            return enter(request, link, account)
    raise still_open if link.state == MagicLink.State.PENDING else press.over(link)


def enter(request: HttpRequest, link: MagicLink, user: User, *, new: bool = False) -> HttpResponse:
    """Signs in to an account whose link is used. Returns the signed-in user (201).

    `new` says that the account was made just now: then no code is asked for.
    """
    sessions.start(request, user, link.leads_to, sessions.SIGNUP, new=new)
    return who(request, 201, next=link.leads_to or None)


def register(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Plans an account for `email` in this browser, and mails a link that confirms it. Returns a message (202).

    `username` and `password` are the planned ones, `next` is where the link leads. The answer is the same for every
    address and every username, taken or not. Raises Refused where sign-up is by invitation (403) or for a signed-in
    person (409), Invalid for the form's errors, and Limited when network or address has asked too often.
    """
    limits.ASK_PER_NETWORK.check_network(request)
    if who_may_join.is_by_invitation():
        raise press.closed()
    if request.user.is_authenticated:
        raise already_signed_in()
    form = RegisterForm(profile_fields.from_json(sent))
    if not form.is_valid():
        raise Invalid(form, profile_fields.json_names(), terms.told(form))
    asked = plan.link_request(form)
    ask(request, asked, **plan.plan_account(request, form))
    return remember(request, message(sent_to(asked.email), 202), asked)
