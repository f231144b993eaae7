"""Groups at the desk: what their members may do there, in words."""

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

    assert "remind, send again, extend and withdraw" in said
    assert "Can add" not in said


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
