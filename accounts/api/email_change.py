"""The address: exactly one, and another while its code is awaited."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.headless.account.response import EmailAddressesResponse
from allauth.headless.base.response import ConflictResponse
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.email_change import change
from accounts.email_change.forms import CodeForm, EmailForm, taken
from accounts.protocol import Authentication, Error, OwnDoor, counted, done, invalid


@counted(limits.POST_PER_NETWORK)
class Address(OwnDoor):
    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        addresses = [EmailAddress(email=self.user.email, verified=True, primary=True)]
        if to := change.to(request):
            addresses.append(EmailAddress(email=to))
        return EmailAddressesResponse(request, addresses)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Mails a code to another `email`."""
        self.demand_proof()
        limits.CHANGE_PER_USER.check(request, self.user.pk.hex)
        form = EmailForm(request, {"email": self.text("email")})
        if not form.is_valid():
            return invalid(request, form)
        change.mail_code(request, self.user, form.cleaned_data["email"])
        return self.get(request)

    def delete(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Gives up the change to an `email`; the address itself stays until another takes its place."""
        email = self.text("email").strip().lower()
        if not email or email != change.to(request):
            said = _("Only a change that waits for its code can be given up. Nothing has changed.")
            return Error(request, 400, "not_pending", said, "email")
        change.cancel(request)
        return self.get(request)


@counted(limits.POST_PER_NETWORK)
class Code(OwnDoor):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Takes the `key`, the code from the mail."""
        limits.CODE_PER_USER.check(request, self.user.pk.hex)
        if not change.to(request):
            return ConflictResponse(request)
        form = CodeForm(request, {"code": self.text("key")})
        try:
            if form.is_valid():
                change.finish(request, self.user)
                return Authentication(request)
        except change.TooManyTries:
            return Error(request, 400, "mismatch", _(change.TOO_MANY), "key")
        except IntegrityError:
            form.add_error("code", taken())
        return invalid(request, form, code="key")


@counted(limits.POST_PER_NETWORK)
class AnotherCode(OwnDoor):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Mails a new code; only the newest works."""
        limits.CODE_PER_USER.check(request, self.user.pk.hex)
        email = change.to(request)
        if not email:
            return ConflictResponse(request)
        change.mail_code(request, self.user, email)
        return done(request)
