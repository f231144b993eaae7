"""The second step of signing in, whoever asked for the first."""

from typing import Any

from allauth.headless.base.response import AuthenticationResponse
from allauth.headless.base.views import AuthenticationStageAPIView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts import limits
from accounts.models import Superseded, User
from accounts.protocol import Door, counted, invalid, sign_in_now
from accounts.second_factor.forms import CodeForm
from accounts.session import devices
from accounts.session.pending import SecondFactorStage


@counted(limits.FACTOR_PER_NETWORK)
class Code(Door, AuthenticationStageAPIView):
    stage_class = SecondFactorStage
    stage: SecondFactorStage

    def handle(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Who is signed in by now, perhaps by the first of two presses, is told so."""
        if request.method == "POST" and request.user.is_authenticated:
            return AuthenticationResponse(request)
        return super().handle(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Takes a `code`; with `trust` this browser is asked for none until 30 days are over."""
        user = self.stage.user
        try:
            return self.enter(request, user) if user else self.over(request)
        except Superseded:  # in this very moment
            return self.over(request)

    def enter(self, request: HttpRequest, user: User) -> HttpResponse:
        form = CodeForm(request, user, {"code": self.text("code"), "trust": self.sent.get("trust") is True})
        if not form.is_valid():
            return invalid(request, form)
        self.stage.sign_in(user)
        answer = AuthenticationResponse(request)
        return devices.trust(request, answer, user) if form.cleaned_data["trust"] else answer

    def over(self, request: HttpRequest) -> HttpResponse:
        self.stage.give_up()
        return sign_in_now(request)
