"""Whoever invited a person is told that they declined, and why."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from invites import mails, privacy, purposes
from invites.members.invitations import MemberInvites
from invites.models import Entry, Invite
from kit import tokens
from outbox.models import OutboxMessage
from tests.tools.factories import UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
KIND = "invite_declined"
REASON = "I’ve moved to another firm"


@pytest.fixture
def maria(db):
    return UserFactory(username="maria")


def invited(by, source="admin", email=EMAIL):
    return Invite.objects.issue(email, source=source, invited_by=by)


def decline(invite, **typed):
    return Client().post("/invite/decline", {"token": tokens.sign(purposes.DECLINE, invite.pk), **typed})


def told(mailbox, inviter):
    return [letter for letter in mailbox.letters(inviter.email) if KIND in letter["Message-ID"]]


def test_staff_are_told_with_the_reason(mailbox, maria):
    assert decline(invited(maria), reason=REASON).status_code == 200

    [letter] = told(mailbox, maria)
    text = letter.get_body(("plain",)).get_content()
    assert letter["Subject"] == "grace@example.com doesn’t want your invitation"
    assert f"“{REASON}”" in text
    assert "http://testserver/account/settings" in text


def test_a_member_is_told_too_and_without_a_reason(mailbox, maria):
    invite = MemberInvites(maria).send(EMAIL)

    decline(invite)

    [letter] = told(mailbox, maria)
    assert "This is what they wrote" not in letter.get_body(("plain",)).get_content()


def test_a_press_in_the_mail_program_tells_too(client, mailbox, maria):
    client.post(tokens.path(purposes.ONE_CLICK, invited(maria).pk), {"List-Unsubscribe": "One-Click"})

    assert len(told(mailbox, maria)) == 1


@pytest.mark.parametrize(
    "reason", ["see www.evil.example", "https://evil.example", "two\u2028lines", "x" * 201, "\u202egnorw"]
)
def test_a_reason_with_a_link_or_too_long_is_pointed_out_and_nothing_is_declined(mailbox, maria, reason):
    invite = invited(maria)

    page = decline(invite, reason=reason, never="1")

    assert "The reason" in words(page)
    assert "checked" in page.text.partition('name="never"')[2].partition(">")[0]
    invite.refresh_from_db()
    assert (invite.state, invite.decline_reason) == (Invite.State.PENDING, "")
    assert not told(mailbox, maria)


def test_markup_in_a_reason_is_text_in_the_mail_and_at_the_desk(mailbox, desk, maria):
    invite = invited(maria)
    decline(invite, reason="<a href=x>no</a>")

    html = told(mailbox, maria)[0].get_body(("html",)).get_content()
    page = desk.get(f"/admin/invites/invite/{invite.pk}/change/").text

    for shown in (html, page):
        assert "&lt;a href=x&gt;no&lt;/a&gt;" in shown
        assert "<a href=x>" not in shown


def test_the_desk_shows_the_reason_until_the_invitation_is_sent_again(desk, maria):
    invite = invited(maria)
    decline(invite, reason=REASON)
    page = f"/admin/invites/invite/{invite.pk}/change/"
    assert REASON in desk.get(page).text

    Invite.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    assert Invite.objects.filter(pk=invite.pk).resend().done

    assert REASON not in desk.get(page).text
    invite.refresh_from_db()
    assert invite.decline_reason == ""


def test_a_long_list_floods_nobody(mailbox, maria):
    people = [Entry(f"person{n}@example.com") for n in range(15)]
    Invite.objects.issue_many(people, source="csv", invited_by=maria)

    for invite in Invite.objects.all():
        decline(invite)

    assert Invite.objects.in_state("declined").count() == 15
    assert len(told(mailbox, maria)) == mails.DECLINES_TOLD
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1)):
        decline(invited(maria))
        assert len(told(mailbox, maria)) == mails.DECLINES_TOLD + 1


def test_whoever_wants_no_such_mail_turns_it_off_on_the_settings_page(mailbox, signed_in, ada):
    page = signed_in.get("/account/settings")
    assert "checked" in page.text.partition('name="declines"')[2].partition(">")[0]
    signed_in.post("/account/settings", {"language": "en", "notices": "on"})

    decline(invited(ada), reason=REASON)

    assert not told(mailbox, ada)
    assert not OutboxMessage.objects.filter(kind=KIND).exists()


@pytest.mark.parametrize("gone", [{"is_active": False}, {}])
def test_nobody_is_told_whose_account_is_off_or_gone(mailbox, maria, gone):
    invite = invited(maria)
    if gone:
        type(maria).objects.update(**gone)
    else:
        maria.delete()

    assert decline(invite).status_code == 200

    assert not told(mailbox, maria)


def test_declining_twice_tells_once_and_a_withdrawn_invitation_tells_nobody(mailbox, maria):
    first, second = invited(maria), invited(maria, email="alan@example.com")
    decline(first)
    assert decline(first).status_code == 410
    Invite.objects.filter(pk=second.pk).revoke()
    decline(second, never="1")

    assert len(told(mailbox, maria)) == 1


def test_the_reason_is_in_the_persons_export_and_goes_with_the_person(maria):
    decline(invited(maria), reason=REASON)
    grace = UserFactory(email=EMAIL)
    assert [row["decline_reason"] for row in privacy.invites(grace)] == [REASON]

    grace.erase()

    assert Invite.objects.get().decline_reason == ""
