"""Google, as allauth speaks to it: sending people there, and what it says of them when they are back.

What follows from an answer is decided by the page that asks (invites.google.pages), under the rules of every door.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.google.provider import GoogleProvider
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.session.account_page import PersonRequest
from kit import addresses

GMAIL = ("@gmail.com", "@googlemail.com")


class Failed(Exception):
    """Google did not say who it is: the visitor said no, an answer was wrong, late or a copy, or none came."""

    def __init__(self, reason: str = "", cause: object = None) -> None:
        # Not what the cause says: it may quote an answer with its tokens.
        super().__init__(f"{reason}: {type(cause).__name__}" if cause else reason)
        self.is_cancelled = reason == AuthError.CANCELLED


class Answered(Exception):
    """Carries allauth's result out of its view, before it would act on it (accounts.adapters)."""

    def __init__(self, login: Any) -> None:
        super().__init__()
        self.login = login


@dataclass(frozen=True)
class Identity:
    """Whom Google has seen: an id that it never gives to anybody else, and an address that may be another's one day."""

    uid: str
    email: str  # as Google wrote it, where it is none that this site could write to
    is_verified: bool  # by Google, at some time; and written as this site writes addresses
    is_authority: bool  # whether Google itself gives out the address, so that nobody else has it today

    @classmethod
    def of(cls, uid: str, claims: dict[str, Any]) -> "Identity":
        email, is_verified = printable(claims.get("email")), claims.get("email_verified") is True
        try:
            email = addresses.normalize(email)
        except ValidationError:
            is_verified = False
        # Google's own advice: gmail.com and Workspace ("hd") addresses are its own, all others were proven once.
        return cls(uid, email, is_verified, email.endswith(GMAIL) or bool(claims.get("hd")))


class Client(GoogleOAuth2Adapter):
    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """The one address that Google has been told about, whatever host was asked for."""
        return settings.SITE_URL + reverse("google_callback")

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> Any:
        """By the id token alone: without one allauth would ask elsewhere, for an answer that is tied to no visit."""
        if not kwargs["response"].get("id_token"):
            raise Failed("no id token")
        return super().complete_login(request, app, token, **kwargs)


class Provider(GoogleProvider):
    oauth2_adapter_class = Client
    supports_token_authentication = False  # a token that came another way is tied to no visit

    def extract_uid(self, data: dict[str, Any]) -> Any:
        """The id token's, and none of an answer without one; allauth refuses what is no text, or empty."""
        return printable(data.get("sub"))

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Nothing else is kept of a person."""
        return {"email": printable(data.get("email"))}

    def sociallogin_from_response(self, request: HttpRequest, response: dict[str, Any]) -> Any:
        login = super().sociallogin_from_response(request, response)
        login.claims = response
        # It would save the row of a known account: before the nonce is checked, and back if it has just been deleted.
        login.lookup = lambda: None
        return login


def printable(claim: Any) -> str:
    """What can be stored and shown; "" for anything else."""
    return claim if isinstance(claim, str) and claim.isprintable() else ""


def provider(request: HttpRequest) -> Provider:
    app = SocialApp(
        provider=Provider.id, client_id=settings.GOOGLE_CLIENT_ID, secret=settings.GOOGLE_CLIENT_SECRET, name="Google"
    )
    return Provider(request, app=app)


def redirect(request: HttpRequest, *, hint: str = "", **data: str) -> HttpResponse:
    """Sends the visitor to Google; `data` comes back with the answer, `hint` is the address that is expected.

    Nothing of the request's query goes along: allauth's own view would let a link add `scope` and `auth_params`.
    """
    nonce = secrets.token_urlsafe(16)
    params = {"nonce": nonce, "prompt": "select_account"} | ({"login_hint": hint} if hint else {})
    return provider(request).redirect(request, AuthProcess.LOGIN, data=data | {"nonce": nonce}, auth_params=params)


def connect(request: PersonRequest) -> HttpResponse:
    """Sends somebody signed in to Google, to connect an account there."""
    user = request.person
    return redirect(request, hint=user.email, purpose="connect", user=user.pk.hex, epoch=str(user.session_epoch))


def answer(request: HttpRequest) -> tuple[Identity, dict[str, str]]:
    """Who came back from Google, and the data that was sent along. Raises Failed.

    allauth checks the state, which works once, for ten minutes and in one session, exchanges the code with PKCE, and
    checks issuer, audience and expiry of the token; not its signature, as TLS has brought it straight from Google
    (OpenID Connect Core §3.1.3.7). The nonce ties the token to this very visit (§15.5.2).
    """
    try:
        response = _callback(request)
    except Answered as answered:
        login = answered.login
    except (ImproperlyConfigured, KeyError, TypeError, ValueError) as error:
        raise Failed("unexpected", error) from error  # an answer that no Google gives
    except UpdateError as error:
        request.session.flush()  # else Django would answer 400: it saves the session after this
        raise Failed("session ended", error) from error
    else:
        raise Failed("unanswered", response.status_code)
    data = login.state.get("data") or {}
    if not constant_time_compare(str(login.claims.get("nonce", "")), data.pop("nonce", "")):
        raise Failed("nonce")
    seen = login.account
    known = SocialAccount.objects.filter(provider=Provider.id, uid=seen.uid)
    known.update(extra_data=seen.extra_data, last_login=timezone.now())
    return Identity.of(seen.uid, login.claims), data


_callback = OAuth2CallbackView.adapter_view(Client)
