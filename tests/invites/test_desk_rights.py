"""Permissions at the desk: acts that only some staff may do, and acts that nobody may do."""

from datetime import timedelta
from io import StringIO
from itertools import product

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Event
from invites import purposes
from invites.batch import lists, rows
from invites.models import Batch, Invite, MagicLink
from kit import csv_lines, tokens
from outbox.models import OutboxMessage, Suppression
from tests.tools.desk import check, invite, send
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"


def staff(*permissions):
    """Returns the browser of a member of staff with these permissions and no others."""
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.post("/login", {"login": person.username, "password": PASSWORD})
    client.person = person
    return client


def add(client, email=EMAIL, **form):
    return invite(client, email, **form)


def test_adding_an_invited_address_again_neither_mails_nor_changes_anything(desk):
    mallory = staff("add_invite", "view_invite")
    add(desk, note="Welcome")

    page = add(mallory, note="mine")

    assert "Invited already 1" in words(page)
    assert Invite.objects.get().note == "Welcome"
    assert OutboxMessage.objects.filter(kind="invite").count() == 1


def test_a_note_with_a_link_or_a_private_character_is_refused(desk):
    for note in ("see https://evil.example/", "hi \ue010", "sms:123"):
        add(desk, note=note)
    assert not Invite.objects.exists()


def test_staff_cannot_pause_people_above_them(admin_user):
    mallory = staff("view_user", "change_user", "view_invite")
    url = f"/admin/invites/inviter/{admin_user.pk}/pause/"

    assert mallory.post(url, {"paused": 1}).status_code == 403

    admin_user.refresh_from_db()
    assert admin_user.invites_paused_at is None


def test_pausing_is_logged_without_a_name(desk, ada):
    desk.post(f"/admin/invites/inviter/{ada.pk}/pause/", {"paused": 1})
    assert LogEntry.objects.latest("pk").change_message == "Invitations paused"


def test_staff_who_may_only_invite_see_and_withdraw_only_their_own_lists(admin_user):
    theirs = Batch.objects.check_list(lists.read(rows.of_lines(["grace@example.com"])), admin_user)
    theirs.claim_for(admin_user)
    theirs.send()
    mallory = staff("add_invite")
    own = Batch.objects.check_list(lists.read(rows.of_lines(["alan@example.com", EMAIL])), mallory.person)

    for page in ("change", "undo", "withdraw", "unread"):
        assert mallory.get(f"/admin/invites/batch/{theirs.pk}/{page}/").status_code == 404
    assert mallory.post(f"/admin/invites/batch/{own.pk}/send/", {"again": 1}).status_code == 403
    assert 'name="again"' not in mallory.get(f"/admin/invites/batch/{own.pk}/change/").text
    assert mallory.post(f"/admin/invites/batch/{own.pk}/send/").status_code == 302
    assert Invite.objects.get(email=EMAIL).sends == 1
    mallory.post(f"/admin/invites/batch/{own.pk}/withdraw/")
    assert Invite.objects.get(email="alan@example.com").state == Invite.State.REVOKED


def test_an_unknown_batch_is_not_found(desk, subtests):
    for page in ("change", "send", "undo", "withdraw", "unread"):
        with subtests.test(page):
            url = f"/admin/invites/batch/%00/{page}/"
            assert (desk.post(url) if page == "send" else desk.get(url)).status_code == 404


@pytest.mark.parametrize("table", ["outboxmessage", "suppression"])
def test_an_invalid_tick_is_explained_and_does_nothing(desk, table):
    action = {"outboxmessage": "retry_now", "suppression": "lift"}[table]
    page = desk.post(f"/admin/outbox/{table}/", {"action": action, "_selected_action": "abc"}, follow=True)
    assert "Nothing was done" in words(page)


def test_ip_addresses_are_shown_only_to_staff_who_may_see_the_history(ada):
    Event.objects.record(Event.Kind.SIGNED_IN, ada, ip="203.0.113.9")
    url = f"/admin/accounts/user/{ada.pk}/change/"
    assert "203.0.113.9" not in staff("view_user").get(url).text
    assert "203.0.113.9" in staff("view_user", "view_event").get(url).text


def test_owner_links_are_for_superusers(desk):
    link = LinkFactory(purpose="owner", email=EMAIL)
    mallory = staff("view_invite", "change_invite")
    assert EMAIL not in mallory.get("/admin/invites/magiclink/").text
    assert EMAIL in desk.get("/admin/invites/magiclink/").text

    for client, url in product((mallory, desk), ("/admin/invites/invite/", "/admin/invites/magiclink/")):
        client.post(url, {"action": "revoke", "_selected_action": link.pk, "confirmed": 1})
    assert MagicLink.objects.get().state == MagicLink.State.PENDING
    call_command("revoke_invites", "--email", EMAIL, "--no-input", stdout=StringIO())
    assert MagicLink.objects.get().state == MagicLink.State.REVOKED


def test_a_group_ends_with_the_invitation_it_was_named_in():
    group = Group.objects.create(name="Editors")
    past = timezone.now() - timedelta(days=1)
    InviteFactory(email=EMAIL, groups=[group], expires_at=past)
    InviteFactory(email="alan@example.com", groups=[group], expires_at=past)
    late = InviteFactory(email="vera@example.com", groups=[group], expires_at=past)

    MagicLink.objects.issue(EMAIL)  # the invited person asks for a link
    add(staff("add_invite", "view_invite"), email="alan@example.com")
    MagicLink.objects.issue(late.email, instead=late.links.get())  # the holder of a dead link asks for a fresh one
    for link in MagicLink.objects.pending():
        link.sign_up(link.email.partition("@")[0], password=PASSWORD)

    assert Invite.objects.accepted().count() == 3
    assert not group.user_set.exists()


def test_a_deleted_account_leaves_no_name_in_its_invitation():
    person = UserFactory(email=EMAIL)
    invite = InviteFactory(email=EMAIL, name="Grace Hopper", accepted_by=person)
    person.erase()
    assert Invite.objects.get(pk=invite.pk).name == ""


@pytest.mark.parametrize("state", [{"revoked_at": timezone.now()}, {"replaced_at": timezone.now()}])
def test_a_wish_for_no_mail_counts_whatever_has_become_of_the_invite(client, state):
    invite = InviteFactory(email=EMAIL, **state)
    client.post("/invite/decline", {"token": tokens.sign(purposes.DECLINE, invite.pk), "never": 1})
    assert Suppression.objects.has_opted_out(EMAIL)


def test_changing_to_an_address_that_wanted_no_mail_takes_that_wish_back(ada):
    Suppression.objects.opt_out(EMAIL)
    ada.address.change(EMAIL)
    assert not Suppression.objects.exists()


def test_a_line_of_ten_thousand_dots_is_no_address():
    dots = "a@" + "." * 9900
    found = list(lists.read(rows.of_lines([f"{dots},x@y.example", "alan@example.com"])))
    assert [line.entry.email if line.entry else None for line in found] == [None, "x@y.example", "alan@example.com"]


def test_no_part_of_a_cell_can_run_as_a_formula():
    for value in ("=1", "+1", "x;=1", "x\t-1", "＝1"):
        assert "'" in csv_lines.escape_formulas(value)
    assert csv_lines.escape_formulas("a-b=c; d") == "a-b=c; d"


def test_unreadable_lines_of_a_list_are_forgotten_after_a_month(admin_user):
    batch = Batch.objects.check_list(lists.read(rows.of_lines(["Vera <vera@", "grace@example.com"])), admin_user)
    batch.claim_for(admin_user)
    batch.send()
    call_command("prune", stdout=StringIO())
    assert Batch.objects.get().refused

    Batch.objects.update(sent_at=timezone.now() - timedelta(days=31))
    call_command("prune", stdout=StringIO())
    assert Batch.objects.get().refused == []


@pytest.mark.parametrize(
    ("happens", "why"),
    [
        (lambda: UserFactory(email="grace@example.com"), "has an account"),
        (lambda: Suppression.objects.opt_out("grace@example.com"), "no mail goes to the address"),
    ],
)
def test_an_address_that_cannot_be_invited_any_more_is_explained(desk, happens, why):
    check(desk, EMAIL)
    happens()

    page = send(desk, Batch.objects.get())

    assert f"Nothing was sent. 1 skipped: 1 {why}." in words(page)
    assert not Invite.objects.exists()
    assert not LogEntry.objects.exists()
