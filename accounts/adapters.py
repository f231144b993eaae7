"""What we tell allauth about this site."""

from typing import Any

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from qrcode.image.svg import SvgPathFillImage

from accounts.google import client as google
from kit import encryption


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: accounts are made by accepting an invite (invites.models)."""
        return False


class SecondFactorAdapter(DefaultMFAAdapter):
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
