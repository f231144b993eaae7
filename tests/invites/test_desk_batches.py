"""Many invitations at once at the desk: a list is checked, sent with one press, watched and withdrawn."""

import re
from dataclasses import asdict
from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.core import serializers
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import Workbook

from accounts.models import Event
from invites import purposes
from invites.members.invitations import MemberInvites
from invites.models import Batch, Entry, Invite
from invites.models import batch as batches
from invites.models.counts import Counts
from kit import tokens
from outbox.mail.compose import compose
from outbox.models import OutboxMessage, Suppression
from tests.conftest import LINK
from tests.tools.desk import LISTS, check, invite, page_of, send
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

LIST = """email,name,message
new@example.com,Nadia,"Hello, Nadia"
NEW@example.com
ada@example.com
pending@example.com
dead@example.com
typo@gmial.com
=cmd()
"""


@pytest.fixture
def everybody(ada):
    InviteFactory(email="pending@example.com", sent_at=timezone.now() - timedelta(days=1))
    Suppression.objects.suppress("dead@example.com", "550 5.1.1 No such user")


def plain(page):
    """Returns the visible words of a page with its spaces that do not break as usual ones."""
    return words(page).replace("\xa0", " ")


def upload(raw):
    return SimpleUploadedFile("people.csv", raw)


def invited():
    return set(OutboxMessage.objects.filter(kind="invite").values_list("recipient", flat=True))


def test_a_list_is_checked_before_anything_is_sent(desk, everybody):
    page = check(desk, LIST)

    for said in (
        "Nothing has been sent yet.",
        "All lines 7 Will be invited 1 Have an account 1 Invited already 1 Look like typos 1 Can’t be read 1 Skipped 2",
        "2 Name: Nadia Address: new@example.com What happens: Will be invited With: Hello, Nadia",
        "3 Name: – Address: new@example.com What happens: Repeated With: –",
        "4 Name: – Address: ada@example.com What happens: Has an account With: Choose a group to invite them into it",
        "5 Name: – Address: pending@example.com What happens: Invited 1 day ago With: –",
        "6 Name: – Address: dead@example.com What happens: Mail came back With: mail to this address came back on",
        "7 Name: – Address: typo@gmial.comDid you mean typo@gmail.com? What happens: Looks like a typo With: –",
        "8 Name: – Address: =cmd() What happens: Can’t be read With: Enter an email address in the correct format",
        "7 of 7 lines shown",
        "Send again to the 1 person who is invited already or has declined",
        "Send to the 1 address that looks like a typo, as written",
        "Send 1 invitation",
    ):
        assert said in plain(page)
    assert not invited()


def test_one_press_invites_the_new_ones_and_says_what_became_of_the_rest(desk, everybody, mailbox):
    check(desk, LIST, note="Welcome", language="ru", next="/account")
    batch = Batch.objects.get()

    page = send(desk, batch)

    assert (
        "1 invitation is on its way. 3 skipped: 1 has an account, 1 invited already, 1 no mail goes to the address."
        in words(page)
    )
    invite = Invite.objects.get(email="new@example.com")
    assert (invite.batch, invite.source, invite.invited_by.username) == (batch.pk, "csv", "olga")
    assert (invite.name, invite.note, invite.language, invite.next) == ("Nadia", "Hello, Nadia", "ru", "/account")
    assert "Hello, Nadia" in mailbox.text("new@example.com")
    batch.refresh_from_db()
    assert batch.entries == []


def test_ticks_include_people_who_are_invited_already_or_look_mistyped(desk, everybody):
    check(desk, LIST)

    send(desk, Batch.objects.get(), again="on", doubted="on")

    assert invited() == {"new@example.com", "pending@example.com", "typo@gmial.com"}
    assert Invite.objects.get(email="pending@example.com").sends == 1


def test_a_person_whom_a_member_invited_too_gets_one_mail_when_ticked(desk, everybody):
    pending = Invite.objects.get(email="pending@example.com")
    MemberInvites(UserFactory()).send(pending.email)
    Invite.objects.exclude(pk=pending.pk).update(sent_at=pending.sent_at)
    OutboxMessage.objects.all().delete()
    check(desk, "pending@example.com")

    assert "1 invitation is on its way." in words(send(desk, Batch.objects.get(), again="on"))

    assert OutboxMessage.objects.get(kind="invite").recipient == pending.email


def test_pressing_twice_sends_once_and_the_same_file_again_finds_everybody_invited(desk):
    check(desk, file=upload(b"new@example.com\nNeu <neu@example.com>"))
    send(desk, Batch.objects.get())

    assert "This list was sent already. Nobody was invited twice." in words(send(desk, Batch.objects.get()))

    page = check(desk, file=upload(b"new@example.com\nNeu <neu@example.com>"))
    assert "Will be invited" not in words(page)
    assert "Invited already 2 " in words(page)
    assert "Nobody in this list is left" in words(send(desk, Batch.objects.first()))
    assert OutboxMessage.objects.filter(kind="invite").count() == 2


def test_an_interrupted_press_goes_on_in_the_name_of_the_first_sender(desk, ada, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 2)
    check(desk, "\n".join(f"guest{n}@example.com" for n in range(5)))
    batch = Batch.objects.get()
    batch.claim_for(ada)
    batch._send_some(batches.in_step())

    page = desk.get(page_of(batch))

    assert "Being sent" in words(page)
    assert "2invited" in words(page)
    assert "3 people have not had their turn yet" in words(page)
    assert "3 invitations are on their way." in words(send(desk, batch))
    assert OutboxMessage.objects.filter(kind="invite").count() == 5
    assert Invite.objects.filter(batch=batch.pk, invited_by=ada).count() == 5


def test_the_page_counts_everybody_however_many_steps_sending_took(desk, monkeypatch):
    monkeypatch.setattr(batches, "CHUNK", 1)
    check(desk, "\n".join(f"guest{n}@example.com" for n in range(4)))
    for n in (1, 3):
        InviteFactory(email=f"guest{n}@example.com")

    page = send(desk, Batch.objects.get())

    assert Batch.objects.get().counts == Counts(new=4, done=2, skipped={"invited": 2})
    assert "2 invitations are on their way. 2 skipped: 2 invited already." in words(page)
    assert "2 invited already" in words(desk.get(page_of(Batch.objects.get())))


def test_a_batch_is_dumped_and_loaded_with_its_counts():
    batch = Batch.objects.create(counts=Counts(new=4, done=2, skipped={"invited": 2}))
    dumped = serializers.serialize("json", [batch])
    batch.delete()

    for loaded in serializers.deserialize("json", dumped):
        loaded.save()

    assert Batch.objects.get().counts == batch.counts


def test_an_old_check_is_made_again_and_shown_if_anything_has_changed(desk):
    check(desk, "new@example.com\nada@example.com")
    batch = Batch.objects.get()
    Batch.objects.update(checked_at=timezone.now() - timedelta(minutes=16))
    UserFactory(username="ada", email="ada@example.com")

    page = send(desk, batch)

    assert "it was checked again, and something is different now. Nothing has been sent yet." in words(page)
    assert "Have an account 1 " in words(page)
    assert not invited()
    assert "1 invitation is on its way." in words(send(desk, batch))


def test_bad_lines_are_downloaded_and_no_spreadsheet_runs_them(desk, everybody):
    check(desk, LIST)

    answer = desk.get(page_of(Batch.objects.get(), "unread"))

    assert "attachment" in answer["Content-Disposition"]
    assert b"".join(answer.streaming_content).decode().splitlines() == [
        "\ufeffline,text,reason",
        "7,typo@gmial.com,Did you mean typo@gmail.com?",
        '8,\'=cmd(),"Enter an email address in the correct format, like name@example.com"',
    ]


def test_mails_to_many_have_the_same_words_as_single_ones(ada):
    people = [Entry("o'neil&sons@example.com", name="Ann <b> & Co", note="2 < 3"), Entry("bob@example.com")]
    people += [Entry("a" * 60 + "@example.com")]

    def parts():
        rows = OutboxMessage.objects.filter(kind="invite").order_by("recipient")
        letters = [compose(row) for row in rows]
        links = [LINK.findall(letter.body) for letter in letters]
        assert all(tokens.load(purposes.SIGNUP, found[0].partition("token=")[2]) for found in links)
        said = [LINK.sub("LINK", f"{one.subject}\n{one.body}\n{one.alternatives[0].content}") for one in letters]
        rows.delete()
        Invite.objects.all().delete()
        return said

    with time_machine.travel(timezone.now(), tick=False):
        Invite.objects.issue_many(people, source="csv", invited_by=ada)
        together = parts()
        for person in people:
            said = {name: value for name, value in asdict(person).items() if name not in {"app", "remind", "asked_at"}}
            Invite.objects.issue(**said, source="csv", invited_by=ada)
        assert together == parts()


def sent(desk, *emails):
    check(desk, "\n".join(emails))
    batch = Batch.objects.get()
    send(desk, batch)
    return batch


def test_the_page_follows_the_mails_and_refreshes_itself_while_some_wait(desk):
    batch = sent(desk, "waits@example.com", "left@example.com", "back@example.com", "dead@example.com")
    mail = {row.recipient: row for row in OutboxMessage.objects.filter(kind="invite")}
    mail["left@example.com"].mark_sent("250 taken")
    mail["back@example.com"].mark_sent("250 taken")
    mail["back@example.com"].mark_bounced("550 5.1.1 No such user")
    mail["dead@example.com"].give_up("550 5.7.1 No")
    Invite.objects.filter(email="left@example.com").update(opened_at=timezone.now(), accepted_at=timezone.now())

    page = desk.get(page_of(batch))

    assert "1 mail still to leave." in words(page)
    assert "4 invited 1 accepted 0 opened, not accepted 1 have not opened it 2 not delivered" in words(page, " ")
    assert page["Refresh"] == "10; url=?by_itself"
    assert "Refresh" not in desk.get(page_of(batch), {"still": ""})
    mail["waits@example.com"].mark_sent("250 taken")
    assert "Refresh" not in desk.get(page_of(batch))


def test_undoing_withdraws_waiting_mail_and_leaves_mail_that_has_left(desk, client, mailbox):
    batch = sent(desk, "waits@example.com", "left@example.com")
    OutboxMessage.objects.get(recipient="left@example.com").mark_sent("250 taken")

    asked = desk.get(page_of(batch, "undo"))
    assert "waits@example.com" in asked.text
    assert "left@example.com" not in asked.text
    page = desk.post(page_of(batch, "undo"), follow=True)

    assert "1 mail stopped. 1 invitation withdrawn. 1 mail had left already." in words(page)
    assert [(i.email, i.state) for i in Invite.objects.order_by("email")] == [
        ("left@example.com", "pending"),
        ("waits@example.com", "revoked"),
    ]
    assert mailbox.letters("waits@example.com") == []
    assert Event.objects.get(kind="revoked").user.username == "olga"


@pytest.mark.parametrize("verb", ["remind_by_hand", "resend"])
def test_stopping_a_later_mail_leaves_an_invitation_that_was_delivered(desk, admin_user, verb):
    batch = sent(desk, "first@example.com", "second@example.com")
    before = timezone.now() - timedelta(days=3)
    Invite.objects.update(sent_at=before)
    OutboxMessage.objects.filter(recipient="second@example.com").update(sent_at=before)
    second = Invite.objects.filter(email="second@example.com")
    assert getattr(second, verb)(admin_user, leaving=batches.in_step()).done

    asked = desk.get(page_of(batch, "undo"))
    said = words(asked)
    assert "<h1>Stop the 2 mails</h1>" in asked.text
    assert "No mail of 1 invitation has left: it is withdrawn, and its link never works." in said
    assert "1 person was mailed before: only this mail is stopped, and the invitation stays open." in said
    assert "Stop the 2 mails" in words(desk.get(page_of(batch)))
    page = desk.post(page_of(batch, "undo"), follow=True)

    assert "2 mails stopped. 1 invitation withdrawn." in words(page)
    assert [(i.email, i.state) for i in Invite.objects.order_by("email")] == [
        ("first@example.com", "revoked"),
        ("second@example.com", "pending"),
    ]
    assert not OutboxMessage.objects.waiting().exclude(about=None)
    after = second.get()
    assert (after.reminders, after.reminded_at, after.sent_at) == (0, None, before)
    assert second.remind_by_hand(admin_user, leaving=batches.in_step()).done, "as if it had not been pressed"
    assert Event.objects.get(kind="stopped", about=after.pk).user == admin_user


def test_withdrawing_leaves_accepted_invitations(desk):
    batch = sent(desk, "in@example.com", "out@example.com")
    Invite.objects.filter(email="in@example.com").update(accepted_at=timezone.now())

    asked = desk.get(page_of(batch, "withdraw"))
    assert "Withdraw 1 invitation? Its link stops working straight away." in words(asked)
    assert Invite.objects.pending().count() == 1
    page = desk.post(page_of(batch, "withdraw"), follow=True)

    assert "1 withdrawn." in words(page)
    assert {i.email: i.state for i in Invite.objects.all()} == {
        "in@example.com": "accepted",
        "out@example.com": "revoked",
    }


def test_a_batch_undone_in_the_middle_of_sending_is_not_sent_on(desk):
    check(desk, "new@example.com")
    batch = Batch.objects.get()
    batch.claim_for(batch.created_by)

    desk.post(page_of(batch, "undo"))
    send(desk, batch)

    assert not invited()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Type, paste or upload at least one address"),
        ({"pasted": "a@b.example", "file": upload(b"a@b.example")}, "Choose a file or paste addresses, not both"),
        ({"file": upload(b"email\n")}, "There is nobody in this list"),
        ({"file": upload(b"a@b.example," + b"x" * 1024 * 1024)}, "The list is larger than 1 MB."),
        ({"file": upload(b"a@b.example\n" * 5001)}, "The list has more than 5,000 people."),
        ({"pasted": "a@b.example", "note": "www.evil.example", "next": "//evil"}, "The note has a link in it"),
    ],
)
def test_an_unreadable_list_is_refused_with_the_reason(desk, fields, said):
    page = check(desk, **fields)

    assert said in words(page)
    assert not Batch.objects.exists()


def test_only_staff_who_may_invite_enter_and_only_superusers_name_groups(desk):
    rights = Permission.objects.filter(codename__in=["add_invite", "view_invite"])
    Group.objects.create(name="Staff").permissions.set(rights)
    Group.objects.create(name="Readers")
    check(desk, "new@example.com,,,,,Staff")
    batch = Batch.objects.get()
    helper = UserFactory(username="helper", is_staff=True)
    client = Client()
    client.post("/login", {"login": "helper", "password": PASSWORD})
    for page in ("", "add/", *(page_of(batch, name).removeprefix(LISTS) for name in ("change", "unread", "undo"))):
        assert client.get(LISTS + page).status_code == 403
    assert client.post(page_of(batch, "send")).status_code == 403

    helper.user_permissions.set(rights)

    said = "Only a superuser may put people into “Staff”: the group gives rights at the desk"
    assert said in words(check(client, "other@example.com,,,,,Readers;Staff"))
    assert "Only a superuser may send it" in words(send(client, batch))
    assert not Invite.objects.exists()
    check(client, "other@example.com,,,,,Readers")
    send(client, Batch.objects.order_by("-id")[0])
    assert Invite.objects.get().groups.get().name == "Readers"
    assert "Sent" in words(client.get(LISTS))


def test_everybody_can_be_downloaded_with_what_would_become_of_them(desk):
    UserFactory(username="grace", email="grace@example.com")
    check(desk, "new@example.com,,=1\ngrace@example.com\nalan@gmial.com\nnobody")

    answer = desk.get(page_of(Batch.objects.get(), "people"))

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    lines = b"".join(answer).decode("utf-8-sig").splitlines()
    assert lines[1:] == [
        "1,,new@example.com,Will be invited,'=1",
        "2,,grace@example.com,Has an account,Choose a group to invite them into it",
        "3,,alan@gmial.com,Looks like a typo,Did you mean alan@gmail.com?",
        '4,,nobody,Can’t be read,"Enter an email address in the correct format, like name@example.com"',
    ]


def workbook(*rows):
    book, file = Workbook(), BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(file)
    return upload(file.getvalue())


def test_an_excel_file_is_invited_and_the_page_says_what_was_not_read(desk):
    page = check(desk, file=workbook(["E-Mail-Adresse", "Vorname", "Telefon"], ["new@example.com", "Nadia", "+49 1"]))

    assert "Columns we don’t use: Telefon." in words(page)
    assert "Name: Nadia Address: new@example.com" in words(page)
    send(desk, Batch.objects.get())
    assert Invite.objects.get().name == "Nadia"


def test_a_guessed_encoding_is_said_and_the_form_lets_another_be_chosen(desk):
    raw = "new@example.com;Jiří\n".encode("cp1250")

    page = check(desk, file=upload(raw))
    assert "The file was in Windows-1252 (Western). We read it that way; check that the names look right." in words(
        page
    )
    assert "Name: Jiøí Address: new@example.com" in words(page)

    page = check(desk, file=upload(raw), encoding="cp1250")
    assert "Name: Jiří Address: new@example.com" in words(page)
    assert "The file was in" not in words(page)


def test_people_pasted_from_a_mail_program_are_shown_with_their_whole_names(desk):
    page = check(desk, pasted="Lovelace, Ada <new@example.com>; Hopper, Grace <grace@example.com>; Turing")

    assert "Name: Ada Lovelace Address: new@example.com" in words(page)
    assert "Name: Grace Hopper Address: grace@example.com" in words(page)
    assert "Address: Turing What happens: Can’t be read With: There is no email address beside this name" in words(page)


def test_pasted_text_is_not_spoken_of_as_a_file(desk):
    assert "There is an unreadable character (�) in this line. Type the line again" in words(check(desk, "Ad\ufffda"))
    assert "There is nobody in this list" in words(check(desk, "\t\u200b"))


def test_a_name_made_of_syntax_is_not_sent_and_that_is_said(desk):
    page = check(desk, pasted='<a href="mailto:new@example.com">Ada</a>')

    assert "Name: – Address: new@example.com" in words(page)
    assert "because it does not look like a name: line 1." in words(page)


def test_a_file_that_is_no_list_is_refused_and_the_other_fields_stay(desk):
    page = check(desk, file=upload(b"%PDF-1.7 new@example.com"), note="Welcome", next="/account", encoding="cp1251")

    assert "This file is PDF. Save it as .xlsx or CSV." in words(page)
    assert ">\nWelcome</textarea>" in page.text
    assert 'value="/account"' in page.text
    assert re.search(r'value="cp1251"\s+selected', page.text)
    assert not Batch.objects.exists()


def test_remarks_are_forgotten_with_the_bad_lines(desk):
    check(desk, file=workbook(["Email", "Phone"], ["new@example.com", "1"]))
    batch = Batch.objects.get()
    send(desk, batch)
    Batch.objects.update(sent_at=timezone.now() - timedelta(days=31))
    Batch.objects.forget_refused()

    batch.refresh_from_db()
    assert batch.remarks == []


def test_staff_may_invite_people_whom_members_have_invited(desk):
    for email in ("one@example.com", "many@example.com"):
        MemberInvites(UserFactory()).send(email)
    OutboxMessage.objects.all().delete()

    check(desk, "one@example.com")
    send(desk, Batch.objects.get(), again="on")
    page = check(desk, "many@example.com")
    assert "Invited already 1 " in words(page)
    assert "1 invitation is on its way." in words(send(desk, Batch.objects.first(), again="on"))

    assert invited() == {"one@example.com", "many@example.com"}
    assert Invite.objects.exclude(source="member").count() == 2
    assert "Invited already 1 " in words(invite(desk, "one@example.com"))


# Rights by a list

INTO_ADMINS = "email,group\nevil@example.net,admins\nalan@example.com,admins\nvera@example.com,"


@pytest.fixture
def colleague(db):
    return UserFactory(username="boss", email="boss@example.com", is_staff=True, is_superuser=True)


@pytest.fixture
def admins(db):
    group = Group.objects.create(name="admins")
    group.permissions.add(Permission.objects.get(codename="add_invite"))
    return group


def test_sending_a_list_that_names_a_group_asks_for_proof_and_is_told_once(
    desk, admins, admin_user, colleague, mailbox
):
    check(desk, INTO_ADMINS)
    batch = Batch.objects.get()
    with time_machine.travel(timezone.now() + timedelta(minutes=50)):
        asked = send(desk, batch)
        assert "Is it still you?" in asked.text
        assert not Invite.objects.exists()
        if "checked again" in words(send(desk, batch, **{"proof-asked": "1", "proof-password": PASSWORD})):
            send(desk, batch)
        send(desk, batch)
        assert mailbox.kinds("boss@example.com") == ["power_used"]
        assert "Invitations into groups (admins × 2): added" in " ".join(mailbox.text("boss@example.com").split())

    assert Invite.objects.filter(groups=admins).count() == 2
    event = Event.objects.get(kind="power_used")
    assert (event.user, event.detail["what"]) == (admin_user, "Invitations into groups (admins × 2)")


def test_sending_a_list_without_a_group_asks_nothing_and_is_not_told(desk, admins, colleague, mailbox):
    check(desk, "email,group\nvera@example.com,")
    with time_machine.travel(timezone.now() + timedelta(minutes=50)):
        send(desk, Batch.objects.get())

    assert invited() == {"vera@example.com"}
    assert not Event.objects.filter(kind="power_used").exists()
    assert not mailbox.kinds("boss@example.com")


def test_a_group_of_people_who_are_left_out_as_typos_is_not_told(desk, admins, colleague):
    check(desk, "email,group\nvera@example.com,\ntypo@gmial.com,admins")
    send(desk, Batch.objects.get())

    assert invited() == {"vera@example.com"}
    assert not Event.objects.filter(kind="power_used").exists()


def test_going_on_with_a_list_that_was_begun_tells_nothing_twice(desk, admins, admin_user, colleague):
    check(desk, INTO_ADMINS)
    batch = Batch.objects.get()
    batch.claim_for(admin_user)  # and then the process died

    send(desk, batch)

    assert Invite.objects.filter(groups=admins).count() == 2
    assert not Event.objects.filter(kind="power_used").exists()


def test_a_list_whose_group_was_deleted_meanwhile_gives_no_power(desk, admins, colleague):
    check(desk, INTO_ADMINS)
    batch = Batch.objects.get()
    admins.delete()

    assert batch.groups() == {}
    assert "Is it still you?" not in send(desk, batch).text
    assert len(invited()) == 3
    assert not Invite.objects.filter(groups__isnull=False).exists()
    assert not Event.objects.filter(kind="power_used").exists()
