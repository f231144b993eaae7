"""The command changepassword: like every other new password it drops all other ways in."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import User
from tests.tools.factories import PASSWORD

NEW = "another horse battery staple"


@pytest.fixture
def typed(monkeypatch):
    """What is typed at the terminal, in order."""
    lines = []
    monkeypatch.setattr("getpass.getpass", lambda _prompt="": lines.pop(0))
    return lines


def run(login):
    out = io.StringIO()
    call_command("changepassword", login, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.mark.parametrize("login", ["ada", "Ada@Example.com"])
def test_a_new_password_drops_every_other_way_in_and_is_told(signed_in, ada, mailbox, typed, login):
    ada.google.adopt("g-1", "ada@gmail.com")
    typed += [NEW, NEW]

    assert run(login) == "Password of ada changed.\n"

    now = User.objects.get(pk=ada.pk)
    assert now.check_password(NEW)
    assert now.google.account is None
    assert now.devices_forgotten_at
    assert signed_in.get("/account").status_code == 302
    assert ada.events.get(kind="password_changed").detail["by"] == "command"
    assert mailbox.kinds("ada@example.com")[-1] == "password_changed"
    assert Client().post("/login", {"login": "ada", "password": NEW}).status_code == 302


@pytest.mark.parametrize("tries", [[""], [NEW, "other"] * 3, ["password", "password"] * 3])
def test_nothing_typed_or_nothing_good_changes_nothing(ada, typed, tries):
    typed += tries

    with pytest.raises(CommandError, match="Nothing was changed"):
        run("ada")

    assert User.objects.get(pk=ada.pk).check_password(PASSWORD)


def test_an_unknown_person_is_a_usage_error(db):
    with pytest.raises(CommandError, match="nobody called eve"):
        run("eve")
