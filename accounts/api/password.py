"""The password."""

from django.http import HttpRequest, HttpResponse

from accounts import limits
from accounts.api import proof
from accounts.password.forms import PasswordForm
from accounts.session import sessions
from accounts.who import signed_in, who
from kit import visitor
from kit.json_door import Fields, door


@door("PUT", limits.POST_PER_NETWORK, guard=signed_in)
def change(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Sets the `new_password`; ends every other session, and this one goes on under a new id."""
    form = PasswordForm(request, sent | {"chosen": sent.get("new_password", "")})
    proof.check(form, {"chosen": "new_password"})
    form.user.change_password(form.cleaned_data["chosen"], **visitor.trace(request))
    sessions.keep(request, form.user)
    return who(request)
