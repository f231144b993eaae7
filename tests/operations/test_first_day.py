"""The first day at the desk: three steps for the owner who is there alone, each gone when it is done."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts import limits
from invites.models import Invite
from outbox.mail.deliver import deliver_due
from outbox.models import OutboxMessage
from tests.operations.test_home import browser
from tests.tools.factories import InviteFactory, UserFactory
from tests.tools.reading import words
from tests.tools.sink import Sink, listening

pytestmark = pytest.mark.django_db

HOME, TEST_MAIL = "/admin/", "/admin/test-mail/"
OWNER = "olga@example.com"
STEPS = ["Check that mail arrives", "Say where people go after they sign in", "Invite the first people"]


def steps(page):
    return re.findall(r'<li class="next"><b>(.*?)</b>', page.text)


def told(page):
    """Returns the sentence below the step that checks mail, or the note that stands in its place."""
    found = re.search(r'arrives</b>\s*<p class="quiet">(.*?)</p>|<p class="note"><span>(.*?)</span>', page.text)
    return unescape(found[1] or found[2])


def newest():
    return OutboxMessage.objects.filter(kind="test_mail").order_by("-id").first()


def test_who_is_alone_reads_three_steps_and_no_numbers(desk):
    page = desk.get(HOME)

    assert "Welcome, olga" in words(page)
    assert "Nobody else is here yet" in words(page)
    assert "3 steps and the door is open" in words(page)
    assert steps(page) == STEPS
    assert told(page) == "We send one to olga@example.com and tell you what the mail server answered."
    assert 'class="tiles"' not in page.text
    assert "All invitations Sent together Requests to join Sign-up funnel" in words(page)


def test_the_product_is_a_step_until_it_is_known(desk, settings):
    settings.PRODUCT_URL = "https://app.example.com/"

    page = desk.get(HOME)

    assert steps(page) == [STEPS[0], STEPS[2]]
    assert "2 steps and the door is open" in words(page)


def test_a_test_mail_arrives_and_the_page_says_what_the_server_answered(desk, settings):
    with listening(Sink()) as port:
        options = {"host": "127.0.0.1", "port": port, "timeout": 5}
        settings.MAILERS |= {"delivery": {"BACKEND": "outbox.mail.smtp.SmtpBackend", "OPTIONS": options}}
        page = desk.post(TEST_MAIL, follow=True)
        assert page.redirect_chain == [(HOME, 302)]
        assert "A test mail to olga@example.com is on its way." in words(page)
        assert told(page) == "The test mail is on its way. Look again in a moment."
        assert steps(page) == STEPS

        deliver_due()

    page = desk.get(HOME)
    assert newest().last_answer.startswith("250 ")
    assert told(page) == f"The test mail has left. The mail server answered: {newest().last_answer}"
    assert steps(page) == STEPS[1:]


def test_the_test_mail_is_for_whoever_asked_and_for_nobody_else(desk, mailbox):
    desk.post(TEST_MAIL, {"email": "eve@example.com"})

    assert mailbox.kinds(OWNER)[-1] == "test_mail"
    assert not mailbox.letters("eve@example.com")
    assert mailbox.letters(OWNER)[-1]["Subject"] == "Test mail from Frontdoor"
    assert told(desk.get(HOME)) == "The test mail has left: it was written into a folder of this machine."


ANSWERS = {
    "The test mail has not left: no mail server answers. It is tried again. The answer was: TimeoutError: timed out": {
        "attempts": 1,
        "last_answer": "TimeoutError: timed out",
    },
    "The test mail did not arrive: mailbox does not exist. The answer was: 550 5.1.1 No such user": {
        "attempts": 1,
        "given_up_at": timezone.now(),
        "last_answer": "550 5.1.1 No such user",
    },
    "The test mail did not arrive: mailbox full. The answer was: 552 5.2.2 Full": {
        "sent_at": timezone.now(),
        "bounced_at": timezone.now(),
        "last_answer": "552 5.2.2 Full",
    },
    "The test mail still waits. See that manage.py deliver_mail runs.": {
        "created_at": timezone.now() - timedelta(minutes=2),
    },
}


@pytest.mark.parametrize("said", ANSWERS)
def test_what_became_of_the_test_mail_is_said(desk, said):
    desk.post(TEST_MAIL)
    OutboxMessage.objects.filter(kind="test_mail").update(**ANSWERS[said])

    page = desk.get(HOME)

    assert told(page) == said
    assert steps(page) == STEPS
    assert "Send another test mail" in words(page)
    desk.post(TEST_MAIL)
    assert told(desk.get(HOME)) == "The test mail is on its way. Look again in a moment."


def test_looking_at_the_page_of_the_test_mail_sends_none(desk):
    assert desk.get(TEST_MAIL).url == HOME
    assert newest() is None


def test_test_mails_are_limited(desk):
    most = int(limits.CHANGE_PER_USER.rate.partition("/")[0])
    for _ in range(most):
        assert desk.post(TEST_MAIL).status_code == 302

    assert desk.post(TEST_MAIL).status_code == 429
    assert OutboxMessage.objects.filter(kind="test_mail").count() == most


def test_only_staff_have_test_mails_sent(signed_in):
    assert signed_in.post(TEST_MAIL).status_code in {302, 403}
    assert Client().post(TEST_MAIL).status_code == 302

    assert newest() is None


def test_another_site_cannot_have_one_sent(admin_user):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = browser(admin_user).cookies

    assert strict.post(TEST_MAIL).status_code == 403
    assert newest() is None


def test_an_idle_desk_sends_none(desk):
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert desk.post(TEST_MAIL).url.startswith("/login")

    assert newest() is None


def test_the_first_day_is_over_at_once_when_somebody_is_invited(desk, admin_user):
    assert "Welcome, olga" in words(desk.get(HOME))
    Invite.objects.issue("grace@example.com", source="admin", invited_by=admin_user)

    page = desk.get(HOME)

    assert "Today at Frontdoor" in words(page)
    assert steps(page) == []


def test_the_first_day_is_over_when_another_person_is_here(desk, ada):
    assert "Today at Frontdoor" in words(desk.get(HOME))


def test_whoever_may_not_invite_has_no_first_day():
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="view_invite"))

    page = browser(person).get(HOME)

    assert "Today at Frontdoor" in words(page)
    assert steps(page) == []


def test_a_first_day_is_not_remembered(desk):
    desk.get(HOME)
    assert cache.get("desk:numbers") is None
    InviteFactory()
    desk.get(HOME)
    assert cache.get("desk:numbers")["invitations"] == 1
