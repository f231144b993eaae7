"""The second step of signing in, whoever asked for the first."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts import limits
from accounts.models import Superseded, User
from accounts.protocol import Authentication, Door, counted, invalid, sign_in_now
from accounts.second_factor.forms import CodeForm
from accounts.session import devices, pending, sessions


@counted(limits.FACTOR_PER_NETWORK)
class Code(Door):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Takes a `code`; with `trust` this browser is asked for none until 30 days are over."""
        waiting = pending.waiting(request)
        if request.user.is_authenticated or waiting is None:
            return Authentication(request)
        try:
            return self.enter(request, waiting.user, waiting.way) if waiting.user else self.over(request)
        except Superseded:  # in this very moment
            return self.over(request)

    def enter(self, request: HttpRequest, user: User, way: str) -> HttpResponse:
        form = CodeForm(request, user, {"code": self.text("code"), "trust": self.sent.get("trust") is True})
        if not form.is_valid():
            return invalid(request, form)
        sessions.enter(request, user, way)
        answer = Authentication(request)
        return devices.trust(request, answer, user) if form.cleaned_data["trust"] else answer

    def over(self, request: HttpRequest) -> HttpResponse:
        pending.give_up(request)
        return sign_in_now(request)
