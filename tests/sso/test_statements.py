"""How many statements each door of the apps costs, without those that begin or end a transaction."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sso import codes, keys
from sso.models import Consent, Login
from tests.sso.relying import Relying, challenge
from tests.tools.factories import AppFactory

pytestmark = pytest.mark.django_db

CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@pytest.fixture
def grafana(signed_in, ada):
    group = Group.objects.create(name="readers")
    ada.groups.add(group)
    keys.published()
    return Relying(AppFactory(everybody=False, groups=[group], second_factor=False), signed_in)


def statements(call, status=200):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = call()
    assert getattr(answer, "status_code", status) == status
    return [one["sql"] for one in captured.captured_queries if not one["sql"].lstrip().startswith(CONTROL)]


def test_token(grafana):
    code = grafana.code()

    assert len(statements(lambda: grafana.spend(code))) <= 10


def test_refresh(grafana):
    tokens = grafana.tokens()

    assert len(statements(lambda: grafana.refresh(tokens["refresh_token"]))) <= 12
    assert len(statements(lambda: grafana.refresh(tokens["refresh_token"]))) <= 14  # in its grace


def test_userinfo(grafana):
    tokens = grafana.tokens()

    assert len(statements(lambda: grafana.userinfo(tokens["access_token"]))) <= 4


def test_introspection(grafana):
    tokens = grafana.tokens()

    assert len(statements(lambda: grafana.post("/identity/o/api/introspect", token=tokens["access_token"]))) <= 4


def test_authorize(grafana):
    query = {
        "client_id": grafana.app.pk,
        "redirect_uri": grafana.redirect_uri,
        "response_type": "code",
        "scope": "openid email",
        "state": "s",
        "nonce": "n",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
    }
    sent = statements(lambda: grafana.browser.get("/identity/o/authorize", query), 302)

    assert len(sent) <= 4


def test_a_code_is_one_statement(grafana):
    request = grafana.request()
    assert request.user.is_authenticated
    asked = codes.Asked(grafana.app.pk, grafana.redirect_uri, ("openid", "email"), code_challenge=challenge())

    assert len(statements(lambda: codes.issue(request, grafana.app, asked))) == 1


def test_whether_a_login_is_alive_is_asked_of_its_own_rows(db):
    """An EXISTS in its place reads all members of all groups, and hashes them, for one token."""
    plan = Login.objects.by_token("at", "x").alive().explain()

    assert "SubPlan" in plan
    assert "hashed" not in plan


@pytest.mark.parametrize(("path", "without_apps"), [("/", 1), ("/account", 5)])
def test_a_site_without_apps_reads_none_for_its_pages(signed_in, path, without_apps):
    signed_in.get(path)
    assert len(statements(lambda: signed_in.get(path))) == without_apps

    AppFactory(name="Wiki")

    assert len(statements(lambda: signed_in.get(path))) == without_apps + 1
    assert "Wiki" in signed_in.get("/").text


def test_what_lists_of_apps_need_is_all_they_read(signed_in, ada):
    """No hash of a secret leaves the database for a page, and no column is read later, one app at a time."""
    for _ in range(3):
        Consent.objects.create(person=ada, app=AppFactory(), scopes=["openid"])

    for path in ("/", "/account", "/api/v1/apps"):
        read = [one for one in statements(lambda path=path: signed_in.get(path)) if 'FROM "sso_app" INNER' in one]
        assert len(read) == 1
        assert "secret" not in read[0]
