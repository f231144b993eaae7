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
    """Sets `new_password`, mails the owner, and answers who is signed in.

    Every other session ends, and this one gets a new id. Needs `password`, unless the user has proven ownership in the
    last 15 minutes. Answers 403 without either, 400 for a wrong password or a weak new one, 429 after too many tries,
    and 401 to anyone not signed in, or whose sessions have all ended meanwhile.
    """
    form = PasswordForm(request, sent | {"chosen": sent.get("new_password", "")})
    proof.check(form, {"chosen": "new_password"})
    request.person.ways_in.change_password(encoded=form.encoded, **request.trace)
    sessions.restart(request, request.person)
    return who(request)
