"""JSON doors to an account. Each is the twin of a page: the same form, the same verb, the same limits."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import User
from accounts.session import sessions
from accounts.who import who
from invites import limits, purposes
from invites.ask_for_link.ask import ask
from invites.ask_for_link.form import EmailForm
from invites.link import browser, opened
from invites.models import Invite, InviteUnavailable, NotInvited
from invites.sign_up import join
from invites.sign_up.forms import SignupForm
from kit.json_door import Fields, Invalid, Refused, endpoint, message

OVER = {
    Invite.State.CLAIMED: ("used", gettext_noop("This link has already been used. Sign in, or ask for a new one.")),
    Invite.State.EXPIRED: ("expired", gettext_noop("This link has expired. Ask for a new one.")),
    Invite.State.DECLINED: ("declined", gettext_noop("This invitation was declined. Ask for a new link.")),
    Invite.State.REVOKED: ("revoked", gettext_noop("This invitation was withdrawn. Ask who sent it for a new one.")),
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
    ask(request, email, next=form.cleaned_data["next"])
    said = _("We sent a link to %(email)s. It works once, within 1 hour.") % {"email": email}
    return message(said, 202, did_you_mean=form.doubt() or None)


@endpoint("POST")
def create(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Makes an account with the token of a mailed link, a name and a password, and signs in to it."""
    invite, _purpose = opened.find(request, sent.get("token", ""), purposes.SIGNUP, purposes.CONFIRM)
    if invite is None:
        raise broken()
    try:
        opened.press(request, invite)
        return joined(request, invite, sent)
    except NotInvited:
        raise Refused(403, "closed", _("New accounts are by invitation only.")) from None
    except join.HasAccount:
        return over(request, invite, Refused(409, "has_account", _("There is an account with this address. Sign in.")))
    except InviteUnavailable:
        return over(request, invite, Refused(409, "changed", _("This link has just changed. Try again.")))


def joined(request: HttpRequest, invite: Invite, sent: Fields) -> HttpResponse:
    if opened.other_address(request, invite):
        said = _("This invitation is for another address than that of your account. Sign out first.")
        raise Refused(409, "wrong_account", said)
    if User.objects.filter(email=invite.email).exists():
        raise join.HasAccount
    if not Invite.objects.may_join(invite.email):
        raise NotInvited
    form = SignupForm(sent, email=invite.email)
    user = join.join(request, invite, form)
    if user is None:
        raise Invalid(form)
    return enter(request, invite, user)


def over(request: HttpRequest, invite: Invite, still_open: Refused) -> HttpResponse:
    """Says what became of an invite, or what else is the matter while it is open; who used it is in."""
    try:
        invite.refresh_from_db()
    except Invite.DoesNotExist:  # whom it was for has left
        raise broken() from None
    if invite.claimed_by and invite.claimed_by == request.user:
        return who(request, 201, next=invite.next or None)
    if invite.claimed_by and invite.claimed_just_now(browser.identify(request)):
        return enter(request, invite, invite.claimed_by)
    if invite.state == Invite.State.PENDING:
        raise still_open
    code, said = OVER[invite.state]
    raise Refused(410, code, _(said), "token")


def broken() -> Refused:
    return Refused(404, "broken", _("This link doesn’t work. Ask for a new one."), "token")


def enter(request: HttpRequest, invite: Invite, user: User) -> HttpResponse:
    sessions.start(request, user, way=sessions.SIGNUP)
    return who(request, 201, next=invite.next or None)
