"""One-click unsubscribe (RFC 8058): the button of mail programs declines an invitation for good."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from invites import purposes
from invites.link.readdressing import Readdressing
from invites.members.invitations import MemberInvites
from invites.models import Entry, Invite, MagicLink
from kit import tokens
from outbox.mail import mime
from outbox.mail.compose import compose
from outbox.models import OutboxMessage, Suppression
from tests.invites.test_decline import rows
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
URL = "/invite/decline/now"
BODY = {"List-Unsubscribe": "One-Click"}
AGO = timezone.now() - timedelta(days=5)


@pytest.fixture
def maria(db):
    return UserFactory(username="maria")


@pytest.fixture
def invite(maria):
    return Invite.objects.issue(EMAIL, source="admin", invited_by=maria)


def url(mailbox, email=EMAIL):
    """Returns path and query of the URL in the header of the newest mail to an address."""
    header = str(mailbox.letters(email)[-1]["List-Unsubscribe"])
    return re.fullmatch(r"<http://testserver(\S+)>", header)[1]


def press(path, body=BODY, **more):
    """Posts as a mail program does: with no cookie, and nothing read before."""
    return Client(enforce_csrf_checks=True).post(path, body, **more)


def staff(maria):
    Invite.objects.issue(EMAIL, source="command", invited_by=maria)


def staff_again(maria):
    staff(maria)
    Invite.objects.update(sent_at=AGO)
    Invite.objects.all().resend()


def a_list(maria):
    Invite.objects.issue_many([Entry("alan@example.com"), Entry(EMAIL, name="Grace")], source="csv", invited_by=maria)


def a_member(maria):
    MemberInvites(maria).send(EMAIL)


def a_member_again(maria):
    a_member(maria)
    Invite.objects.update(sent_at=AGO)
    MemberInvites(maria).resend(Invite.objects.get())


def a_reminder(maria):
    staff(maria)
    soon = timezone.now() + timedelta(hours=47)
    Invite.objects.update(sent_at=AGO, created_at=AGO, expires_at=soon, remind_at=timezone.now())
    assert Invite.objects.remindable().remind().done


def at_another_address(maria):
    readdressing = Readdressing(Invite.objects.issue("old@example.com", source="admin", invited_by=maria))
    readdressing.ask(EMAIL)
    readdressing.approve()


@pytest.mark.parametrize("has_account", [False, True])
@pytest.mark.parametrize(
    "invites", [staff, staff_again, a_list, a_member, a_member_again, a_reminder, at_another_address]
)
def test_every_mail_that_invites_has_the_button_and_it_works(mailbox, maria, invites, has_account):
    if has_account and invites in {a_list, a_reminder, staff_again}:
        pytest.skip("nobody with an account gets this mail")
    if has_account:
        UserFactory(email=EMAIL)
    invites(maria)
    letter = mailbox.letters(EMAIL)[-1]
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    assert press(url(mailbox)).status_code == 200

    assert Invite.objects.get(email=EMAIL).state == Invite.State.DECLINED
    assert Suppression.objects.has_opted_out(EMAIL) is not has_account


def test_no_mail_that_somebody_asked_for_has_it(client, mailbox, invite, ada):
    for email in (EMAIL, "new@example.com", ada.email):
        client.post("/", {"email": email})
        assert mailbox.letters(email)[-1]["List-Unsubscribe"] is None
    client.post("/reset", {"email": ada.email})
    assert mailbox.letters(ada.email)[-1]["List-Unsubscribe"] is None


@pytest.mark.parametrize(("path", "kind"), [("/signup", "register"), ("/reset", "reset_unknown")])
def test_no_other_mail_that_the_invited_asked_for_has_it(client, mailbox, invite, path, kind):
    client.post(path, {"email": EMAIL, "username": "grace", "password": PASSWORD})

    assert mailbox.kinds(EMAIL)[-1] == kind
    assert mailbox.letters(EMAIL)[-1]["List-Unsubscribe"] is None


def test_a_long_url_is_sent_in_one_line_that_mail_programs_can_read(invite):
    content = mime.as_bytes(compose(OutboxMessage.objects.get()))

    line = next(line for line in content.split(b"\r\n") if line.startswith(b"List-Unsubscribe:"))

    assert line == f"List-Unsubscribe: <{tokens.link(purposes.ONE_CLICK, invite.pk)}>".encode()


def test_looking_shows_the_button_and_changes_nothing(client, invite, mailbox):
    path, before = url(mailbox), rows()

    page = client.get(path)
    client.head(path)

    assert page.status_code == 200
    assert "Nothing happens until you press the button" in words(page)
    assert rows() == before
    form = page.text.partition('action="/invite/decline"')[2]
    token = re.search('name="token" value="([^"]+)"', form)[1]
    assert client.post("/invite/decline", {"token": token}).status_code == 200
    assert Invite.objects.get().state == Invite.State.DECLINED


@pytest.mark.parametrize(
    "body", [{}, {"List-Unsubscribe": "one-click"}, {"x": "y"}, BODY | {"never": "1"}, {"List-Unsubscribe": ""}]
)
def test_any_other_body_changes_nothing(invite, mailbox, body):
    path, before = url(mailbox), rows()

    page = press(path, body)

    assert page.status_code == 400
    assert "Nothing happens until you press the button" in words(page)
    assert rows() == before


def test_both_ways_of_sending_a_form_are_understood(invite, mailbox):
    assert press(url(mailbox), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")

    assert Invite.objects.get().state == Invite.State.DECLINED


@pytest.mark.parametrize("over", ["expires_at", "revoked_at", "declined_at"])
def test_an_invitation_that_is_over_gets_the_same_answer_and_no_more_mail(invite, mailbox, over):
    path = url(mailbox)
    Invite.objects.update(**{over: AGO})

    for _ in range(2):
        page = press(path)
        assert page.status_code == 200
        assert "We won’t write to this address again" in words(page)

    assert Suppression.objects.has_opted_out(EMAIL)


def test_an_accepted_invitation_stays_accepted_and_its_account_gets_mail(client, invite, mailbox):
    path, link = url(mailbox), mailbox.link(EMAIL, "/signup")
    client.post("/signup", {"token": link.partition("token=")[2], "username": "grace", "password": PASSWORD})

    page = press(path)

    assert page.status_code == 200
    assert "This link has already been used" in words(page)
    assert Invite.objects.get().state == Invite.State.ACCEPTED
    assert not Suppression.objects.exists()


def test_the_wish_can_be_undone_as_on_the_page_that_declines(client, invite, mailbox):
    path, page_link = url(mailbox), mailbox.link(EMAIL, "/invite/decline")
    answer = press(path)
    assert 'action="/invite/decline/undo"' in answer.text

    later = client.get(page_link)
    assert "never to write to you again" in words(later)
    token = re.search('name="token" value="([^"]+)"', later.text.partition('action="/invite/decline/undo"')[2])[1]
    client.post("/invite/decline/undo", {"token": token})

    assert not Suppression.objects.has_opted_out(EMAIL)


def test_whoever_reads_the_header_can_do_nothing_else(client, invite, mailbox):
    token = url(mailbox).partition("token=")[2]

    for path in ("/signup", "/confirm", "/reset/password", "/owner", "/invite/decline", "/invite/decline/undo"):
        assert client.get(path, {"token": token}).status_code == 404
        assert client.post(path, {"token": token}).status_code == 404
    assert press(f"{URL}?token={tokens.sign(purposes.SIGNUP, invite.pk)}").status_code == 404
    assert MagicLink.objects.get().state == MagicLink.State.PENDING


def test_an_invalid_token_gets_a_page_and_too_many_are_refused(client):
    assert client.get(URL, {"token": "x"}).status_code == 404
    for _ in range(30):
        assert press(f"{URL}?token=x").status_code == 404

    assert press(f"{URL}?token=x").status_code == 429
    assert press(f"{URL}?token={tokens.sign(purposes.ONE_CLICK, InviteFactory().pk)}").status_code == 200


def test_one_link_is_not_pressed_for_ever(invite, mailbox):
    path = url(mailbox)
    for _ in range(100):
        press(path)

    assert press(path).status_code == 429


def test_mails_of_a_list_carry_each_their_own(mailbox, maria):
    people = [Entry(f"person{n}@example.com") for n in range(3)]
    Invite.objects.issue_many(people, source="csv", invited_by=maria)

    for invite in Invite.objects.all():
        assert url(mailbox, invite.email) == tokens.path(purposes.ONE_CLICK, invite.pk)
