"""Two-step verification: an authenticator app."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.api import proof
from accounts.models import User
from accounts.second_factor import setup
from accounts.second_factor.forms import AppForm, WithCode
from accounts.who import signed_in, who
from kit import visitor
from kit.json_door import Fields, Invalid, Refused, door, message


@door("GET", guard=signed_in)
def show(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """What there is, and whether it may be turned off."""
    factor = cast("User", request.user).second_factor
    app = factor.app
    about = {"created_at": app.created_at, "last_used_at": app.last_used_at} if app else None
    left = len(factor.recovery_codes)
    return JsonResponse({"app": about, "recovery_codes_left": left, "must_stay": factor.must_stay})


@door("POST", limits.POST_PER_NETWORK, guard=signed_in, flags=("replace",))
def begin(request: HttpRequest, sent: Fields) -> HttpResponse:
    """The secret for an app, the same until it is used or 15 minutes are over; with `replace` also for another app."""
    user = cast("User", request.user)
    if user.second_factor.is_on and not sent.get("replace"):
        said = _("Two-step verification is on. Nothing has changed; send “replace” to set up another app.")
        raise Refused(409, "on", said)
    secret = setup.secret(request, user)
    otpauth = setup.address(user, secret.key)
    return JsonResponse({"secret": secret.key, "otpauth": otpauth, "ends_at": secret.ends_at})


@door("PUT", limits.POST_PER_NETWORK, guard=signed_in)
def turn_on(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Sets up an app with the first `code` it shows, in place of another with a code of that; ends other sessions."""
    user = cast("User", request.user)
    limits.CHANGE_PER_USER.check(request, user.pk.hex)
    secret, anew = setup.secret(request, user), user.second_factor.is_on
    form = AppForm(request, secret.key, sent, anew=anew)
    try:
        proof.check(form)
    except Invalid:
        if not secret.is_new or form.errors.keys() != {"code"}:
            raise
        said = _("The secret has run out, or was never asked for. Ask for one, and give it to the app.")
        raise Refused(400, "mismatch", said, "code", next=reverse("api_setup")) from None
    setup.finish(request, user, secret.key, form.cleaned_data["code"], anew=anew)
    return who(request, recovery_codes=user.second_factor.recovery_codes)


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def turn_off(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Turns it off with a `code` of the app, or a recovery code."""
    factor = cast("User", request.user).second_factor
    if factor.must_stay:
        said = _("Whoever runs %(site)s needs two-step verification, so it stays on.")
        raise Refused(403, "must_stay", said % {"site": settings.SITE_NAME})
    if factor.is_on:
        proof.check(WithCode(request, sent))
        factor.turn_off(**visitor.trace(request))
    return message(_("Two-step verification is off."))
