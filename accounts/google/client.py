"""Google, as allauth speaks to it: sending visitors there, and reading who they are when they are back.

The page that asks decides what follows from an answer (invites.google.pages), under the rules of every door.
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

from accounts.models import User
from accounts.session.account_page import PersonRequest
from kit import addresses

GMAIL = {"gmail.com", "googlemail.com"}


class Failed(Exception):
    """Google did not say who the visitor is: they said no, the answer was wrong, late or a copy, or none came.

    `reason` goes into the message, with the type of `cause`. `is_cancelled` is true if the visitor said no.
    """

    def __init__(self, reason: str = "", cause: object = None) -> None:
        # Only the type of the cause: its text may quote an answer with its tokens.
        super().__init__(f"{reason}: {type(cause).__name__}" if cause else reason)
        self.is_cancelled = reason == AuthError.CANCELLED


class Answered(Exception):
    """The result of allauth's view (`login`), carried out of it before allauth would act on it (accounts.adapters).

    Only answer() catches it.
    """

    def __init__(self, login: Any) -> None:
        super().__init__()
        self.login = login


@dataclass(frozen=True)
class Identity:
    """A person as Google names them.

    Google never gives the id to anybody else; the address may be somebody else's one day.
    """

    uid: str
    email: str  # in our spelling; as Google wrote it, if this site could not mail to it
    is_verified: bool  # Google has verified the address at some time, and this site could mail to it
    is_authority: bool  # verified, and Google itself gives out the address: nobody else has it today

    @classmethod
    def of(cls, uid: str, claims: dict[str, Any]) -> "Identity":
        """Returns the identity with the id `uid` and the `claims` of Google's id token.

        An address that this site could not mail to stays as Google wrote it, and counts as not verified.
        """
        email, is_verified = printable(claims.get("email")), claims.get("email_verified") is True
        try:
            email = addresses.spell(email)  # not as people type: another spelling may be another person at Google
        except ValidationError:
            is_verified = False
        return cls(uid, email, is_verified, is_verified and gives_out(email, printable(claims.get("hd"))))


def gives_out(email: str, hosted: str) -> bool:
    """Returns whether Google itself gives out `email`, a normalized address, so that its word proves whose it is today.

    It does so at gmail.com, and at the domain of a Workspace, which the claim `hd` names (`hosted`; "" without one),
    but not at subdomains or aliases of that. Google has verified any other address at some time; it may belong to
    somebody else by now (Google's own advice; Pre-hijacked accounts, USENIX Security 2022).
    """
    domain = email.rpartition("@")[2]
    try:
        return domain in GMAIL or addresses.normalize(f"x@{hosted.removesuffix('.')}") == f"x@{domain}"
    except ValidationError:  # no Workspace
        return False


class Client(GoogleOAuth2Adapter):
    """Google's endpoints for allauth, with our callback address; answers must bring an id token."""

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Returns the one callback address that Google has been told, whatever host the request names."""
        return settings.SITE_URL + reverse("google_callback")

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> Any:
        """Returns allauth's login, read from the id token. Raises Failed if Google's answer has none.

        allauth would then ask Google elsewhere, for an answer that is tied to no visit.
        """
        if not kwargs["response"].get("id_token"):
            raise Failed("no id token")
        return super().complete_login(request, app, token, **kwargs)


class Provider(GoogleProvider):
    """Google as a provider of allauth. It stores only the address, and looks up no account."""

    oauth2_adapter_class = Client
    supports_token_authentication = False  # a token that came another way is tied to no visit

    def extract_uid(self, data: dict[str, Any]) -> Any:
        """Returns the `sub` of the id token, or "" if it is not printable text, which allauth then refuses.

        An answer without an id token has an `id` instead, which must not count.
        """
        return printable(data.get("sub"))

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """Returns the address as {"email": …}, or "" in its place if it is not printable text.

        Nothing else that Google says about a person is stored.
        """
        return {"email": printable(data.get("email"))}

    def sociallogin_from_response(self, request: HttpRequest, response: dict[str, Any]) -> Any:
        """Returns allauth's login, with Google's claims (`response`) as its `claims`.

        The login is not stored, and looks up no account. Raises ValueError if the claims hold no id, and
        ImproperlyConfigured if it is too long.
        """
        login = super().sociallogin_from_response(request, response)
        login.claims = response
        # allauth would save the row of a known account: before the nonce is checked, and again if it was just deleted.
        login.lookup = lambda: None
        return login


def printable(claim: Any) -> str:
    """Returns `claim` if it is printable text, which can be stored and shown; else ""."""
    return claim if isinstance(claim, str) and claim.isprintable() else ""


def provider(request: HttpRequest) -> Provider:
    """Returns Google as allauth's provider, with the client id and secret of this site."""
    app = SocialApp(
        provider=Provider.id, client_id=settings.GOOGLE_CLIENT_ID, secret=settings.GOOGLE_CLIENT_SECRET, name="Google"
    )
    return Provider(request, app=app)


def redirect(request: HttpRequest, *, hint: str = "", **data: str) -> HttpResponse:
    """Redirects the visitor to Google, and notes the visit in their session.

    `data` comes back with the answer; `hint` is the address that is expected, or "". Nothing in the query of the
    request goes along: allauth's own view would let a link add `scope` and `auth_params`.
    """
    nonce = secrets.token_urlsafe(16)
    params = {"nonce": nonce, "prompt": "select_account"} | ({"login_hint": hint} if hint else {})
    return provider(request).redirect(request, AuthProcess.LOGIN, data=data | {"nonce": nonce}, auth_params=params)


def connect(request: PersonRequest) -> HttpResponse:
    """Redirects a signed-in user to Google, to connect an account there.

    answer() will return as its data `purpose` ("connect"), `user` (the id in hex) and `epoch` (that of their sessions).
    """
    user = request.person
    return redirect(request, hint=user.email, purpose="connect", user=user.pk.hex, epoch=str(user.session_epoch))


def ask_again(request: PersonRequest, next_url: str) -> HttpResponse:
    """Redirects a signed-in user, who has connected a Google account, to Google, to show by it that it is them.

    answer() will return as its data `purpose` ("again"), `user` and `epoch` as after connect(), and `next`.
    """
    user = request.person
    data = {"user": user.pk.hex, "epoch": str(user.session_epoch), "next": next_url}
    return redirect(request, hint=user.google.email, purpose="again", **data)


def is_for(user: User, data: dict[str, str]) -> bool:
    """Returns whether a visit to Google with this `data` began for this user, and before no end of all their sessions.

    `user` is that of a request, who may be nobody.
    """
    if not user.is_authenticated:
        return False
    return [user.pk.hex, str(user.session_epoch)] == [data.get("user"), data.get("epoch")]


def answer(request: HttpRequest) -> tuple[Identity, dict[str, str]]:
    """Returns who came back from Google, and the `data` that was sent along by redirect().

    Raises Failed if the answer names nobody, or is malformed, late, a copy or not for this visit. If this Google
    account is connected, stores the address that Google names, and the time. If the session has ended meanwhile,
    empties it and raises Failed.

    allauth checks the state, which works once, for ten minutes and in one session, exchanges the code with PKCE, and
    checks issuer, audience and expiry of the token; not its signature, as TLS has brought it straight from Google
    (OpenID Connect Core §3.1.3.7). The nonce ties the token to this very visit (§15.5.2).
    """
    try:
        response = _callback(request)
    except Answered as answered:
        login = answered.login
    except (ImproperlyConfigured, KeyError, TypeError, ValueError) as error:
        raise Failed("unexpected", error) from error  # the answer is malformed, as Google's never is
    except UpdateError as error:
        request.session.flush()  # Django saves the session after this, and would answer 400
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
