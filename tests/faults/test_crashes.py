"""Promise 5, step by step: wherever a process dies, each mail arrives, and a second copy is the same mail."""

import pytest
from django.utils import timezone

from invites import digest
from invites.models import Invite, MagicLink
from outbox.models import OutboxMessage
from tests.faults import crash
from tests.faults.parts import wait_until
from tests.tools.factories import InviteFactory, UserFactory
from tests.tools.sink import Outcome

MAILS = 5  # one more than the workers can deliver before they die
PASSES = (1, 2, 1)  # at which pass of its step each worker dies


@pytest.fixture(autouse=True)
def invites(workers):
    for n in range(MAILS):
        MagicLink.objects.issue(f"guest{n}@example.com")


@pytest.fixture
def amqp(workers, own_broker):
    workers.patched["django.conf.settings.AMQP_URL"] = own_broker.url


def die(workers, command, step):
    for nth in PASSES:
        assert workers.start(command, crash=(step, nth)).wait() == crash.DIED


def everything_is_delivered():
    return not OutboxMessage.objects.waiting().exists()


def assert_all_arrived(sink, repeated):
    recipients = OutboxMessage.objects.values_list("recipient", flat=True)
    assert len(recipients) == MAILS
    assert Outcome.of(sink.on_disk(), recipients) == (0, repeated, 0)
    assert all("/signup?token=" in mail.link for mail in sink.on_disk())


@pytest.mark.parametrize("step", crash.DELIVERY)
def test_a_worker_that_dies_at_any_step_loses_nothing(workers, sink, step):
    die(workers, "deliver_mail", step)
    workers.start("deliver_mail")
    wait_until(everything_is_delivered)

    assert_all_arrived(sink, repeated=len(PASSES) if step in crash.MAY_REPEAT else 0)


@pytest.mark.parametrize("step", crash.CONSUMPTION)
def test_a_consumer_that_dies_at_any_step_loses_nothing(workers, sink, amqp, step):
    workers.start("relay_mail")
    die(workers, "deliver_mail", step)
    workers.start("deliver_mail")
    wait_until(everything_is_delivered)

    assert_all_arrived(sink, repeated=len(PASSES) if step in crash.MAY_REPEAT else 0)


@pytest.mark.parametrize("step", crash.PUBLICATION)
def test_a_relay_that_dies_at_any_step_loses_nothing(workers, sink, amqp, step):
    workers.start("deliver_mail")
    die(workers, "relay_mail", step)
    workers.start("relay_mail")
    wait_until(everything_is_delivered)

    assert_all_arrived(sink, repeated=0)


@pytest.mark.parametrize("step", ["before commit", "committed"])
def test_a_timer_that_dies_around_its_commit_tells_each_inviter_once(workers, step):
    inviter = UserFactory()
    InviteFactory(invited_by=inviter, has_news=True, declined_at=timezone.now())

    assert workers.start("tell_inviters", crash=(step, 1)).wait() == crash.DIED
    assert workers.start("tell_inviters").wait() == 0

    assert OutboxMessage.objects.filter(recipient=inviter.email, kind=digest.KIND).count() == 1
    assert not Invite.objects.with_news()
