"""The keys that sign: one is made when it is needed, and the next takes over without anybody noticing."""

from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from kit import encryption
from sso import engine, keys
from sso.models import SigningKey

pytestmark = pytest.mark.django_db


@pytest.fixture
def new_keys(monkeypatch):
    """Keys that differ."""
    made = iter([keys.rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)])
    form = (
        keys.serialization.Encoding.PEM,
        keys.serialization.PrivateFormat.PKCS8,
        keys.serialization.NoEncryption(),
    )
    monkeypatch.setattr(keys, "new_pem", lambda: next(made).private_bytes(*form).decode())


def published():
    return [key["kid"] for key in Client().get("/.well-known/jwks.json").json()["keys"]]


def kid(tokens):
    return jwt.get_unverified_header(tokens["id_token"])["kid"]


def test_the_first_key_is_made_when_it_is_needed_and_encrypted():
    assert not SigningKey.objects.exists()

    (name,) = published()

    row = SigningKey.objects.get()
    assert "PRIVATE KEY" not in row.pem
    assert "PRIVATE KEY" in encryption.decrypt(row.pem)
    assert keys.signing().kid == name


def test_the_first_key_outlives_the_request_that_needed_it(grafana, monkeypatch):
    """A process that remembered a key which is rolled back would sign what nobody can verify."""
    code, made = grafana.code(), []

    def fail(*_args):
        made.append(keys.signing())
        raise RuntimeError

    monkeypatch.setattr(engine, "make_tokens", fail)
    with pytest.raises(RuntimeError):
        grafana.spend(code)

    assert encryption.decrypt(SigningKey.objects.get().pem) == made[0].pem


def test_a_process_asks_for_keys_with_one_statement_every_few_seconds(django_assert_num_queries, monkeypatch):
    keys.published()
    with django_assert_num_queries(0):
        keys.published()

    keys._Known.until = 0
    with django_assert_num_queries(1):
        keys.published()


def test_a_new_key_is_published_first_and_signs_later(new_keys, grafana):
    old = keys.signing()
    before = grafana.tokens()

    row = keys.rotate()

    assert len(published()) == 2
    assert row.signs_from - timezone.now() > timedelta(minutes=59)
    assert kid(grafana.tokens()) == old.kid == kid(before)

    SigningKey.objects.filter(pk=row.pk).update(signs_from=timezone.now())
    keys.forget()
    after = grafana.tokens()
    assert kid(after) != old.kid
    for tokens in (before, after):
        assert grafana.read(tokens["id_token"])["iss"] == settings.SITE_URL


def test_the_old_key_stays_until_all_that_it_signed_is_over_and_a_day(new_keys):
    keys.published()
    new = keys.rotate()

    old = SigningKey.objects.exclude(pk=new.pk).get()

    assert old.ends_at == new.signs_from + timedelta(hours=1) + timedelta(days=1)
    assert new.ends_at is None
    SigningKey.objects.filter(pk=old.pk).update(ends_at=timezone.now())
    keys.forget()
    assert len(published()) == 1
    assert list(SigningKey.objects.prunable()) == [old]


def test_after_a_theft_no_other_key_is_worth_anything(new_keys, grafana, capsys):
    stolen, before = keys.signing(), grafana.tokens()

    call_command("rotate_signing_key", "--now")

    (kept,) = published()
    assert kid(grafana.tokens()) == kept != stolen.kid
    with pytest.raises(KeyError):
        grafana.read(before["id_token"])


def test_a_key_that_nobody_can_decrypt_is_left_out_and_told_once(new_keys, grafana, settings, caplog):
    lost = keys.signing()
    settings.ENCRYPTION_KEYS = ["another-key-" * 4]

    for _ in range(3):
        keys.forget()
        (kept,) = published()

    assert kid(grafana.tokens()) == kept != lost.kid
    assert caplog.text.count("a secret cannot be read") == 1
    assert keys.unreadable() == 1


def test_what_we_sign_ourselves_fits_the_published_keys():
    token = keys.sign({"aud": "x"}, typ="logout+jwt")

    key = jwt.PyJWKSet.from_dict(Client().get("/.well-known/jwks.json").json())[keys.signing().kid]
    assert jwt.decode(token, key, algorithms=["RS256"], audience="x") == {"aud": "x"}
    assert jwt.get_unverified_header(token)["typ"] == "logout+jwt"


def test_keys_are_encrypted_again_with_the_first_encryption_key(settings, capsys):
    keys.published()
    settings.ENCRYPTION_KEYS = ["another-key-" * 4, *settings.ENCRYPTION_KEYS]

    call_command("rotate_secrets")

    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    keys.forget()
    assert keys.signing().kid
    assert "1 secrets encrypted" in capsys.readouterr().out
