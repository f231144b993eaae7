"""Whatever an app, or a stranger, sends to the doors for apps: a clear error in JSON, and never a 500."""

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sso.relying import INTROSPECT, REVOKE, TOKEN, USERINFO, basic
from tests.tools.factories import APP_SECRET

pytestmark = pytest.mark.django_db

FIELDS = st.sampled_from(
    ["grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "token", "client_id", "resource"]
)
VALUES = st.one_of(
    st.sampled_from(["authorization_code", "refresh_token", "a.b", "", "openid", "ey.ey.ey", "%00", "https://x/"]),
    st.text(st.characters(blacklist_categories=["Cs"]), max_size=40),
)
HEADERS = st.one_of(st.none(), st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))


@given(
    path=st.sampled_from([TOKEN, USERINFO, INTROSPECT, REVOKE]), form=st.dictionaries(FIELDS, VALUES), header=HEADERS
)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_odd_fields_and_headers(app, path, form, header):
    authorization = basic(app.pk, APP_SECRET) if header is None else header

    answer = Client(raise_request_exception=False).post(path, form, headers={"Authorization": authorization})

    assert answer.status_code < 500, answer.content


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", "x", ""])
def test_odd_bodies(app, kind):
    headers = {"Authorization": basic(app.pk, APP_SECRET)}
    for body in (b"", b"{}", b"\xff\xfe", b"--x\r\n", b"a=%ff&a=%00"):
        answer = Client(raise_request_exception=False).generic("POST", TOKEN, body, kind, headers=headers)
        assert 400 <= answer.status_code < 500


def test_a_field_given_twice_is_refused(grafana):
    answer = grafana.server.post(TOKEN, grafana.credentials() | {"grant_type": ["refresh_token", "refresh_token"]})

    assert answer.status_code == 400


def test_other_methods(app):
    for path in (TOKEN, INTROSPECT, REVOKE):
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = Client().generic(method, path)
            assert (answer.status_code, answer.json()["error"]) == (405, "invalid_request")
