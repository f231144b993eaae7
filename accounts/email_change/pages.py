"""Another address: allauth's change by a mailed code, so that no unproven address is ever stored."""

from typing import Any, cast

from allauth.account.views import ConfirmEmailVerificationCodeView, EmailView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import FormView

from accounts import limits
from accounts.email_change import change
from accounts.email_change.forms import CodeForm, EmailForm
from accounts.models import User
from accounts.session import sessions
from kit import rate_limit
from kit.page import page

signed_in: list[Any] = [never_cache, page, rate_limit.per_network(limits.POST_PER_NETWORK), sessions.required]


@method_decorator([sensitive_post_parameters("password"), *signed_in], name="dispatch")
class ChangeView(EmailView):
    """Asks for the new address and the password, and has a code mailed."""

    template_name = "accounts/email_change/ask.html"
    success_url = reverse_lazy("account_email_verification_sent")

    def get_form_class(self) -> type[EmailForm]:
        return EmailForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return super().get_form_kwargs() | {"request": self.request}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Only this verb of allauth's four: everybody has exactly one address."""
        limits.CHANGE_PER_USER.check(request, user_key(request))
        return FormView.post(self, request, *args, **kwargs)

    def form_valid(self, form: EmailForm) -> HttpResponse:
        change.begin(self.request, form)
        return FormView.form_valid(self, form)


@method_decorator(signed_in, name="dispatch")
class CodeView(ConfirmEmailVerificationCodeView):
    """Takes the code. What is right about it is done by accounts.adapters."""

    template_name = "accounts/email_change/code.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        change.drop_ended(request)
        return super().dispatch(request, *args, **kwargs)

    def get_form_class(self) -> Any:
        return CodeForm if self._action == "verify" else super().get_form_class()

    def get_next_url(self) -> None:
        """Nowhere but to the account: allauth would follow an address of ours over http."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # allauth counts in the session, where many at once are all the first.
        limits.CODE_PER_USER.check(request, user_key(request))
        if self._action == "resend":
            limits.CODE_PER_ADDRESS.check(request, self._process.email)
            messages.success(request, _("We sent another code. Only the newest one works."))
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: CodeForm) -> HttpResponse:
        response = super().form_invalid(form)
        if response.status_code == 302:
            change.over(self.request)
            messages.warning(self.request, _(change.TOO_MANY))
        return response


def user_key(request: HttpRequest) -> str:
    return cast("User", request.user).pk.hex


ask = ChangeView.as_view()
code = CodeView.as_view()
