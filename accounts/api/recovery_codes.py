"""Recovery codes: shown for a while where they were made, and renewed."""

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


@door("GET", guard=signed_in)
def show(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """How many are left; and which, where they were made, until 15 minutes are over."""
    codes = require_factor(request).recovery_codes
    shown = shown_codes.are_shown(request)
    return JsonResponse({"left": len(codes), "codes": codes if shown else None})


@door("POST", limits.POST_PER_NETWORK, guard=changes)
def renew(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Makes new ones in place of all old ones, with a `code` of the app or an old one."""
    factor = require_factor(request)
    proof.check(WithCode(request, sent))
    factor.renew_codes(**request.trace)
    shown_codes.show(request)
    return JsonResponse({"codes": factor.recovery_codes}, status=201)


def require_factor(request: PersonRequest) -> SecondFactor:
    """What somebody has set up; raises Refused where that is nothing."""
    factor = request.person.second_factor
    if not factor.is_on:
        raise Refused(409, "off", _("Turn on two-step verification first. Nothing has changed."))
    return factor
