"""Two-step verification: an authenticator app, and recovery codes."""

from typing import Any

from allauth.headless.base.response import ConflictResponse
from allauth.headless.mfa.response import (
    AuthenticatorsResponse,
    RecoveryCodesNotFoundResponse,
    RecoveryCodesResponse,
    TOTPNotFoundResponse,
    TOTPResponse,
)
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.protocol import Error, OwnDoor, counted, done, invalid
from accounts.second_factor import setup, shown_codes
from accounts.second_factor.forms import AppForm, WithCode
from kit import visitor


class Authenticators(OwnDoor):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        factor = self.user.second_factor
        rows = [row for row in (factor.app, factor.recovery) if row]
        return AuthenticatorsResponse(request, rows)


@counted(limits.POST_PER_NETWORK)
class App(OwnDoor):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The app; or while there is none, the key for one, the same until it is used or 15 minutes are over."""
        if app := self.user.second_factor.app:
            return TOTPResponse(request, app)
        key = setup.secret(request)
        return TOTPNotFoundResponse(request, key, setup.address(self.user, key))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Turns it on with the first `code` of the app; ends every other session."""
        self.demand_proof()
        if self.user.second_factor.is_on:
            return ConflictResponse(request)
        limits.CHANGE_PER_USER.check(request, self.user.pk.hex)
        key = setup.secret(request)
        form = AppForm(request, key, {"code": self.text("code")}, anew=False)
        if not form.is_valid():
            return invalid(request, form)
        setup.finish(request, self.user, key, form.cleaned_data["code"])
        return TOTPResponse(request, self.user.second_factor.app)

    def delete(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Turns it off, with a `code` of the app or a recovery code."""
        factor = self.user.second_factor
        if factor.must_stay:
            said = _("Whoever runs %(site)s needs two-step verification, so it stays on.")
            return Error(request, 403, "must_stay", said % {"site": settings.SITE_NAME})
        self.demand_proof()
        if factor.is_on:
            form = WithCode(request, {"code": self.text("code")})
            if not form.is_valid():
                return invalid(request, form)
            factor.turn_off(**visitor.trace(request))
        return done(request)


@counted(limits.POST_PER_NETWORK)
class RecoveryCodes(OwnDoor):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """How many are left; and which, where they were made, until 15 minutes are over."""
        row = self.user.second_factor.recovery
        if row is None:
            return RecoveryCodesNotFoundResponse(request)
        return RecoveryCodesResponse(request, row, can_view=shown_codes.are_shown(request, self.user))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Makes new ones instead of all old ones, with a `code` of the app or an old one."""
        self.demand_proof()
        if not self.user.second_factor.is_on:
            said = _("Turn on two-step verification first. Nothing has changed.")
            return Error(request, 400, "cannot_generate_recovery_codes", said)
        limits.CHANGE_PER_USER.check(request, self.user.pk.hex)
        form = WithCode(request, {"code": self.text("code")})
        if not form.is_valid():
            return invalid(request, form)
        self.user.second_factor.renew_codes(**visitor.trace(request))
        shown_codes.show(request, self.user)
        return self.get(request)
