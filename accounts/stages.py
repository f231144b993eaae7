"""What stands between a proven first factor and a session (allauth's login stages)."""

from typing import Any

from allauth.mfa.stages import AuthenticateStage

from accounts import devices


class SecondFactorStage(AuthenticateStage):
    """Asks for a code, unless this session has passed one already or this browser is trusted."""

    def handle(self) -> tuple[Any, bool]:
        if self.request.user == self.login.user or devices.is_trusted(self.request, self.login.user):
            return None, True
        return super().handle()
