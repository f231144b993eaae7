"""The password: changing it, and showing that one knows it."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts import limits
from accounts.password.forms import CurrentPasswordForm, PasswordForm
from accounts.protocol import Authentication, OwnDoor, Unproven, counted, invalid
from accounts.session import sessions
from kit import visitor


@counted(limits.POST_PER_NETWORK)
class Proof(OwnDoor):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """With the `password` no door asks for it again until 15 minutes are over."""
        if not self.user.has_usable_password():
            return Unproven(request)
        form = CurrentPasswordForm(request, {"password": self.text("password")})
        if not form.is_valid():
            return invalid(request, form)
        sessions.prove(request)
        return Authentication(request)


@counted(limits.POST_PER_NETWORK)
class Password(OwnDoor):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sets the `new_password` with the `current_password`, or with proof; ends every other session."""
        form = PasswordForm(request, {"password": self.text("current_password"), "chosen": self.text("new_password")})
        if not form.is_valid():
            return invalid(request, form, password="current_password", chosen="new_password")  # noqa: S106 names
        self.user.change_password(form.cleaned_data["chosen"], **visitor.trace(request))
        sessions.keep(request, self.user)
        return Authentication(request)
