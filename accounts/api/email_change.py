"""The address: exactly one, and another while its code is awaited."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.headless.account.response import EmailAddressesResponse
from allauth.headless.base.response import AuthenticationResponse, ConflictResponse
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.adapters import AccountAdapter
from accounts.email_change import change
from accounts.email_change.forms import CodeForm, EmailForm
from accounts.protocol import Error, OwnDoor, counted, done, invalid


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
        form = EmailForm(data={"email": self.text("email")}, request=request, user=self.user)
        if not form.is_valid():
            return invalid(request, form)
        change.begin(request, form)
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
        """Takes the `key`, the code from the mail. What is right about it is done by accounts.adapters."""
        limits.CODE_PER_USER.check(request, self.user.pk.hex)
        process = change.pending(request)
        if process is None:
            return ConflictResponse(request)
        form = CodeForm({"code": self.text("key")}, code=process.code, user=process.user, email=process.email)
        if not form.is_valid():
            return self.wrong(form, process)
        if not process.finish():  # somebody else has proven it in this moment
            return Error(request, 400, "email_taken", str(AccountAdapter.error_messages["email_taken"]), "key")
        return AuthenticationResponse(request)

    def wrong(self, form: CodeForm, process: Any) -> HttpResponse:
        if not process.record_invalid_attempt():
            change.over(self.request)
            form.add_error(None, _(change.TOO_MANY))
        return invalid(self.request, form, code="key")


@counted(limits.POST_PER_NETWORK)
class AnotherCode(OwnDoor):
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Mails a new code; only the newest works."""
        limits.CODE_PER_USER.check(request, self.user.pk.hex)
        process = change.pending(request)
        if process is None or not process.can_resend:
            return ConflictResponse(request)
        limits.CODE_PER_ADDRESS.check(request, process.email)
        process.resend()
        return done(request)
