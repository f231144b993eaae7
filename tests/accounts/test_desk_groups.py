"""Groups at the desk: what their members may do there, in words."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts.desk.rights import KNOWN
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


def test_a_group_may_give_rights_and_lose_them_again(desk):
    desk.post("/admin/auth/group/add/", {"name": "Helpers", "rights": ["view_invite", "add_invite"]})
    helpers = Group.objects.get()
    page = f"/admin/auth/group/{helpers.pk}/change/"
    assert sorted(helpers.permissions.values_list("codename", flat=True)) == ["add_invite", "view_invite"]
    assert desk.get(page).content.decode().count("checked") == 2

    desk.post(page, {"name": "Helpers", "rights": ["add_invite", "view_user"]})

    assert sorted(helpers.permissions.values_list("codename", flat=True)) == ["add_invite", "view_user"]


def test_forms_speak_our_words(desk):
    lists = {"auth/group": "New group", "accounts/user": "New person", "outbox/webhook": "New webhook"}
    for path, adding in lists.items():
        assert f'/add/" class="btn tight">{adding}</a>' in desk.get(f"/admin/{path}/").text
        page = desk.get(f"/admin/{path}/add/")
        assert f"<h1>{adding}</h1>" in page.text
        assert "Nothing was saved" not in page.text

    page = desk.post("/admin/auth/group/add/", {"name": ""})
    assert "Nothing was saved yet. Look at the fields that are marked below." in words(page)
    assert "Please correct" not in page.text
    assert "<title>Error: New group" in page.text

    page = desk.post("/admin/auth/group/add/", {"name": "Readers"}, follow=True)
    assert "Saved: Readers." in words(page)
    page = desk.post(f"/admin/auth/group/{Group.objects.get().pk}/change/", {"name": "Writers"}, follow=True)
    assert "Saved: Writers." in words(page)
    assert "successfully" not in page.text
    page = desk.post(f"/admin/auth/group/{Group.objects.get().pk}/delete/", {"post": "yes"}, follow=True)
    assert "Deleted: Writers." in words(page)
    assert "successfully" not in page.text


def test_a_permission_that_the_form_does_not_know_stays(desk):
    helpers = Group.objects.create(name="Helpers")
    helpers.permissions.add(Permission.objects.get(codename="view_logentry"))

    desk.post(f"/admin/auth/group/{helpers.pk}/change/", {"name": "Readers"})

    assert [one.codename for one in helpers.permissions.all()] == ["view_logentry"]


def test_nobody_gives_a_right_that_is_not_offered(desk):
    answer = desk.post("/admin/auth/group/add/", {"name": "Helpers", "rights": ["delete_logentry"]})

    assert answer.context["adminform"].form.errors.keys() == {"rights"}
    assert not Group.objects.exists()


def test_the_form_offers_each_right_in_words_of_ours(desk):
    said = words(desk.get("/admin/auth/group/add/"))

    assert "remind, correct, send again, extend and withdraw" in said
    assert "Can add" not in said


def test_the_page_of_a_group_leads_to_its_members_and_to_inviting_into_it(desk, ada):
    for n in range(101):  # more than the filter of the list offers
        group = Group.objects.create(name=f"Group {n:03}")
    empty = Group.objects.create(name="Nobody")
    for person in (ada, UserFactory()):
        person.groups.add(group)

    page = desk.get(f"/admin/auth/group/{group.pk}/change/")
    assert "Who is in it 2 people Show them Invite into this group" in words(page)
    members = desk.get(f"/admin/accounts/user/?group={group.pk}")
    assert f'href="{members.request["PATH_INFO"]}?group={group.pk}"' in page.text
    assert members.context["cl"].result_count == 2
    assert f'href="/admin/invites/batch/add/?group={group.pk}"' in page.text

    page = words(desk.get(f"/admin/auth/group/{empty.pk}/change/"))
    assert "Nobody yet. Invite into this group" in page
    assert "Who is in it" not in words(desk.get("/admin/auth/group/add/"))


def test_inviting_into_a_group_begins_with_its_tick(desk):
    _other, group = (Group.objects.create(name=name) for name in ("Editors", "Readers"))

    page = desk.get(f"/admin/invites/batch/add/?group={group.pk}")

    ticked = re.findall(r'name="groups" value="(\d+)"[^>]* checked', page.text)
    assert ticked == [str(group.pk)]
    assert desk.get("/admin/invites/batch/add/?group=x&group=99").status_code == 200


def test_only_what_one_may_do_is_linked_on_the_page_of_a_group(ada):
    group = Group.objects.create(name="Readers")
    ada.groups.add(group)
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="view_group"))
    browser = Client()
    browser.post("/login", {"login": person.username, "password": PASSWORD})

    page = browser.get(f"/admin/auth/group/{group.pk}/change/")

    assert "Who is in it 1 person" in words(page)
    assert "Show them" not in page.text
    assert "Invite into this group" not in page.text


@pytest.mark.parametrize(
    "name", ["Sales\r\nBcc: eve@example.com", "Sales\tAutumn", "Sales\u202eAutumn", "Sales\u2028x"]
)
def test_the_name_of_a_group_is_one_line_that_can_be_printed(desk, name):
    page = desk.post("/admin/auth/group/add/", {"name": name})

    assert page.context["adminform"].form.errors == {
        "name": ["The name must be one line of plain text, without invisible characters"]
    }
    assert not Group.objects.exists()


def test_every_right_that_is_offered_exists_and_opens_a_page_or_an_act():
    assert Permission.objects.filter(codename__in=KNOWN).count() == len(KNOWN)


def test_with_all_rights_offered_a_member_of_staff_sees_every_list(admin_user):
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=KNOWN))
    browser = Client()
    browser.post("/login", {"login": person.username, "password": PASSWORD})

    for listed in admin.site._registry.values():
        path = f"/admin/{listed.opts.app_label}/{listed.opts.model_name}/"
        assert browser.get(path).status_code == 200, path
