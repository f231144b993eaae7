"""Promise 3: one claim wins, whoever presses when."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import notices
from accounts.models import Event, Session, User
from invites import purposes
from invites.models import Invite
from kit import tokens
from outbox.mail.deliver import Deliverer
from outbox.models import OutboxMessage
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.program import Program, codes
from tests.tools.reading import words

pytestmark = pytest.mark.usefixtures("db")

PRESSES = 50
AGO = timezone.now() - timedelta(hours=1)


def at_once(press, count=PRESSES):
    """The answers to `count` presses that wait for each other before they start."""
    gate = threading.Barrier(count)

    def one(n):
        gate.wait()
        try:
            return press(n)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def count_by_status(answers):
    return {status: sum(a.status_code == status for a in answers) for status in {a.status_code for a in answers}}


@pytest.fixture
def no_limits(settings):
    settings.RATELIMIT_ENABLE = False


def test_fifty_presses_make_one_account_and_one_clear_page_for_the_rest():
    invite = InviteFactory()
    token = tokens.sign(purposes.SIGNUP, invite.pk)

    answers = at_once(
        lambda n: Client().post("/signup", {"token": token, "username": f"racer{n}", "password": PASSWORD})
    )

    assert count_by_status(answers) == {302: 1, 410: PRESSES - 1}
    assert all("already been used" in words(a) for a in answers if a.status_code == 410)
    user = User.objects.get()
    assert user.emailaddress_set.count() == 1
    assert Session.objects.get().user == user
    assert Invite.objects.get().claimed_by == user


def test_fifty_programs_with_one_token_make_one_account_and_one_clear_answer_for_the_rest():
    invite = InviteFactory()
    token = tokens.sign(purposes.SIGNUP, invite.pk)

    answers = at_once(
        lambda n: Program().send("/api/v1/auth/create", token=token, username=f"racer{n}", password=PASSWORD)
    )

    assert count_by_status(answers) == {201: 1, 410: PRESSES - 1}
    assert all(codes(answer) == ["used"] for answer in answers if answer.status_code == 410)
    assert Session.objects.get().user == User.objects.get()


def test_ten_programs_that_end_one_session_end_it_once():
    user = UserFactory()
    programs = [Program() for _ in range(10)]
    for program in programs:
        program.force_login(user)
        program.look()
    handle = Session.objects.order_by("created_at").last().handle

    answers = at_once(lambda n: programs[n].send(f"/api/v1/auth/session/{handle}", "DELETE"), 10)

    assert count_by_status(answers)[200] == 1
    assert Event.objects.filter(kind=Event.Kind.SESSION_ENDED).count() == 1


def test_fifty_presses_of_a_sign_in_link_start_one_session():
    user = UserFactory()
    token = tokens.sign(purposes.CONFIRM, InviteFactory(email=user.email).pk)

    answers = at_once(lambda _: Client().post("/confirm", {"token": token}))

    assert count_by_status(answers) == {302: 1, 410: PRESSES - 1}
    assert Session.objects.count() == 1


def test_fifty_presses_of_one_not_me_link_take_the_account_back_once():
    user = UserFactory()
    user.change_password("another horse battery staple")
    token = tokens.sign(notices.NOT_ME, Event.objects.get(kind=Event.Kind.PASSWORD_CHANGED).pk)

    answers = at_once(lambda _: Client().post("/not-me", {"token": token}))

    assert count_by_status(answers) == {200: 1, 410: PRESSES - 1}
    assert OutboxMessage.objects.filter(kind="disowned").count() == 1
    assert Event.objects.filter(kind=Event.Kind.DISOWNED).count() == 1


def test_fifty_presses_of_confirm_account_in_one_browser_make_one_account():
    browser = Client()
    browser.post("/signup", {"email": "grace@example.com", "username": "grace", "password": PASSWORD})
    token = tokens.sign(purposes.CONFIRM, Invite.objects.get().pk)
    browser.get("/confirm", {"token": token})

    def press(_):
        client = Client()
        for name in ("seal", "csrf"):
            client.cookies[name] = browser.cookies[name].value
        return client.post("/confirm", {"token": token})

    answers = at_once(press)

    assert User.objects.get().username == "grace"
    assert User.objects.get().check_password(PASSWORD)
    assert {(a.status_code, a.get("Location")) for a in answers} == {(302, "/login")}


def test_fifty_people_who_want_one_name_make_one_account_with_it():
    invites = InviteFactory.create_batch(PRESSES)

    answers = at_once(
        lambda n: Client().post(
            "/signup",
            {"token": tokens.sign(purposes.SIGNUP, invites[n].pk), "username": "wanted", "password": PASSWORD},
        )
    )

    assert count_by_status(answers) == {302: 1, 200: PRESSES - 1}
    assert User.objects.get().username == "wanted"
    assert Invite.objects.pending().count() == PRESSES - 1


def test_fifty_requests_for_one_address_keep_one_invite_and_lose_no_mail(no_limits):
    answers = at_once(lambda _: Client().post("/", {"email": "grace@example.com"}))

    assert count_by_status(answers) == {302: PRESSES}
    assert Invite.objects.get().sends == PRESSES
    assert OutboxMessage.objects.count() == PRESSES


def test_asking_while_the_link_is_pressed_is_never_a_500(no_limits):
    invite = InviteFactory(email="grace@example.com")
    form = {"token": tokens.sign(purposes.SIGNUP, invite.pk), "username": "grace", "password": PASSWORD}

    answers = at_once(
        lambda n: Client().post("/signup", form) if n % 5 == 0 else Client().post("/", {"email": invite.email}), 20
    )

    assert set(count_by_status(answers)) <= {302, 410}
    assert User.objects.count() == 1


def test_two_workers_share_the_outbox_and_send_each_mail_once(tmp_path):
    for n in range(30):
        Invite.objects.issue(f"guest{n}@example.com")
    sent = []
    with patch("outbox.mail.backends.EmlBackend.send_messages", lambda _self, mails: sent.extend(mails[0].to)):
        at_once(lambda _: [None for _ in iter(Deliverer().next, False)], 4)

    assert len(sent) == len(set(sent)) == 30


def test_a_mail_that_hangs_holds_up_no_other():
    for name in ("first", "second"):
        Invite.objects.issue(f"{name}@example.com")
    OutboxMessage.objects.filter(recipient__startswith="first").update(next_try_at=AGO)
    hanging, go_on = threading.Event(), threading.Event()

    def send(_self, mails):
        if mails[0].to == ["first@example.com"]:
            hanging.set()
            assert go_on.wait(20)

    def slow_worker():
        Deliverer().next()
        connection.close()

    with patch("outbox.mail.backends.EmlBackend.send_messages", send):
        worker = threading.Thread(target=slow_worker)
        worker.start()
        assert hanging.wait(20)
        assert Deliverer().next()
        assert not Deliverer().next()
        go_on.set()
        worker.join()

    assert OutboxMessage.objects.filter(sent_at=None).count() == 0


def test_ten_owner_links_make_one_owner():
    invites = InviteFactory.create_batch(10, source=Invite.Source.OWNER)

    def accept(n):
        form = {"token": tokens.sign(purposes.OWNER, invites[n].pk), "username": f"owner{n}", "password": PASSWORD}
        return Client().post("/owner", form)

    answers = at_once(accept, 10)

    assert count_by_status(answers) == {302: 1, 410: 9}
    assert User.objects.get().is_superuser


def test_two_who_send_one_invite_again_at_once_send_one_mail():
    invite = InviteFactory(invitation=True)
    Invite.objects.update(sent_at=AGO, created_at=AGO)

    outcomes = at_once(lambda n: Invite.objects.filter(pk=invite.pk).resend(), count=2)

    assert sorted(len(outcome.done) for outcome in outcomes) == [0, 1]
    assert OutboxMessage.objects.filter(about=invite.pk).count() == 1
    assert Invite.objects.get().sends == 1


def test_withdrawing_what_is_accepted_at_once_leaves_one_winner_and_both_know(no_limits):
    for n in range(5):
        invite = InviteFactory(invitation=True)
        token = tokens.sign(purposes.SIGNUP, invite.pk)

        def press(turn, n=n, invite=invite, token=token):
            if turn:
                return Invite.objects.filter(pk=invite.pk).revoke()
            return Client().post("/signup", {"token": token, "username": f"guest{n}", "password": PASSWORD})

        page, outcome = at_once(press, count=2)
        accepted = User.objects.filter(email=invite.email).exists()

        assert accepted == (page.status_code == 302) == (not outcome.done)
        if accepted:
            assert [reason for _email, reason in outcome.skipped] == ["accepted"]
        else:
            assert "withdrawn" in words(page)
