"""The command pause_inviter: keeps people from inviting others, and lets them again, as the desk does."""

import json

import pytest
from django.core.management import CommandError, call_command

from accounts.management.people import find_people
from accounts.models import Event, User
from invites.management.commands import pause_inviter
from invites.models import Invite, Inviter
from tests.tools.factories import UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def paused(ada):
    """Another person, who was paused before."""
    return UserFactory(username="grace", invites_paused_at="2026-11-01T00:00Z")


def run(capsys, *options):
    call_command("pause_inviter", *options)
    return capsys.readouterr().out


def events():
    rows = Event.objects.filter(kind__in=["invites_paused", "invites_allowed"]).order_by("id")
    return list(rows.values_list("kind", "user__username", "detail"))


def is_paused(name):
    return User.objects.get(username=name).invites_paused_at is not None


def test_a_paused_member_cannot_invite_until_they_are_allowed_again(capsys, settings, signed_in, ada, paused):
    settings.MEMBERS_INVITE = True
    since = User.objects.get(pk=paused.pk).invites_paused_at

    assert run(capsys, "ada", "grace", "Ada@Example.com") == "1 of 2 people may not invite now\n"

    assert events() == [("invites_paused", "ada", {"by": "command"})]
    assert User.objects.get(pk=paused.pk).invites_paused_at == since
    assert "are paused" in words(signed_in.post("/account/invites", {"email": "guest@example.com", "note": ""}))

    assert run(capsys, "ada", "--allow") == "1 of 1 person may invite again\n"

    assert events()[-1] == ("invites_allowed", "ada", {"by": "command"})
    assert (is_paused("ada"), is_paused("grace")) == (False, True)
    signed_in.post("/account/invites", {"email": "guest@example.com", "note": ""})
    assert Invite.objects.get().invited_by == ada


def test_a_dry_run_pauses_nobody(capsys, ada, paused):
    assert run(capsys, "ada", "grace", "--dry-run") == "DRY RUN  1 of 2 people may not invite now\n"
    report = json.loads(run(capsys, "ada", "grace", "--allow", "--dry-run", "--format", "json"))

    assert report == {"command": "pause_inviter", "dry_run": True, "people": 2, "allowed": 1}
    assert (is_paused("ada"), is_paused("grace")) == (False, True)
    assert events() == []


def test_an_unknown_name_stops_the_command_before_anybody_is_paused(ada):
    with pytest.raises(CommandError, match=r"nobody called eve\. Nothing was changed") as refused:
        call_command("pause_inviter", "ada", "eve")

    assert refused.value.returncode == 2
    assert not is_paused("ada")


def test_a_member_who_is_paused_meanwhile_is_passed_over(capsys, ada, monkeypatch):
    def find_late(logins):
        people = find_people(logins)
        Inviter.objects.filter(pk=ada.pk).pause()
        return people

    monkeypatch.setattr(pause_inviter, "find_people", find_late)

    assert run(capsys, "ada") == "0 of 1 person may not invite now\n"
    assert events() == []
