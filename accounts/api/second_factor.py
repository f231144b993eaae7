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
from kit.page import mark_secret


@door("GET", guard=signed_in)
def show(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Answers with the state of two-step verification: `app`, `recovery_codes_left` and `must_stay`.

    `app` holds when the authenticator app was set up and last used; it is null if two-step verification is off.
    `must_stay` says that the user may not turn it off. Answers 401 to anyone not signed in.
    """
    factor = request.person.second_factor
    app = factor.app
    about = {"created_at": app.created_at, "last_used_at": app.last_used_at} if app else None
    left = len(factor.recovery_codes)
    return JsonResponse({"app": about, "recovery_codes_left": left, "must_stay": factor.must_stay})


@door("POST", limits.POST_PER_NETWORK, guard=signed_in, flags=("replace",))
def begin(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Answers with the secret for a new app, in base32 and as an otpauth: link, and when the secret ends.

    It is the same until it is used or 15 minutes are over. Answers 409 if there is an app already, unless `replace` is
    true, 429 after too many requests, and 401 to anyone not signed in.
    """
    user = request.person
    if user.second_factor.is_on and not sent.get("replace"):
        said = _("Two‑step verification is on. Nothing has changed; send “replace” to set up another app.")
        raise Refused(409, "on", said)
    secret = setup.secret(request)
    otpauth = setup.address(user, secret.key)
    return mark_secret(JsonResponse({"secret": secret.key, "otpauth": otpauth, "ends_at": secret.ends_at}))


@door("PUT", limits.POST_PER_NETWORK, guard=changes)
def turn_on(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Sets up an app with the first `code` that it shows, mails the owner, and answers who is signed in.

    The answer holds the new `recovery_codes`; all other sessions end. Needs `password` or a proof of the last 15
    minutes and, to replace an app, a code of the old one as `current`. Answers 403 without password or proof, 400 for a
    wrong code or password or without a secret from begin(), 429 after too many tries, and 401 to anyone not signed in,
    or whose sessions have all ended meanwhile.
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
    return mark_secret(who(request, recovery_codes=user.second_factor.recovery_codes))


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def turn_off(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Turns two-step verification off, mails the owner, and answers with a message; mails nobody if it was off.

    Needs a `code` of the app or a recovery code, and `password` or a proof of the last 15 minutes. Answers 403 if it
    must stay on, or without password or proof, 400 for a wrong code or password, 429 after too many tries, and 401 to
    anyone not signed in, or whose sessions have all ended meanwhile.
    """
    factor = request.person.second_factor
    if factor.must_stay:
        said = _("Whoever runs %(site)s needs two‑step verification, so it stays on.")
        raise Refused(403, "must_stay", said % {"site": settings.SITE_NAME})
    if factor.is_on:
        proof.check(WithCode(request, sent))
        factor.turn_off(**request.trace)
    return message(_("Two‑step verification is off."))
