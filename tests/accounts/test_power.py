"""Power at the desk leaves a trace: who did it, to whom, and mails to that person and to all other superusers."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import power
from accounts.models import Event, User
from outbox.models import OutboxEvent
from tests.tools.desk import invite
from tests.tools.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague(db):
    return UserFactory(username="boss", email="boss@example.com", is_staff=True, is_superuser=True)


def save(desk, person, **changed):
    form = {"username": person.username, "email": person.email, "is_active": "on"} | changed
    assert desk.post(f"/admin/accounts/user/{person.pk}/change/", form).status_code == 302


def events(kind):
    return list(Event.objects.filter(kind=kind))


@pytest.mark.parametrize("right", ["is_staff", "is_superuser", "groups"])
def test_new_rights_are_two_events_and_mails_to_all_concerned(desk, ada, admin_user, colleague, mailbox, right):
    helpers = Group.objects.create(name="helpers")
    save(desk, ada, **{right: str(helpers.pk) if right == "groups" else "on"})

    (whom,), (who,) = events("rights_changed"), events("power_used")
    assert (whom.user, whom.detail["by"], whom.detail["staff"]) == (ada, "staff", "olga")
    expected = [[], ["helpers"]] if right == "groups" else [False, True]
    assert whom.detail["changed"] == {right: expected}
    assert (who.user, who.ip, who.detail["whom"]) == (admin_user, "127.0.0.1", str(ada.pk))
    assert mailbox.kinds("ada@example.com") == ["rights_changed"]
    said = " ".join(mailbox.text("ada@example.com").split())
    assert "olga changed what you may do at Frontdoor" in said
    assert {"groups": "Groups: – → helpers", "is_staff": "May use the desk: no → yes"}.get(right, "no → yes") in said
    assert mailbox.kinds("boss@example.com") == ["power_used"]
    assert "power_used" not in mailbox.kinds("olga@example.com")
    text = mailbox.text("boss@example.com")
    assert "olga has made this change" in " ".join(text.split())
    assert "ada: changed" in text


def test_rights_that_are_taken_away_are_told_too(desk, colleague, mailbox):
    save(desk, colleague, is_staff="on")

    assert "May do everything at the desk: yes → no" in mailbox.text("boss@example.com")


def test_another_address_is_told_to_the_other_superusers(desk, ada, colleague, mailbox):
    save(desk, ada, email="new@example.net")

    assert [event.detail["staff"] for event in events("email_changed")] == ["olga"]
    assert mailbox.kinds("boss@example.com") == ["power_used"]
    assert "new@example.net" not in mailbox.text("boss@example.com")  # masked, as in the mail to its owner


def test_another_name_is_told_to_its_owner_alone(desk, ada, colleague, mailbox):
    save(desk, ada, username="hopper")

    assert mailbox.kinds("ada@example.com") == ["changed_by_staff"]
    assert not mailbox.kinds("boss@example.com")


def test_a_form_that_changes_nothing_leaves_no_trace(desk, ada, colleague, mailbox):
    before = Event.objects.count()

    save(desk, ada)

    assert Event.objects.count() == before
    assert not mailbox.kinds("boss@example.com")


def test_somebody_who_is_added_with_rights_is_no_secret(desk, colleague, mailbox):
    form = {"username": "hopper", "email": "hopper@example.com", "is_active": "on", "is_superuser": "on"}
    assert desk.post("/admin/accounts/user/add/", form).status_code == 302

    assert [event.user.username for event in events("rights_changed")] == ["hopper"]
    assert mailbox.kinds("boss@example.com") == ["power_used"]


@pytest.mark.parametrize("way", ["one", "several"])
def test_a_deletion_is_an_event_of_whoever_did_it_and_names_nobody(desk, ada, admin_user, colleague, mailbox, way):
    if way == "one":
        desk.post(f"/admin/accounts/user/{ada.pk}/delete/", {"post": "yes"})
    else:
        chosen = {"action": "delete_selected", "_selected_action": [str(ada.pk)], "index": "0", "post": "yes"}
        desk.post("/admin/accounts/user/", chosen)

    assert not User.objects.filter(pk=ada.pk).exists()
    (who,) = events("power_used")
    assert (who.user, who.detail["done"]) == (admin_user, "deleted")
    assert "ada" not in str(who.detail)
    assert mailbox.kinds("boss@example.com") == ["power_used"]


THINGS = [
    ("/admin/auth/group/add/", {"name": "helpers"}, r"group helpers: added"),
    ("/admin/outbox/webhook/add/", {"url": "https://8.8.8.8/hook", "is_active": "on"}, r"webhook 8\.8\.8\.8: added"),
]


@pytest.mark.parametrize(("path", "form", "said"), THINGS)
def test_groups_and_webhooks_are_told_to_the_other_superusers(desk, admin_user, colleague, mailbox, path, form, said):
    assert desk.post(path, form).status_code in {200, 302}

    (who,) = events("power_used")
    assert (who.user, who.detail["done"]) == (admin_user, "added")
    text = " ".join(mailbox.text("boss@example.com").split())
    assert re.search(said, text)


def test_groups_deleted_together_are_one_event_and_one_mail(desk, colleague, mailbox):
    chosen = [str(Group.objects.create(name=name).pk) for name in ("helpers", "leaders")]
    desk.post(
        "/admin/auth/group/", {"action": "delete_selected", "_selected_action": chosen, "index": "0", "post": "yes"}
    )

    (who,) = events("power_used")
    assert who.detail["what"] == "groups leaders, helpers"
    assert mailbox.kinds("boss@example.com") == ["power_used"]


def test_a_group_that_is_deleted_is_told_to_its_members(desk, ada, announced, mailbox):
    helpers, leaders = (Group.objects.create(name=name) for name in ("helpers", "leaders"))
    grace = UserFactory(username="grace", settings={"language": "en"})
    ada.groups.set([helpers, leaders])
    grace.groups.set([helpers])
    OutboxEvent.objects.all().delete()
    assert "helpers" in desk.get(f"/admin/auth/group/{helpers.pk}/delete/").text

    assert desk.post(f"/admin/auth/group/{helpers.pk}/delete/", {"post": "yes"}).status_code == 302

    told = {event.user: event for event in events("rights_changed")}
    assert told[ada].detail["changed"] == {"groups": [["helpers", "leaders"], ["leaders"]]}
    assert (told[ada].detail["by"], told[ada].detail["staff"]) == ("staff", "olga")
    assert told[grace].detail["changed"] == {"groups": [["helpers"], []]}
    for person in (ada, grace):
        assert mailbox.kinds(person.email) == ["rights_changed"]
    assert "Groups: helpers, leaders → leaders" in mailbox.text(ada.email)
    updates = {payload["user"]: payload for name, payload in announced() if name == "user.updated"}
    assert updates[str(ada.pk)]["groups"] == ["leaders"]
    assert updates[str(grace.pk)]["changed"] == ["groups"]


def test_groups_with_members_are_deleted_by_as_many_statements_however_many_they_are(desk):
    def statements(number):
        group = Group.objects.create(name=f"group-{number}")
        group.user_set.set([UserFactory() for _ in range(number)])
        with CaptureQueriesContext(connection) as queries:
            desk.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})
        assert not Group.objects.filter(pk=group.pk).exists()
        return len(queries)

    assert statements(2) == statements(12)


@pytest.mark.parametrize("at_once", [False, True])
def test_a_group_with_too_many_members_is_not_deleted(desk, ada, monkeypatch, at_once):
    monkeypatch.setattr(power, "MEMBERS", 1)
    helpers = Group.objects.create(name="helpers")
    helpers.user_set.set([ada, UserFactory(username="grace")])
    path, form = f"/admin/auth/group/{helpers.pk}/delete/", {"post": "yes"}
    if at_once:
        path = "/admin/auth/group/"
        form |= {"action": "delete_selected", "_selected_action": [str(helpers.pk)], "index": "0"}

    page = desk.post(path, form)

    assert "helpers: more than 1 people are in it. Take people out of it first" in page.text
    assert Group.objects.get() == helpers
    assert not events("rights_changed")


def test_a_mail_names_twenty_of_many_things_and_how_many_they_are(desk, colleague, mailbox):
    chosen = [str(Group.objects.create(name=f"group-{number:02}").pk) for number in range(21)]
    desk.post(
        "/admin/auth/group/", {"action": "delete_selected", "_selected_action": chosen, "index": "0", "post": "yes"}
    )

    text = " ".join(mailbox.text("boss@example.com").split())
    assert "group-01 … (21): deleted" in text
    assert "group-00" not in text


def test_the_number_of_people_who_were_deleted_together_is_recorded(desk, ada, colleague, mailbox):
    people = [ada, UserFactory(username="grace"), UserFactory(username="alan")]
    chosen = {"action": "delete_selected", "_selected_action": [str(one.pk) for one in people], "index": "0"}
    desk.post("/admin/accounts/user/", chosen | {"post": "yes"})

    (who,) = events("power_used")
    assert who.detail["what"] == "A person’s account × 3"
    assert mailbox.kinds("boss@example.com") == ["power_used"]


def act(desk, action, *people):
    form = {"action": action, "index": "0", "_selected_action": [str(person.pk) for person in people]}
    assert desk.post("/admin/accounts/user/", form).status_code == 302


@pytest.mark.parametrize("rights", [{"is_staff": True}, {"is_staff": True, "is_superuser": True}])
def test_turning_staff_off_and_on_is_told_to_the_other_superusers(desk, ada, admin_user, colleague, mailbox, rights):
    User.objects.filter(pk=ada.pk).update(**rights)
    kept = dict.fromkeys(rights, "on")
    for active in ({"is_active": ""}, {"is_active": "on"}):
        save(desk, ada, **kept, **active)

    assert [(event.user, event.detail["whom"]) for event in events("power_used")] == [(admin_user, str(ada.pk))] * 2
    assert mailbox.kinds("boss@example.com") == ["power_used", "power_used"]
    assert mailbox.kinds("ada@example.com") == ["changed_by_staff", "changed_by_staff"]
    assert "The account was turned on" in mailbox.text("boss@example.com")


def test_another_name_of_a_superuser_is_told_to_the_others(desk, ada, colleague, mailbox):
    User.objects.filter(pk=ada.pk).update(is_staff=True, is_superuser=True)
    save(desk, ada, username="hopper", is_staff="on", is_superuser="on")

    assert mailbox.kinds("boss@example.com") == ["power_used"]
    assert "ada → hopper" in mailbox.text("boss@example.com")


def test_staff_who_are_turned_off_together_are_one_event_and_one_mail(desk, ada, admin_user, colleague, mailbox):
    staff = [UserFactory(username=name, is_staff=True) for name in ("grace", "alan")]
    act(desk, "turn_off", ada, *staff)

    (who,) = events("power_used")
    assert who.user == admin_user
    assert set(who.detail["whom"].split(", ")) == {str(person.pk) for person in staff}
    assert mailbox.kinds("boss@example.com") == ["power_used"]
    text = " ".join(mailbox.text("boss@example.com").split())
    assert "grace" in text
    assert "alan" in text
    assert "The account was turned off" in text
    assert "ada" not in text
    assert {event.detail["staff"] for event in events("turned_off")} == {"olga"}


def test_turning_off_others_is_no_matter_for_superusers(desk, ada, colleague, mailbox):
    act(desk, "turn_off", ada)

    assert not events("power_used")
    assert not mailbox.kinds("boss@example.com")


ACTS = [
    ("end_sessions", ["signed_out"]),
    ("mail_reset", ["reset_mailed"]),
    ("turn_off", ["turned_off"]),
    ("pause", ["invites_paused"]),
]


@pytest.mark.parametrize(("action", "kinds"), ACTS)
def test_an_action_is_in_the_history_of_whom_it_was_done_to_and_names_who_did_it(desk, ada, action, kinds):
    act(desk, action, ada)

    done = [(event.kind, event.detail) for event in ada.events.exclude(kind="created")]
    assert [kind for kind, _detail in done] == kinds
    assert all(detail == {"by": "staff", "staff": "olga"} for _kind, detail in done)


def test_allowing_invitations_again_names_who_did_it(desk, ada):
    act(desk, "pause", ada)
    act(desk, "allow", ada)

    (allowed,) = events("invites_allowed")
    assert (allowed.user, allowed.detail["staff"]) == (ada, "olga")


def test_pausing_in_the_tree_of_inviters_names_who_did_it(desk, ada):
    for paused in ({"paused": "1"}, {}):
        desk.post(f"/admin/invites/inviter/{ada.pk}/pause/", paused)

    for kind in ("invites_paused", "invites_allowed"):
        (event,) = events(kind)
        assert (event.user, event.detail["staff"]) == (ada, "olga")


def test_who_is_turned_off_hears_of_nothing(desk, colleague, mailbox):
    User.objects.filter(pk=colleague.pk).update(is_active=False)
    desk.post("/admin/auth/group/add/", {"name": "helpers"})

    assert events("power_used")
    assert not mailbox.kinds("boss@example.com")


def test_only_so_many_superusers_are_mailed(desk, colleague, mailbox, monkeypatch):
    monkeypatch.setattr("accounts.power.MOST_TOLD", 1)
    UserFactory(username="second", email="second@example.com", is_staff=True, is_superuser=True)
    desk.post("/admin/auth/group/add/", {"name": "helpers"})

    assert mailbox.kinds("boss@example.com") == ["power_used"]
    assert not mailbox.kinds("second@example.com")


def test_the_history_is_in_english_whatever_language_staff_read(desk):
    desk.post("/language", {"language": "ru"})
    assert 'lang="ru"' in desk.get("/admin/").text
    desk.post("/admin/auth/group/add/", {"name": "helpers"})

    (who,) = events("power_used")
    assert who.detail["what"] == "group helpers"


def test_what_gives_no_power_is_not_told(desk, colleague, mailbox):
    invite(desk, "grace@example.com")

    assert mailbox.kinds("grace@example.com") == ["invite"]
    assert not events("power_used")
    assert not mailbox.kinds("boss@example.com")


def test_only_superusers_add_change_and_delete_groups(colleague):
    helpers = Group.objects.create(name="helpers")
    helper = UserFactory(username="helper", is_staff=True)
    helper.groups.add(helpers)
    helper.user_permissions.set(Permission.objects.filter(content_type__model="group"))
    everything = [str(pk) for pk in Permission.objects.values_list("pk", flat=True)]
    client = Client()
    client.force_login(helper)

    for page in ("add/", f"{helpers.pk}/change/", f"{helpers.pk}/delete/"):
        form = {"name": "helpers", "permissions": everything, "post": "yes"}
        assert client.post(f"/admin/auth/group/{page}", form).status_code == 403
    client.post("/admin/auth/group/", {"action": "delete_selected", "_selected_action": [helpers.pk], "post": "yes"})

    assert list(Group.objects.all()) == [helpers]
    assert not helpers.permissions.exists()
    assert client.get("/admin/auth/group/").status_code == 200
