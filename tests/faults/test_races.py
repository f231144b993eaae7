"""Promise 3: one claim of a link wins, however many presses come at once."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from unittest.mock import patch

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import limits, notices
from accounts.models import Event, HeldName, Session, User
from invites import digest, purposes
from invites.link.readdressing import Readdressing
from invites.models import Entry, Invite, MagicLink, in_step
from kit import tokens
from outbox.mail.deliver import Deliverer
from outbox.models import OutboxMessage
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.program import Program, codes
from tests.tools.reading import words

pytestmark = pytest.mark.usefixtures("db")

PRESSES = 50
ROUNDS = 20  # repetitions of a race between two
SPREAD = 0.03  # seconds within which the second of two starts; about as long as a press takes
AGO = timezone.now() - timedelta(hours=1)


def at_once(press, count=PRESSES):
    """Calls `press` with 0, 1, … in `count` threads that start together; returns the answers in order."""
    gate = threading.Barrier(count)

    def one(n):
        gate.wait()
        try:
            return press(n)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def nearly_at_once(first, second):
    """Calls two functions, the second up to SPREAD seconds after the first; returns both answers."""

    def do(turn):
        if turn:
            time.sleep(random.uniform(0, SPREAD))  # noqa: S311
        return second() if turn else first()

    return at_once(do, 2)


def sign_up(link, username):
    form = {"token": tokens.sign(purposes.SIGNUP, link.pk), "username": username, "password": PASSWORD}
    return Client().post(tokens.path(purposes.SIGNUP, link.pk), form)


def sign_in(link):
    return Client().post("/confirm", {"token": tokens.sign(purposes.CONFIRM, link.pk), "here": "on"})


def asked_for(**fields):
    """Returns a link that somebody asked for, and None in place of an invitation that it would accept."""
    return LinkFactory(**fields), None


def invited(**fields):
    invite = InviteFactory(**fields)
    return MagicLink.objects.get(pk=invite.pk), invite


def invited_and_asked_for(**fields):
    invite = InviteFactory(**fields)
    return LinkFactory(email=invite.email, invite=invite), invite


def asked_for_and_invited(**fields):
    link = LinkFactory()
    return link, InviteFactory(email=link.email, **fields)


def two_asked_for():
    return LinkFactory.create_batch(2, email="grace@example.com")


def both_of_an_invitation():
    asked, invite = invited_and_asked_for(email="grace@example.com")
    return [asked, MagicLink.objects.get(pk=invite.pk)]


def withdraw(invite):
    return Invite.objects.filter(pk=invite.pk).revoke()


def became(*rows):
    for row in rows:
        row.refresh_from_db()
    return tuple(row.state for row in rows)


def count_by_status(answers):
    return {status: sum(a.status_code == status for a in answers) for status in {a.status_code for a in answers}}


@pytest.fixture
def no_limits(settings):
    settings.RATELIMIT_ENABLE = False


@pytest.mark.parametrize("made", [asked_for, invited, invited_and_asked_for, asked_for_and_invited])
def test_fifty_presses_make_one_account_and_one_clear_page_for_the_rest(made):
    link, invite = made()

    answers = at_once(lambda n: sign_up(link, f"racer{n}"))

    assert count_by_status(answers) == {302: 1, 410: PRESSES - 1}
    assert all("already been used" in words(a) for a in answers if a.status_code == 410)
    user = User.objects.get()
    assert user.emailaddress_set.count() == 1
    assert Session.objects.get().user == user
    link.refresh_from_db()
    assert link.used_by == user
    assert invite is None or Invite.objects.get().accepted_by == user


@pytest.mark.parametrize("made", [two_asked_for, both_of_an_invitation])
def test_twenty_presses_of_two_links_of_one_address_make_one_account_and_end_both(made):
    links = made()

    answers = at_once(lambda n: sign_up(links[n % 2], f"racer{n}"), 20)

    assert set(count_by_status(answers)) <= {302, 410}
    assert [answer.get("Location") for answer in answers].count("/account") == 1
    # A press that was a moment too late is redirected to the link's page, and that says that it was used.
    assert all("already been used" in words(Client().get(tokens.path(purposes.SIGNUP, link.pk))) for link in links)
    user = User.objects.get()
    assert user.emailaddress_set.count() == 1
    assert Session.objects.get().user == user
    assert MagicLink.objects.get(used_at__isnull=False).used_by == user


def test_twenty_programs_with_two_tokens_of_one_address_make_one_account():
    links = two_asked_for()

    def create(n):
        token = tokens.sign(purposes.SIGNUP, links[n % 2].pk)
        return Program().send("/api/v1/auth/create", token=token, username=f"racer{n}", password=PASSWORD)

    answers = at_once(create, 20)

    assert count_by_status(answers)[201] == 1
    assert {(a.status_code, *codes(a)) for a in answers if a.status_code != 201} <= {
        (410, "used"),
        (409, "has_account"),
    }
    assert Session.objects.get().user == User.objects.get()


def test_fifty_programs_with_one_token_make_one_account_and_the_rest_are_told_why():
    token = tokens.sign(purposes.SIGNUP, LinkFactory().pk)

    answers = at_once(
        lambda n: Program().send("/api/v1/auth/create", token=token, username=f"racer{n}", password=PASSWORD)
    )

    assert count_by_status(answers) == {201: 1, 410: PRESSES - 1}
    assert all(codes(answer) == ["used"] for answer in answers if answer.status_code == 410)
    assert Session.objects.get().user == User.objects.get()


def test_fifty_programs_with_one_link_start_one_session_and_the_rest_are_told_why():
    token = tokens.sign(purposes.CONFIRM, LinkFactory(email=UserFactory().email, epoch=0).pk)

    answers = at_once(lambda _: Program().send("/api/v1/auth/confirm", token=token))

    assert count_by_status(answers) == {200: 1, 410: PRESSES - 1}
    assert all(codes(answer) == ["used"] for answer in answers if answer.status_code == 410)
    assert Session.objects.filter(user__isnull=False).count() == 1


def test_many_guesses_at_an_address_code_at_once_evade_no_limit():
    program = Program()
    program.force_login(UserFactory())
    program.look()
    program.send("/api/v1/account/email-change", email="new@example.com", password=PASSWORD)
    cookies, token = program.cookies, program.token

    def guess(n):
        other = Program()
        other.cookies, other.token = cookies.copy(), token
        return other.send("/api/v1/account/email-change/code", code=f"{n:08}")

    answers = at_once(guess, 20)

    told = [code for answer in answers for code in codes(answer)]
    assert told.count("mismatch") < limits.EMAIL_CODE.most
    assert set(told) == {"mismatch", "over"}


def test_ten_programs_that_end_one_session_end_it_once():
    user = UserFactory()
    programs = [Program() for _ in range(10)]
    for program in programs:
        program.force_login(user)
        program.look()
    handle = Session.objects.order_by("created_at").last().handle

    answers = at_once(lambda n: programs[n].send(f"/api/v1/auth/sessions/{handle}", "DELETE"), 10)

    assert count_by_status(answers)[200] == 1
    assert Event.objects.filter(kind=Event.Kind.SESSION_ENDED).count() == 1


def test_fifty_presses_of_a_sign_in_link_start_one_session():
    link = LinkFactory(email=UserFactory().email)

    answers = at_once(lambda _: sign_in(link))

    assert count_by_status(answers) == {302: 1, 410: PRESSES - 1}
    assert Session.objects.count() == 1


@pytest.mark.parametrize("made", [asked_for, invited])
def test_ten_presses_of_a_link_of_somebody_who_has_an_account_use_it_once(made):
    user = UserFactory()
    link, invite = made(email=user.email)

    answers = at_once(lambda _: sign_in(link), 10)

    assert count_by_status(answers) == {302: 1, 410: 9}
    link.refresh_from_db()
    assert link.used_by == user
    happened = list(Event.objects.filter(user=user).values_list("kind", flat=True))
    assert happened.count(Event.Kind.SIGNED_IN) == 1
    assert happened.count(Event.Kind.ACCEPTED) == (1 if invite else 0)


def test_fifty_presses_of_one_not_me_link_take_the_account_back_once():
    user = UserFactory()
    user.ways_in.change_password("another horse battery staple")
    token = tokens.sign(notices.NOT_ME, Event.objects.get(kind=Event.Kind.PASSWORD_CHANGED).pk)

    answers = at_once(lambda _: Client().post("/not-me", {"token": token}))

    assert count_by_status(answers) == {200: 1, 410: PRESSES - 1}
    assert OutboxMessage.objects.filter(kind="disowned").count() == 1
    assert Event.objects.filter(kind=Event.Kind.DISOWNED).count() == 1


def test_fifty_presses_of_confirm_account_in_one_browser_make_one_account():
    browser = Client()
    browser.post("/signup", {"email": "grace@example.com", "username": "grace", "password": PASSWORD})
    token = tokens.sign(purposes.CONFIRM, MagicLink.objects.get().pk)
    browser.get("/confirm", {"token": token})

    def press(_):
        client = Client()
        for name in ("frontdoor_seal", "frontdoor_csrf"):
            client.cookies[name] = browser.cookies[name].value
        return client.post("/confirm", {"token": token})

    answers = at_once(press)

    assert User.objects.get().username == "grace"
    assert User.objects.get().check_password(PASSWORD)
    assert {(a.status_code, a.get("Location")) for a in answers} == {(302, "/login")}


def test_fifty_people_who_want_one_name_make_one_account_with_it():
    links = LinkFactory.create_batch(PRESSES)

    answers = at_once(lambda n: sign_up(links[n], "wanted"))

    assert count_by_status(answers) == {302: 1, 200: PRESSES - 1}
    assert User.objects.get().username == "wanted"
    assert MagicLink.objects.pending().count() == PRESSES - 1


def test_fifty_requests_for_one_address_keep_fifty_links_and_lose_no_mail(no_limits):
    answers = at_once(lambda _: Client().post("/", {"email": "grace@example.com"}))

    assert count_by_status(answers) == {302: PRESSES}
    assert MagicLink.objects.pending().count() == PRESSES
    about = OutboxMessage.objects.filter(recipient="grace@example.com").values_list("about", flat=True)
    assert sorted(about) == sorted(MagicLink.objects.values_list("pk", flat=True))


def test_asking_while_the_link_is_pressed_is_never_a_500(no_limits):
    link = LinkFactory(email="grace@example.com")

    answers = at_once(lambda n: sign_up(link, "grace") if n % 5 == 0 else Client().post("/", {"email": link.email}), 20)

    assert set(count_by_status(answers)) <= {302, 410}
    assert User.objects.count() == 1


def test_two_workers_share_the_outbox_and_send_each_mail_once(tmp_path):
    for n in range(30):
        MagicLink.objects.issue(f"guest{n}@example.com")
    sent = []
    with patch("outbox.mail.backends.EmlBackend.send_messages", lambda _self, mails: sent.extend(mails[0].to)):
        at_once(lambda _: [None for _ in iter(Deliverer().next, False)], 4)

    assert len(sent) == len(set(sent)) == 30


def test_a_mail_that_hangs_holds_up_no_other():
    for name in ("first", "second"):
        MagicLink.objects.issue(f"{name}@example.com")
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
    links = LinkFactory.create_batch(10, purpose="owner")

    def accept(n):
        form = {"token": tokens.sign(purposes.OWNER, links[n].pk), "username": f"owner{n}", "password": PASSWORD}
        return Client().post("/owner", form)

    answers = at_once(accept, 10)

    assert count_by_status(answers) == {302: 1, 410: 9}
    assert User.objects.get().is_superuser


def test_two_who_send_one_invite_again_at_once_send_one_mail():
    invite = InviteFactory()
    Invite.objects.update(sent_at=AGO, created_at=AGO)

    outcomes = at_once(lambda n: Invite.objects.filter(pk=invite.pk).resend(), count=2)

    assert sorted(len(outcome.done) for outcome in outcomes) == [0, 1]
    assert OutboxMessage.objects.filter(about=invite.pk).count() == 1
    assert Invite.objects.get().sends == 1


def test_ten_timers_at_once_remind_each_once():
    long_ago = timezone.now() - timedelta(days=5)
    for _ in range(20):
        InviteFactory(created_at=long_ago, remind_at=AGO)

    outcomes = at_once(lambda n: Invite.objects.remindable().remind(), count=10)

    assert sum(len(outcome.done) for outcome in outcomes) == 20
    assert OutboxMessage.objects.filter(kind="invite_reminder").count() == 20
    assert set(Invite.objects.values_list("reminders", flat=True)) == {1}


def test_a_timer_and_a_press_at_once_remind_once():
    for _ in range(ROUNDS):
        invite = InviteFactory(created_at=timezone.now() - timedelta(days=5), remind_at=AGO)
        rows, by = Invite.objects.filter(pk=invite.pk), UserFactory()

        nearly_at_once(rows.remind, partial(rows.remind_by_hand, by, leaving=in_step()))

        assert OutboxMessage.objects.filter(kind="invite_reminder", about=invite.pk).count() == 1


def test_ten_timers_at_once_tell_each_inviter_once():
    inviters = [UserFactory() for _ in range(5)]
    for inviter in inviters:
        InviteFactory(invited_by=inviter, has_news=True, declined_at=AGO)

    told = at_once(lambda n: sum(digest.tell(inviter.pk) for inviter in inviters), count=10)

    assert sum(told) == 5
    assert OutboxMessage.objects.filter(kind=digest.KIND).count() == 5
    assert not Invite.objects.with_news()


def test_what_is_declined_while_its_inviter_is_told_is_told_now_or_next():
    for _ in range(ROUNDS):
        inviter = UserFactory()
        first, second = (InviteFactory(invited_by=inviter) for _ in range(2))
        first.decline()

        nearly_at_once(second.decline, partial(digest.tell, inviter.pk))

        [mail] = OutboxMessage.objects.filter(recipient=inviter.email, kind=digest.KIND)
        left = Invite.objects.with_news().filter(invited_by=inviter).count()
        assert mail.parts["context"]["declined_count"] + left == 2


def test_an_inviter_can_leave_while_they_are_told():
    for _ in range(ROUNDS):
        inviter = UserFactory()
        InviteFactory(invited_by=inviter).decline()

        nearly_at_once(inviter.erase, partial(digest.tell, inviter.pk))

        assert not User.objects.filter(pk=inviter.pk).exists()


@pytest.mark.parametrize("made", [invited, invited_and_asked_for])
def test_withdrawing_what_is_accepted_at_once_leaves_one_winner_and_both_know(no_limits, made):
    for n in range(ROUNDS):
        link, invite = made()
        page, outcome = nearly_at_once(partial(sign_up, link, f"guest{n}"), partial(withdraw, invite))
        accepted = User.objects.filter(email=link.email).exists()

        assert accepted == (page.status_code == 302) == (not outcome.done)
        assert became(link, invite) == (("used", "accepted") if accepted else ("revoked", "revoked"))
        if accepted:
            assert [reason for _email, reason in outcome.skipped] == ["accepted"]
        else:
            assert "withdrawn" in words(page)


def test_withdrawing_what_somebody_who_asked_before_accepts_leaves_one_winner(no_limits, settings):
    settings.SIGNUP = "invited"
    for n in range(ROUNDS):
        link, invite = asked_for_and_invited()
        page, outcome = nearly_at_once(partial(sign_up, link, f"guest{n}"), partial(withdraw, invite))
        accepted = User.objects.filter(email=link.email).exists()

        assert accepted == (page.get("Location") == "/account") == (not outcome.done)
        assert became(link, invite) == (("used", "accepted") if accepted else ("pending", "revoked"))
        assert accepted or sign_up(link, f"guest{n}").status_code == 403


def test_withdrawing_what_somebody_who_has_an_account_accepts_leaves_one_winner(no_limits):
    for _ in range(ROUNDS):
        user = UserFactory()
        link, invite = invited(email=user.email)
        page, outcome = nearly_at_once(partial(sign_in, link), partial(withdraw, invite))
        accepted = Session.objects.filter(user=user).exists()

        assert accepted == (page.status_code == 302) == (not outcome.done)
        assert became(link, invite) == (("used", "accepted") if accepted else ("revoked", "revoked"))


def delete_group(group):
    """Deletes the group at the desk, as its owner does; returns the answer."""
    browser = Client()
    browser.force_login(UserFactory(is_staff=True, is_superuser=True))
    return browser.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})


@pytest.mark.parametrize("accept", [sign_in, partial(sign_up, username="guest")])
def test_a_group_that_is_deleted_while_somebody_joins_it_is_no_fault(no_limits, accept):
    for _ in range(ROUNDS):
        User.objects.all().delete()
        HeldName.objects.all().delete()
        group = Group.objects.create(name="Friends")
        by = UserFactory(is_superuser=True)
        link, _invite = invited(groups=[group], invited_by=by)
        if accept is sign_in:
            UserFactory(email=link.email)
        page, deleted = nearly_at_once(partial(accept, link), partial(delete_group, group))

        assert (page.status_code, deleted.status_code) == (302, 302)
        assert User.objects.filter(email=link.email).exists()
        assert not Group.objects.exists()


def replaced(invite):
    """Lets an invitation expire and replaces it; returns the new invitation's link, and the new invitation."""
    Invite.objects.filter(pk=invite.pk).update(expires_at=AGO)
    new = Invite.objects.issue(invite.email, source=invite.source, invited_by=invite.invited_by)
    return MagicLink.objects.get(pk=new.pk), new


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("made", [invited, invited_and_asked_for])
def test_what_is_accepted_while_it_goes_to_another_address_does_only_one_of_both(no_limits, made, anew):
    def readdress(invite):
        return Client().post("/invite/readdress/answer", {"token": tokens.sign(purposes.READDRESS, invite.pk)})

    sender = UserFactory()
    for n in range(ROUNDS):
        (link, asked), other = made(invited_by=sender), f"other{n}@example.com"
        Readdressing(asked).ask(other)
        link, invite = replaced(asked) if anew else (link, asked)
        page, answer = nearly_at_once(partial(sign_up, link, f"guest{n}"), partial(readdress, asked))
        accepted = User.objects.filter(email=link.email).exists()

        assert accepted == (page.status_code == 302) == (answer.status_code == 410)
        assert became(link, invite) == (("used", "accepted") if accepted else ("revoked", "revoked"))
        assert Invite.objects.pending().filter(email=other).count() == (0 if accepted else 1)
        assert OutboxMessage.objects.filter(recipient=other).count() == (0 if accepted else 1)


def test_somebody_can_leave_while_staff_extend_the_invitation_of_an_address_they_had():
    for _ in range(ROUNDS):
        user = UserFactory()
        invite = InviteFactory(email=user.email)
        user.address.change(f"{user.username}@new.example")

        nearly_at_once(user.erase, Invite.objects.filter(pk=invite.pk).extend)

        assert not User.objects.filter(pk=user.pk).exists()
        assert not Invite.objects.filter(email=invite.email).exists()
        assert not MagicLink.objects.filter(email=invite.email).exists()


@pytest.mark.parametrize(("new", "expired"), [(500, 0), (50, 50)])  # expired invitations are replaced
def test_two_lists_of_the_same_people_in_opposite_order_invite_each_once(new, expired):
    for n in range(5):
        emails = [invite.email for invite in InviteFactory.create_batch(expired, expires_at=AGO)]
        emails += [f"guest.{n}.{m}@example.com" for m in range(new)]

        outcomes = at_once(partial(invite_in_order, [emails, emails[::-1]]), 2)

        assert sum(len(outcome.done) for outcome in outcomes) == len(emails)
        assert {reason for outcome in outcomes for _email, reason in outcome.skipped} == {"invited"}
        invites = Invite.objects.open().filter(email__in=emails)
        assert sorted(invite.email for invite in invites) == sorted(emails)
        links = MagicLink.objects.pending().filter(email__in=emails)
        assert sorted(link.pk for link in links) == sorted(invite.pk for invite in invites)
        mails = OutboxMessage.objects.filter(recipient__in=emails)
        assert sorted(mail.about for mail in mails) == sorted(invite.pk for invite in invites)


def invite_in_order(orders, turn):
    return Invite.objects.issue_many([Entry(email) for email in orders[turn]], source="csv")


def test_an_invitation_that_is_declined_while_it_is_issued_again_stays_declined():
    for n in range(ROUNDS):
        invite = InviteFactory(email=f"guest{n}@example.com")

        nearly_at_once(partial(Invite.objects.issue, invite.email, source="admin"), invite.decline)

        assert became(invite) == ("declined",)


def test_coming_back_and_the_end_of_an_account_at_once_leave_a_whole_account_or_none():
    for n in range(ROUNDS):
        person = UserFactory(username=f"leaver{n}", email=f"leaver{n}@example.com")
        person.leaving.begin()
        User.objects.filter(pk=person.pk).update(leaves_at=AGO)
        token = tokens.sign(notices.KEEP, person.events.get(kind="leaving").pk)

        finished, page = nearly_at_once(
            lambda person=person: person.leaving.finish(),
            lambda token=token: Client().post("/keep", {"token": token}),
        )

        held = User.objects.filter(pk=person.pk).first()
        assert finished == (held is None)
        assert page.status_code == (404 if finished else 302)
        if held:
            assert held.leaves_at is None
            assert EmailAddress.objects.filter(user=held, verified=True).count() == 1


def test_of_fifty_presses_that_keep_an_account_all_sign_in_and_one_is_told():
    person = UserFactory(username="ada", email="ada@example.com")
    person.leaving.begin()
    waiting = [Client() for _ in range(PRESSES)]
    for client in waiting:
        client.post("/login", {"login": "ada", "password": PASSWORD})

    pages = at_once(lambda n: waiting[n].post("/login/keep"))

    assert {page.status_code for page in pages} == {302}
    assert User.objects.get(pk=person.pk).leaves_at is None
    assert OutboxMessage.objects.filter(kind="stays").count() == 1


def test_a_name_that_is_just_given_up_is_taken_by_nobody():
    for n in range(ROUNDS):
        name = f"leaver{n}"
        person, link = UserFactory(username=name), LinkFactory(email=f"newcomer{n}@example.com")
        typed = {"token": tokens.sign(purposes.SIGNUP, link.pk), "username": name, "password": PASSWORD}

        _erased, page = nearly_at_once(person.erase, lambda typed=typed: Client().post("/signup", typed))

        assert "That username is taken" in words(page)
        assert not User.objects.filter(username=name).exists()


def test_of_two_superusers_who_leave_at_once_one_stays():
    for n in range(ROUNDS):
        User.objects.all().delete()
        clients = []
        for name in (f"olga{n}", f"maria{n}"):
            UserFactory(username=name, email=f"{name}@example.com", is_staff=True, is_superuser=True)
            clients.append(Client())
            clients[-1].post("/login", {"login": name, "password": PASSWORD})

        pages = at_once(lambda one, clients=clients: clients[one].post("/account/delete", {"password": PASSWORD}), 2)

        assert sorted(page.status_code for page in pages) == [302, 409]
        assert User.objects.usable().count() == 1
