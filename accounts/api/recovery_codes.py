"""JSON doors to recovery codes: shown for a while in the session that made them, and replaced by new ones."""

from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.api import proof
from accounts.models.second_factor import SecondFactor
from accounts.second_factor import shown_codes
from accounts.second_factor.forms import WithCode
from accounts.session.account_page import PersonRequest
from accounts.who import changes, signed_in
from kit.json_door import Fields, Refused, door
from kit.page import mark_secret


@door("GET", guard=signed_in)
def show(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Answers how many recovery codes are `left`, and with the `codes` for 15 minutes in the session that made them.

    In any other session `codes` is null. Answers 409 if two-step verification is off, and 401 to anyone not signed in.
    """
    codes = require_factor(request).recovery_codes
    shown = shown_codes.are_shown(request)
    return mark_secret(JsonResponse({"left": len(codes), "codes": codes if shown else None}))


@door("POST", limits.POST_PER_NETWORK, guard=changes)
def renew(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Replaces all recovery codes, mails the owner, and answers with the new ones (201).

    Needs a `code` of the app or an old recovery code, and `password`, unless the user has proven ownership in the last
    15 minutes. Answers 409 if two-step verification is off, 403 without password or proof, 400 for a wrong code or
    password, 429 after too many tries, and 401 to anyone not signed in, or whose sessions have all ended meanwhile.
    """
    factor = require_factor(request)
    proof.check(WithCode(request, sent))
    factor.renew_codes(**request.trace)
    shown_codes.show(request)
    return mark_secret(JsonResponse({"codes": factor.recovery_codes}, status=201))


def require_factor(request: PersonRequest) -> SecondFactor:
    """Returns the user's second factor. Raises Refused (409) if two-step verification is off."""
    factor = request.person.second_factor
    if not factor.is_on:
        raise Refused(409, "off", _("Turn on two‑step verification first. Nothing has changed."))
    return factor
