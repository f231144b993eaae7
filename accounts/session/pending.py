"""What stands between a proven first factor and a session (allauth's login stages)."""

from typing import Any

from allauth.account.stages import LoginStageController
from allauth.mfa.stages import AuthenticateStage
from django.contrib.auth import logout
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from accounts.models import Superseded, User
from accounts.session import devices, sessions


class SecondFactorStage(AuthenticateStage):
    """Asks for a code, unless this session has passed one already or this browser is trusted."""

    def handle(self) -> tuple[Any, bool]:
        if self.request.user == self.login.user or devices.is_trusted(self.request, self.login.user):
            return None, True
        response, go_on = super().handle()
        if response:
            self.request.session.cycle_key()  # whoever planted the old id must not come by who waits for a code
        return response, go_on

    @property
    def user(self) -> User | None:
        """Who waits; None when the account has gone, was turned off, or has ended all sessions since."""
        user, entering = self.login.user, self.request.session.get(sessions.ENTERING, {})
        waits = user and user.is_active and entering.get("epoch") == user.session_epoch and user.second_factor.is_on
        return user if waits else None

    @property
    def next_url(self) -> str:
        return self.login.redirect_url or ""

    def sign_in(self, user: User) -> HttpResponse:
        """Lets in who has given a right code, and answers with the way on. Raises Superseded."""
        try:
            response: HttpResponse = self.exit()
        except DatabaseError:
            if User.objects.filter(pk=user.pk).exists():
                raise
            self.request.session.flush()
            raise Superseded from None  # the account was deleted while this was under way
        if not User.objects.filter(pk=user.pk, session_epoch=user.session_epoch).exists():
            logout(self.request)
            raise Superseded  # by "this was not me"
        return response

    def give_up(self) -> None:
        """Back to the first step."""
        devices.forget(self.request)  # it must not be one that the account knows
        self.abort()
        self.request.session.pop(sessions.ENTERING, None)


def waiting(request: HttpRequest) -> SecondFactorStage | None:
    """Where somebody whose first factor is proven waits for a code: for 15 minutes, in this session."""
    stage: SecondFactorStage | None = LoginStageController.enter(request, SecondFactorStage.key)
    return stage
