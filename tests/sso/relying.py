"""An app that lets people in by this site: it gets codes, and spends them as apps do."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import jwt
from django.conf import settings
from django.contrib.auth import get_user
from django.test import Client, RequestFactory

from accounts.session.store import SessionStore
from sso import codes, keys
from sso.models import App
from tests.tools.factories import APP_SECRET

VERIFIER = "v" * 43
TOKEN, USERINFO, INTROSPECT, REVOKE = (
    f"/identity/o/api/{name}" for name in ("token", "userinfo", "introspect", "revoke")
)


def challenge(verifier=VERIFIER):
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def basic(client_id, secret):
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


class Relying:
    """An app, and the browser of somebody who is signed in to the site."""

    def __init__(self, app: App, browser: Client):
        self.app, self.browser = app, browser
        self.redirect_uri = app.client.get_redirect_uris()[0]
        self.server = Client(REMOTE_ADDR="203.0.113.9")

    def request(self):
        """A request of the browser, as a view gets it."""
        request = RequestFactory().get("/identity/o/authorize")
        request.session = SessionStore(self.browser.cookies[settings.SESSION_COOKIE_NAME].value)
        request.user = get_user(request)
        return request

    def answer(self, **asked):
        """Returns what the app's address is called with."""
        fields = {
            "client_id": self.app.pk,
            "redirect_uri": self.redirect_uri,
            "scopes": ("openid", "profile", "email", "groups"),
            "state": "st",
            "nonce": "no",
            "code_challenge": challenge(),
        }
        url = codes.issue(self.request(), self.app, codes.Asked(**(fields | asked)))
        assert url.startswith(self.redirect_uri)
        return {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}

    def code(self, **asked):
        return self.answer(**asked)["code"]

    def credentials(self):
        return {"client_id": self.app.pk} | ({} if self.app.is_public else {"client_secret": APP_SECRET})

    def post(self, path, **fields):
        return self.server.post(path, self.credentials() | fields)

    def spend(self, code, **fields):
        """Asks for the tokens of a code; a field that is None is left out."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": VERIFIER,
        } | fields
        return self.post(TOKEN, **{name: value for name, value in form.items() if value is not None})

    def tokens(self, **asked):
        answer = self.spend(self.code(**asked))
        assert answer.status_code == 200, answer.content
        return answer.json()

    def refresh(self, token, **fields):
        return self.post(TOKEN, grant_type="refresh_token", refresh_token=token, **fields)

    def userinfo(self, token):
        return self.server.get(USERINFO, headers={"Authorization": f"Bearer {token}"})

    def is_active(self, token):
        return self.post(INTROSPECT, token=token).json()["active"]

    def read(self, id_token):
        """Returns the claims of an ID token, whose signature is checked with the published keys."""
        published = jwt.PyJWKSet.from_dict(self.server.get("/.well-known/jwks.json").json())
        key = published[jwt.get_unverified_header(id_token)["kid"]]
        return jwt.decode(id_token, key, algorithms=[keys.ALGORITHM], audience=self.app.pk, issuer=settings.SITE_URL)
