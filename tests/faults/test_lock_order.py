"""Locks are taken in one order everywhere, so that no deadlock arises: an invitation first, then its links.

So are an account and its sessions.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Session, Superseded, User
from invites.models import Invite, MagicLink, Reason, Unavailable
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory

pytestmark = pytest.mark.usefixtures("db")

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def await_waiting(seconds=20):
    """Waits until another connection waits for a lock of this one. Raises AssertionError after so many seconds."""
    for _ in range(seconds * 50):
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def signs_up(link):
    return link.sign_up("grace", password=PASSWORD)


def signs_in(link):
    return link.sign_in(UserFactory(email=link.email), "")


@pytest.mark.parametrize("comes_in", [signs_up, signs_in])
def test_whoever_accepts_takes_the_invitation_before_its_link(comes_in):
    invite = InviteFactory()
    link = MagicLink.objects.select_related("invite").get(pk=invite.pk)

    def press():
        try:
            comes_in(link)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():  # sending an invitation again and extending it take this lock first
            Invite.objects.select_for_update().get(pk=invite.pk)
            pressed = pool.submit(press)
            await_waiting()
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
            MagicLink.objects.filter(pk=invite.pk).update(expires_at=timezone.now() + timedelta(days=14))
        pressed.result(20)

    invite.refresh_from_db()
    link.refresh_from_db()
    assert invite.state == "accepted"
    assert link.state == "used"


CHANGES = {
    "prolonged": ({"expires_at": timezone.now() + timedelta(days=14)}, "used"),
    "ended": ({"revoked_at": timezone.now()}, "too late"),
    "used": ({"used_at": timezone.now()}, "too late"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("comes_in", [signs_up, signs_in])
def test_a_link_that_changes_while_its_press_waits_is_looked_at_again(comes_in, change):
    """The press has taken the invitation, and meets the link in the hands of somebody else."""
    invite = InviteFactory()
    link, (changed, outcome) = MagicLink.objects.select_related("invite").get(pk=invite.pk), CHANGES[change]

    def press():
        try:
            comes_in(link)
        except Unavailable:
            return "too late"
        finally:
            connection.close()
        return "used"

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            MagicLink.objects.filter(pk=link.pk).update(**changed)
            pressed = pool.submit(press)
            await_waiting()
        assert pressed.result(20) == outcome

    invite.refresh_from_db()
    assert invite.state == ("accepted" if outcome == "used" else "pending")
    assert User.objects.filter(username="grace").exists() == (outcome == "used" and comes_in is signs_up)


def test_whoever_leaves_takes_invitations_before_links():
    ada = UserFactory()
    invite = InviteFactory(email=ada.email)

    def leave():
        try:
            ada.erase()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Invite.objects.select_for_update().get(pk=invite.pk)
            left = pool.submit(leave)
            await_waiting()
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '1s'")
            MagicLink.objects.filter(pk=invite.pk).update(expires_at=timezone.now())
        left.result(20)

    assert not User.objects.filter(pk=ada.pk).exists()


def test_asking_waits_for_nobody_who_works_with_an_invitation_of_the_address():
    """If asking waited, the time would tell a stranger that there is an invitation."""
    invite = InviteFactory()

    def ask():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            return MagicLink.objects.issue(invite.email)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Invite.objects.filter(pk=invite.pk).extend()
        assert pool.submit(ask).result(20).invite == invite


@pytest.mark.parametrize("is_invited", [False, True])
def test_an_account_that_is_deleted_while_its_link_is_pressed_waits_for_the_press(is_invited):
    """Otherwise the check of the foreign key, at the end of the press, would wait for a deletion that waits for it."""
    ada = UserFactory()
    link = MagicLink.objects.issue(ada.email)
    if is_invited:
        link = MagicLink.objects.select_related("invite").get(pk=InviteFactory(email=ada.email).pk)

    def leave():
        try:
            User.objects.get(pk=ada.pk).erase()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            link.sign_in(ada, "")
            left = pool.submit(leave)
            await_waiting()
        left.result(20)

    assert not User.objects.filter(pk=ada.pk).exists()
    assert not MagicLink.objects.exclude(email="").exists()


def test_two_reset_links_pressed_at_once_set_one_password():
    ada = UserFactory()
    first, second = (MagicLink.objects.issue(ada.email, "reset") for _ in range(2))
    account = User.objects.get(pk=ada.pk)

    def press():
        try:
            second.reset_password(account, encoded=make_password("another horse battery staple"))
        except (Superseded, Unavailable):
            return "too late"
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            first.sign_in(ada, "")
            pressed = pool.submit(press)
            await_waiting()
            ada.ways_in.change_password(PASSWORD)
        assert pressed.result(20) == "too late"


def test_sending_a_declined_invitation_again_beside_a_new_one_skips_it():
    declined = InviteFactory(declined_at=timezone.now(), sent_at=timezone.now() - timedelta(hours=1))

    def resend():
        try:
            return Invite.objects.filter(pk=declined.pk).resend()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Invite.objects.issue(declined.email, source="admin")
            sent = pool.submit(resend)
            await_waiting()
        assert sent.result(20).skipped == [(declined.email, Reason.INVITED)]

    declined.refresh_from_db()
    assert declined.state == "declined"


def test_a_session_whose_key_changes_while_all_are_being_ended_loses_its_row(signed_in, ada):
    def end():
        try:
            ada.end_sessions()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Session.objects.update(session_key="another")
            ended = pool.submit(end)
            await_waiting()
        ended.result(20)

    assert not Session.objects.exists()


def test_whoever_ends_all_sessions_takes_the_account_before_them(signed_in, ada):
    """Whoever deletes the account takes them in this order, too."""

    def end():
        try:
            User.objects.get(pk=ada.pk).end_sessions()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            ada.lock_or_raise()
            ended = pool.submit(end)
            await_waiting()
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
            Session.objects.all().delete()
        ended.result(20)

    assert User.objects.get(pk=ada.pk).session_epoch == 1
