"""rotate_secrets: secrets are encrypted with the first key, and their plain text stays the same."""

import json
import threading

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from operations.management.commands import rotate_secrets
from sso import keys
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

OLD, NEW = "the old key, which is long enough " * 2, "the new key, which is long enough too " * 2


@pytest.fixture(autouse=True)
def old_key(settings):
    settings.ENCRYPTION_KEYS = [OLD]


def signs_in(code):
    client = Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})
    return client.post("/login/code", {"code": code}).status_code == 302


def test_a_new_key_reads_the_old_secrets_and_makes_them_its_own(ada, settings, capsys):
    phone.pair(ada)
    codes = ada.second_factor.recovery_codes

    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert signs_in(phone.code())
    call_command("rotate_secrets")
    assert "2 secrets encrypted with the first key" in capsys.readouterr().out

    settings.ENCRYPTION_KEYS = [NEW]
    assert signs_in(phone.code(steps=1))
    assert User.objects.get().second_factor.recovery_codes == codes
    assert signs_in(codes[0])


def test_keys_that_sign_for_apps_are_read_by_the_new_key(settings):
    keys.forget()
    kid = keys.signing().kid

    settings.ENCRYPTION_KEYS = [NEW, OLD]
    call_command("rotate_secrets")

    settings.ENCRYPTION_KEYS = [NEW]
    keys.forget()
    assert keys.signing().kid == kid


def test_it_forgets_no_code_that_was_used(ada, settings):
    phone.pair(ada)
    code, recovery = phone.code(), ada.second_factor.recovery_codes[0]
    assert signs_in(code)
    assert signs_in(recovery)

    settings.ENCRYPTION_KEYS = [NEW, OLD]
    call_command("rotate_secrets")

    assert not signs_in(code)
    assert not signs_in(recovery)


def test_it_may_be_repeated(ada, settings, capsys):
    phone.pair(ada)
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    for _ in range(3):
        call_command("rotate_secrets")

    settings.ENCRYPTION_KEYS = [NEW]
    call_command("rotate_secrets", "--format", "json")
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said == {"command": "rotate_secrets", "dry_run": False, "secrets": 2, "unreadable": 0}


def test_a_dry_run_only_looks(ada, settings, capsys):
    phone.pair(ada)
    before = list(Authenticator.objects.order_by("pk").values("data"))
    settings.ENCRYPTION_KEYS = [NEW, OLD]

    call_command("rotate_secrets", "--dry-run")

    assert "DRY RUN  2 secrets can be read\n" in capsys.readouterr().out
    assert list(Authenticator.objects.order_by("pk").values("data")) == before


def test_what_cannot_be_read_is_counted_kept_and_said(ada, settings, capsys):
    phone.pair(ada)
    settings.ENCRYPTION_KEYS = [NEW]
    phone.pair(UserFactory(username="grace"))
    before = list(Authenticator.objects.filter(user=ada).order_by("pk").values("data"))

    with pytest.raises(CommandError, match="2 secrets could not be read") as stopped:
        call_command("rotate_secrets")

    assert stopped.value.returncode == 1
    assert "2 secrets encrypted" in capsys.readouterr().out
    assert list(Authenticator.objects.filter(user=ada).order_by("pk").values("data")) == before
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    call_command("rotate_secrets")


def test_batches_leave_nobody_out(settings, monkeypatch, capsys):
    monkeypatch.setattr(rotate_secrets, "BATCH", 3)
    for n in range(4):
        phone.pair(UserFactory(username=f"racer{n}"))
    settings.ENCRYPTION_KEYS = [NEW, OLD]

    call_command("rotate_secrets")

    assert "8 secrets" in capsys.readouterr().out
    settings.ENCRYPTION_KEYS = [NEW]
    assert all(len(user.second_factor.recovery_codes) == 10 for user in User.objects.all())


@pytest.mark.django_db(transaction=True)
def test_a_code_that_is_used_meanwhile_stays_used(ada, settings):
    phone.pair(ada)
    code = phone.code()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    started, done = threading.Event(), threading.Event()

    def rotate():
        started.set()
        try:
            call_command("rotate_secrets")
        finally:
            done.set()
            connection.close()

    worker = threading.Thread(target=rotate)
    with transaction.atomic():  # the use of the code is not committed yet
        assert User.objects.get().second_factor.check(code)
        worker.start()
        assert started.wait(10)
        assert not done.wait(0.5)
    worker.join(10)
    caches["default"].clear()  # allauth has marked the code as used there, too

    assert User.objects.get().second_factor.check(code) == ""
    settings.ENCRYPTION_KEYS = [NEW]
    assert User.objects.get().second_factor.check(phone.code(steps=1)) == "totp"
