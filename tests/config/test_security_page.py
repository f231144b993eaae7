"""docs/security.md shows what the code holds."""

from datetime import timedelta
from pathlib import Path

from django.core.management import call_command

from accounts import limits as accounts
from invites import limits as invites
from kit import limits as kit
from operations import security_facts
from outbox import limits as outbox
from sso import limits as apps

PAGE = Path(__file__).parents[2] / "docs/security.md"


def printed(capsys):
    call_command("security_facts")
    return capsys.readouterr().out.strip()


def test_the_page_shows_what_the_command_prints(capsys, in_earnest):
    shown = PAGE.read_text().partition("a test compares -->")[2].strip()

    assert shown == printed(capsys), "put what `manage.py security_facts` prints at the end of docs/security.md"


def test_the_command_reads_the_settings_of_the_site(settings, capsys):
    settings.DESK_IDLE_MINUTES = 7

    assert "| 7 minutes |" in printed(capsys)


def test_every_limit_is_in_the_table():
    names = {name for module in (accounts, invites, apps, outbox, kit) for name in vars(module) if name.isupper()}

    assert sorted(name.upper().replace(" ", "_") for name, _number in security_facts.limits()) == sorted(
        names - {"NOT_LOCKED"}
    )


def test_no_number_of_the_ways_in_is_written_by_hand(monkeypatch):
    for module, name, value in (
        (security_facts.steps, "LINK_LIFETIME", timedelta(minutes=7)),
        (security_facts, "SECRET_SIZE", 4),
        (security_facts, "CODES", 99),
        (security_facts.devices, "TRUSTED_FOR", timedelta(days=3)),
    ):
        monkeypatch.setattr(module, name, value)

    strengths = " ".join(strength for _way, _proves, strength in security_facts.ways_in())

    assert all(said in strengths for said in ("7 minutes", "32 bits", "99 codes", "3 days"))
