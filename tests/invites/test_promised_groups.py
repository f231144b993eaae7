"""What an invitation into groups is still worth when it is accepted, after groups and people have changed."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from accounts.models import User
from invites import purposes
from invites.link.readdressing import Readdressing
from invites.models import Batch, Entry, Invite
from kit import tokens
from outbox.models import OutboxMessage
from tests.invites.test_desk_rights import staff
from tests.tools.desk import check, page_of, send
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL = "ada@example.com"
LIST = "/admin/invites/invite/"


@pytest.fixture
def friends(db):
    """A group that gives no rights yet."""
    return Group.objects.create(name="Friends")


@pytest.fixture
def helper(db):
    """The browser of a member of staff who may make, see and change invitations."""
    return staff("add_invite", "view_invite", "change_invite")


def empower(group):
    group.permissions.add(Permission.objects.get(codename="change_user"))


def into(by, *groups, email=EMAIL, source="admin"):
    entry = Entry(email, groups=tuple(group.pk for group in groups))
    return Invite.objects.get(pk=Invite.objects.issue_many([entry], source=source, invited_by=by).done[0])


def groups_after_accepting(invite):
    """Returns the names of the groups of the invited person, whose account is made by the press unless there is one."""
    if account := User.objects.filter(email=invite.email).first():
        Client().post("/confirm", {"token": tokens.sign(purposes.CONFIRM, invite.pk), "here": "on"})
    else:
        form = {"token": tokens.sign(purposes.SIGNUP, invite.pk), "username": "guest", "password": PASSWORD}
        Client().post("/signup", form)
        account = User.objects.get(email=invite.email)
    return sorted(account.groups.values_list("name", flat=True))


def after_an_hour():
    return time_machine.travel(time.time() + 3000)


ADDRESSES = [EMAIL, "newcomer@example.com"]  # of somebody who has an account, and of somebody who has none


@pytest.mark.parametrize("email", ADDRESSES)
def test_a_group_that_gives_rights_meanwhile_is_not_joined_by_what_somebody_sent_who_may_not_give_it(
    ada, helper, friends, email
):
    invite = into(helper.person, friends, Group.objects.create(name="Readers"), email=email)
    empower(friends)

    assert groups_after_accepting(invite) == ["Readers"]


@pytest.mark.parametrize("email", ADDRESSES)
@pytest.mark.parametrize("lost", ["is_superuser", "is_active"])
def test_rights_that_a_superuser_promised_are_worth_nothing_once_they_are_none(ada, admin_user, friends, email, lost):
    empower(friends)
    invite = into(admin_user, friends, email=email)
    User.objects.filter(pk=admin_user.pk).update(**{lost: False})

    assert groups_after_accepting(invite) == []


@pytest.mark.parametrize("email", ADDRESSES)
def test_rights_that_a_superuser_or_a_command_gives_are_joined(ada, admin_user, friends, email):
    empower(friends)
    by_command = into(None, friends, email=f"x{email}", source="command")

    assert groups_after_accepting(into(admin_user, friends, email=email)) == ["Friends"]
    Client().post(
        "/signup", {"token": tokens.sign(purposes.SIGNUP, by_command.pk), "username": "cli", "password": PASSWORD}
    )
    assert User.objects.get(username="cli").groups.get() == friends


def test_whoever_is_taken_out_of_a_group_is_not_brought_back_by_an_older_invitation(ada, desk, admin_user, friends):
    readers = Group.objects.create(name="Readers")
    invite, others = into(admin_user, friends, readers), into(admin_user, friends, email="other@example.com")
    form = {"username": "ada", "email": EMAIL, "is_active": "on"}
    for chosen in ([friends.pk], []):
        assert desk.post(f"/admin/accounts/user/{ada.pk}/change/", form | {"groups": chosen}).status_code == 302

    assert groups_after_accepting(invite) == ["Readers"]
    assert groups_after_accepting(others) == ["Friends"]


def test_a_group_that_loses_people_by_its_own_side_ends_their_invitations_too(ada, admin_user, friends):
    invite = into(admin_user, friends)
    friends.user_set.add(ada)
    friends.user_set.remove(ada)

    assert groups_after_accepting(invite) == []


def test_an_invitation_whose_only_group_was_deleted_says_so_and_signs_in_as_ever(ada, signed_in, admin_user, friends):
    invite = into(admin_user, friends)
    friends.delete()

    page = signed_in.get(f"/invite/groups/{invite.pk}", follow=True)

    assert "This invitation leads into no group any more" in words(page)
    assert page.redirect_chain == [("/account", 302)]
    assert "Sign in" in words(Client().get(tokens.path(purposes.CONFIRM, invite.pk), follow=True))


def ask_elsewhere(invite):
    Readdressing(invite).ask("elsewhere@example.com")
    return {"token": tokens.sign(purposes.READDRESS, invite.pk)}


def test_the_senders_mailed_link_sends_no_rights_to_another_address(admin_user, friends):
    empower(friends)
    invite = into(admin_user, friends)
    token = ask_elsewhere(invite)

    page = Client().get("/invite/readdress/answer", token, follow=True)
    assert "a superuser has to send it to another address there" in words(page)
    assert f"{LIST}{invite.pk}/correct/" in page.text
    assert "Send it to elsewhere@example.com" not in words(page)
    assert Client().post("/invite/readdress/answer", token).status_code == 403
    assert not Invite.objects.filter(email="elsewhere@example.com").exists()
    assert Client().post("/invite/readdress/decline", token).status_code == 200
    assert Invite.objects.get(pk=invite.pk).readdress_to == ""


def test_the_senders_mailed_link_sends_an_invitation_into_a_plain_group_elsewhere(admin_user, friends):
    token = ask_elsewhere(into(admin_user, friends))

    assert Client().post("/invite/readdress/answer", token).status_code == 200
    assert Invite.objects.get(email="elsewhere@example.com").group_ids == [friends.pk]


@pytest.mark.parametrize(
    "posted",
    [
        {"action": ["extend", "export"]},
        {"action": ["export", "extend"], "index": "1"},
        {"action": ["resend", "export"], "confirmed": "1"},
        {"action": ["remind", "export"], "longer": "on", "confirmed": "1"},
    ],
)
def test_naming_a_second_action_is_no_way_round_proof(helper, admin_user, friends, posted):
    empower(friends)
    invite = into(admin_user, friends)
    with after_an_hour():
        page = helper.post(LIST, {"_selected_action": str(invite.pk)} | posted)

    assert "Is it still you?" in page.text
    assert Invite.objects.get(pk=invite.pk).expires_at == invite.expires_at


def test_sending_again_from_a_list_what_gives_rights_asks_for_proof(helper, admin_user, friends):
    empower(friends)
    invite = into(admin_user, friends)
    Invite.objects.update(sent_at=timezone.now() - timedelta(days=1))
    check(helper, f"{EMAIL}\nnew@example.com")
    batch = Batch.objects.get()
    with after_an_hour():
        assert "Is it still you?" in send(helper, batch, again="on").text
        assert Invite.objects.get(pk=invite.pk).sends == 1
        Batch.objects.update(checked_at=timezone.now())
        assert "Is it still you?" not in send(helper, batch).text


def interrupted(by, *groups, **ticked):
    """Returns a list into these groups that `by` has begun to send, and that was interrupted."""
    check(by, EMAIL, groups=[group.pk for group in groups])
    batch = Batch.objects.get()
    assert batch.claim_for(by.person, **ticked)
    return batch


def test_going_on_renews_nothing_that_gives_rights_without_proof(helper, admin_user, friends):
    empower(friends)
    invite = into(admin_user, friends)
    Invite.objects.update(sent_at=timezone.now() - timedelta(days=1))
    batch = interrupted(helper, again=True)
    with after_an_hour():
        assert "Is it still you?" in send(helper, batch).text
    assert Invite.objects.get(pk=invite.pk).sends == 1


def test_going_on_gives_no_rights_that_the_sender_may_not_give(helper, friends):
    batch = interrupted(helper, friends)
    empower(friends)

    page = send(helper, batch)

    assert "Only a superuser may send it. Nothing was sent." in words(page)
    assert not Invite.objects.exists()


def test_only_who_may_change_invitations_goes_on_with_a_list_of_somebody_else(helper, friends):
    batch = interrupted(helper, friends)

    assert staff("add_invite", "view_invite").post(page_of(batch, "send")).status_code == 403
    assert not Invite.objects.exists()
    assert staff("add_invite", "view_invite", "change_invite").post(page_of(batch, "send")).status_code == 302
    assert Invite.objects.exists()


def test_whoever_is_paused_sends_no_list_either(helper):
    check(helper, EMAIL)
    User.objects.filter(pk=helper.person.pk).update(invites_paused_at=timezone.now())

    page = send(helper, Batch.objects.get())

    assert "Your invitations are paused, so nothing was sent." in words(page)
    assert not OutboxMessage.objects.filter(kind="invite").exists()


def test_the_preview_names_no_account_to_whom_may_not_see_people(helper, friends):
    UserFactory(username="secretive", email="kim@example.com")
    for browser, sees in ((helper, False), (staff("add_invite", "view_user"), True)):
        page = check(browser, "kim@example.com", groups=[friends.pk])
        batch = Batch.objects.latest("id")
        shown = [browser.get(page_of(batch, part)).text for part in ("mail", "page")]
        assert all(("secretive" in text) == sees for text in shown)
        assert "Has an account" in words(page)
