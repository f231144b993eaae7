"""Making an account of an invite, at whichever door."""

from django.db import IntegrityError
from django.http import HttpRequest

from accounts import names
from accounts.models import User
from invites.link import opened
from invites.models import Invite, InviteUnavailable
from invites.sign_up.forms import SignupForm


class HasAccount(Exception):
    """Somebody has made an account with the invite's address by now, and not with this invite."""


def join(request: HttpRequest, invite: Invite, form: SignupForm) -> User | None:
    """The account that a form makes, or None: then the form says why not.

    Raises NotInvited, InviteUnavailable or HasAccount.
    """
    if not form.is_valid():
        if not Invite.objects.pending().filter(pk=invite.pk).exists():
            raise InviteUnavailable  # the name may have been taken by the first press of this very double click
        return None
    name, password = form.cleaned_data["username"], form.cleaned_data["password"]
    try:
        return invite.accept(name, password, **opened.newcomer(request))
    except IntegrityError:  # the name was free when the form was checked
        if not User.objects.filter(username=name).exists():
            raise HasAccount from None
        form.add_error("username", names.taken(User.objects.free_name(name)))
        return None
