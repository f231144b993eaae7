"""JSON doors to the user's own account: reading it, changing what others read, and deleting it."""

from django.http import HttpResponse, JsonResponse

from accounts import asking, limits, profile_fields, terms
from accounts.api import proof
from accounts.models import User
from accounts.privacy.leave import NotNow, leave
from accounts.privacy.leave_form import LeaveForm
from accounts.profile.profile_form import ProfileForm
from accounts.session import sessions
from accounts.session.account_page import PersonRequest
from accounts.who import changes, signed_in
from kit.json_door import Fields, Invalid, Refused, door, message


@door("GET", guard=signed_in)
def show(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Answers with the user's id, name, address, settings and ways to sign in, as `{"user": …}`.

    `google` in it is the address of the connected Google account, or null. Answers 401 to anyone not signed in.
    """
    return described(request.person)


@door("PATCH", limits.POST_PER_NETWORK, guard=changes, objects=(profile_fields.KEY,))
def change(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Changes the user's `name`, and the values of the object `profile`, and answers as show() does.

    With `terms`, the present version, the user agrees to it.

    What is not sent stays; "" takes a value away. Answers 400 for a value that breaks a rule, 429 after too many
    changes, and 401 to anyone not signed in, or whose sessions have all ended meanwhile.
    """
    user = request.person
    data = profile_fields.from_json(sent)
    form = ProfileForm(data, only=data)
    if not form.is_valid():
        raise Invalid(form, profile_fields.json_names(), more=terms.told(form))
    asking.store(user, form.cleaned_data, **request.trace)
    if not asking.is_asked(user):
        sessions.let_on(request)
    return described(user)


def described(user: User) -> HttpResponse:
    """Returns in JSON what the account holds, as `{"user": …}`. Costs a statement or two."""
    about = {
        "id": user.pk,
        "username": user.username,
        "name": user.name,
        "email": user.email,
        "profile": profile_fields.held(user),
        "terms": user.terms,
        "settings": {name: value for name, value in user.settings.items() if name != profile_fields.KEY},
        "has_password": user.has_usable_password(),
        "google": user.google.email or None,
        "second_factor": user.second_factor.is_on,
        "joined_at": user.joined_at,
    }
    return JsonResponse({"user": about})


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def delete(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Has the account deleted, `when` "later" (in 14 days, unless its owner comes back) or "now". Answers a message.

    Without `when` it is now. All its sessions end, and its owner is mailed. `hand_to`, a username or an address, is
    who takes over the open invitations; else they are withdrawn.

    Needs `password`, unless the user has proven ownership in the last 15 minutes. Answers 403 without either, 400 for a
    wrong password or an unknown colleague, 409 to the last superuser, 429 after too many tries, 503 if the database
    fails (nothing is deleted then), and 401 to anyone not signed in, or whose sessions have all ended meanwhile.
    """
    form = LeaveForm(request, sent)
    proof.check(form)
    try:
        return message(leave(request, form))
    except NotNow as error:
        raise Refused(error.status, error.code, str(error.words)) from None
