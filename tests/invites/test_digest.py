"""The daily mail tells whoever invited people what became of that: accepted, declined and why, came back."""

import json
from datetime import timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from invites import digest, privacy, purposes
from invites.members.invitations import MemberInvites
from invites.models import Entry, Invite
from kit import tokens
from outbox.models import OutboxMessage
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
REASON = "I’ve moved to another firm"


@pytest.fixture
def maria(db):
    return UserFactory(username="maria")


def invited(by, source="admin", email=EMAIL):
    return Invite.objects.issue(email, source=source, invited_by=by)


def decline(invite, **typed):
    return Client().post("/invite/decline", {"token": tokens.sign(purposes.DECLINE, invite.pk), **typed})


def come_back(invite):
    mail = OutboxMessage.objects.get(about=invite.pk)
    mail.mark_sent("250 taken")
    mail.mark_bounced("550 5.1.1 No such user")


def tell():
    out = StringIO()
    call_command("tell_inviters", "--format", "json", stdout=out)
    return json.loads(out.getvalue())["told"]


def told(mailbox, inviter):
    """Returns the texts of the daily mails to this person, each on one line."""
    letters = [letter for letter in mailbox.letters(inviter.email) if digest.KIND in letter["Message-ID"]]
    return [" ".join(letter.get_body(("plain",)).get_content().split()) for letter in letters]


def test_staff_are_told_in_one_mail_of_all_that_became_of_theirs(mailbox, maria):
    named = Invite.objects.issue_many([Entry("kim@example.com", name="Kim Lee")], source="csv", invited_by=maria)
    assert decline(Invite.objects.get(pk=named.done[0]), reason=REASON).status_code == 200
    invited(maria, email="alan@example.com").accept(UserFactory())
    come_back(invited(maria, email="dead@example.com"))
    invited(maria, email="waits@example.com")

    assert not told(mailbox, maria)
    assert tell() == 1

    [text] = told(mailbox, maria)
    assert "1 person accepted: - alan@example.com" in text
    assert f"1 person declined. We won’t write to them about it again: - Kim Lee (kim@example.com): “{REASON}”" in text
    assert "Perhaps the address has a typo: - dead@example.com" in text
    assert "waits@example.com" not in text
    assert "http://testserver/account/settings" in text
    assert tell() == 0
    assert len(told(mailbox, maria)) == 1


def test_who_signs_up_by_the_link_is_told_of(client, mailbox, maria):
    invite = invited(maria)
    client.post(
        "/signup", {"token": tokens.sign(purposes.SIGNUP, invite.pk), "username": "grace", "password": PASSWORD}
    )
    assert Invite.objects.get().state == Invite.State.ACCEPTED

    tell()

    assert "1 person accepted: - grace@example.com" in told(mailbox, maria)[0]


def test_a_member_is_told_of_answers_and_never_of_mail_that_came_back(mailbox, maria, settings):
    settings.MEMBERS_INVITE = True
    come_back(MemberInvites(maria).send("dead@example.com"))
    assert tell() == 0
    decline(MemberInvites(maria).send(EMAIL))

    assert tell() == 1

    [text] = told(mailbox, maria)
    assert "1 person declined." in text
    assert "dead@example.com" not in text
    assert "http://testserver/account/invites" in text


def test_what_has_changed_since_is_told_as_it_is_now(mailbox, maria):
    back, gone, accepted = (invited(maria, email=f"{name}@example.com") for name in ("back", "gone", "accepted"))
    for invite in (back, gone, accepted):
        come_back(invite)
    Invite.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    Invite.objects.filter(pk=back.pk).resend()
    Invite.objects.filter(pk=gone.pk).revoke()
    accepted.accept(UserFactory())

    tell()

    [text] = told(mailbox, maria)
    assert "1 person accepted: - accepted@example.com" in text
    assert "back@example.com" not in text
    assert "gone@example.com" not in text


def test_nobody_is_mailed_twice_within_a_day_and_no_news_is_lost(mailbox, maria):
    decline(invited(maria))
    tell()
    invited(maria, email="alan@example.com").accept(UserFactory())

    assert tell() == 0
    with time_machine.travel(timezone.now() + digest.EVERY + timedelta(minutes=1)):
        assert tell() == 1
        assert tell() == 0
        first, second = told(mailbox, maria)

    assert ("alan@example.com" in first, "alan@example.com" in second) == (False, True)


def test_whoever_has_a_new_address_is_not_mailed_there_on_the_same_day(mailbox, maria):
    decline(invited(maria))
    assert tell() == 1
    type(maria).objects.filter(pk=maria.pk).update(email="new@example.com")
    decline(invited(maria, email="other@example.com"))

    assert tell() == 0
    with time_machine.travel(timezone.now() + digest.EVERY + timedelta(minutes=1)):
        assert tell() == 1


def test_a_long_list_is_counted_and_its_first_are_named(mailbox, maria):
    count = digest.NAMED + 5
    people = [Entry(f"person{n}@example.com") for n in range(count)]
    Invite.objects.issue_many(people, source="csv", invited_by=maria)
    for invite in Invite.objects.all():
        decline(invite)

    tell()

    [text] = told(mailbox, maria)
    assert f"{count} people declined." in text
    assert text.count("@example.com - ") == digest.NAMED
    assert "- and 5 more" in text


def test_what_is_too_much_for_one_mail_comes_with_the_next(mailbox, maria, monkeypatch):
    monkeypatch.setattr(digest, "AT_ONCE", 2)
    for n in range(3):
        decline(invited(maria, email=f"person{n}@example.com"))

    assert tell() == 1
    assert Invite.objects.with_news().count() == 1


def test_each_inviter_is_told_of_their_own_in_their_language(mailbox, maria, ada):
    ada.save_preferences(language="ru")
    decline(invited(maria))
    decline(invited(ada, email="alan@example.com"))

    assert tell() == 2

    assert "alan@example.com" not in told(mailbox, maria)[0]
    assert mailbox.letters(ada.email)[-1]["Content-Language"] == "ru"


@pytest.mark.parametrize(
    "reason", ["see www.evil.example", "https://evil.example", "two\u2028lines", "x" * 201, "\u202egnorw"]
)
def test_a_reason_with_a_link_or_too_long_is_pointed_out_and_nothing_is_declined(maria, reason):
    invite = invited(maria)

    page = decline(invite, reason=reason, never="1")

    assert "The reason" in words(page)
    assert "checked" in page.text.partition('name="never"')[2].partition(">")[0]
    invite.refresh_from_db()
    assert (invite.state, invite.decline_reason, invite.has_news) == (Invite.State.PENDING, "", False)


def test_markup_in_a_reason_or_a_name_is_text(mailbox, desk, maria):
    people = [Entry(EMAIL, name="<b>Grace</b>")]
    invite = Invite.objects.get(pk=Invite.objects.issue_many(people, source="csv", invited_by=maria).done[0])
    decline(invite, reason="<a href=x>no</a>")

    tell()

    html = mailbox.letters(maria.email)[-1].get_body(("html",)).get_content()
    page = desk.get(f"/admin/invites/invite/{invite.pk}/change/").text
    for shown in (html, page):
        assert "&lt;a href=x&gt;no&lt;/a&gt;" in shown
        assert "<a href=x>" not in shown
    assert "<b>Grace" not in html


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


def test_whoever_wants_no_such_mail_turns_it_off_on_the_settings_page(mailbox, signed_in, ada):
    page = signed_in.get("/account/settings")
    assert "checked" in page.text.partition('name="digest"')[2].partition(">")[0]
    signed_in.post("/account/settings", {"language": "en", "notices": "on"})

    decline(invited(ada), reason=REASON)

    assert tell() == 0
    assert not told(mailbox, ada)
    assert not Invite.objects.with_news(), "what happened meanwhile would be told when it is turned on"


@pytest.mark.parametrize("gone", [{"is_active": False}, {}])
def test_nobody_is_told_whose_account_is_off_or_gone(mailbox, maria, gone):
    invite = invited(maria)
    if gone:
        type(maria).objects.update(**gone)
    else:
        maria.delete()
    assert decline(invite).status_code == 200

    assert tell() == 0

    assert not told(mailbox, maria)
    assert not Invite.objects.with_news()


def test_people_who_have_left_are_not_named(mailbox, maria):
    grace = UserFactory(email=EMAIL)
    invited(maria).accept(grace)
    grace.erase()

    assert tell() == 0


def test_declining_twice_tells_once_and_a_withdrawn_invitation_tells_nobody(mailbox, maria):
    first, second = invited(maria), invited(maria, email="alan@example.com")
    decline(first)
    assert decline(first).status_code == 410
    Invite.objects.filter(pk=second.pk).revoke()
    decline(second, never="1")

    tell()

    [text] = told(mailbox, maria)
    assert "1 person declined." in text


def test_a_press_in_the_mail_program_is_told_too(mailbox, maria):
    Client().post(tokens.path(purposes.ONE_CLICK, invited(maria).pk), {"List-Unsubscribe": "One-Click"})

    tell()

    assert "1 person declined." in told(mailbox, maria)[0]


def test_the_reason_is_in_the_persons_export_and_goes_with_the_person(maria):
    decline(invited(maria), reason=REASON)
    grace = UserFactory(email=EMAIL)
    assert [row["decline_reason"] for row in privacy.invites(grace)] == [REASON]

    grace.erase()

    assert Invite.objects.get().decline_reason == ""


def test_the_words_for_people_say_how_many_were_told(maria):
    decline(invited(maria))
    out = StringIO()

    call_command("tell_inviters", stdout=out)

    assert out.getvalue() == "1 told\n"
