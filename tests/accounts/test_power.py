"""Power at the desk leaves a trace: who did it, to whom, and mails to that person and to all other superusers."""

import re

import pytest
from django.contrib.auth.models import Group

from accounts.models import Event, User
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
    assert mailbox.kinds("ada@example.com") == ["changed_by_staff"]
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


def test_groups_deleted_together_are_told_one_by_one(desk, colleague, mailbox):
    chosen = [str(Group.objects.create(name=name).pk) for name in ("helpers", "leaders")]
    desk.post(
        "/admin/auth/group/", {"action": "delete_selected", "_selected_action": chosen, "index": "0", "post": "yes"}
    )

    assert mailbox.kinds("boss@example.com") == ["power_used", "power_used"]
