"""Secrets at rest: no key, no secret."""

import json
import secrets

import pytest
from allauth.mfa.models import Authenticator

from config.environment.variables import env
from config.keys import encryption_keys
from kit import encryption
from tests.tools import phone

pytestmark = pytest.mark.django_db

OLD, NEW = "the old key, which is long enough " * 2, "the new key, which is long enough too " * 2


@pytest.fixture(autouse=True)
def old_key(settings):
    settings.ENCRYPTION_KEYS = [OLD]


def test_what_is_encrypted_says_nothing_and_is_never_the_same_twice():
    first, second = encryption.encrypt("JBSWY3DP"), encryption.encrypt("JBSWY3DP")

    assert "JBSWY3DP" not in first
    assert first != second
    assert encryption.decrypt(first) == encryption.decrypt(second) == "JBSWY3DP"


def test_what_we_have_not_encrypted_cannot_be_read(subtests):
    for broken in ("", "x", "gAAAAA", "JBSWY3DP", "ключ"):
        with subtests.test(broken=broken), pytest.raises(encryption.Unreadable):
            encryption.decrypt(broken)


def test_nothing_in_the_rows_opens_anything(ada):
    phone.pair(ada)

    rows = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))

    assert phone.SECRET not in rows
    assert not [code for code in ada.second_factor.recovery_codes if code in rows]


def keys(monkeypatch, **variables):
    for name in ("ENCRYPTION_KEY", "ENCRYPTION_KEY_FALLBACKS"):
        monkeypatch.delitem(env.ENVIRON, name, raising=False)
    for name, value in variables.items():
        monkeypatch.setitem(env.ENVIRON, name, value)
    return encryption_keys("signing", "signed before")


def test_keys_come_from_the_environment_and_the_signing_key_stands_in(monkeypatch):
    long = secrets.token_urlsafe(60)

    assert keys(monkeypatch) == ["signing", "signed before"]
    assert keys(monkeypatch, ENCRYPTION_KEY=long) == [long, "signing", "signed before"]
    assert keys(monkeypatch, ENCRYPTION_KEY=long, ENCRYPTION_KEY_FALLBACKS="a,b")[1:3] == ["a", "b"]
    assert keys(monkeypatch, ENCRYPTION_KEY_FALLBACKS="a") == ["signing", "signed before", "a"]


def test_a_weak_key_stops_the_start(monkeypatch):
    with pytest.raises(SystemExit, match="ENCRYPTION_KEY is weak"):
        keys(monkeypatch, ENCRYPTION_KEY="short")


def test_what_was_encrypted_by_an_earlier_release_can_still_be_read(settings):
    settings.ENCRYPTION_KEYS = ["0123456789" * 5]
    once = "gAAAAABrAejpV7Y-ZEJiJTUH0afSZHgPq5vbj9Td8R-gaCuw9sS1pSW-09Y9Xyq73rFqfi-UwpZkXvdjGRAKoVeb4pD_GLtfqQ=="

    assert encryption.decrypt(once) == "a secret"
