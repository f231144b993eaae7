"""Who the person is for whom an app has an access token (OpenID Connect Core §5.3)."""

from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Token
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from kit import own_fields
from tests.sso.relying import USERINFO, Relying
from tests.tools.factories import AppFactory

pytestmark = pytest.mark.django_db


def test_get_and_post_tell_the_same(grafana, ada):
    token = grafana.tokens()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}

    got, posted = Client().get(USERINFO, headers=headers), Client().post(USERINFO, headers=headers)

    assert got.json() == posted.json()
    assert got.json() == {
        "sub": str(ada.pk),
        "name": "ada",
        "preferred_username": "ada",
        "email": "ada@example.com",
        "email_verified": True,
        "groups": [],
    }
    assert got.headers["Cache-Control"] == "no-store"


def test_the_name_is_that_which_others_read(grafana, ada):
    ada.name = "Ada Lovelace"
    ada.save()
    tokens = grafana.tokens()

    for told in (grafana.userinfo(tokens["access_token"]).json(), grafana.read(tokens["id_token"])):
        assert (told["name"], told["preferred_username"]) == ("Ada Lovelace", "ada")


def test_only_groups_of_the_app_are_told(signed_in, ada):
    zoo, art, other = (Group.objects.create(name=name) for name in ("zoo", "art, modern", "board"))
    ada.groups.set([zoo, art, other])
    grafana = Relying(AppFactory(groups=[zoo, art, Group.objects.create(name="not hers")]), signed_in)
    tokens = grafana.tokens()

    for told in (grafana.userinfo(tokens["access_token"]).json(), grafana.read(tokens["id_token"])):
        assert told["groups"] == ["art, modern", "zoo"]


def test_what_the_site_asks_people_is_told_with_the_profile(grafana, ada, settings):
    settings.PROFILE_FIELDS = own_fields.parse("name,job,phone:optional", {"sub"})
    ada.settings = {"profile": {"job": "engineer", "phone": "", "groups": "x"}}
    ada.save()

    told = grafana.userinfo(grafana.tokens()["access_token"]).json()

    assert told["job"] == "engineer"
    assert "phone" not in told


def test_a_field_of_the_site_can_be_no_claim_of_the_standard(grafana, ada, settings):
    settings.PROFILE_FIELDS = own_fields.parse("sid,acr", set())
    ada.settings = {"profile": {"sid": "forged", "acr": "forged"}}
    ada.save()

    tokens = grafana.tokens()

    assert "forged" not in grafana.read(tokens["id_token"]).values()
    assert "sid" not in grafana.userinfo(tokens["access_token"]).json()


def test_no_token_is_told_apart_from_a_wrong_one():
    none, wrong = Client().get(USERINFO), Client().get(USERINFO, headers={"Authorization": "Bearer x"})

    assert (none.status_code, wrong.status_code) == (401, 401)
    assert none.headers["WWW-Authenticate"] == "Bearer"  # no error: RFC 6750 §3.1
    assert wrong.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert wrong.json()["error"] == "invalid_token"
    assert wrong.headers["Cache-Control"] == "no-store"


def test_a_token_comes_in_the_header_alone(grafana):
    token = grafana.tokens()["access_token"]

    assert Client().get(USERINFO, {"access_token": token}).status_code == 401
    assert Client().post(USERINFO, {"access_token": token}).status_code == 401


def test_no_other_token_will_do(grafana):
    tokens = grafana.tokens()

    for other in (tokens["refresh_token"], tokens["refresh_token"].partition(".")[2], tokens["id_token"], "", "a b"):
        assert grafana.userinfo(other).status_code == 401


def test_an_access_token_lasts_ten_minutes(grafana):
    token = grafana.tokens()["access_token"]
    left = Token.objects.get(type="at").expires_at - timezone.now()
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)

    Token.objects.filter(type="at").update(expires_at=timezone.now())

    assert grafana.userinfo(token).status_code == 401
    assert not grafana.is_active(token)


def test_a_token_that_hangs_on_no_login_is_worth_nothing(grafana):
    token = Token(type="at", client=grafana.app.client)
    token.set_value("stray")
    token.save()

    assert grafana.userinfo("stray").status_code == 401
