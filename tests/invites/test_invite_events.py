"""The events that other services hear about the life of an invitation, each stored with its cause."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from invites import purposes
from invites.link.readdressing import Readdressing
from invites.members.invitations import MemberInvites
from invites.models import Entry, Invite
from kit import tokens
from outbox import verp
from outbox.bounces.receive import receive
from outbox.mail.deliver import deliver_due
from outbox.models import OutboxEvent, OutboxMessage
from tests.outbox.reports import report
from tests.tools.factories import InviteFactory, UserFactory

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
AGO = timezone.now() - timedelta(days=3)


@pytest.fixture
def maria(db):
    return UserFactory(username="maria")


@pytest.fixture
def heard(announced):
    """A function that returns the events about invitations since it was last called, as names and fields."""

    def since():
        told = [(name, fields) for name, fields in announced() if name.startswith("invite.")]
        OutboxEvent.objects.all().delete()
        return told

    return since


def about(name, invite, **said):
    by = str(invite.invited_by_id) if invite.invited_by_id else None
    plain = {"invite": str(invite.pk), "source": invite.source, "batch": invite.batch, "invited_by": by}
    plain |= {"groups": [], "app": None}
    return name, plain | said


def issue(by, **given):
    return Invite.objects.issue(EMAIL, source="admin", invited_by=by, **given)


def test_inviting_and_inviting_again_is_told(maria, heard):
    invite = issue(maria)
    assert heard() == [about("invite.sent", invite)]
    issue(maria)
    assert heard() == [about("invite.sent", invite)]
    Invite.objects.update(sent_at=AGO)
    Invite.objects.all().resend()
    assert heard() == [about("invite.sent", invite)]


def test_a_list_is_told_with_its_name_and_without_those_it_skips(maria, heard):
    UserFactory(email="alan@example.com")
    people = [Entry(EMAIL, name="Grace", note="between us"), Entry("alan@example.com")]

    Invite.objects.issue_many(people, source="csv", invited_by=maria, batch="spring")
    Invite.objects.issue_many(people, source="csv", invited_by=maria, batch="spring")

    assert heard() == [about("invite.sent", Invite.objects.get(), batch="spring")]


def test_a_member_who_invites_sends_again_and_withdraws_is_told(maria, heard):
    invites = MemberInvites(maria)
    invite = invites.send(EMAIL)
    Invite.objects.update(sent_at=AGO)
    invites.resend(invite)
    invites.withdraw(invite)

    assert heard() == [about(name, invite) for name in ("invite.sent", "invite.sent", "invite.revoked")]


@pytest.mark.parametrize("never", [{}, {"never": "on"}])
def test_declining_is_told_once_and_without_the_reason(maria, heard, never):
    invite = issue(maria)
    heard()
    form = {"token": tokens.sign(purposes.DECLINE, invite.pk), "reason": "I moved"} | never

    for _ in range(2):
        Client().post("/invite/decline", form)

    assert heard() == [about("invite.declined", invite)]


def test_withdrawing_is_told_once(maria, heard):
    invite = issue(maria)
    heard()

    for _ in range(2):
        Invite.objects.all().revoke(maria)

    assert heard() == [about("invite.revoked", invite)]


def test_sending_it_to_another_address_is_told_as_both(maria, heard):
    invite = issue(maria)
    readdressing = Readdressing(invite)
    readdressing.ask("hopper@example.com")
    heard()

    readdressing.approve()

    other = Invite.objects.get(email="hopper@example.com")
    assert heard() == [about("invite.revoked", invite), about("invite.sent", other)]


def test_leaving_ends_the_persons_invitations(maria, heard):
    invite = issue(maria)
    grace = UserFactory(email=EMAIL)
    heard()

    grace.erase()

    assert heard() == [about("invite.revoked", invite)]


def run_out(invite, ago=timedelta(hours=1)):
    Invite.objects.filter(pk=invite.pk).update(expires_at=timezone.now() - ago)


def test_each_end_is_told_once_by_the_next_housekeeping(maria, heard):
    invite, other = issue(maria), InviteFactory(email="alan@example.com")
    run_out(invite)
    heard()

    for _ in range(2):
        call_command("prune")
    assert heard() == [about("invite.expired", invite)]
    Invite.objects.filter(pk=invite.pk).extend()
    call_command("prune")
    assert heard() == []

    with time_machine.travel(timezone.now() + timedelta(days=8)):
        for _ in range(2):
            call_command("prune")
        assert sorted(heard(), key=str) == sorted((about("invite.expired", row) for row in (invite, other)), key=str)


def test_an_invitation_that_was_replaced_has_expired_too(maria, heard):
    invite = issue(maria)
    run_out(invite)
    newer = issue(maria)
    heard()

    call_command("prune")

    assert newer != invite
    assert heard() == [about("invite.expired", invite)]


@pytest.mark.parametrize("over", ["accepted_at", "declined_at", "revoked_at"])
def test_an_answered_invitation_does_not_expire(heard, over):
    InviteFactory(expires_at=AGO, **{over: AGO})

    call_command("prune")

    assert heard() == []


def test_many_ends_are_told_in_chunks(heard, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr("invites.models.lifecycle.CHUNK", 2)
    for _ in range(5):
        InviteFactory(expires_at=AGO)

    assert Invite.objects.announce_expired() == 5

    assert len(heard()) == 5


def test_an_end_is_marked_even_if_nobody_listens(maria, heard, settings):
    settings.AMQP_URL = ""
    run_out(issue(maria))
    call_command("prune")
    settings.AMQP_URL = "amqp://localhost"

    call_command("prune")

    assert heard() == []


def hand_over():
    OutboxMessage.objects.update(next_try_at=timezone.now())
    deliver_due()
    return OutboxMessage.objects.latest("id")


def come_back(mail):
    assert receive(report(verp.return_path(mail), mail.recipient)) == "bounced"


def test_a_mail_that_comes_back_is_told_once(maria, heard, settings, mailbox):
    settings.BOUNCE_ADDRESS = "bounces@site.example"
    invite = issue(maria)
    mail = hand_over()
    heard()

    come_back(mail)
    receive(report(verp.return_path(mail), EMAIL))

    assert heard() == [about("invite.bounced", invite)]


def test_a_mail_that_somebody_asked_for_is_no_invitations(client, heard, settings, mailbox):
    settings.BOUNCE_ADDRESS = "bounces@site.example"
    client.post("/", {"email": EMAIL})

    come_back(hand_over())

    assert heard() == []
