"""JSON doors to an account. Each is the twin of a page: the same form, the same verb, the same limits."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import User
from accounts.session import sessions
from accounts.who import who
from invites import limits, purposes
from invites.ask_for_link.ask import Asked, ask
from invites.ask_for_link.form import EmailForm
from invites.link import browser, opened
from invites.models import Invite, MagicLink, NotInvited, Unavailable
from invites.sign_up import join
from invites.sign_up.forms import SignupForm
from kit.json_door import Fields, Invalid, Refused, endpoint, message

OVER = {
    MagicLink.State.USED: ("used", gettext_noop("This link has already been used. Sign in, or ask for a new one.")),
    MagicLink.State.EXPIRED: ("expired", gettext_noop("This link has expired. Ask for a new one.")),
    MagicLink.State.DECLINED: ("declined", gettext_noop("This invitation was declined. Ask for a new link.")),
    MagicLink.State.REVOKED: ("revoked", gettext_noop("This invitation was withdrawn. Ask who sent it for a new one.")),
}


@endpoint("POST", limits.ASK_PER_NETWORK)
def invite(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Takes an address and mails it a link, whoever's it is; a probable typo is pointed out, and the mail sent."""
    if request.user.is_authenticated:
        raise Refused(409, "signed_in", _("You’re signed in. Sign out to use another address."))
    form = EmailForm(sent)
    if not form.is_valid():
        raise Invalid(form)
    email = form.cleaned_data["email"]
    ask(request, Asked(email, next=form.cleaned_data["next"]))
    said = _("We sent a link to %(email)s. It works once, within 1 hour.") % {"email": email}
    return message(said, 202, did_you_mean=form.doubt() or None)


@endpoint("POST")
def create(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Makes an account with the token of a mailed link, a name and a password, and signs in to it."""
    link = opened.find_link(request, sent.get("token", ""), purposes.SIGNUP, purposes.CONFIRM)
    if link is None:
        raise broken()
    try:
        opened.count_press(request, link)
        return joined(request, link, sent)
    except NotInvited:
        raise Refused(403, "closed", _("New accounts are by invitation only.")) from None
    except join.HasAccount:
        return over(request, link, Refused(409, "has_account", _("There is an account with this address. Sign in.")))
    except Unavailable:
        return over(request, link, Refused(409, "changed", _("This link has just changed. Try again.")))


def joined(request: HttpRequest, link: MagicLink, sent: Fields) -> HttpResponse:
    if opened.other_address(request, link):
        said = _("This invitation is for another address than that of your account. Sign out first.")
        raise Refused(409, "wrong_account", said)
    if User.objects.filter(email=link.email).exists():
        raise join.HasAccount
    if not Invite.objects.may_join(link.email):
        raise NotInvited
    form = SignupForm(sent, email=link.email)
    user = join.join(request, link, form, purposes.SIGNUP)
    if user is None:
        raise Invalid(form)
    return enter(request, link, user, new=True)


def over(request: HttpRequest, link: MagicLink, still_open: Refused) -> HttpResponse:
    """Says what became of a link, or what else is the matter while it works; who used it is in."""
    try:
        link = opened.read(link.pk)
    except MagicLink.DoesNotExist:  # whom it was for has left
        raise broken() from None
    link.read_use()
    if link.used_by and link.used_by == request.user:
        return who(request, 201, next=link.leads_to or None)
    if link.used_by and link.used_just_now(browser.identify(request, purposes.SIGNUP)):
        return enter(request, link, link.used_by)
    if link.state == MagicLink.State.PENDING:
        raise still_open
    code, said = OVER[link.state]
    raise Refused(410, code, _(said), "token")


def broken() -> Refused:
    return Refused(404, "broken", _("This link doesn’t work. Ask for a new one."), "token")


def enter(request: HttpRequest, link: MagicLink, user: User, *, new: bool = False) -> HttpResponse:
    sessions.start(request, user, way=sessions.SIGNUP, new=new)
    return who(request, 201, next=link.leads_to or None)
