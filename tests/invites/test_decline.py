"""Declining an invitation or all further mail, and taking that back."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Event, User
from invites.models import Invite, MagicLink, Unavailable
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
DECLINE, UNDO = "/invite/decline", "/invite/decline/undo"
AGO = timezone.now() - timedelta(hours=1)


@pytest.fixture
def invite(db):
    return Invite.objects.issue(EMAIL, source="admin", invited_by=UserFactory(username="maria"))


@pytest.fixture
def token(invite, mailbox):
    """The token of the link in the mail that declines the invitation."""
    return mailbox.link(EMAIL, DECLINE).partition("token=")[2]


def rows():
    """Returns every row that an answer could change."""
    models = (Invite, MagicLink, OutboxMessage, Suppression, Event)
    return [list(model.objects.order_by("pk").values()) for model in models]


def everything_kept():
    return " ".join(str(row) for row in Suppression.objects.values())


def resend(invite):
    Invite.objects.update(sent_at=AGO)
    return Invite.objects.filter(pk=invite.pk).resend()


def test_looking_changes_nothing(client, token):
    before = rows()

    for path in (DECLINE, UNDO):
        page = client.get(path, {"token": token})
        assert page.status_code == 200
        assert "Nothing happens until you press the button" in words(page)
        client.head(path, {"token": token})

    assert rows() == before


def test_one_press_declines_and_withdraws_the_mail_that_waits(client, invite, token, mailbox):
    signup = mailbox.link(EMAIL, "/signup")
    Invite.objects.filter(pk=invite.pk).remind()
    Invite.objects.update(sent_at=AGO, created_at=AGO)
    assert resend(invite).done
    assert OutboxMessage.objects.waiting().filter(about=invite.pk).exists()

    page = client.post(DECLINE, {"token": token})

    assert "We won’t email you about it again" in words(page)
    invite.refresh_from_db()
    assert invite.state == Invite.State.DECLINED
    assert len(mailbox.letters(EMAIL)) == 1
    assert Event.objects.get(kind=Event.Kind.DECLINED).about == invite.pk
    assert not Suppression.objects.exists()
    for link in (signup, f"{DECLINE}?token={token}"):
        assert client.get(link).status_code == 410
        assert "You declined this invitation" in words(client.get(link))
    assert client.post(DECLINE, {"token": token}).status_code == 410


def test_never_again_keeps_a_hash_and_no_mail_goes_there(client, invite, token, mailbox):
    page = client.post(DECLINE, {"token": token, "never": "1"})

    assert "We won’t write to this address again" in words(page)
    assert Suppression.objects.count() == 1
    assert EMAIL not in everything_kept()
    client.post("/", {"email": EMAIL})
    Invite.objects.issue(EMAIL, source="command")
    assert len(mailbox.letters(EMAIL)) == 1
    given_up = OutboxMessage.objects.given_up()
    assert given_up.count() == 2
    assert "asked on" in given_up.first().last_answer


def test_the_link_takes_back_the_wish_for_no_mail_but_lifts_no_bounce(client, token, mailbox):
    answer = client.post(DECLINE, {"token": token, "never": "1"})
    later = client.get(DECLINE, {"token": token})
    assert "never to write to you again" in words(later)
    for page in (answer, later):
        assert f'value="{token}"' in page.text.partition(f'action="{UNDO}"')[2]
    Suppression.objects.suppress(EMAIL, "550 5.1.1 No such user")

    assert "We may write to you again" in words(client.post(UNDO, {"token": token}))

    bounced = Suppression.objects.get()
    assert bounced.reason == "550 5.1.1 No such user"
    bounced.lift()
    client.post("/", {"email": EMAIL})
    assert len(mailbox.letters(EMAIL)) == 2


def test_an_account_cannot_be_cut_off_from_all_mail(client, token, mailbox):
    UserFactory(username="grace", email=EMAIL)

    assert "Never write to me again" not in words(client.get(DECLINE, {"token": token}))
    page = client.post(DECLINE, {"token": token, "never": "1"})

    assert not Suppression.objects.exists()
    assert "We won’t write to this address again" not in words(page)
    client.post("/", {"email": EMAIL})
    assert mailbox.kinds(EMAIL) == ["invite", "link_known"]


def test_staff_may_invite_again_after_a_no_but_not_against_a_wish_for_no_mail(client, invite, token, mailbox):
    signup = mailbox.link(EMAIL, "/signup")
    client.post(DECLINE, {"token": token})

    assert resend(invite).done == [invite.pk]
    assert len(mailbox.letters(EMAIL)) == 2
    assert client.get(signup).status_code == 200
    client.post(DECLINE, {"token": token, "never": "1"})
    assert resend(invite).skipped == [(EMAIL, "suppressed")]


def test_when_declining_meets_accepting_one_wins_and_both_pages_say_so(client, invite, token, mailbox):
    """The rows of both pages were read before either button was pressed."""
    signup = mailbox.link(EMAIL, "/signup").partition("token=")[2]
    stale = Invite.objects.get(pk=invite.pk)
    account = {"token": signup, "username": "grace", "password": PASSWORD}
    assert Client().post("/signup", account).status_code == 302

    with pytest.raises(Unavailable):
        stale.decline(never=True)
    page = client.post(DECLINE, {"token": token, "never": "1"})

    assert page.status_code == 410
    assert "already been used" in words(page)
    invite.refresh_from_db()
    assert (invite.declined_at, invite.accepted_by.username) == (None, "grace")
    assert not Suppression.objects.exists()
    assert not Event.objects.filter(kind=Event.Kind.DECLINED).exists()


def test_a_declined_invitation_makes_no_account(client, invite, token, mailbox):
    signup = mailbox.link(EMAIL, "/signup").partition("token=")[2]
    stale = MagicLink.objects.select_related("invite").get(pk=invite.pk)
    client.post(DECLINE, {"token": token})

    with pytest.raises(Unavailable):
        stale.sign_up("grace", password=PASSWORD)
    assert not User.objects.filter(email=EMAIL).exists()
    page = client.post("/signup", {"token": signup, "username": "grace", "password": PASSWORD})

    assert page.status_code == 410
    assert "You declined this invitation" in words(page)


def test_an_invalid_link_gets_a_clear_page(client):
    for path in (DECLINE, UNDO):
        assert client.get(path, {"token": "x"}).status_code == 404
        assert client.post(path).status_code == 404
