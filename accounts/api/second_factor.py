"""JSON doors to two-step verification: its state, and its authenticator app."""

from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.api import proof
from accounts.second_factor import setup
from accounts.second_factor.forms import AppForm, WithCode
from accounts.session.account_page import PersonRequest
from accounts.who import changes, signed_in, who
from kit.json_door import Fields, Invalid, Refused, door, message


@door("GET", guard=signed_in)
def show(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Returns the app, how many recovery codes are left, and whether two-step verification must stay on."""
    factor = request.person.second_factor
    app = factor.app
    about = {"created_at": app.created_at, "last_used_at": app.last_used_at} if app else None
    left = len(factor.recovery_codes)
    return JsonResponse({"app": about, "recovery_codes_left": left, "must_stay": factor.must_stay})


@door("POST", limits.POST_PER_NETWORK, guard=signed_in, flags=("replace",))
def begin(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Returns the secret for a new app, the same until it is used or 15 minutes are over.

    Raises Refused (409) if there is an app already, unless `replace` is true.
    """
    user = request.person
    if user.second_factor.is_on and not sent.get("replace"):
        said = _("Two-step verification is on. Nothing has changed; send “replace” to set up another app.")
        raise Refused(409, "on", said)
    secret = setup.secret(request)
    otpauth = setup.address(user, secret.key)
    return JsonResponse({"secret": secret.key, "otpauth": otpauth, "ends_at": secret.ends_at})


@door("PUT", limits.POST_PER_NETWORK, guard=changes)
def turn_on(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Sets up an app with the first `code` that it shows, and ends all other sessions. Returns who is signed in.

    The answer holds the new recovery codes. Needs `password` or a recent proof and, if the app replaces another, a code
    of that one as `current`. Raises Refused without proof of ownership (403) or if no secret was asked for (400),
    Invalid for a wrong code or password, Limited, and Superseded.
    """
    user = request.person
    secret, replaces = setup.secret(request), user.second_factor.is_on
    form = AppForm(request, sent, secret=secret.key, replaces=replaces)
    try:
        proof.check(form)
    except Invalid:
        if not secret.is_new or form.errors.keys() != {"code"}:
            raise
        said = _("The secret has run out, or was never asked for. Ask for one, and give it to the app.")
        raise Refused(400, "mismatch", said, "code", next=reverse("api_setup")) from None
    setup.finish(request, secret.key, form.cleaned_data["code"], replaces=replaces)
    return who(request, recovery_codes=user.second_factor.recovery_codes)


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def turn_off(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Turns two-step verification off. Needs a `code` of the app or a recovery code, and `password` or a recent proof.

    Returns a message, also if it was off. Raises Refused (403) if it must stay on or without proof of ownership,
    Invalid for a wrong code or password, Limited, and Superseded.
    """
    factor = request.person.second_factor
    if factor.must_stay:
        said = _("Whoever runs %(site)s needs two-step verification, so it stays on.")
        raise Refused(403, "must_stay", said % {"site": settings.SITE_NAME})
    if factor.is_on:
        proof.check(WithCode(request, sent))
        factor.turn_off(**request.trace)
    return message(_("Two-step verification is off."))
