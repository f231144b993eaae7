"""Magic links and invitations: their states, the uses that spend a link, and who may use one."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import User
from invites import purposes
from invites.members.invitations import MemberInvites
from invites.models import LINK_LIFETIME, Invite, MagicLink, NotInvited, Unavailable
from kit import tokens
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
NOW = timezone.now
HOUR = timedelta(hours=1)


def state(row):
    """Returns the state of a link, read from the database as a press reads it."""
    return MagicLink.objects.with_spent().select_related("invite").get(pk=row.pk).state


def sign_up(link, name="grace"):
    return MagicLink.objects.get(pk=link.pk).sign_up(name, password=PASSWORD)


def before(**of_link):
    """Makes a link that was mailed an hour ago and works for a day."""
    return LinkFactory(email=EMAIL, sent_at=NOW() - HOUR, expires_at=NOW() + timedelta(days=1), **of_link)


STATES = [
    ("pending", {}, {}),
    ("used", {"used_at": NOW()}, {}),
    ("used", {"used_at": NOW(), "revoked_at": NOW()}, {"declined_at": NOW()}),
    ("used", {}, {"accepted_at": NOW(), "declined_at": NOW()}),
    ("declined", {"revoked_at": NOW()}, {"declined_at": NOW(), "revoked_at": NOW()}),
    ("revoked", {"revoked_at": NOW(), "expires_at": NOW() - HOUR}, {}),
    ("revoked", {"expires_at": NOW() - HOUR}, {"revoked_at": NOW()}),
    ("expired", {"expires_at": NOW() - HOUR}, {}),
    ("pending", {}, {"expires_at": NOW() - HOUR}),  # its holder asked for a fresh link after it expired
]


def test_the_first_state_that_applies_is_the_state_of_a_link(subtests):
    for expected, link, invite in STATES:
        with subtests.test(state=expected, link=link, invite=invite):
            row = InviteFactory(**invite)
            MagicLink.objects.filter(pk=row.pk).update(**({"expires_at": NOW() + HOUR} | link))
            assert state(row.links.get()) == expected


def test_states_of_a_link_without_an_invitation(subtests):
    for expected, link, invite in STATES:
        if not invite:
            with subtests.test(state=expected, link=link):
                assert state(LinkFactory(**link)) == expected


def test_a_link_that_was_asked_for_ends_with_a_later_use_of_another():
    older, newer = before(), LinkFactory(email=EMAIL)
    elsewhere = LinkFactory()

    sign_up(newer)

    assert state(older) == "used"
    assert state(elsewhere) == "pending"
    assert state(LinkFactory(email=EMAIL, sent_at=NOW() + HOUR)) == "pending"  # this link was mailed after the use


def test_a_spent_link_signs_nobody_in():
    ada = UserFactory(email=EMAIL)
    older, newer = before(epoch=0), LinkFactory(email=EMAIL, epoch=0)
    newer.sign_in(ada, "")

    with pytest.raises(Unavailable):
        older.sign_in(ada, "")

    assert "already been used" in words(Client().get(tokens.path(purposes.CONFIRM, older.pk)))


def test_signing_in_by_another_link_does_not_use_up_an_invitation():
    ada = UserFactory(email=EMAIL)
    invitation = InviteFactory(email=EMAIL)
    LinkFactory(email=EMAIL, epoch=0).sign_in(ada, "")

    assert state(invitation.links.get()) == "pending"


def test_a_link_that_was_asked_for_ends_with_the_use_of_an_invitation_too():
    asked = before()

    sign_up(InviteFactory(email=EMAIL).links.get())

    assert state(asked) == "used"


def test_an_invitation_ends_with_the_use_of_a_link_that_its_holder_asked_for(settings):
    settings.SIGNUP = "invited"
    invitation = InviteFactory(email=EMAIL, sent_at=NOW() - HOUR)
    asked = MagicLink.objects.issue(EMAIL)

    grace = sign_up(asked)

    invitation.refresh_from_db()
    assert (invitation.state, invitation.accepted_by) == ("accepted", grace)
    assert state(invitation.links.get(pk=invitation.pk)) == "used"


def test_an_owner_link_is_not_spent_by_others_and_spends_none():
    owner, asked = before(purpose="owner"), before()
    LinkFactory(email=EMAIL, used_at=NOW())
    other = LinkFactory(sent_at=NOW() - HOUR)
    LinkFactory(email=other.email, purpose="owner", used_at=NOW())

    assert [state(owner), state(asked), state(other)] == ["pending", "used", "pending"]


def test_nothing_but_an_owner_link_makes_an_owner(client):
    asked = LinkFactory()
    path = tokens.path(purposes.OWNER, asked.pk)

    assert client.get(path).status_code == 404
    assert sign_up(asked).is_superuser is False
    owner = LinkFactory(purpose="owner")
    assert client.get(tokens.path(purposes.SIGNUP, owner.pk)).status_code == 404
    assert client.get(tokens.path(purposes.CONFIRM, owner.pk)).status_code == 404
    assert sign_up(owner, "olga").is_superuser is True


def test_whoever_came_in_by_another_of_their_mails_is_led_on(client):
    older, newer = before(next="/account?older"), LinkFactory(email=EMAIL)
    form = {"token": tokens.sign(purposes.SIGNUP, newer.pk), "username": "grace", "password": PASSWORD}
    client.post("/signup", form)

    assert client.get(tokens.path(purposes.SIGNUP, older.pk)).url == "/account?older"
    assert Client().get(tokens.path(purposes.SIGNUP, older.pk)).status_code == 410


def test_asking_again_lengthens_no_older_link():
    first = MagicLink.objects.issue(EMAIL)
    ends = first.expires_at

    second = MagicLink.objects.issue(EMAIL)

    first.refresh_from_db()
    assert (first.expires_at, state(first), state(second)) == (ends, "pending", "pending")


def test_an_invited_newcomer_who_asks_accepts_the_invitation_that_ends_last():
    InviteFactory(email=EMAIL, source="member", invited_by=UserFactory(), expires_at=NOW() + HOUR)
    last = InviteFactory(email=EMAIL, source="member", invited_by=UserFactory(), next="/account?last")

    link = MagicLink.objects.issue(EMAIL, next="/elsewhere")

    assert (link.invite, link.expires_at, link.leads_to) == (last, last.expires_at, "/account?last")
    assert MagicLink.objects.get(pk=link.pk).next == ""  # nobody but the sender says where an invitation leads


def test_an_invitation_of_staff_comes_before_one_of_a_member(settings):
    by_staff = InviteFactory(email=EMAIL, expires_at=NOW() + HOUR)
    InviteFactory(email=EMAIL, source="member", invited_by=UserFactory())

    assert MagicLink.objects.issue(EMAIL).invite == by_staff


def test_a_link_asked_for_accepts_an_invitation_that_was_sent_since(client):
    editors = Group.objects.create(name="editors")
    asked = LinkFactory(email=EMAIL)
    by_staff = InviteFactory(email=EMAIL, groups=[editors])
    by_member = InviteFactory(email=EMAIL, source="member", invited_by=UserFactory())

    form = {"token": tokens.sign(purposes.SIGNUP, asked.pk), "username": "grace", "password": PASSWORD}
    client.post("/signup", form)

    grace = User.objects.get(email=EMAIL)
    by_staff.refresh_from_db()
    by_member.refresh_from_db()
    assert (by_staff.state, by_staff.accepted_by) == ("accepted", grace)
    assert grace.groups.get() == editors
    assert by_member.state == "pending"  # a member sees answers to their own mail only


def test_an_expired_invitation_lets_its_holder_ask_for_an_hour(settings):
    settings.SIGNUP = "invited"
    expired = InviteFactory(email=EMAIL, expires_at=NOW() - HOUR)

    link = MagicLink.objects.issue(EMAIL)

    assert link.invite == expired
    assert timedelta(0) < link.expires_at - NOW() <= LINK_LIFETIME
    expired.refresh_from_db()
    assert expired.state == "expired"  # only a person who holds its link can renew it


def test_one_press_on_an_expired_invitation_lets_it_last_as_its_sender_meant(client, mailbox):
    invitation = Invite.objects.issue(EMAIL, source="admin", groups=[Group.objects.create(name="editors").pk])
    path = mailbox.link(EMAIL)
    Invite.objects.update(expires_at=NOW() - HOUR)
    MagicLink.objects.update(expires_at=NOW() - HOUR)

    client.post("/invite/sent", {"token": path.partition("token=")[2]})

    invitation.refresh_from_db()
    healed = MagicLink.objects.exclude(pk=invitation.pk).get()
    assert not invitation.groups.exists()  # the group was promised until the end only
    for row in (invitation, healed):
        assert timedelta(days=7) - HOUR < row.expires_at - NOW() <= timedelta(days=7)
    assert invitation.state == "pending"
    assert state(invitation.links.get(pk=invitation.pk)) == "expired"  # a renewal does not revive older links
    assert mailbox.kinds(EMAIL) == ["invite", "invite"]


def test_a_press_on_an_expired_link_that_was_asked_for_lengthens_no_invitation(client):
    link = before()
    MagicLink.objects.update(expires_at=NOW() - HOUR)
    expired = InviteFactory(email=EMAIL, expires_at=NOW() - HOUR)

    client.post("/invite/sent", {"token": tokens.sign(purposes.SIGNUP, link.pk)})

    expired.refresh_from_db()
    assert expired.state == "expired"


def test_accepting_with_an_account_joins_the_group_and_is_told(client):
    ada, editors = UserFactory(email=EMAIL), Group.objects.create(name="editors")
    invitation = InviteFactory(email=EMAIL, groups=[editors])
    MagicLink.objects.filter(pk=invitation.pk).update(epoch=0)

    client.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, invitation.pk), "here": "on"})

    invitation.refresh_from_db()
    assert (invitation.state, invitation.accepted_by) == ("accepted", ada)
    assert ada.events.filter(kind="accepted", about=invitation.pk).count() == 1
    assert ada.groups.get() == editors
    assert ada.events.get(kind="rights_changed").detail["changed"] == {"groups": [[], ["editors"]]}


def test_a_link_of_a_withdrawn_invitation_signs_nobody_up_and_stays_unused():
    invitation = InviteFactory(email=EMAIL)
    link = invitation.links.select_related("invite").get()  # read as a press reads it
    Invite.objects.update(revoked_at=NOW())

    with pytest.raises(Unavailable):
        link.sign_up("grace", password=PASSWORD)

    assert not User.objects.exists()
    assert state(link) == "revoked"


def test_a_link_without_an_invitation_signs_nobody_up_where_one_is_needed(settings):
    settings.SIGNUP = "invited"
    link = LinkFactory(email=EMAIL)

    with pytest.raises(NotInvited):
        sign_up(link)
    InviteFactory(email=EMAIL, expires_at=NOW() - HOUR)
    assert sign_up(link).email == EMAIL


@pytest.mark.parametrize("source", ["admin", "member"])
def test_whoever_was_invited_once_may_join_though_that_has_run_out(client, settings, source):
    settings.SIGNUP = "invited"
    link = LinkFactory(email=EMAIL)
    InviteFactory(email=EMAIL, source=source, invited_by=UserFactory(), expires_at=NOW() - HOUR)

    assert Invite.objects.may_join(EMAIL)
    assert client.get(tokens.path(purposes.SIGNUP, link.pk)).status_code == 200
    assert sign_up(link).email == EMAIL


def test_invitations_of_one_address_stand_side_by_side(mailbox):
    members = [UserFactory(username=name) for name in ("maria", "olga")]
    for member in members:
        MemberInvites(member).send(EMAIL)
    by_maria, by_olga = MagicLink.objects.order_by("created_at")

    MemberInvites(members[0]).withdraw(by_maria.invite)

    assert [state(by_maria), state(by_olga)] == ["revoked", "pending"]
    sign_up(by_olga)
    assert [invite.state for invite in Invite.objects.order_by("created_at")] == ["revoked", "accepted"]


def test_a_link_from_before_the_account_signs_nobody_in_once_all_sessions_have_ended(client):
    link = LinkFactory(email=EMAIL)  # mailed before the account was made
    UserFactory(email=EMAIL).sign_out()

    assert client.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, link.pk), "here": "on"}).status_code == 410


def heal(client, link):
    return client.post("/invite/sent", {"token": tokens.sign(purposes.SIGNUP, link.pk)})


def test_nobody_lengthens_an_invitation_that_has_not_run_out(client):
    invitation = InviteFactory(email=EMAIL, groups=[Group.objects.create(name="editors").pk])

    heal(client, invitation)

    fresh = MagicLink.objects.exclude(pk=invitation.pk).get()
    assert fresh.expires_at == invitation.expires_at
    assert Invite.objects.get() == invitation
    assert Invite.objects.get().expires_at == invitation.expires_at


def test_a_fresh_link_is_of_the_invitation_whose_link_it_replaces(client):
    by_member = InviteFactory(email=EMAIL, source="member", invited_by=UserFactory(), expires_at=NOW() - HOUR)
    InviteFactory(email=EMAIL)  # staff's would come first for anybody else who asks

    heal(client, by_member)

    by_member.refresh_from_db()
    assert by_member.state == "pending"
    assert MagicLink.objects.latest("created_at").invite == by_member


def test_a_link_of_a_replaced_invitation_revives_no_other(client):
    old = InviteFactory(email=EMAIL, expires_at=NOW() - HOUR, replaced_at=NOW())
    new = InviteFactory(email=EMAIL, expires_at=NOW() - timedelta(minutes=1))

    heal(client, old)

    new.refresh_from_db()
    assert new.state == "expired"
    assert MagicLink.objects.latest("created_at").invite == new


def test_a_link_lives_its_hour_though_its_invitation_is_replaced(client):
    InviteFactory(email=EMAIL, expires_at=NOW() - HOUR)
    asked = MagicLink.objects.issue(EMAIL)
    new = Invite.objects.issue(EMAIL, source="admin")

    assert state(asked) == "pending"
    form = {"token": tokens.sign(purposes.SIGNUP, asked.pk), "username": "grace", "password": PASSWORD}
    client.post("/signup", form)

    new.refresh_from_db()
    assert (new.state, new.accepted_by.username) == ("accepted", "grace")


def test_a_press_on_another_page_is_no_second_press(client):
    """The press of one link, which set a new password, must not let an older link sign in as a double press."""
    ada = UserFactory(email=EMAIL)
    older, newer = before(epoch=0), LinkFactory(email=EMAIL, epoch=0)
    client.get("/reset")  # gives the browser its cookie
    form = {"token": tokens.sign(purposes.RESET, newer.pk), "password": f"{PASSWORD} anew"}
    assert client.post("/reset/password", form).url == "/login"

    answer = client.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, older.pk), "here": "on"})

    assert answer.status_code == 410
    assert not ada.sessions.exists()


def test_declining_a_replaced_invitation_declines_its_replacement(client):
    old = InviteFactory(email=EMAIL, expires_at=NOW() - HOUR)
    new = Invite.objects.issue(EMAIL, source="admin")
    old.refresh_from_db()
    assert old.replaced_at

    page = client.post("/invite/decline", {"token": tokens.sign(purposes.DECLINE, old.pk)})

    assert page.status_code == 200
    new.refresh_from_db()
    assert new.state == "declined"


def test_declining_a_replaced_invitation_without_a_successor_leads_to_the_start(client):
    old = InviteFactory(email=EMAIL, expires_at=NOW() - HOUR, replaced_at=NOW())

    assert client.post("/invite/decline", {"token": tokens.sign(purposes.DECLINE, old.pk)}).url == "/"


def test_a_link_that_was_asked_for_goes_on_when_a_member_withdraws(client, mailbox):
    member = UserFactory()
    invite = MemberInvites(member).send(EMAIL)
    asked = MagicLink.objects.issue(EMAIL)
    assert asked.invite == invite

    MemberInvites(member).withdraw(invite)

    assert state(asked) == "pending"
    assert mailbox.kinds(EMAIL) == ["invite"]  # the mail of the link that was asked for
    assert sign_up(asked).email == EMAIL


@pytest.mark.parametrize(
    "end", [lambda invite: Invite.objects.filter(pk=invite.pk).revoke(), lambda invite: invite.decline()]
)
def test_ending_an_invitation_stops_the_waiting_mail_its_holder_asked_for(mailbox, end):
    """That mail would bring a link that no longer works."""
    invite = Invite.objects.issue(EMAIL, source="admin")
    MagicLink.objects.issue(EMAIL)
    MagicLink.objects.issue("alan@example.com")

    end(invite)

    assert [letter["To"] for letter in mailbox.letters()] == ["alan@example.com"]
