"""Leaked passwords: the command that makes their file, the start, each door, and what a stranger learns: nothing."""

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Session, User
from accounts.password import breaches
from invites.models import MagicLink
from tests.config.test_start import GOOD, ROOT
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.program import Program, codes
from tests.tools.reading import words

LEAKED = "zucchini wagon ümlaut harvest"
ON_A_LIST = "leaked"


def sha1(text):
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest().upper()


def listed(folder, *passwords, more=""):
    path = folder / "list.txt"
    path.write_text("".join(f"{sha1(one)}:{n}\r\n" for n, one in enumerate(passwords, 1)) + more, newline="")
    return path


def run(*command, **options):
    out = io.StringIO()
    call_command("build_breach_filter", *map(str, command), stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def leaked(tmp_path, settings):
    """A file of leaked passwords, PASSWORD and LEAKED among them."""
    run(listed(tmp_path, PASSWORD, LEAKED, *map(str, range(500))), tmp_path / "filter", verbosity=0)
    settings.PASSWORD_BREACHES_FILE = str(tmp_path / "filter")


# The command


def test_the_command_says_what_it_has_made(tmp_path):
    source = listed(tmp_path, *map(str, range(20_000)), more="hello\n\nDEAD:1\n")

    said = run(source, tmp_path / "filter")

    assert said.startswith("20,000 hashes in 40,000 bytes. False positives: 0.")
    assert "expected. 2 lines were not SHA-1:COUNT and were left out." in said
    report = json.loads(run(source, tmp_path / "filter", "--format", "json"))
    assert (report["hashes"], report["malformed"], report["bytes"]) == (20_000, 2, 40_000)
    assert 0 < report["false_positives_expected"] < 0.002
    assert 0 < report["false_positives"] < 0.003


def test_the_list_may_come_through_a_pipe(tmp_path):
    source = listed(tmp_path, *map(str, range(1_000)))
    command = [sys.executable, "manage.py", "build_breach_filter", "-", tmp_path / "filter"]
    with source.open("rb") as file:
        done = subprocess.run(
            [*command, "--count", "1000"], cwd=ROOT, env=os.environ | GOOD, stdin=file, capture_output=True, check=False
        )

    assert done.stdout.startswith(b"1,000 hashes in 2,000 bytes."), done.stderr
    run(source, tmp_path / "other", verbosity=0)
    assert (tmp_path / "filter").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("-", "filter"), "add --count", 2),
        (("nothing.txt", "filter"), "nothing.txt: No such file", 1),
        (("list.txt", "no/filter"), "no/filter: No such file", 1),
        (("other.txt", "filter"), "no line of SHA-1:COUNT", 1),
        (("other.txt", "filter", "--count", "9"), "no line of SHA-1:COUNT", 1),
    ],
)
def test_a_list_that_cannot_be_used_changes_nothing(tmp_path, monkeypatch, arguments, said, code):
    monkeypatch.chdir(tmp_path)
    listed(tmp_path, "one")
    Path("other.txt").write_text("0123456789ABCDEF0123456789ABCDEF:3\n")  # NTLM, of which there are lists too
    Path("filter").write_text("as it was")

    with pytest.raises(CommandError, match=said) as refused:
        run(*arguments)

    assert refused.value.returncode == code
    assert Path("filter").read_text() == "as it was"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["filter", "list.txt", "other.txt"]


# The start


def start(path):
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | GOOD | {"PASSWORD_BREACHES_FILE": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "can't be read: No such file"),
        (lambda path: path.mkdir(), "can't be read: Is a directory"),
        (lambda path: path.write_bytes(b""), "is not a filter"),
        (lambda path: path.write_text("SHA-1:1\n" * 99), "is not a filter"),
        (lambda path: (run(listed(path.parent, "a", "b"), path), os.truncate(path, 70)), "has been cut off"),
    ],
    ids=["missing", "a folder", "empty", "the list itself", "cut off"],
)
def test_a_file_that_cannot_be_used_stops_the_start_with_one_line(tmp_path, make, said):
    make(tmp_path / "filter")

    done = start(tmp_path / "filter")

    assert done.returncode == 1
    assert done.stderr.startswith("PASSWORD_BREACHES_FILE")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_site_starts_with_a_whole_file(tmp_path):
    run(listed(tmp_path, "one"), tmp_path / "filter")

    assert start(tmp_path / "filter").returncode == 0


def test_a_file_that_goes_away_later_stops_nobody(settings, caplog, tmp_path):
    settings.PASSWORD_BREACHES_FILE = str(tmp_path / "gone")

    assert not breaches.is_breached(LEAKED)
    assert "PASSWORD_BREACHES_FILE is not used" in caplog.text


# Choosing a password


def test_a_password_counts_in_whatever_form_it_is_typed(leaked):
    assert breaches.is_breached(LEAKED)
    assert breaches.is_breached(LEAKED.replace("ü", "u\u0308"))
    assert not breaches.is_breached("zucchini wagon harvest")


@pytest.mark.django_db
def test_no_door_takes_a_leaked_password(leaked, mailbox, ada):
    mine, program = Client(), Program()
    mine.force_login(ada)
    program.sign_in("ada", PASSWORD)
    MagicLink.objects.issue(ada.email, purpose="reset")
    token = mailbox.link(ada.email, "/reset/password").partition("token=")[2]

    for page in (
        mine.post("/account/password", {"password": PASSWORD, "chosen": LEAKED}),
        Client().post("/reset/password", {"token": token, "password": LEAKED}),
        Client().post("/signup", {"email": "grace@example.com", "username": "grace", "password": LEAKED}),
    ):
        assert ON_A_LIST in words(page)
    answer = program.send("/api/v1/account/password", "PUT", password=PASSWORD, new_password=LEAKED)
    assert codes(answer) == ["password_breached"]
    assert User.objects.get().check_password(PASSWORD)


# Signing in


def sign_in(client=None, **typed):
    return (client or Client()).post("/login", {"login": "ada", "password": PASSWORD} | typed, follow=True)


def test_whoever_signs_in_with_a_leaked_password_is_asked_to_choose_another(leaked, ada):
    client = Client()

    page = sign_in(client, next="/account/settings")

    assert page.redirect_chain == [("/account/settings", 302)]
    assert ON_A_LIST in words(page)
    assert 'href="/account/password"' in page.text
    assert ON_A_LIST not in words(client.get("/account"))  # said once
    client.post("/logout/here")
    assert ON_A_LIST in words(sign_in(client))


def test_the_page_that_leads_on_to_another_host_stays_until_the_warning_is_read(leaked, ada, settings):
    settings.SIGNED_IN_URL = "https://app.example.com/"
    client = Client()

    page = sign_in(client)

    assert page.redirect_chain == [("/onward", 302)]
    assert ON_A_LIST in words(page)
    assert "Refresh" not in page
    assert 'href="https://app.example.com/"' in page.text
    assert client.get("/onward")["Refresh"] == "0; url=https://app.example.com/"


def test_a_stranger_is_never_told(leaked, ada):
    for login, password in (("ada", LEAKED), ("nobody", LEAKED), ("nobody", PASSWORD)):
        client = Client()
        page = sign_in(client, login=login, password=password)
        assert "leaked" not in page.text
        assert "messages" not in client.cookies
    assert not Session.objects.exists()


def test_before_the_second_step_nobody_is_told(leaked, ada):
    phone.pair(ada)
    client = Client()

    assert "leaked" not in sign_in(client).text
    assert "leaked" not in client.get("/").text
    page = client.post("/login/code", {"code": phone.code()}, follow=True)

    assert ON_A_LIST in words(page)


def test_a_note_about_one_account_is_not_told_to_another(leaked, ada):
    phone.pair(ada)
    UserFactory(username="grace", password="plumage visor ocelot")
    client = Client()
    sign_in(client)

    page = sign_in(client, login="grace", password="plumage visor ocelot")

    assert page.redirect_chain == [("/account", 302)]
    assert "leaked" not in page.text


def test_another_way_in_says_nothing_of_the_password(leaked, ada, mailbox):
    MagicLink.objects.issue(ada.email)
    token = mailbox.link(ada.email, "/confirm").partition("token=")[2]

    assert "leaked" not in Client().post("/confirm", {"token": token}, follow=True).text


def test_programs_are_told_by_a_member(leaked, ada):
    program = Program()

    assert program.sign_in("ada", PASSWORD).json()["password_breached"] is True
    assert "password_breached" not in program.look().json()
    assert "password_breached" not in Program().sign_in("ada", LEAKED).json()


def test_programs_are_told_after_the_second_step(leaked, ada):
    phone.pair(ada)
    program = Program()

    assert "password_breached" not in program.sign_in("ada", PASSWORD).text
    assert program.send("/api/v1/auth/login/code", code=phone.code()).json()["password_breached"] is True


def test_a_password_that_has_not_leaked_is_not_spoken_of(ada):
    page = sign_in()

    assert "leaked" not in page.text
    assert "password_breached" not in Program().sign_in("ada", PASSWORD).json()
