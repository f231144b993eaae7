"""The command suppressions: lists the addresses that no mail goes to, and lifts all but the wishes of owners."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from outbox.models import OutboxMessage, Suppression

pytestmark = pytest.mark.django_db

WISH = "its owner asked on"


@pytest.fixture(autouse=True)
def suppressed(db):
    """Two addresses whose mail came back, one of them long ago, and one whose owner wants none, the newest."""
    for email in ("ada@example.com", "grace@example.com"):
        Suppression.objects.suppress(email, f"550 5.1.1 No {email}")
    Suppression.objects.filter(recipient="ada@example.com").update(created_at=timezone.now() - timedelta(days=40))
    Suppression.objects.opt_out("eve@example.com")


def run(capsys, *options):
    call_command("suppressions", *options)
    return capsys.readouterr()


def as_json(capsys, *options):
    return [row["email"] for row in json.loads(run(capsys, *options, "--format", "json").out)["suppressions"]]


def test_they_are_listed_with_their_reasons_the_newest_first(capsys):
    eve, grace, ada = run(capsys).out.splitlines()

    assert eve.startswith("(kept only as a hash)  since 20")
    assert eve.endswith("  the owner asked never to be written to")
    assert grace.startswith("grace@example.com  since 20")
    assert ada.endswith("  550 5.1.1 No ada@example.com")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ([], [None, "grace@example.com", "ada@example.com"]),
        (["--cause", "bounce"], ["grace@example.com", "ada@example.com"]),
        (["--cause", "wish"], [None]),
        (["--older-than", "30d"], ["ada@example.com"]),
        (["--cause", "wish", "--older-than", "30d"], []),
        (["--email", " Grace@Example.com"], ["grace@example.com"]),
        (["--email", "eve@example.com"], ["eve@example.com"]),
        (["--email", "eve@example.com", "--cause", "bounce"], []),
        (["--limit", "1"], [None]),
        (["--limit", "0"], []),
    ],
)
def test_the_options_choose_which_are_listed(capsys, options, found):
    assert as_json(capsys, *options) == found


def test_a_list_that_is_cut_or_empty_says_so(capsys):
    assert run(capsys, "--limit", "2").err == "There are more. --limit shows them.\n"
    assert run(capsys, "--limit", "3").err == ""
    assert run(capsys, "--email", "alan@example.com").err == "No such address is suppressed.\n"


def test_a_lifted_address_is_mailed_again_and_its_bounces_count_no_more(capsys):
    OutboxMessage.objects.create(recipient="ada@example.com", kind="invite", found_dead_at=timezone.now())

    said = run(capsys, "--lift", " Ada@Example.com", "grace@example.com", "ada@example.com")

    assert said.out == "mail goes to 2 addresses again\n"
    assert Suppression.objects.among(["ada@example.com", "grace@example.com"]) == {}
    assert not OutboxMessage.objects.filter(found_dead_at__isnull=False).exists()


def test_what_an_owner_asked_for_is_never_lifted(capsys):
    Suppression.objects.suppress("eve@example.com", "550 5.1.1 No such user")

    with pytest.raises(CommandError, match="1 address not lifted") as refused:
        run(capsys, "--lift", "eve@example.com", "grace@example.com")

    assert refused.value.returncode == 3
    said = capsys.readouterr()
    assert said.out == "mail goes to 1 address again\n"
    assert "eve@example.com: its owner asked on" in said.err
    assert "only a link in a mail to them takes that back" in said.err
    assert Suppression.objects.has_opted_out("eve@example.com")


def test_an_address_that_is_mailed_anyway_is_named(capsys):
    said = run(capsys, "--lift", "alan@example.com")

    assert said.out == "mail goes to 0 addresses again\n"
    assert said.err == "alan@example.com: mail goes there already.\n"


def test_a_dry_run_lifts_nothing(capsys):
    with pytest.raises(CommandError):
        run(capsys, "--lift", "ada@example.com", "eve@example.com", "--dry-run", "--format", "json")

    report = json.loads(capsys.readouterr().out)
    assert report == {
        "command": "suppressions",
        "dry_run": True,
        "lifted": ["ada@example.com"],
        "kept": ["eve@example.com"],
    }
    assert Suppression.objects.count() == 3


def test_two_addresses_in_one_argument_are_refused(capsys):
    with pytest.raises(CommandError) as refused:
        run(capsys, "--lift", "ada@example.com,grace@example.com")

    assert refused.value.returncode == 2
    assert Suppression.objects.count() == 3
