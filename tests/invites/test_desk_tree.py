"""The tree of who invited whom, at the desk."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from invites.members.invitations import MemberInvites
from invites.models import Invite, inviter
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

TREE = "/admin/invites/inviter/"


def joins(name, by):
    """Returns a new user who has accepted the invitation of `by`."""
    invite = Invite.objects.issue(f"{name}@example.com", source="admin", invited_by=by)
    return invite.links.get().sign_up(name, password=PASSWORD)


def names(page):
    return re.findall(r'class="depth-(-?\d)"><?[^>]*?>?(\w+)<', page.text)


def show(desk, person):
    return desk.get(f"{TREE}{person.pk}/")


def test_the_tree_leads_from_the_first_inviter_to_the_last_invited(desk, ada):
    bob = joins("bob", ada)
    cid, dan = joins("cid", bob), joins("dan", bob)
    joins("eve", cid)
    InviteFactory(invited_by=bob)
    MemberInvites(bob).send("gus@example.com")

    page = show(desk, bob)

    assert names(page) == [("-1", "ada"), ("0", "bob"), ("1", "dan"), ("1", "cid"), ("2", "eve")]
    root = page.context["tree"].root
    assert (root.accepted, root.pending) == (2, 2)
    assert f"{TREE}{dan.pk}/" in page.text
    assert f"{TREE}{bob.pk}/" in desk.get(f"/admin/accounts/user/{bob.pk}/change/").text


def test_only_the_invitation_somebody_joined_by_counts_and_no_circle_is_endless(desk, ada):
    bob = joins("bob", ada)
    InviteFactory(invited_by=bob, email=ada.email).links.get().sign_in(ada, "")
    assert names(show(desk, ada)) == [("0", "ada"), ("1", "bob")]
    assert names(show(desk, bob)) == [("-1", "ada"), ("0", "bob")]

    Invite.objects.update(created_at=timezone.now() - timedelta(days=9))  # as if she had joined by it
    assert names(show(desk, ada)) == [("-1", "bob"), ("0", "ada"), ("1", "bob")]


def test_the_tree_is_bounded_and_costs_the_same_at_any_size(desk, ada, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(inviter, "PEOPLE", 3)
    last = ada
    for n in range(7):
        last = joins(f"deep{n}", last)
    with CaptureQueriesContext(connection) as few:
        assert names(show(desk, last))[0] == ("-5", "deep1")
    for n in range(6):
        joins(f"wide{n}", ada)

    with django_assert_num_queries(len(few)):
        page = show(desk, ada)
    assert len(names(page)) == 4
    assert page.context["tree"].is_cut
    assert "people are shown" in words(page)


def test_an_inviter_is_paused_and_allowed_again(desk, ada):
    url = f"{TREE}{ada.pk}/pause/"
    assert "can’t invite anybody" in words(desk.post(url, {"paused": "1"}, follow=True))
    ada.refresh_from_db()
    since = ada.invites_paused_at
    assert since
    desk.post(url, {"paused": "1"})
    ada.refresh_from_db()
    assert ada.invites_paused_at == since
    assert "Allow again" in words(show(desk, ada))
    assert "can invite again" in words(desk.post(url, follow=True))
    ada.refresh_from_db()
    assert ada.invites_paused_at is None
    assert LogEntry.objects.filter(object_id=str(ada.pk)).count() == 3
    desk.get(f"{TREE}{ada.pk}/pause/")
    assert LogEntry.objects.count() == 3


def test_people_are_found_by_name_or_address(desk, ada):
    assert desk.get(TREE, {"q": " ADA@example.com"})["Location"] == f"{TREE}{ada.pk}/"
    assert "There is nobody called “ad”" in words(desk.get(TREE, {"q": "ad"}))
    assert desk.get(f"{TREE}x/").status_code == 404
    assert desk.get(f"{TREE}{Invite().pk}/").status_code == 404


def test_the_tree_needs_view_rights_and_pausing_needs_change_rights(ada):
    clerk = UserFactory(username="carl", is_staff=True)
    client = Client()
    client.post("/login", {"login": "carl", "password": PASSWORD})
    clerk.user_permissions.add(Permission.objects.get(codename="view_user"))
    assert client.get(TREE).status_code == client.get(f"{TREE}{ada.pk}/").status_code == 403
    clerk.user_permissions.add(Permission.objects.get(codename="view_invite"))
    assert client.get(f"{TREE}{ada.pk}/").status_code == 200
    assert "Pause" not in words(show(client, ada))
    assert client.post(f"{TREE}{ada.pk}/pause/", {"paused": "1"}).status_code == 403


def test_the_tree_of_somebody_who_is_deleted_meanwhile_is_not_found(desk, ada):
    def meanwhile(execute, sql, *args):
        if "WITH RECURSIVE up" in sql:
            User.objects.filter(pk=ada.pk).delete()
        return execute(sql, *args)

    with connection.execute_wrapper(meanwhile):
        assert desk.get(f"{TREE}{ada.pk}/").status_code == 404


def test_whoever_has_not_answered_is_waited_for_in_the_words_of_the_lists(desk, ada):
    InviteFactory(invited_by=ada)

    for url in (f"/admin/accounts/user/{ada.pk}/change/", f"/admin/invites/inviter/{ada.pk}/"):
        page = words(desk.get(url))
        assert "Waiting" in page
        assert "Pending" not in page
