"""What an app asks for when it sends somebody here, read from the query and checked (OpenID Connect Core §3.1.2.1)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from kit.form import LONGEST as LONGEST_PATH  # of the path that leads back here from sign-in
from sso import products
from sso.models import App

# What is heeded; all else is as if it had not been sent (RFC 6749 §3.1), `claims` and `acr_values` too.
HEEDED = (
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method", "prompt", "max_age", "login_hint", "id_token_hint"),
    *("request", "request_uri", "registration"),
)
NOT_SUPPORTED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}
PROMPTS = {"none", "login", "consent", "select_account"}
LONGEST_QUERY = 6000  # characters of a form that becomes a query: web servers take no more
LONGEST = 2000  # characters of a state or a nonce: more would not fit into the header of the answer
S256 = re.compile(r"[A-Za-z0-9_-]{43}")


class Unreadable(Exception):
    """A parameter was given twice, so nobody can say what was meant (RFC 6749 §3.1)."""


class Refused(Exception):
    """The app gets an error for an answer: `error` is one of the standards', `why` is for who builds the app."""

    def __init__(self, error: str, why: str = "") -> None:
        super().__init__(why)
        self.error, self.why = error, why


@dataclass(frozen=True)
class Asked:
    """What an app asks for, checked."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]  # those that the app may have, in our order
    state: str
    nonce: str
    code_challenge: str  # "" without PKCE
    prompts: frozenset[str]
    max_age: int | None
    id_token_hint: str
    login_hint: str
    query: str  # all of it, to be asked again

    @property
    def is_silent(self) -> bool:
        """Whether nobody must be shown anything: the app asks in the background."""
        return "none" in self.prompts

    @property
    def path(self) -> str:
        """The path that asks the same again, as after sign-in."""
        return f"{reverse('sso_authorize')}?{self.query}"

    @property
    def wants_a_look(self) -> bool:
        """Whether the person must be asked, or choose the account, even if they have agreed before."""
        return bool(self.prompts & {"consent", "select_account"})


def once(query: QueryDict, names: Iterable[str] = HEEDED) -> dict[str, str]:
    """Returns the parameters of these names, without those that are empty. Raises Unreadable if any is given twice."""
    if any(len(texts) > 1 for _name, texts in query.lists()):
        raise Unreadable
    return {name: str(query[name]) for name in names if query.get(name)}


def as_query(form: QueryDict, names: Iterable[str] = HEEDED) -> str:
    """Returns the query that asks for what a form asks for; what is given twice is given twice there, for once()."""
    return urlencode({name: form.getlist(name) for name in names if name in form}, doseq=True)


def state_of(sent: dict[str, str]) -> str:
    """Returns the state, which goes back with every answer; "" if it is one that can't."""
    state = sent.get("state", "")
    return state if state.isprintable() and len(state) <= LONGEST else ""


def read(sent: dict[str, str], app: App) -> Asked:
    """Returns what once() has found, checked for the app. Raises Refused for what we don't do or can't make out."""
    for name, error in NOT_SUPPORTED.items():
        if name in sent:
            raise Refused(error)
    check_texts(sent)
    check_shape(sent)
    check_pkce(sent, app)
    return Asked(
        client_id=sent["client_id"],
        redirect_uri=sent["redirect_uri"],
        scopes=scopes_of(sent, app),
        state=sent.get("state", ""),
        nonce=sent.get("nonce", ""),
        code_challenge=sent.get("code_challenge", ""),
        prompts=prompts_of(sent),
        max_age=max_age_of(sent),
        id_token_hint=sent.get("id_token_hint", ""),
        login_hint=sent.get("login_hint", ""),
        query=query_of(sent),
    )


def check_texts(sent: dict[str, str]) -> None:
    """Raises Refused for a text that could be neither stored nor sent back."""
    for name in ("state", "nonce"):
        if len(sent.get(name, "")) > LONGEST:
            raise Refused("invalid_request", f"{name} has more than {LONGEST} characters")
    for name, text in sent.items():
        if not text.isprintable():
            raise Refused("invalid_request", f"{name} has characters that can't be printed")


def check_shape(sent: dict[str, str]) -> None:
    """Raises Refused unless a code is asked for, to come back in the query."""
    kind = sent.get("response_type", "")
    if kind != "code":
        raise Refused("unsupported_response_type" if kind else "invalid_request", "response_type must be code")
    if sent.get("response_mode", "query") != "query":
        raise Refused("invalid_request", "response_mode can only be query")


def check_pkce(sent: dict[str, str], app: App) -> None:
    """Raises Refused unless the code is tied to who asked for it: by PKCE with S256, or where that is off by a nonce.

    RFC 7636 §4.4.1, RFC 9700 §2.1.1. A public app has no secret either, so nothing can take the place of PKCE. Some
    products can do neither, and are let off (`products.needs_nonce`).
    """
    challenge = sent.get("code_challenge", "")
    if challenge or "code_challenge_method" in sent:
        if sent.get("code_challenge_method") != "S256":
            raise Refused("invalid_request", "code_challenge_method must be S256")
        if not S256.fullmatch(challenge):
            raise Refused("invalid_request", "code_challenge must be the SHA-256 of the verifier in base64url")
    elif app.pkce or app.is_public:
        raise Refused("invalid_request", "code_challenge is missing: PKCE with S256 is needed")
    elif products.needs_nonce(app) and "nonce" not in sent:
        raise Refused("invalid_request", "nonce is missing: it is needed where PKCE is off")


def scopes_of(sent: dict[str, str], app: App) -> tuple[str, ...]:
    """Returns the scopes that are asked for and that the app may have; others are left out. Refused without openid."""
    wanted = set(sent.get("scope", "").split())
    if "openid" not in wanted:
        raise Refused("invalid_scope", "scope must hold openid")
    return tuple(scope for scope in app.scopes if scope in wanted)


def prompts_of(sent: dict[str, str]) -> frozenset[str]:
    """Returns the prompts. Raises Refused for unknown ones, and for none beside another."""
    prompts = frozenset(sent.get("prompt", "").split())
    if prompts - PROMPTS:
        raise Refused("invalid_request", "prompt can only be none, login, consent or select_account")
    if "none" in prompts and len(prompts) > 1:
        raise Refused("invalid_request", "prompt none can't stand beside others")
    return prompts


def max_age_of(sent: dict[str, str]) -> int | None:
    """Returns how many seconds ago at most the person may have shown who they are; None if that is all the same."""
    text = sent.get("max_age")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise Refused("invalid_request", "max_age must be a number of seconds")
    return int(text)


def query_of(sent: dict[str, str]) -> str:
    """Returns the query that asks the same again. What only helps goes if it is too long; then Refused is raised."""
    query = urlencode(sent)
    if len(query) + len(reverse("sso_authorize")) >= LONGEST_PATH:
        query = urlencode({name: text for name, text in sent.items() if not name.endswith("_hint")})
    if len(query) + len(reverse("sso_authorize")) >= LONGEST_PATH:
        raise Refused("invalid_request", "the request is too long")
    return query
