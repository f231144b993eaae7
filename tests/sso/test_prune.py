"""What of apps is deleted once a day."""

import json
from datetime import timedelta

import pytest
from allauth.idp.oidc.models import Token
from django.core.management import call_command
from django.utils import timezone

from sso import keys
from sso.models import Bound, Login, LogoutCall, SigningKey
from sso.models.login import KEPT, UNSPENT_KEPT

pytestmark = pytest.mark.django_db


def prune(capsys, *names):
    capsys.readouterr()
    call_command("prune", "--format", "json")
    said = json.loads(capsys.readouterr().out)
    return said[names[0]] if names else (said["app_tokens"], said["app_logins"], said["signing_keys"])


def test_prune_keeps_what_works(grafana, capsys):
    tokens = grafana.tokens()
    code = grafana.code()
    Login.objects.filter(used_at__isnull=False).update(made_at=timezone.now() - timedelta(days=20))

    assert prune(capsys) == (0, 0, 0)

    assert grafana.userinfo(tokens["access_token"]).status_code == 200
    assert grafana.refresh(tokens["refresh_token"]).status_code == 200
    assert grafana.spend(code).status_code == 200


def test_prune_deletes_tokens_that_are_over(grafana, capsys):
    tokens = grafana.tokens()
    Token.objects.filter(type=Token.Type.ACCESS_TOKEN).update(expires_at=timezone.now())

    assert prune(capsys) == (1, 0, 0)

    assert Bound.objects.count() == 1
    assert grafana.refresh(tokens["refresh_token"]).status_code == 200


def test_prune_deletes_logins_a_month_after_their_end_and_unspent_codes_after_a_day(grafana, capsys):
    now = timezone.now()
    for _ in range(2):
        grafana.tokens()
    Login.objects.end()
    old, ended = Login.objects.order_by("pk")
    Login.objects.filter(pk=old.pk).update(ended_at=now - KEPT)
    Login.objects.filter(pk=ended.pk).update(ended_at=now - KEPT + timedelta(hours=1))
    grafana.code()
    Login.objects.filter(used_at=None).update(made_at=now - UNSPENT_KEPT)

    assert prune(capsys) == (0, 2, 0)

    assert list(Login.objects.all()) == [ended]


def test_prune_deletes_keys_that_are_published_no_more(capsys):
    keys.published()
    SigningKey.objects.update(ends_at=timezone.now())

    assert prune(capsys) == (0, 0, 1)


def test_prune_deletes_calls_that_nobody_makes_any_more(capsys):
    now = timezone.now()
    rows = [
        LogoutCall.objects.create(client_id="app", **{field: now - timedelta(days=days, minutes=1)})
        for field, days in [("told_at", 6), ("told_at", 7), ("given_up_at", 29), ("given_up_at", 30), ("made_at", 90)]
    ]

    call_command("prune")

    assert list(LogoutCall.objects.order_by("pk")) == [rows[0], rows[2], rows[4]]
