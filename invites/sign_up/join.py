"""Making an account with a link, at whichever door."""

from django.db import IntegrityError
from django.http import HttpRequest

from accounts import names
from accounts.models import User
from accounts.session import sessions
from invites.link import opened
from invites.models import MagicLink, Unavailable
from invites.sign_up.forms import SignupForm
from kit.tokens import Purpose


class HasAccount(Exception):
    """Somebody has made an account with the link's address by now, and not with this link."""


def join(request: HttpRequest, link: MagicLink, form: SignupForm, page: Purpose) -> User | None:
    """The account that a form on this page makes, or None: then the form says why not.

    Raises NotInvited, Unavailable or HasAccount.
    """
    if not form.is_valid():
        if not MagicLink.objects.pending().filter(pk=link.pk).exists():
            raise Unavailable  # the name may have been taken by the first press of this very double click
        return None
    name, password = form.cleaned_data["username"], form.cleaned_data["password"]
    try:
        return link.sign_up(name, password, way=sessions.SIGNUP, **opened.newcomer(request, page))
    except IntegrityError:  # the name was free when the form was checked
        if not User.objects.filter(username=name).exists():
            raise HasAccount from None
        form.add_error("username", names.taken(User.objects.free_name(name)))
        return None
