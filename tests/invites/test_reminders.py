"""Reminders: planned by the site, sent by a timer, and by hand; never too many, and never too soon."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event
from invites.members.invitations import MemberInvites
from invites.models import Entry, Invite, MagicLink, Reason, in_step
from invites.models.entries import pack, unpack
from invites.models.reminders import APART, LONGER, MOST
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import UserFactory

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def olga(admin_user):
    return admin_user


@pytest.fixture
def invite(olga):
    return invited(olga)


def invited(olga, email=EMAIL, **fields):
    """Returns an invitation by `olga` whose mail left so long ago that it can be reminded of by hand."""
    done = Invite.objects.issue_many([Entry(email, **fields)], source="csv", invited_by=olga).done
    leave()
    age()
    return Invite.objects.get(pk=done[0])


def leave():
    OutboxMessage.objects.filter(sent_at=None).update(sent_at=timezone.now())


def age():
    Invite.objects.update(sent_at=timezone.now() - DAY - HOUR)


def due():
    """Runs the timer; returns how many it has reminded."""
    done = Invite.objects.remindable().remind().done
    leave()
    return len(done)


def by_hand(olga, rows=None, **given):
    rows = Invite.objects.all() if rows is None else rows
    return rows.remind_by_hand(olga, leaving=in_step(), **given)


def reasons(outcome):
    return [reason for _email, reason in outcome.skipped]


def at(moment):
    return time_machine.travel(moment, tick=False)


def kinds():
    return list(OutboxMessage.objects.order_by("id").values_list("kind", flat=True))


def test_one_reminder_comes_two_days_before_the_end(invite, mailbox):
    with at(invite.expires_at - timedelta(hours=49)):
        assert due() == 0
    with at(invite.expires_at - timedelta(hours=47)):
        assert Invite.objects.remindable().remind().done == [invite.pk]
        assert not Invite.objects.remindable()
        assert reasons(Invite.objects.filter(pk=invite.pk).remind()) == [Reason.REMINDED]
        letter = mailbox.letters(EMAIL)[-1]
        assert mailbox.link(EMAIL, "/signup")
        assert mailbox.link(EMAIL, "/invite/decline")
    assert letter["Subject"] == "Your invitation to Frontdoor is still open"
    with at(invite.expires_at - HOUR):
        assert due() == 0
    assert Event.objects.filter(about=invite.pk, kind="reminded", user=None).count() == 1


@pytest.mark.parametrize(
    ("lifetime", "first"), [(timedelta(days=30), 28 * DAY), (3 * DAY, 1.5 * DAY), (12 * HOUR, 6 * HOUR)]
)
def test_a_short_invitation_is_reminded_of_in_the_middle(olga, lifetime, first):
    short = invited(olga, lifetime=lifetime)

    with at(short.created_at + first - timedelta(minutes=1)):
        assert due() == 0
    with at(short.created_at + first + timedelta(minutes=1)):
        assert due() == 1


def test_the_site_plans_several_or_none(olga, settings):
    settings.INVITE_REMINDERS, settings.INVITE_REMIND_EVERY = 3, 2 * DAY
    often = invited(olga)
    settings.INVITE_REMINDERS = 0
    assert invited(olga, "alan@example.com").remind_at is None
    settings.INVITE_REMINDERS = 3

    days = []
    for hour in range(0, 24 * 8, 6):
        with at(often.created_at + timedelta(hours=hour, minutes=1)):
            days += [hour / 24] * due()

    assert days == [1, 3, 5]


@pytest.mark.parametrize("remind", [True, False])
def test_whoever_invites_can_do_without(olga, remind):
    entry = unpack(pack(Entry(EMAIL, remind=remind), {}))
    assert unpack(pack(entry, {"remind": True})).remind is remind
    assert unpack(pack(entry, {"remind": False})).remind is False
    invited(olga, remind=entry.remind)

    with at(timezone.now() + 6 * DAY):
        assert due() == remind


@pytest.mark.parametrize("seen", ["opened_at", "sent_at"])
def test_a_person_who_has_just_looked_at_it_is_reminded_later(invite, seen):
    with at(invite.expires_at - timedelta(hours=47)):
        Invite.objects.update(**{seen: timezone.now() - timedelta(hours=23)})
        assert reasons(Invite.objects.remind()) == [Reason.NOT_DUE]
    with at(invite.expires_at - timedelta(hours=45)):
        assert due() == 1


@pytest.mark.parametrize("verb", ["extend", "resend"])
def test_whoever_has_more_time_is_reminded_later(invite, olga, verb):
    with at(invite.created_at + 3 * DAY):
        assert getattr(Invite.objects.all(), verb)(by=olga).done
        leave()
    invite.refresh_from_db()

    assert invite.remind_at == invite.expires_at - 2 * DAY


def test_one_that_its_holder_has_renewed_is_reminded_of_before_its_new_end(invite):
    with at(invite.expires_at + DAY):
        invite.refresh_from_db()
        invite.revive()
    invite.refresh_from_db()

    assert invite.remind_at == invite.expires_at - 2 * DAY


def test_what_is_over_is_not_even_looked_at(invite):
    with at(invite.expires_at + HOUR):
        assert not Invite.objects.remindable()
    with at(invite.expires_at - DAY):
        assert Invite.objects.remindable()
        invite.decline()
        assert not Invite.objects.remindable()


def test_by_hand_it_goes_now_with_a_line_and_counts_as_the_planned_one(invite, olga, mailbox):
    outcome = by_hand(olga, note="There is still a seat for you")

    assert outcome.done == [invite.pk]
    assert "“There is still a seat for you”" in mailbox.text(EMAIL)
    assert Event.objects.get(kind="reminded").user == olga
    with at(invite.expires_at - timedelta(hours=47)):
        assert due() == 0


def test_a_planned_one_that_is_still_wanted_comes_days_after_that_by_hand(invite, olga, settings):
    settings.INVITE_REMINDERS = 2
    with at(invite.expires_at - 3 * DAY):
        by_hand(olga)
        leave()
    invite.refresh_from_db()

    assert invite.remind_at == invite.expires_at - 3 * DAY + settings.INVITE_REMIND_EVERY


def test_by_hand_it_goes_once_a_day_and_three_times_in_all(invite, olga):
    Invite.objects.update(expires_at=timezone.now() + timedelta(days=60))
    for number in range(MOST):
        with at(invite.created_at + number * APART + number * HOUR):
            assert by_hand(olga).done
            leave()
            assert reasons(by_hand(olga)) == [Reason.REMINDED]
    with at(invite.created_at + 9 * DAY):
        assert reasons(by_hand(olga)) == [Reason.ENOUGH]
        Invite.objects.update(remind_at=timezone.now())
        assert due() == 0
    assert kinds().count("invite_reminder") == MOST


@pytest.mark.parametrize(("lifetime", "after"), [(7 * DAY, DAY), (12 * HOUR, 3 * HOUR)])
def test_by_hand_nobody_is_reminded_soon_after_a_mail(olga, lifetime, after):
    fresh = invited(olga, lifetime=lifetime)
    Invite.objects.update(sent_at=fresh.created_at)

    with at(fresh.created_at + after - timedelta(minutes=1)):
        assert reasons(by_hand(olga)) == [Reason.RECENT]
    with at(fresh.created_at + after + timedelta(minutes=1)):
        assert by_hand(olga).done


def test_an_address_is_reminded_of_one_invitation_only(invite, olga, ada):
    MemberInvites(ada).send(EMAIL)
    leave()
    age()

    outcome = by_hand(olga)

    assert (len(outcome.done), reasons(outcome)) == (1, [Reason.REMINDED])
    left = Invite.objects.exclude(pk__in=outcome.done)
    with at(timezone.now() + HOUR):
        assert reasons(by_hand(olga, left)) == [Reason.REMINDED]


def test_by_hand_says_why_not(olga, ada):
    people = ("waits", "back", "dead", "over", "in", "late", "ada")
    entries = [Entry(f"{name}@example.com") for name in people[:-1]]
    Invite.objects.issue_many(entries, source="csv", invited_by=olga)
    invited(olga, "ada.lovelace@example.com")
    of = {invite.email.partition("@")[0]: Invite.objects.filter(pk=invite.pk) for invite in Invite.objects.all()}
    OutboxMessage.objects.filter(recipient="waits@example.com").update(sent_at=None)
    OutboxMessage.objects.get(recipient="back@example.com").mark_bounced("550 5.1.1 No such user")
    Suppression.objects.suppress("dead@example.com", "550 5.1.1 No such user")
    of["over"].update(expires_at=timezone.now())
    of["in"].update(accepted_at=timezone.now())
    of["late"].revoke()
    UserFactory(email="ada.lovelace@example.com")

    said = {name: reasons(by_hand(olga, rows)) for name, rows in of.items()}

    assert said == {
        "waits": [Reason.WAITS],
        "back": [Reason.CAME_BACK],
        "dead": [Reason.SUPPRESSED],
        "over": [Reason.EXPIRED],
        "in": [Reason.ACCEPTED],
        "late": [Reason.REVOKED],
        "ada.lovelace": [Reason.HAS_ACCOUNT],
    }
    assert "invite_reminder" not in kinds()


def test_seven_more_days_are_in_the_mail_and_the_link_but_not_for_members(invite, olga, ada, mailbox):
    MemberInvites(ada).send("alan@example.com")
    leave()
    age()
    before = dict(Invite.objects.values_list("email", "expires_at"))

    assert len(by_hand(olga, longer=True).done) == 2

    after = dict(Invite.objects.values_list("email", "expires_at"))
    assert after == before | {EMAIL: before[EMAIL] + LONGER}
    assert MagicLink.objects.get(pk=invite.pk).expires_at == after[EMAIL]
    assert f"{after[EMAIL]:%-d %B}" in mailbox.text(EMAIL)


def test_a_member_of_the_site_is_reminded_of_its_groups(olga, ada, mailbox):
    group = Group.objects.create(name="Editors")
    invited(olga, ada.email, groups=(group.pk,))

    by_hand(olga, note="We start on Thursday")

    assert mailbox.kinds(ada.email)[-1] == "invite_group"
    assert "“We start on Thursday”" in mailbox.text(ada.email)


def test_a_rehearsal_changes_nothing(invite, olga):
    assert by_hand(olga, dry_run=True, longer=True).done == [invite.pk]

    assert Invite.objects.filter(reminders=0, reminded_at=None, expires_at=invite.expires_at).exists()
    assert "invite_reminder" not in kinds()


@pytest.mark.parametrize("longer", [False, True])
def test_fifty_cost_as_many_statements_as_one(olga, longer):
    people = [Entry(f"g{number}@example.com") for number in range(50)]
    Invite.objects.issue_many(people, source="csv", invited_by=olga)
    leave()
    age()
    one, others = Invite.objects.order_by("id")[:1], Invite.objects.order_by("id")[1:]

    def statements(rows):
        with CaptureQueriesContext(connection) as queries:
            assert by_hand(olga, rows, longer=longer).done
        return len(queries)

    assert statements(one) == statements(others)
