"""One session: starting it with a password, looking at it, ending it."""

from typing import Any

from allauth.headless.base.response import (
    ConfigResponse,
    ConflictResponse,
    ForbiddenResponse,
)
from django.http import HttpRequest, HttpResponse

from accounts import limits
from accounts.password.login_form import LoginForm
from accounts.protocol import Authentication, Door, counted, invalid
from accounts.session import sessions


class Config(Door):
    """What there is here; the same for everybody."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return ConfigResponse(request)


@counted(limits.POST_PER_NETWORK)
class Session(Door):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return Authentication(request)

    def delete(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Ends this one only; also gives up waiting for a code."""
        sessions.end(request)
        return Authentication(request)


@counted(limits.LOGIN_PER_NETWORK)
class Login(Door):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Either a `username` or an `email`, whichever it holds, and the `password`."""
        if request.user.is_authenticated:
            return ConflictResponse(request)
        name = "username" if self.text("username") else "email"
        form = LoginForm(request, {"login": self.text(name), "password": self.text("password")})
        if not form.is_valid() or not form.user:
            return invalid(request, form, login=name)
        sessions.start(request, form.user, way=sessions.PASSWORD)
        return Authentication(request)


class Signup(Door):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Never: accounts are made with the token of a mailed link, at /api/v1/auth/create."""
        return ForbiddenResponse(request)
