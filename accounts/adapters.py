"""What we tell allauth about this site."""

from typing import Any, ClassVar, cast

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from qrcode.image.svg import SvgPathFillImage

from accounts import names, notices
from accounts.email_change import change
from accounts.google import client as google
from accounts.models import Superseded, User
from kit import addresses, encryption, visitor


def inactive(request: HttpRequest) -> HttpResponse:
    """For the owner of a deactivated account, who has proven to be it."""
    return render(request, "accounts/session/inactive.html", status=403)


class AccountAdapter(DefaultAccountAdapter):
    error_messages: ClassVar[dict[str, Any]] = DefaultAccountAdapter.error_messages | {
        "incorrect_code": gettext_lazy("That is not the code from the newest email. Check it and try again"),
        "email_taken": gettext_lazy("This address can’t be used any more. Choose another one"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: accounts are made by accepting an invite (invites.models)."""
        return False

    def get_login_stages(self) -> list[str]:
        """Only this one: every address is proven before its account exists."""
        return ["accounts.session.pending.SecondFactorStage"]

    def get_client_ip(self, request: HttpRequest) -> str:
        return visitor.ip(request)

    def clean_email(self, email: str) -> str:
        return addresses.normalize(email)

    def clean_username(self, username: str, shallow: bool = False) -> str:
        return super().clean_username(names.normalize(username), shallow)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return inactive(request)

    def send_confirmation_mail(self, request: HttpRequest, emailconfirmation: Any, signup: bool) -> None:
        """A code to a new address; or word to whom it belongs. What the page says is the same."""
        address, device = emailconfirmation.email_address, visitor.device(request)
        owner = User.objects.filter(email=address.email).first()
        if owner:
            notices.taken(owner, device)
        else:
            notices.code(address.user, address.email, emailconfirmation.key, device)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """What the right code does. Raises Superseded."""
        # Not that of the address, which allauth has just read: all sessions may have ended since this request began.
        user = cast("User", request.user)
        if user.pk != email_address.user.pk:
            raise Superseded
        try:
            user.move(email_address.email, **visitor.trace(request))
        except IntegrityError:  # somebody else has proven it in the meantime
            messages.warning(request, self.error_messages["email_taken"])
            return False
        change.over(request)
        said = _("Your email address is now %(email)s.")
        messages.success(request, said % {"email": email_address.email})
        return True

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        return resolve_url("account")

    def add_message(self, *args: object, **kwargs: object) -> None:
        """Nothing: our pages say what happened, in our words."""


class SecondFactorAdapter(DefaultMFAAdapter):
    def is_mfa_enabled(self, user: User | None, types: Any = None) -> bool:
        """Allauth also asks about who waits for a code and has been deleted."""
        return user is not None and super().is_mfa_enabled(user, types)

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises encryption.Unreadable."""
        return encryption.decrypt(encrypted_text)

    def build_totp_svg(self, url: str) -> str:
        """Black on white, whatever the page is: cameras do not read it the other way round."""
        return qrcode.make(url, image_factory=SvgPathFillImage).to_string(encoding="unicode")


class GoogleAdapter(DefaultSocialAccountAdapter):
    """Hands what Google says to accounts.google.client, and decides nothing itself."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> google.Provider:
        return google.provider(request)

    def list_providers(self, request: HttpRequest) -> list[google.Provider]:
        return [google.provider(request)] if settings.GOOGLE_CLIENT_ID else []

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        raise google.Answered(sociallogin)

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        raise google.Failed(error, exception)
