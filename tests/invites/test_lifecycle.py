"""The verbs of existing invitations: each acts on those it applies to, and skips the others with a reason."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event
from invites import purposes
from invites.members.invitations import MemberInvites
from invites.models import Invite, MagicLink, Reason, Unavailable
from kit import tokens
from outbox.mail.deliver import deliver_due
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
NOW = timezone.now()
HOUR = timedelta(hours=1)


@pytest.fixture
def olga():
    return UserFactory(username="olga")


@pytest.fixture
def invite(olga):
    """An invitation that was mailed an hour ago."""
    with time_machine.travel(timezone.now() - HOUR, tick=False):
        return Invite.objects.issue(EMAIL, source="admin", invited_by=olga, note="Hello there")


def rows(*invites):
    return Invite.objects.filter(pk__in=[invite.pk for invite in invites])


def run_out(invite, ago=HOUR):
    for model in (Invite, MagicLink):
        model.objects.filter(pk=invite.pk).update(expires_at=timezone.now() - ago)


def reasons(outcome):
    return [reason for _email, reason in outcome.skipped]


def history(invite):
    return list(Event.objects.filter(about=invite.pk).order_by("id").values_list("kind", "user__username"))


def test_sending_again_restarts_the_time_and_keeps_the_older_link(invite, olga, client, mailbox):
    old = mailbox.link(EMAIL)
    ends = invite.expires_at

    deliver_due()
    assert rows(invite).resend(by=olga).done == [invite.pk]

    invite.refresh_from_db()
    assert (invite.sends, invite.expires_at > ends) == (2, True)
    assert mailbox.kinds(EMAIL) == ["invite", "invite"]
    assert "Hello there" in mailbox.text(EMAIL)
    assert history(invite) == [("invited", "olga"), ("resent", "olga")]
    assert client.get(old).status_code == 200


def test_issuing_twice_mails_twice_and_the_newest_mail_says_the_end(invite, mailbox):
    with time_machine.travel(timezone.now(), tick=False):
        assert Invite.objects.issue(EMAIL, source="command").pk == invite.pk
        ends = timezone.now() + timedelta(days=7)

    assert mailbox.kinds(EMAIL) == ["invite", "invite"]
    assert rows(invite).get().sends == 2
    assert rows(invite).get().expires_at == invite.links.get().expires_at == ends


HOURS, DAYS = timedelta(hours=12), timedelta(days=90)


@pytest.fixture(params=[HOURS, DAYS])
def own(request, olga):
    """An invitation that lasts for a time of its own."""
    return Invite.objects.issue("own@example.com", source="admin", invited_by=olga, lifetime=request.param)


def test_an_invitation_lasts_for_its_own_time_each_time_it_is_sent(own, client, mailbox, settings):
    first = own.expires_at
    assert first - own.created_at == own.lifetime
    with time_machine.travel(first + timedelta(hours=1), tick=False):
        assert rows(own).resend().done
        ends = timezone.now() + own.lifetime
        assert rows(own).get().expires_at == own.links.get().expires_at == ends
    with time_machine.travel(first + timedelta(hours=2), tick=False):
        assert rows(own).extend().done
        longest = timezone.now() + settings.INVITE_MAX_LIFETIME
        assert rows(own).get().expires_at == own.links.get().expires_at == min(ends + own.lifetime, longest)


def test_a_holder_who_asks_again_gets_its_own_time(own):
    with time_machine.travel(own.expires_at + timedelta(hours=1), tick=False):
        MagicLink.objects.issue(own.email, instead=own.links.get())
        assert rows(own).get().expires_at == timezone.now() + own.lifetime


def test_invited_again_it_lasts_for_the_time_of_the_first(own):
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        Invite.objects.issue(own.email, source="command")
        assert rows(own).get().expires_at == max(own.expires_at, timezone.now() + own.lifetime)


@pytest.mark.parametrize(
    ("lifetime", "after", "is_due"),
    [
        (timedelta(hours=12), timedelta(hours=5), False),
        (timedelta(hours=12), timedelta(hours=7), True),
        (timedelta(hours=12), timedelta(hours=13), False),
        (timedelta(days=3), timedelta(hours=35), False),
        (timedelta(days=3), timedelta(hours=37), True),
        (timedelta(days=30), timedelta(days=27), False),
        (timedelta(days=30), timedelta(days=28, hours=1), True),
    ],
)
def test_a_short_invitation_is_reminded_of_in_its_second_half(olga, lifetime, after, is_due):
    invite = Invite.objects.issue("own@example.com", source="admin", invited_by=olga, lifetime=lifetime)
    with time_machine.travel(timezone.now() + after):
        assert bool(Invite.objects.remindable().remind().done) == is_due
    assert bool(rows(invite).get().reminded_at) == is_due


def test_a_short_invitation_that_was_opened_just_now_is_not_reminded_of(olga):
    invite = Invite.objects.issue("own@example.com", source="admin", invited_by=olga, lifetime=HOURS)
    with time_machine.travel(timezone.now() + timedelta(hours=8)):
        rows(invite).update(opened_at=timezone.now() - timedelta(hours=2))
        assert not Invite.objects.remindable().remind().done


def test_sending_again_shortens_no_invitation(invite):
    far = timezone.now() + timedelta(days=60)
    rows(invite).update(expires_at=far)

    rows(invite).resend()

    assert rows(invite).get().expires_at == far


def test_a_mail_that_was_sent_less_than_a_minute_ago_is_not_sent_again(invite):
    rows(invite).resend()
    outcome = rows(invite).resend()

    assert (outcome.done, reasons(outcome)) == ([], [Reason.TOO_SOON])
    assert timedelta(seconds=50) < outcome.again_at - timezone.now() <= timedelta(minutes=1)
    assert OutboxMessage.objects.filter(about=invite.pk).count() == 1


def test_a_mail_that_has_not_left_yet_is_replaced_by_the_new_one(invite, mailbox):
    rows(invite).resend()
    assert mailbox.kinds(EMAIL) == ["invite"]


def test_an_expired_invitation_comes_back_with_its_old_links(invite, client, mailbox):
    link = mailbox.link(EMAIL)
    run_out(invite)
    assert client.get(link).status_code == 410

    assert rows(invite).resend().done

    assert client.get(link).status_code == 200


def test_a_declined_invitation_is_open_again_once_it_is_sent_again(invite, client, mailbox):
    invite.decline()
    assert rows(invite).resend().done == [invite.pk]
    assert rows(invite).get().state == Invite.State.PENDING
    assert client.get(mailbox.link(EMAIL)).status_code == 200


def test_a_declined_invitation_stays_declined_beside_an_open_one(invite):
    invite.decline()
    with time_machine.travel(timezone.now() - HOUR):
        Invite.objects.issue(EMAIL, source="admin")
    assert reasons(rows(invite).resend()) == [Reason.INVITED]


def test_of_two_declined_invitations_of_an_address_one_opens_again(invite):
    invite.decline()
    with time_machine.travel(timezone.now() - HOUR):
        other = Invite.objects.issue(EMAIL, source="admin")
    other.decline()

    outcome = rows(invite, other).resend()

    assert (len(outcome.done), reasons(outcome)) == (1, [Reason.INVITED])


def test_a_declined_invitation_reopens_beside_a_members_own(invite, olga):
    invite.decline()
    member = MemberInvites(olga).send(EMAIL)
    assert rows(invite).resend().done == [invite.pk]
    assert set(Invite.objects.pending()) == {invite, member}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"accepted_at": NOW}, Reason.ACCEPTED),
        ({"revoked_at": NOW}, Reason.REVOKED),
        ({"replaced_at": NOW}, Reason.REPLACED),
    ],
)
@pytest.mark.parametrize("verb", ["resend", "extend"])
def test_an_invitation_that_is_over_is_left_alone(invite, verb, change, reason):
    rows(invite).update(**change)
    before = rows(invite).values().get(), invite.links.values().get()

    outcome = getattr(rows(invite), verb)()

    assert (outcome.done, outcome.skipped) == ([], [(EMAIL, reason)])
    assert (rows(invite).values().get(), invite.links.values().get()) == before


@pytest.mark.parametrize("verb", ["resend", "extend", "revoke"])
def test_links_that_the_address_asked_for_are_left_alone(invite, verb):
    LinkFactory(email=EMAIL)
    LinkFactory(email=EMAIL, purpose="owner")
    before = list(MagicLink.objects.asked_for().values())

    assert getattr(rows(invite), verb)().done == [invite.pk]

    assert list(MagicLink.objects.asked_for().values()) == before


@pytest.mark.parametrize("verb", ["resend", "extend"])
def test_links_that_sign_in_are_not_lengthened(verb):
    """Once the address has an account, a link signs in like a password, so it lives no longer than one asked for."""
    UserFactory(username="grace")
    invite = InviteFactory(email=EMAIL)
    assert reasons(getattr(rows(invite), verb)()) == [Reason.HAS_ACCOUNT]


def test_a_suppressed_address_is_not_mailed_again(invite):
    Suppression.objects.suppress(EMAIL, "550 No such user")
    assert reasons(rows(invite).resend()) == [Reason.SUPPRESSED]


def test_extending_adds_seven_days_and_mails_nothing(invite, olga):
    outcome = rows(invite).extend(by=olga)

    assert outcome.done
    assert rows(invite).get().expires_at == invite.expires_at + timedelta(days=7)
    assert invite.links.get().expires_at == invite.expires_at + timedelta(days=7)
    assert OutboxMessage.objects.count() == 1
    assert history(invite)[-1] == ("extended", "olga")


def test_extending_again_and_again_goes_no_further_than_the_longest_lifetime(invite, settings):
    latest = timezone.now() + settings.INVITE_MAX_LIFETIME
    Invite.objects.update(expires_at=latest - timedelta(days=1))

    rows(invite).extend()

    end = rows(invite).get().expires_at
    assert timedelta(0) <= end - latest < timedelta(minutes=1)
    assert invite.links.get().expires_at == end
    settings.INVITE_MAX_LIFETIME = timedelta(days=1)
    rows(invite).extend()
    assert rows(invite).get().expires_at == end


def test_an_expired_invitation_is_extended_from_now(invite):
    run_out(invite, timedelta(days=30))
    rows(invite).extend()
    assert rows(invite).get().state == Invite.State.PENDING
    assert MagicLink.objects.get(invite=invite).state == MagicLink.State.PENDING


def test_withdrawing_stops_the_mail_that_has_not_left(invite, olga, mailbox):
    assert rows(invite).revoke(by=olga).done == [invite.pk]

    assert mailbox.letters(EMAIL) == []
    assert rows(invite).get().state == Invite.State.REVOKED
    assert MagicLink.objects.get(invite=invite).state == MagicLink.State.REVOKED
    assert history(invite)[-1] == ("revoked", "olga")
    again = rows(invite).revoke(by=olga)
    assert (again.done, reasons(again)) == ([], [Reason.REVOKED])
    assert len(history(invite)) == 2


def test_withdrawing_ends_the_link_that_its_holder_asked_for(invite, client):
    asked = MagicLink.objects.issue(EMAIL)
    assert client.get(tokens.path(purposes.SIGNUP, asked.pk)).status_code == 200
    rows(invite).revoke()
    assert client.get(tokens.path(purposes.SIGNUP, asked.pk)).status_code == 410


def test_a_dry_run_changes_nothing_and_says_what_it_would_do(invite):
    assert rows(invite).resend(dry_run=True).done == rows(invite).revoke(dry_run=True).done == [invite.pk]
    assert rows(invite).get().state == Invite.State.PENDING
    assert OutboxMessage.objects.count() == 1
    assert len(history(invite)) == 1


def test_declining_is_remembered_and_stops_its_mail(invite, mailbox):
    invite.decline()
    assert mailbox.letters(EMAIL) == []
    assert rows(invite).get().state == Invite.State.DECLINED
    assert history(invite)[-1] == ("declined", None)
    with pytest.raises(Unavailable):
        invite.decline()


@pytest.mark.parametrize("verb", ["resend", "extend", "revoke"])
def test_fifty_invitations_cost_as_many_statements_as_one(verb, olga):
    with time_machine.travel(timezone.now() - HOUR):
        one, *others = [Invite.objects.issue(f"g{n}@example.com", source="admin", invited_by=olga) for n in range(50)]
    deliver_due()

    def statements(*invites):
        with CaptureQueriesContext(connection) as queries:
            assert len(getattr(rows(*invites), verb)(by=olga).done) == len(invites)
        return len(queries)

    assert statements(one) == statements(*others)


def test_accepting_joins_the_group_and_is_in_the_history(client, mailbox, olga):
    group = Group.objects.create(name="Spring course")
    invite = Invite.objects.issue(EMAIL, source="csv", invited_by=olga, groups=[group.pk], name="Grace")
    assert "Hello Grace," in mailbox.text(EMAIL)

    token = mailbox.link(EMAIL, "/signup").partition("token=")[2]
    client.post("/signup", {"token": token, "username": "grace", "password": PASSWORD})

    assert list(group.user_set.values_list("username", flat=True)) == ["grace"]
    assert history(invite)[-2:] == [("accepted", "grace"), ("rights_changed", "grace")]
    joined = Event.objects.get(kind="rights_changed").detail
    assert joined == {"by": "staff", "staff": olga.username, "changed": {"groups": [[], ["Spring course"]]}}
