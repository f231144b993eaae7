"""The one door to the views of the engine: it asks them with requests of its own, of which every part was checked.

Two things in it are replaced, and one is filled in, by names that are not public (docs/architecture.md, "Private
hooks"): the loader of keys, which would check primes at each signature; the cache of codes, for a code's row keeps what
the engine must remember (sso.codes); and the clients that it has looked up, for we have just done so.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlencode

from allauth.core.context import request_context
from allauth.core.internal import jwkkit
from allauth.idp.oidc import views
from allauth.idp.oidc.internal.oauthlib import authorization_codes
from allauth.idp.oidc.internal.oauthlib.utils import get_validator_context
from allauth.idp.oidc.models import Client
from django import forms
from django.http import HttpRequest, HttpResponse, QueryDict

from accounts.models import User
from sso import keys
from sso.models import Login

AUTHORIZE = "/identity/o/authorize"  # what the engine is asked for; where our own views are makes no difference
TOKEN = "/identity/o/api/token"  # noqa: S105 a path

CodeData = dict[str, Any]

# What is known of the one code that a request is about; {} for none.
_code: ContextVar[CodeData] = ContextVar("code")


class _Codes:
    """Stands in for the cache of the engine's codes: it holds the one code that a request is about, and nothing after.

    So neither a code nor whose it is lies in Redis, and a code that one process has made is known in the next while
    Redis is away.
    """

    def set(self, key: str, value: CodeData, timeout: int | None = None) -> None:
        _code.get().update(value)

    def get(self, key: str) -> CodeData | None:
        return _code.get() or None

    def delete(self, key: str) -> None:
        _code.get().clear()


class _AllScopes(forms.Form):
    """Stands in for the engine's form of consent: all scopes that are asked for. Our own page has asked the person.

    The engine's own looks for the person's addresses, among which they could choose.
    """

    def __init__(self, *args: Any, user: User, requested_scopes: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scopes = requested_scopes

    def clean(self) -> dict[str, Any]:
        return {"scopes": self.scopes}


_authorization = views.AuthorizationView.as_view(form_class=_AllScopes)
authorization_codes.cache = _Codes()
jwkkit.load_jwk_from_pem = keys.load


def make_code(user: User, client: Client, query: dict[str, str]) -> tuple[str, CodeData]:
    """Has the engine make a code for a person and an app by a request whose every part is in `query`.

    Returns the code, and what the engine must know when it is spent, which does not hold the code.
    Raises RuntimeError if the engine refuses: a request is checked before.
    """
    request = HttpRequest()
    request.method, request.path = "GET", AUTHORIZE
    request.META["QUERY_STRING"] = urlencode(query)
    request.GET = QueryDict(request.META["QUERY_STRING"])
    request.user = user
    with _about(client, request) as made:
        answer = _authorization(request)
        if not made:
            raise RuntimeError(f"the engine made no code: {answer.status_code}")
        return made["code"].pop("code"), dict(made)


def make_tokens(login: Login, client: Client, form: dict[str, str], code: CodeData | None = None) -> "Answer":
    """Has the engine answer a request for tokens whose every field is in `form`; `code` is what make_code() returned.

    To be called in a transaction in which the login is locked.
    """
    request = HttpRequest()
    request.method, request.path = "POST", TOKEN
    request.META["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
    request.POST = QueryDict(urlencode(form))
    request.app_login = login  # type: ignore[attr-defined]  # the adapter reads it
    with _about(client, request, code):
        return Answer(views.token(request))


class Answer:
    """What the engine has answered: `fields` of tokens or of an error."""

    def __init__(self, response: HttpResponse) -> None:
        self.status: int = response.status_code
        self.fields: dict[str, Any] = json.loads(response.content)

    @property
    def is_good(self) -> bool:
        """Whether these are tokens."""
        return "access_token" in self.fields


@contextmanager
def _about(client: Client, request: HttpRequest, code: CodeData | None = None) -> Iterator[CodeData]:
    """Lets the engine see this request, and what is known of its code. The engine changes what this returns."""
    held: CodeData = json.loads(json.dumps(code or {}))
    token = _code.set(held)
    try:
        with request_context(request):
            get_validator_context().clients[client.pk] = client
            yield held
    finally:
        _code.reset(token)
