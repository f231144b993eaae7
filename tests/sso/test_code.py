"""A code is spent for tokens, once, by the app for which it was made (RFC 6749 §4.1, RFC 7636, RFC 9700)."""

import pytest
from django.conf import settings

pytestmark = pytest.mark.django_db


def test_a_code_gives_tokens_that_say_who_it_is(grafana, ada):
    answer = grafana.answer(nonce="n/ö %&+ 1", state="s &ü=%")

    tokens = grafana.spend(answer["code"])

    assert answer["state"] == "s &ü=%"
    assert answer["iss"] == settings.SITE_URL
    assert tokens.status_code == 200, tokens.content
    assert tokens.headers["Cache-Control"] == "no-store"
    claims = grafana.read(tokens.json()["id_token"])
    assert claims["sub"] == str(ada.pk)
    assert claims["nonce"] == "n/ö %&+ 1"
    assert claims["preferred_username"] == "ada"
    assert grafana.userinfo(tokens.json()["access_token"]).json()["email"] == ada.email
