"""Where staff, commands and the invited read to which app an invitation is: list, page, history, exports."""

import csv
import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts import sentences
from accounts.models import Event, User
from invites import privacy
from invites.models import Invite
from sso.models import App
from tests.tools.factories import AppFactory, InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

LIST = "/admin/invites/invite/"


@pytest.fixture
def grafana(db):
    return AppFactory(pk="grafana1")


@pytest.fixture
def invite(grafana):
    InviteFactory(email="other@example.com")
    return InviteFactory(email="kim@example.com", app=grafana, invited_by=UserFactory(username="maria"))


def run(*options):
    out = StringIO()
    call_command(*options, stdout=out)
    return out.getvalue()


def test_the_list_shows_the_app_and_finds_the_invitations_to_it(desk, invite):
    assert ">Grafana</td>" in desk.get(LIST).text
    found = words(desk.get(LIST, {"app": "grafana1"}))
    assert "kim@example.com" in found
    assert "other@example.com" not in found
    assert desk.get(LIST, {"app": "unknown"}).status_code == 302


def test_without_apps_there_is_no_such_filter(desk):
    InviteFactory()
    assert "app=" not in desk.get(LIST).text


def test_the_page_of_an_invitation_names_the_app_also_once_it_is_turned_off(desk, invite):
    page = f"{LIST}{invite.pk}/change/"
    assert "<dt>App</dt><dd>Grafana<" in desk.get(page).text
    App.objects.update(is_active=False)
    assert "<dt>App</dt><dd>Grafana (turned off)<" in desk.get(page).text


@pytest.mark.parametrize(
    ("who", "said"),
    [("maria", "maria invited kim@example.com to Grafana"), (None, "kim@example.com was invited to Grafana")],
)
def test_the_history_says_to_which_app(invite, who, said):
    person = User.objects.filter(username=who).first()
    event = Event.objects.record(Event.Kind.INVITED, person, about=invite.pk)
    assert sentences.sentence(event) == said


def test_the_lists_of_desk_and_commands_name_the_app_and_choose_by_it(desk, invite):
    rows = list(csv.DictReader(StringIO(run("list_invites", "--format", "csv", "--app", "Grafana").lstrip("\ufeff"))))
    assert [(row["email"], row["app"]) for row in rows] == [("kim@example.com", "Grafana")]
    found = json.loads(run("list_invites", "--format", "json", "--app", "grafana1"))
    assert [(row["email"], row["app"]) for row in found] == [("kim@example.com", "Grafana")]
    assert "Grafana" in run("list_invites")
    with pytest.raises(CommandError, match="There is no app called “Jira”"):
        run("list_invites", "--app", "Jira")
    AppFactory(pk="grafana2")
    with pytest.raises(CommandError, match="Several apps are called “Grafana”: grafana1, grafana2"):
        run("list_invites", "--app", "Grafana")


def test_only_the_invitations_to_an_app_are_withdrawn(invite):
    run("revoke_invites", "--app", "Grafana", "--no-input")
    assert {row.email: row.state for row in Invite.objects.all()} == {
        "kim@example.com": "revoked",
        "other@example.com": "pending",
    }


def test_the_export_of_a_person_names_the_app(invite):
    (sent,) = privacy.invites(User.objects.get(username="maria"))
    assert sent["app"] == "Grafana"
