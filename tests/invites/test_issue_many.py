"""Inviting many people at once with issue_many()."""

from datetime import timedelta
from itertools import islice

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event
from invites import purposes
from invites.members.invitations import MemberInvites
from invites.models import Entry, Invite, MagicLink, Reason, in_step
from kit import tokens
from outbox.mail import lateness
from outbox.mail.deliver import deliver_due
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import InviteFactory, LinkFactory, UserFactory

pytestmark = pytest.mark.django_db


def entries(count, start=0):
    return [Entry(f"g{n}@example.com", name=f"Guest {n}") for n in range(start, start + count)]


def send(some, **given):
    return Invite.objects.issue_many(some, source="csv", batch="b_1", **given)


def test_everybody_gets_one_mail_with_their_own_link(mailbox, client):
    outcome = send(entries(3), leaving=in_step(1000))

    assert len(outcome.done) == 3
    with time_machine.travel(timezone.now() + timedelta(seconds=1)):
        links = {mailbox.link(entry.email, "/signup") for entry in entries(3)}
    assert len(links) == 3
    for link in links:
        assert client.get(link).status_code == 200
    invite = Invite.objects.get(email="g1@example.com")
    assert (invite.name, invite.batch, invite.source, invite.sends) == ("Guest 1", "b_1", "csv", 1)
    assert Event.objects.filter(kind="invited", about=invite.pk).exists()


def test_each_column_of_a_link_is_that_of_its_invitation_or_empty():
    send(entries(2))
    invite = Invite.objects.get(email="g1@example.com")
    times = {name: getattr(invite, name) for name in ("created_at", "sent_at", "expires_at")}
    expected = MagicLink(pk=invite.pk, email=invite.email, purpose=MagicLink.Purpose.INVITE, invite=invite, **times)
    columns = [field.attname for field in MagicLink._meta.fields]
    assert MagicLink.objects.values(*columns).get(pk=invite.pk) == {name: getattr(expected, name) for name in columns}


def test_inviting_the_same_people_twice_invites_nobody_twice():
    send(entries(3))
    again = send(entries(4))
    assert len(again.done) == 1
    assert [reason for _email, reason in again.skipped] == [Reason.INVITED] * 3
    assert OutboxMessage.objects.count() == 4


def test_people_with_an_account_or_a_suppressed_address_are_skipped():
    UserFactory(username="gus", email="g0@example.com")
    Suppression.objects.suppress("g1@example.com", "550 No such user")
    Suppression.objects.opt_out("g2@example.com")
    outcome = send(entries(4))
    skipped = [(f"g{n}@example.com", reason) for n, reason in enumerate([Reason.HAS_ACCOUNT, *[Reason.SUPPRESSED] * 2])]
    assert outcome.skipped == skipped
    assert OutboxMessage.objects.get().recipient == "g3@example.com"


def test_people_whom_a_member_has_invited_are_skipped():
    MemberInvites(UserFactory()).send("g0@example.com")

    assert send(entries(1)).skipped == [("g0@example.com", Reason.INVITED)]
    assert OutboxMessage.objects.count() == 1


def test_people_who_asked_or_whose_invitation_ran_out_are_invited_again(mailbox, client):
    asked = LinkFactory(email="g0@example.com")
    over = InviteFactory(email="g1@example.com", expires_at=timezone.now() - timedelta(days=1))

    new = send(entries(2), leaving=in_step(1000)).done

    assert {invite.email for invite in Invite.objects.pending().filter(pk__in=new, batch="b_1")} == {
        asked.email,
        over.email,
    }
    with time_machine.travel(timezone.now() + timedelta(seconds=1)):
        assert mailbox.kinds(asked.email) == mailbox.kinds(over.email) == ["invite"]
    for pk, status in {asked.pk: 200, new[0]: 200, new[1]: 200, over.pk: 410}.items():
        assert client.get(tokens.path(purposes.SIGNUP, pk)).status_code == status
    over.refresh_from_db()
    assert (over.state, over.batch, bool(over.replaced_at)) == ("expired", "", True)


def test_mails_leave_in_step_and_do_not_count_as_late():
    send(entries(5), leaving=in_step(0.001))  # one mail in 1000 seconds

    assert OutboxMessage.objects.due().count() == 1
    deliver_due()
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert not lateness.is_late()
    with time_machine.travel(timezone.now() + timedelta(minutes=30)):
        assert lateness.is_late()


def test_the_pace_is_so_many_mails_a_second():
    with time_machine.travel(timezone.now(), tick=False):
        first, second = islice(in_step(0.5), 2)
    assert second - first == timedelta(seconds=2)


def test_a_hundred_invitations_cost_as_many_statements_as_ten():
    def statements(some):
        with CaptureQueriesContext(connection) as queries:
            assert len(send(some).done) == len(some)
        return len([query for query in queries if "SAVEPOINT" not in query["sql"]])

    assert statements(entries(10)) == 11
    with time_machine.travel(timezone.now() - timedelta(days=7)):
        send(entries(50, start=10))
    for entry in entries(25, start=60):
        LinkFactory(email=entry.email)
    assert statements(entries(100, start=10)) == 11
