"""The open invitations of people who leave: a colleague takes them over, or they are withdrawn."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts.models import Event, User
from invites import handover
from invites.members.invitations import MemberInvites
from invites.models import Invite
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

PAGE = "/account/delete"


@pytest.fixture(autouse=True)
def members_invite(settings):
    settings.MEMBERS_INVITE = True


@pytest.fixture
def grace(db):
    return UserFactory(username="grace", email="grace@example.com")


@pytest.fixture
def invite(ada):
    return MemberInvites(ada).send("guest@example.com", note="From Ada with love")


def leave(client, **typed):
    return client.post(PAGE, {"password": PASSWORD, "when": "later"} | typed, follow=True)


@pytest.mark.parametrize("when", ["later", "now"])
def test_without_a_colleague_open_invitations_are_withdrawn(signed_in, invite, mailbox, when):
    link = mailbox.link("guest@example.com", "/signup")
    assert "your open invitation, unless somebody takes it over" in words(signed_in.get(PAGE))

    leave(signed_in, when=when)

    page = Client().get(link)
    assert page.status_code == 410
    assert "This invitation was withdrawn" in words(page)
    assert "Ask ada" not in words(page)  # nobody there can answer


@pytest.mark.parametrize("when", ["later", "now"])
@pytest.mark.parametrize("typed", ["grace", " Grace@Example.com "])
def test_a_colleague_takes_them_over_and_is_told(signed_in, grace, invite, mailbox, when, typed):
    link = mailbox.link("guest@example.com", "/signup")

    leave(signed_in, when=when, hand_to=typed)

    invite.refresh_from_db()
    assert (invite.invited_by, invite.note, invite.state) == (grace, "", Invite.State.PENDING)
    assert "grace" in words(Client().get(link))
    assert Event.objects.get(kind="taken_over").user == grace
    assert mailbox.kinds(grace.email) == ["taken_over"]
    said = " ".join(mailbox.text(grace.email).split())
    assert "ada is leaving Frontdoor and has handed you 1 invitation that nobody has answered." in said
    assert [row.pk for row in MemberInvites(grace).sent()] == [invite.pk]


NOBODY = "Nobody of that name or address can take them over"


@pytest.mark.parametrize("typed", ["nobody", "nobody@example.com", "ada", "off", "leaving", "paused"])
def test_whoever_can_t_take_them_over_is_an_error_and_nothing_changes(signed_in, ada, invite, typed):
    UserFactory(username="off").turn_off()
    UserFactory(username="leaving").leaving.begin()
    User.objects.filter(pk=UserFactory(username="paused").pk).update(invites_paused_at=ada.joined_at)

    page = leave(signed_in, hand_to=typed)

    assert NOBODY in words(page)
    assert f'value="{typed}"' in page.text
    assert User.objects.get(pk=ada.pk).leaves_at is None
    invite.refresh_from_db()
    assert invite.state == Invite.State.PENDING


def test_a_wrong_password_says_nothing_of_the_colleague(signed_in, invite):
    page = signed_in.post(PAGE, {"password": "wrong password", "hand_to": "nobody"})

    assert NOBODY not in words(page)


def test_invitations_from_the_desk_go_only_to_staff_who_may_invite(signed_in, ada, grace):
    Invite.objects.issue("guest@example.com", source="admin", invited_by=ada)
    assert NOBODY in words(leave(signed_in, hand_to="grace"))

    User.objects.filter(pk=grace.pk).update(is_staff=True)
    grace.user_permissions.add(Permission.objects.get(codename="add_invite"))
    leave(signed_in, hand_to="grace")

    assert Invite.objects.get().invited_by == grace


def test_where_members_may_not_invite_nobody_but_staff_takes_over(signed_in, grace, invite, settings):
    settings.MEMBERS_INVITE = False

    assert NOBODY in words(leave(signed_in, hand_to="grace"))


def test_what_the_colleague_can_t_have_is_withdrawn(signed_in, ada, grace, invite):
    MemberInvites(grace).send("guest@example.com")
    own = MemberInvites(ada).send("grace@example.com")

    leave(signed_in, hand_to="grace")

    for row in (invite, own):
        row.refresh_from_db()
        assert (row.state, row.invited_by) == (Invite.State.REVOKED, ada)
    assert Invite.objects.pending().get().invited_by == grace
    assert not Event.objects.filter(kind="taken_over").exists()


def test_no_group_that_grants_permissions_is_handed_to_whoever_may_give_it(ada, admin_user):
    plain, strong = Group.objects.create(name="plain"), Group.objects.create(name="strong")
    strong.permissions.add(Permission.objects.get(codename="add_invite"))
    given = {"source": "admin", "groups": [plain.pk, strong.pk]}
    Invite.objects.issue("guest@example.com", invited_by=ada, **given)

    handover.settle(ada, admin_user)

    assert list(Invite.objects.get().promised.values()) == ["plain"]


def test_answered_invitations_stay_as_they_are(signed_in, ada, grace, invite):
    invite.accept(UserFactory())

    page = signed_in.get(PAGE)
    leave(signed_in, hand_to="grace")

    assert "takes over your open invitations" not in words(page)
    invite.refresh_from_db()
    assert (invite.invited_by, invite.state) == (ada, Invite.State.ACCEPTED)


def test_a_colleague_who_leaves_at_that_moment_gets_nothing(signed_in, grace, invite, monkeypatch):
    original = handover.may_take

    def meanwhile(user, colleague):
        User.objects.get(pk=grace.pk).leaving.begin()
        return original(user, colleague)

    monkeypatch.setattr(
        "accounts.privacy.handover.HANDOVERS", [handover.handover.Handover(handover.count, meanwhile, handover.settle)]
    )

    leave(signed_in, hand_to="grace")

    invite.refresh_from_db()
    assert invite.state == Invite.State.REVOKED
