"""The protocol of allauth.headless, as our doors speak it: its addresses, statuses and bodies (docs/headless.md)."""

from http import HTTPStatus
from typing import Any, cast

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.account.response import PasswordResetKeyResponse
from allauth.headless.base.response import (
    AuthenticationResponse,
    BaseAuthenticationResponse,
    ReauthenticationResponse,
)
from allauth.headless.base.views import APIView, AuthenticatedAPIView
from allauth.headless.constants import Client, Flow
from allauth.headless.internal.restkit.response import APIResponse
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.models import User
from accounts.session import pending, sessions
from kit import rate_limit
from kit.json_door import Refused, body, silence


@method_decorator(never_cache, name="dispatch")
class Door(APIView):
    """One address. A subclass answers its methods, out of what its form and its verb say.

    allauth's own views would hash twice for a known address, record nothing, tell nobody and count otherwise.
    """

    handle_json_input = False  # allauth would say nothing to what it cannot read
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]

    @classmethod
    def view(cls) -> Any:
        """For the site map. Browsers only: every change takes a CSRF token."""
        return cls.as_api_view(client=Client.BROWSER)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        silence(request)
        self.sent = self.read(request)
        try:
            return super().dispatch(request, *args, **kwargs)
        except rate_limit.Limited as limit:
            answer = Error(request, 429, "limited", limit.words)
            answer["Retry-After"] = str(limit.seconds)
            return answer

    def read(self, request: HttpRequest) -> dict[str, Any]:
        """The JSON object that was sent."""
        try:
            return body(request)
        except Refused as refused:
            raise ImmediateHttpResponse(Error(request, refused.status, refused.code, refused.message)) from None

    def text(self, name: str) -> str:
        """What was sent under a name; what is no text is as good as nothing."""
        value = self.sent.get(name)
        return value if isinstance(value, str) else ""

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        allowed = super().http_method_not_allowed(request)["Allow"]
        answer = Error(request, 405, "method", _("Only %(method)s is possible here.") % {"method": allowed})
        answer["Allow"] = allowed
        return answer


class OwnDoor(Door, AuthenticatedAPIView):
    """For somebody signed in."""

    @property
    def user(self) -> User:
        return cast("User", self.request.user)

    def handle(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return sessions.required(super().handle, refuse=signed_out)(request, *args, **kwargs)

    def demand_proof(self) -> None:
        """Answers who has not shown lately to be the owner."""
        if not sessions.is_proven(self.request):
            raise ImmediateHttpResponse(Unproven(self.request))


class Authentication(AuthenticationResponse):
    """Who is signed in; or what can be done about that, and that somebody waits for a code."""

    def _get_flows(self, request: HttpRequest, user: User) -> list[dict[str, Any]]:
        flows: list[dict[str, Any]] = super()._get_flows(request, user)
        waiting = pending.waiting(request)
        if waiting and waiting.user:
            types = Authenticator.objects.filter(user=waiting.user).order_by("type").values_list("type", flat=True)
            flows.append({"id": Flow.MFA_AUTHENTICATE, "is_pending": True, "types": [*reversed(types)]})
        return flows


class Error(APIResponse):
    """One thing that is wrong, and with which field."""

    def __init__(self, request: HttpRequest, status: int, code: str, message: str, param: str = "") -> None:
        error = {"message": message, "code": code} | ({"param": param} if param else {})
        super().__init__(request, errors=[error], status=status)


class Unproven(ReauthenticationResponse):
    """Says what would prove it: the password, as no code stands for it here; without one only a mailed link does."""

    def _get_flows(self, request: HttpRequest, user: User) -> list[dict[str, Any]]:
        return [{"id": Flow.REAUTHENTICATE}] if user.has_usable_password() else []


def counted(limit: rate_limit.Limit) -> Any:
    """The decorator of a page's limit, for a door."""
    return method_decorator(rate_limit.per_network(limit), name="handle")


def invalid(request: HttpRequest, form: forms.BaseForm, **names: str) -> HttpResponse:
    """What a form says of what was sent; `names` are those of the protocol for fields that are called otherwise."""
    if form.has_error(NON_FIELD_ERRORS, "proof"):
        return Unproven(request)
    errors = [
        error if name == NON_FIELD_ERRORS else error | {"param": names.get(name, name)}
        for name, some in form.errors.get_json_data().items()
        for error in some
    ]
    return APIResponse(request, errors=errors, status=400)


def done(request: HttpRequest) -> HttpResponse:
    return APIResponse(request)


def key_of(request: HttpRequest, account: User) -> HttpResponse:
    """Says whose password a key lets choose."""
    return PasswordResetKeyResponse(request, account)


def sign_in_now(request: HttpRequest) -> HttpResponse:
    """It is done, and whoever did it is not signed in by that."""
    return BaseAuthenticationResponse(request, AnonymousUser(), HTTPStatus.UNAUTHORIZED)


def signed_out(request: HttpRequest, *, ended: bool) -> HttpResponse:
    return Authentication(request)
