"""Adapters by which allauth asks this site about sign-up, the second factor and Google."""

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
        """Returns False: allauth makes no accounts. The room `invites` does, once an address is proven."""
        return False


class SecondFactorAdapter(DefaultMFAAdapter):
    """allauth's adapter for two-step verification: how its secrets are encrypted, and a key's QR code."""

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Returns the text. Raises encryption.Unreadable if none of the site's keys has encrypted it."""
        return encryption.decrypt(encrypted_text)

    def build_totp_svg(self, url: str) -> str:
        """Returns an otpauth: `url` as a QR code in SVG.

        It is black on white even on a dark page: cameras do not read it the other way round.
        """
        return qrcode.make(url, image_factory=SvgPathFillImage).to_string(encoding="unicode")


class GoogleAdapter(DefaultSocialAccountAdapter):
    """allauth's adapter for Google. It hands every answer to accounts.google.client, and decides nothing itself."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> google.Provider:
        return google.provider(request)

    def list_providers(self, request: HttpRequest) -> list[google.Provider]:
        return [google.provider(request)] if settings.GOOGLE_CLIENT_ID else []

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Raises Answered with allauth's result, before allauth can act on it."""
        raise google.Answered(sociallogin)

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """Raises Failed, where allauth would show an error page of its own."""
        raise google.Failed(error, exception)
