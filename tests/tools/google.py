"""A stand-in for Google on loopback: its sign-in page, its token endpoint and its certificates.

It refuses what Google refuses, and makes the trouble that a test asks for. Its pages work with scripts off.
"""

import base64
import hashlib
import html
import json
import os
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from functools import cache, partial
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

CALLBACK = "/api/v1/auth/google/response"
ISSUER = "https://accounts.google.com"
CODE_LIFETIME = 60  # seconds
TOKEN_LIFETIME = 60 * 60  # seconds
HANG = 30  # seconds at most, unless release() is called sooner

AUTHORIZE, CONSENT, TOKEN, CERTS = "/o/oauth2/v2/auth", "/consent", "/token", "/oauth2/v1/certs"

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Stand-in for Google</title>
<h1>Stand-in for Google</h1>
{}
"""
FORM = """<p>{hint}</p>
<form method="post" action="/consent">
<input type="hidden" name="visit" value="{visit}">
<button name="answer" value="continue">Continue as {email}</button>
<button name="answer" value="cancel">Cancel</button>
</form>"""


@dataclass(frozen=True)
class Person:
    """The person at the browser, as far as Google knows."""

    sub: str = "110169484474386276334"
    email: str = "ada@gmail.com"
    email_verified: Any = True
    hd: str = ""  # the domain of a Workspace


class TokenAnswer(Enum):
    """The ways in which the token endpoint answers a good code."""

    NORMAL = auto()
    ERROR = auto()  # a 500
    NOT_JSON = auto()
    LIST = auto()
    NO_ID_TOKEN = auto()
    BAD_SIGNATURE = auto()
    HANG = auto()  # reads the request and does not answer
    DROP = auto()  # closes the connection


class Visit(NamedTuple):
    path: str
    query: dict[str, str]  # of the URL, or of a posted form


@dataclass(frozen=True)
class Grant:
    """The request and the person that a code was issued for."""

    asked: dict[str, str]
    person: Person
    at: float


class Refused(Exception):
    """The error for a wrong request; its text is what Google would answer."""


class Keys:
    """The key that signs tokens, and its certificate. Making it takes a tenth of a second."""

    def __init__(self):
        self.kid = secrets.token_hex(20)
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stand-in for Google")])
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.private.public_key())
        # The certificate is valid for long, as tests turn the clock.
        builder = builder.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        builder = builder.not_valid_after(datetime.now(UTC) + timedelta(days=3650))
        certificate = builder.serial_number(x509.random_serial_number()).sign(self.private, hashes.SHA256())
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM).decode()

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.private, algorithm="RS256", headers={"kid": self.kid})


class Google:
    """The stand-in. Tests set `person`, and for trouble `claims`, `token_answer` or `registered`."""

    client_id = "stand-in.apps.googleusercontent.com"
    client_secret = "known-to-the-stand-in-only"

    def __init__(self):
        self.keys, self.held = Keys(), []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.reset()
        Thread(target=self.server.serve_forever, args=[0.1], daemon=True).start()

    def reset(self) -> None:
        self.person = Person()
        self.claims: dict[str, Any] = {}  # they replace claims of the id token; None removes one
        self.token_answer = TokenAnswer.NORMAL
        self.register(os.environ["SITE_URL"])
        self.visits: list[Visit] = []
        self.asked: dict[str, dict[str, str]] = {}  # the queries of the consent pages shown, by visit
        self.grants: dict[str, Grant] = {}  # by code
        self.release()

    def register(self, site_url: str) -> None:
        """Sets the one address that Google sends people back to."""
        self.registered = site_url + CALLBACK

    def release(self) -> None:
        """Ends all requests that hang."""
        for event in self.held:
            event.set()

    def close(self) -> None:
        self.release()
        self.server.shutdown()
        self.server.server_close()

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that lead the settings to this stand-in."""
        return {
            "GOOGLE_BASE_URL": self.url,
            "GOOGLE_CLIENT_ID": self.client_id,
            "GOOGLE_CLIENT_SECRET": self.client_secret,
        }

    # A browser at Google

    def consent(self, location: str) -> str:
        """Opens a URL at Google that the site led to, and continues. Returns the path and query of the way back."""
        return self._answer(location, "continue")

    def cancel(self, location: str) -> str:
        return self._answer(location, "cancel")

    def _answer(self, location: str, answer: str) -> str:
        self._need(location.startswith(f"{self.url}{AUTHORIZE}?"), f"not on the way to Google: {location}")
        _status, page = self.ask("GET", location.removeprefix(self.url))
        form = re.search(r'name="visit" value="(.+?)"', page)
        self._need(form, f"Google says: {page}")
        back, said = self.ask("POST", CONSENT, visit=form[1], answer=answer)
        self._need(back.status == 302, f"Google says: {said}")
        url = urlsplit(back.headers["Location"])
        return f"{url.path}?{url.query}"

    def ask(self, method: str, path: str, **form: str) -> tuple[HTTPResponse, str]:
        """Sends one request; returns the response and its text. Uses no proxy, follows no redirect."""
        connection = HTTPConnection("127.0.0.1", self.server.server_port, timeout=HANG)
        try:
            kind = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
            connection.request(method, path, urlencode(form) if form else None, kind)
            response = connection.getresponse()
            return response, response.read().decode()
        finally:
            connection.close()

    def _need(self, true: Any, otherwise: str) -> None:
        if not true:
            raise AssertionError(otherwise)

    # The answers of Google

    def authorize(self, query: dict[str, str]) -> str:
        """Returns the HTML of the consent page. Raises Refused if the query is wrong."""
        demand(query.get("client_id") == self.client_id, "client refused")
        demand(query.get("redirect_uri") == self.registered, "redirect_uri refused")
        demand(query.get("response_type") == "code", "response_type refused")
        demand(sorted(query.get("scope", "").split(" ")) == ["email", "openid"], "scope refused")
        demand(query.get("state"), "state missing")
        demand(query.get("nonce"), "nonce missing")
        demand(re.fullmatch(r"[\w-]{43}", query.get("code_challenge", "")), "code_challenge refused")
        demand(query.get("code_challenge_method") == "S256", "code_challenge_method refused")
        visit = secrets.token_urlsafe()
        self.asked[visit] = query
        hint = f"Asked for {query['login_hint']}" if "login_hint" in query else ""
        return FORM.format(visit=visit, hint=html.escape(hint), email=html.escape(self.person.email))

    def decide(self, form: dict[str, str]) -> str:
        """Returns the URL that the browser goes to from the consent page. Raises Refused for an unknown visit."""
        asked = self.asked.get(form.get("visit", ""))
        demand(asked, "visit unknown")
        if form.get("answer") != "continue":
            return f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': asked['state']})}"
        code = f"4/{secrets.token_urlsafe()}"
        self.grants[code] = Grant(asked, self.person, time.time())
        return f"{asked['redirect_uri']}?{urlencode({'state': asked['state'], 'code': code, 'scope': asked['scope']})}"

    def exchange(self, form: dict[str, str]) -> Grant:
        """Returns the grant of a code, which works once, even if other fields are wrong. Raises Refused if any is."""
        grant = self.grants.pop(form.get("code", ""), None)
        demand(grant and time.time() - grant.at < CODE_LIFETIME, "code refused")
        demand(form.get("client_id") == self.client_id, "client refused")
        demand(form.get("client_secret") == self.client_secret, "client refused")
        demand(form.get("grant_type") == "authorization_code", "grant_type refused")
        demand(form.get("redirect_uri") == grant.asked["redirect_uri"], "redirect_uri refused")
        demand(challenge(form.get("code_verifier", "")) == grant.asked["code_challenge"], "code_verifier refused")
        return grant

    def token(self, grant: Grant) -> dict[str, Any]:
        answer = {"access_token": f"ya29.{secrets.token_urlsafe()}", "expires_in": 3599, "token_type": "Bearer"}
        return answer | {"scope": grant.asked["scope"], "id_token": self.id_token(grant)}

    def id_token(self, grant: Grant) -> str:
        now, person = int(time.time()), grant.person
        claims = {"iss": ISSUER, "aud": self.client_id, "azp": self.client_id, "sub": person.sub}
        claims |= {"email": person.email, "email_verified": person.email_verified, "nonce": grant.asked["nonce"]}
        claims |= {"iat": now, "exp": now + TOKEN_LIFETIME, "jti": secrets.token_hex(20)}
        claims |= {"hd": person.hd} if person.hd else {}
        claims |= self.claims
        return self.keys.sign({name: value for name, value in claims.items() if value is not None})

    def hang(self) -> None:
        event = Event()
        self.held.append(event)
        event.wait(HANG)
        self.held.remove(event)


def demand(true: Any, otherwise: str) -> None:
    if not true:
        raise Refused(otherwise)


def challenge(verifier: str) -> str:
    """Returns the code challenge of a verifier (RFC 7636 §4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Handler(BaseHTTPRequestHandler):
    """The HTTP side of the stand-in, which leaves all that is Google's to Google."""

    def __init__(self, google: Google, *args: Any):
        self.google = google
        super().__init__(*args)

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        self.answer(path, query, {AUTHORIZE: self.authorize, CERTS: self.certs})

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.answer(self.path, form, {CONSENT: self.consent, TOKEN: self.token})

    def answer(self, path: str, text: str, answers: dict[str, Callable]) -> None:
        fields = parse_qs(text, keep_blank_values=True)
        query = {name: values[0] for name, values in fields.items()}
        if path not in answers:  # browsers ask for icons
            self.say(404, PAGE.format("Not found"))
            return
        self.google.visits.append(Visit(path, query))
        try:
            demand(len(query) == sum(map(len, fields.values())), "parameter repeated")  # RFC 6749 §3.1
            answers[path](query)
        except Refused as refused:
            if path == TOKEN:
                self.say_json({"error": "invalid_grant", "error_description": str(refused)}, status=400)
            else:
                self.say(400, PAGE.format(f"<p>{refused}</p>"))

    def authorize(self, query: dict[str, str]) -> None:
        self.say(200, PAGE.format(self.google.authorize(query)))

    def consent(self, form: dict[str, str]) -> None:
        self.say(302, "", Location=self.google.decide(form))

    def certs(self, _query: dict[str, str]) -> None:
        self.say_json({self.google.keys.kid: self.google.keys.certificate})

    def token(self, form: dict[str, str]) -> None:
        token = self.google.token(self.google.exchange(form))
        match self.google.token_answer:
            case TokenAnswer.NORMAL:
                self.say_json(token)
            case TokenAnswer.ERROR:
                self.say(500, PAGE.format("Error"))
            case TokenAnswer.NOT_JSON:
                self.say(200, PAGE.format("Hello"), kind="application/json")
            case TokenAnswer.LIST:
                self.say_json([token])
            case TokenAnswer.NO_ID_TOKEN:
                self.say_json({name: value for name, value in token.items() if name != "id_token"})
            case TokenAnswer.BAD_SIGNATURE:
                signed, signature = token["id_token"].rpartition(".")[0], self.google.keys.sign({}).rpartition(".")[2]
                self.say_json(token | {"id_token": f"{signed}.{signature}"})
            case TokenAnswer.HANG:
                self.google.hang()
            case TokenAnswer.DROP:
                pass  # the connection closes after each request

    def say_json(self, answer: Any, status: int = 200) -> None:
        self.say(status, json.dumps(answer), kind="application/json; charset=utf-8")

    def say(self, status: int, body: str, kind: str = "text/html; charset=utf-8", **headers: str) -> None:
        content = body.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: Any) -> None:
        """Logs nothing, as it would stand among the results of tests."""


@cache
def stand_in() -> Google:
    """Returns the stand-in of this process, and starts it at the first call."""
    return Google()
