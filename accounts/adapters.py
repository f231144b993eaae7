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
    """allauth's adapter for accounts, by which nobody can sign up through allauth."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Returns False: allauth makes no accounts. The room `invites` makes them, once an address is proven."""
        return False


class SecondFactorAdapter(DefaultMFAAdapter):
    """allauth's adapter for two-step verification: how its secrets are encrypted, and a key's QR code."""

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Returns the text. Raises encryption.Unreadable if none of the site's keys has encrypted it."""
        return encryption.decrypt(encrypted_text)

    def build_totp_svg(self, url: str) -> str:
        """Returns the SVG of a QR code for `url`, an otpauth: link.

        The code is black on white even on a dark page: cameras do not read it the other way round.
        """
        return qrcode.make(url, image_factory=SvgPathFillImage).to_string(encoding="unicode")


class GoogleAdapter(DefaultSocialAccountAdapter):
    """allauth's adapter for Google. It hands every answer to accounts.google.client, and decides nothing itself."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> google.Provider:
        """Returns Google, whatever `provider` and `client_id` name: this site knows no other provider."""
        return google.provider(request)

    def list_providers(self, request: HttpRequest) -> list[google.Provider]:
        """Returns Google alone, or [] on a site that does not offer Google (GOOGLE_CLIENT_ID)."""
        return [google.provider(request)] if settings.GOOGLE_CLIENT_ID else []

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Raises Answered with `sociallogin`, allauth's result, before allauth can act on it.

        It always raises; accounts.google.client.answer() catches that.
        """
        raise google.Answered(sociallogin)

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """Raises Failed, where allauth would show an error page of its own.

        `error` is allauth's code of the failure, `exception` its cause, if any. It always raises;
        accounts.google.client.answer() lets Failed through to its caller.
        """
        raise google.Failed(error, exception)
