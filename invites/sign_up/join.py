"""Makes an account with a mailed link, for the page and the JSON door alike."""

from django.db import IntegrityError
from django.http import HttpRequest

from accounts import names
from accounts.models import User
from accounts.session import sessions
from invites.link import opened
from invites.link.planned import HasAccount
from invites.models import MagicLink, Unavailable
from invites.sign_up.forms import SignupForm
from kit.tokens import Purpose


def join(request: HttpRequest, link: MagicLink, form: SignupForm, page: Purpose) -> User | None:
    """Uses the link to make the account that `form` asks for. Returns the user, or None if the form has errors by now.

    `page` is the purpose of the page that was pressed. The errors are also those of a name taken just now. Starts no
    session. Raises NotInvited where an invitation is needed, Unavailable when the link works no longer, and HasAccount
    when the address has an account by now.
    """
    if not form.is_valid():
        if not MagicLink.objects.pending().filter(pk=link.pk).exists():
            raise Unavailable  # the first press of this very double click may have signed up
        tell_if_taken(form)
        return None
    name, started = form.cleaned_data["username"], opened.sign_up_args(request, page, way=sessions.SIGNUP)
    typed = form.details().columns(started.pop("settings")) | form.account()
    try:
        return link.sign_up(name, encoded=form.encoded, **typed, **started)
    except IntegrityError:
        if not tell_if_taken(form):
            raise HasAccount from None
        return None


def tell_if_taken(form: SignupForm) -> bool:
    """Returns whether the form's username is taken; if so, adds an error that offers a free one."""
    name = form.cleaned_data.get("username")
    if not name or not User.objects.is_taken(name):
        return False
    form.add_error("username", names.taken_error(User.objects.free_name(name)))
    return True
