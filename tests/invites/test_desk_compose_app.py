"""Choosing an app when people are invited: for all, or in a column, and the group by which the app lets them in."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from invites.batch import lists, rows
from invites.batch.leads import Leads
from invites.models import Batch, Invite
from sso.models import App
from tests.tools.desk import LISTS, check, invite, page_of, send
from tests.tools.factories import PASSWORD, AppFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewers(db):
    return Group.objects.create(name="Viewers")


@pytest.fixture
def editors(db):
    return Group.objects.create(name="Editors")


@pytest.fixture
def billing(db):
    """A group that gives rights at the desk."""
    group = Group.objects.create(name="Billing")
    group.permissions.add(Permission.objects.first())
    return group


@pytest.fixture
def grafana(viewers):
    return AppFactory(pk="grafana1", everybody=False, groups=[viewers])


@pytest.fixture
def wiki(db):
    return AppFactory(pk="wiki1", name="Wiki")


@pytest.fixture
def helper(db):
    """The browser of a member of staff who may invite, and no more."""
    person = UserFactory(username="helper", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="add_invite"))
    client = Client()
    client.post("/login", {"login": "helper", "password": PASSWORD})
    return client


def led():
    """Returns where each person is led: the app, the page and the groups, by address."""
    rows = Invite.objects.order_by("email").with_group_names()
    return {row.email: (row.app_id, row.next, row.group_names) for row in rows}


def problems(content, leads):
    return [str(line.problem) for line in lists.read(rows.of_lines(content.splitlines()), leads)]


def test_the_app_of_all_is_named_in_the_preview_and_puts_them_into_its_group(desk, grafana, mailbox):
    page = check(desk, "kim@example.com", app="grafana1")
    assert "Will be invited With: Viewers · Grafana" in words(page)
    assert "olga invited you to Grafana at Frontdoor" in words(page)
    batch = Batch.objects.get()
    assert "Join and open Grafana" in words(desk.get(page_of(batch, "page")))

    assert "Viewers, Grafana" in words(send(desk, batch))
    assert led() == {"kim@example.com": ("grafana1", "", ["Viewers"])}
    assert mailbox.letters("kim@example.com")[0]["Subject"] == "olga invited you to Grafana at Frontdoor"


def test_an_app_for_everybody_puts_nobody_into_a_group(desk, wiki, editors):
    invite(desk, "kim@example.com", app="wiki1", groups=[editors.pk])
    assert led() == {"kim@example.com": ("wiki1", "", ["Editors"])}


def test_a_column_names_the_app_by_name_or_id_and_wins(desk, grafana, wiki, editors):
    pasted = (
        "email\tприложение\tpage\tgroup\na@x.example\tWIKI\t\t\nb@x.example\t\t/hi\t\n"
        "c@x.example\t\t\tEditors\nd@x.example\twiki1"
    )
    invite(desk, pasted, app="grafana1")
    assert led() == {
        "a@x.example": ("wiki1", "", []),
        "b@x.example": (None, "/hi", []),
        "c@x.example": ("grafana1", "", ["Editors", "Viewers"]),
        "d@x.example": ("wiki1", "", []),
    }


def test_what_is_wrong_with_an_app_is_said_beside_its_line(desk, grafana, wiki):
    check(desk, "email,app,page\na@x.example,Jira,\nb@x.example,Wiki,/hi\nc@x.example,Wiki,")
    batch = Batch.objects.get()
    said = [row["problem"]["en"] for row in batch.refused]
    assert said == ["There is no app called “Jira”, or it is turned off", "Name an app or a page, not both"]
    assert [row["app"] for row in batch.refused] == ["Jira", "Wiki"]
    assert [row["email"] for row in batch.entries] == ["c@x.example"]


def test_of_several_groups_one_must_be_chosen(desk, grafana, viewers, editors):
    grafana.groups.add(editors)
    page = check(desk, "kim@example.com", app="grafana1")
    assert "Several groups let people into Grafana. Choose one: Editors, Viewers" in words(page)
    assert 'aria-describedby="id_groups_error"' in page.text
    assert not Batch.objects.exists()

    invite(desk, "kim@example.com", app="grafana1", groups=[editors.pk])
    assert led() == {"kim@example.com": ("grafana1", "", ["Editors"])}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"staff_only": True}, "Grafana is only for staff, and an invitation makes nobody staff"),
        ({"groups": None}, "Grafana lets nobody in yet. Choose under Apps who may use it"),
        ({"is_active": False}, "The app you chose is gone or turned off. Choose again"),
    ],
)
def test_an_app_that_an_invitation_can_not_open_is_refused_beside_the_field(desk, grafana, changed, said):
    if changed.pop("groups", "") is None:
        grafana.groups.clear()
    App.objects.update(**changed or {"is_active": True})
    page = check(desk, "kim@example.com", app="grafana1")
    assert said in words(page)
    assert not Batch.objects.exists()


def test_an_app_or_a_page(desk, wiki):
    page = check(desk, "kim@example.com", app="wiki1", next="/welcome")
    assert "Choose an app or a page, not both" in words(page)


def test_only_a_superuser_invites_into_an_app_whose_group_gives_rights(desk, helper, billing):
    AppFactory(pk="bills", name="Bills", everybody=False, groups=[billing])
    said = "Only a superuser may invite people to Bills: its group gives rights at the desk"
    assert said in words(check(helper, "kim@example.com", app="bills"))
    check(helper, "email,app\nkim@example.com,Bills")
    assert Batch.objects.get().refused[0]["problem"]["en"] == said

    check(desk, "kim@example.com", app="bills")
    assert Batch.objects.first().entries[0]["groups"] == [billing.pk]


def test_who_can_open_the_app_already_is_told_apart(desk, ada, grafana, wiki, viewers):
    page = check(desk, "email,app\nada@example.com,Wiki")
    assert "Has an account With: Can open Wiki already, or is turned off" in words(page)
    page = check(desk, "ada@example.com", app="grafana1")
    assert "Has an account, joins Viewers" in words(page)
    ada.groups.add(viewers)
    assert "Can open Grafana already" in words(check(desk, "ada@example.com", app="grafana1"))


def test_to_change_something_the_app_is_as_it_was_chosen(desk, grafana, wiki, editors):
    check(desk, "email,app\na@x.example,Wiki\nb@x.example,", app="grafana1", groups=[editors.pk])
    form = desk.get(f"{LISTS}add/", {"from": Batch.objects.get().pk}).context["form"]
    assert form["app"].value() == "grafana1"
    assert form["groups"].value() == [editors.pk]  # not the one that comes with the app
    again = {"pasted": form["pasted"].value(), "app": "grafana1", "groups": [editors.pk]}
    before = Batch.objects.get()
    check(desk, **again)
    after = Batch.objects.first()
    assert [without(row) for row in after.entries] == [without(row) for row in before.entries]
    assert after.common == before.common


def without(row):
    return {name: value for name, value in row.items() if name != "line"}


def test_the_form_begins_with_the_app_of_its_address(desk, grafana):
    page = desk.get(f"{LISTS}add/", {"app": "grafana1"})
    assert '<option value="grafana1" selected>Grafana</option>' in page.text
    App.objects.update(is_active=False)
    assert "App they come for" not in words(desk.get(f"{LISTS}add/"))


def test_two_apps_of_one_name_are_told_apart_by_their_ids(wiki):
    AppFactory(pk="wiki2", name="Wiki")
    leads = Leads.of(None)
    assert problems("email,app\na@x.example,Wiki", leads) == ["Several apps are called “Wiki”. Write the client ID"]
    assert problems("email,app\na@x.example,wiki2", leads) == [""]


def test_the_command_invites_into_an_app(grafana, wiki, capsys, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("email,app\na@x.example,\nb@x.example,Wiki\n")
    call_command("send_invites", file=str(people), app="Grafana")
    assert led() == {"a@x.example": ("grafana1", "", ["Viewers"]), "b@x.example": ("wiki1", "", [])}
    with pytest.raises(CommandError, match="There is no app called “Jira”"):
        call_command("send_invites", "c@x.example", app="Jira")
    with pytest.raises(CommandError, match="Name an app or a page, not both"):
        call_command("send_invites", "c@x.example", app="Wiki", next="/hi")
    capsys.readouterr()


def test_an_app_that_is_deleted_after_the_check_is_left_out(desk, grafana):
    check(desk, "kim@example.com", app="grafana1")
    grafana.client.delete()
    batch = Batch.objects.get()
    assert desk.get(page_of(batch)).status_code == 200
    send(desk, batch)
    assert led() == {"kim@example.com": (None, "", ["Viewers"])}
