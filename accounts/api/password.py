"""JSON door to the password."""

from django.http import HttpResponse

from accounts import limits
from accounts.api import proof
from accounts.password.forms import PasswordForm
from accounts.session import sessions
from accounts.session.account_page import PersonRequest
from accounts.who import signed_in, who
from kit.json_door import Fields, door


@door("PUT", limits.POST_PER_NETWORK, guard=signed_in)
def change(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Sets the `new_password`; needs `password` or a recent proof. Returns who is signed in.

    This ends every other session, and this one goes on under a new id. Raises Refused without proof of ownership,
    Invalid for a wrong password or a weak new one, Limited, and Superseded.
    """
    form = PasswordForm(request, sent | {"chosen": sent.get("new_password", "")})
    proof.check(form, {"chosen": "new_password"})
    request.person.change_password(form.cleaned_data["chosen"], **request.trace)
    sessions.restart(request, request.person)
    return who(request)
