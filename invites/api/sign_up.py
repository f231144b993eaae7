"""Making an account: with the token of a mailed link, or all at once, and then the mail."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.session import sessions
from accounts.who import who
from invites import limits, purposes
from invites.api import press
from invites.api.links import already_signed_in, sent_to
from invites.ask_for_link.ask import ask
from invites.link import browser, opened
from invites.models import Invite, MagicLink, NotInvited, Unavailable
from invites.sign_up import join, plan
from invites.sign_up.forms import RegisterForm, SignupForm
from kit import visitor
from kit.json_door import Fields, Invalid, Refused, door, message


@door("POST")
def create(request: HttpRequest, sent: Fields) -> HttpResponse:
    """With the `token` of a mailed link a name and a password are enough; without one the address is given too."""
    return from_link(request, sent) if "token" in sent else register(request, sent)


def from_link(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Makes the account and signs in to it."""
    link = press.find(request, sent, purposes.SIGNUP, purposes.CONFIRM)
    try:
        opened.count_press(request, link)
        return joined(request, link, sent)
    except NotInvited:
        raise press.closed() from None
    except join.HasAccount:
        return pressed_again(request, link, sent, press.has_account())
    except Unavailable:
        return pressed_again(request, link, sent, press.changed())


def joined(request: HttpRequest, link: MagicLink, sent: Fields) -> HttpResponse:
    if opened.other_address(request, link):
        raise press.wrong_account()
    if User.objects.filter(email=link.email).exists():
        raise join.HasAccount
    if not Invite.objects.may_join(link.email):
        raise NotInvited
    form = SignupForm(sent, email=link.email)
    user = join.join(request, link, form, purposes.SIGNUP)
    if user is None:
        raise Invalid(form, taken=409)
    return enter(request, link, user, new=True)


def pressed_again(request: HttpRequest, link: MagicLink, sent: Fields, still_open: Refused) -> HttpResponse:
    """Says what became of a link, or what else is the matter while it works; whoever used it for this is in."""
    link = press.read_again(link)
    account = link.used_by
    if account and account.username == sent.get("username", "").strip().lower():
        if account == request.user:
            return who(request, 201, next=link.leads_to or None)
        if link.used_just_now(browser.identify(request, purposes.SIGNUP)):
            return enter(request, link, account)
    raise still_open if link.state == MagicLink.State.PENDING else press.over(link.state)


def enter(request: HttpRequest, link: MagicLink, user: User, *, new: bool = False) -> HttpResponse:
    sessions.start(request, user, link.leads_to, sessions.SIGNUP, new=new)
    return who(request, 201, next=link.leads_to or None)


def register(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Keeps what was sent until the mail is answered by this browser; the same for every address."""
    limits.ASK_PER_NETWORK.check(request, visitor.network(request))
    if settings.SIGNUP != "open":
        raise press.closed()
    if request.user.is_authenticated:
        raise already_signed_in()
    form = RegisterForm(sent)
    if not form.is_valid():
        raise Invalid(form, taken=409)
    secret, account = plan.plan_account(request, form)
    ask(request, plan.asked_by(form), **account)
    return browser.set_cookie(message(sent_to(form.cleaned_data["email"]), 202), secret)
