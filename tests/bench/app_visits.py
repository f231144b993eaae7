"""What apps behind the door cost: the workloads of tests.bench.requests for OpenID Connect."""

from types import SimpleNamespace
from urllib.parse import urlencode

from django.conf import settings

from accounts.session.store import SessionStore
from sso import codes
from sso.tokens import client, code
from tests.bench.visits import Request, Workload, enter, people, same
from tests.sso.relying import TOKEN, USERINFO, VERIFIER, challenge
from tests.tools.factories import APP_SECRET, AppFactory

SCOPES = ("openid", "profile", "email", "groups")


def app_workloads():
    grafana = Grafana()
    bearer = {"Authorization": f"Bearer {grafana.tokens()['access_token']}"}
    return [
        Workload("app: authorize", 40, grafana.authorize),
        Workload("app: tokens for a code", 40, grafana.spend),
        Workload("app: refresh", 40, grafana.refresh),
        Workload("app: userinfo", 100, same(Request(USERINFO, headers=bearer))),
        Workload("app: wrong secret", 100, same(Request(TOKEN, 401, form=grafana.who | {"client_secret": "wrong"}))),
    ]


class Grafana:
    """An app, with people who come from here."""

    def __init__(self):
        self.app = AppFactory()
        self.redirect_uri = self.app.client.get_redirect_uris()[0]
        self.who = {"client_id": self.app.pk, "client_secret": APP_SECRET}

    def authorize(self, batch):
        query = {
            "client_id": self.app.pk,
            "redirect_uri": self.redirect_uri,
            "response_type": "code",
            "scope": " ".join(SCOPES),
            "state": "s",
            "nonce": "n",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        }
        path = f"/identity/o/authorize?{urlencode(query)}"
        return [Request(path, 302, self.redirect_uri, cookies=enter(user)) for user in people(batch)]

    def spend(self, batch):
        return [Request(TOKEN, form=self.who | self.form(user)) for user in people(batch)]

    def refresh(self, batch):
        grant = {"grant_type": "refresh_token"}
        return [
            Request(TOKEN, form=self.who | grant | {"refresh_token": self.tokens(user)["refresh_token"]})
            for user in people(batch)
        ]

    def form(self, user):
        """Returns what the app sends for a new code."""
        session = SessionStore(enter(user)[settings.SESSION_COOKIE_NAME])
        asked = codes.Asked(self.app.pk, self.redirect_uri, SCOPES, nonce="n", code_challenge=challenge())
        url = codes.issue(SimpleNamespace(user=user, session=session), self.app, asked)
        value = url.partition("code=")[2].partition("&")[0]
        grant = {"grant_type": "authorization_code", "code": value}
        return grant | {"redirect_uri": self.redirect_uri, "code_verifier": VERIFIER}

    def tokens(self, user=None):
        return code.spend(self.form(user or people(1)[0]), client.Caller(self.app, APP_SECRET))
