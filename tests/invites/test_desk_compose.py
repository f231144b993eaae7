"""Inviting at the desk: the one form, what becomes of each line, and the mail and the page as they will be."""

import html
import re
from datetime import timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import gettext, override
from openpyxl import Workbook

from invites import limits
from invites.models import Batch, Invite
from outbox.models import OutboxMessage, Suppression
from tests.tools.desk import LISTS, check, invite, page_of, send
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def editors(db):
    return Group.objects.create(name="Editors")


@pytest.fixture
def billing(db):
    """A group that gives rights at the desk."""
    group = Group.objects.create(name="Billing")
    group.permissions.add(Permission.objects.first())
    return group


@pytest.fixture
def helper(db):
    """The browser of a member of staff who may invite, and no more."""
    person = UserFactory(username="helper", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="add_invite"))
    client = Client()
    client.post("/login", {"login": "helper", "password": PASSWORD})
    return client


def file(raw, name="people.csv"):
    return SimpleUploadedFile(name, raw)


def xlsx(*rows, change=None):
    book, raw = Workbook(), BytesIO()
    for row in rows:
        book.active.append(row)
    if change:
        change(book.active)
    book.save(raw)
    return raw.getvalue()


def values(page):
    """Returns what the fields of the form hold: texts by their names, and lists for boxes and radio buttons."""
    found = dict(re.findall(r'<input type="text" name="(\w+)" value="([^"]*)"', page.text))
    found |= dict(re.findall(r'<textarea name="(\w+)"[^>]*>\n?(.*?)</textarea>', page.text, re.DOTALL))
    found |= dict(re.findall(r'<select name="(\w+)"(?:(?!</select>).)*?value="(\w+)" selected', page.text, re.DOTALL))
    ticked = re.findall(r'<input type="(?:checkbox|radio)" name="(\w+)" value="([^"]*)"[^>]*? checked', page.text)
    for name in ("groups", "lifetime"):
        found[name] = [value for called, value in ticked if called == name]
    return {name: html.unescape(value) if isinstance(value, str) else value for name, value in found.items()}


def without_numbers(rows):
    """Returns these stored lines of a list without their numbers and reasons."""
    return [{name: value for name, value in row.items() if name not in {"line", "problem"}} for row in rows]


def change(desk, preview):
    """Presses "Change something", and returns what the form then holds."""
    return values(desk.get(html.unescape(re.search(r'href="([^"]*\?from=[^"]*)"', preview.text)[1])))


def bad_lines(desk):
    """Returns the file of bad lines of the newest list, as text."""
    return b"".join(desk.get(page_of(Batch.objects.first(), "unread")).streaming_content).decode()


# The form


def test_one_address_goes_the_same_way_as_many(desk):
    page = check(desk, "Grace Hopper <grace@example.com>")

    assert "All lines 1 Will be invited 1" in words(page)
    assert "Send 1 invitation" in page.text
    assert not Invite.objects.exists()
    assert "1 invitation is on its way." in words(send(desk, Batch.objects.get()))
    assert Invite.objects.get().name == "Grace Hopper"


def test_a_likely_typo_in_a_single_address_is_shown_before_anything_is_sent(desk):
    page = check(desk, "grace@gmial.com")

    assert "Did you mean grace@gmail.com?" in words(page)
    assert "Send to those ticked above" in page.text
    assert "Nothing was sent." in words(send(desk, Batch.objects.get()))
    send(desk, Batch.objects.get(), doubted="on")
    assert Invite.objects.get().email == "grace@gmial.com"


def test_the_former_address_of_the_form_for_one_leads_to_it_with_the_address_filled_in(desk):
    page = desk.get("/admin/invites/invite/add/?email=grace%40example.com", follow=True)

    assert page.redirect_chain[-1][0] == f"{LISTS}add/?email=grace%40example.com"
    assert values(page)["pasted"] == "grace@example.com"


def test_what_is_chosen_for_all_is_said_to_all_and_a_column_of_a_line_wins(desk, editors):
    Group.objects.create(name="Readers")
    text = (
        "email\tmessage\tlanguage\tpage\tgroup\texpires\nnew@example.com\nown@example.com\tHi\tru\t/own\tReaders\t36h"
    )
    common = {"note": "Welcome\r\nall", "language": "en", "next": "/account", "groups": [editors.pk], "lifetime": "30d"}

    invite(desk, text, **common, name="Autumn")

    new, own = Invite.objects.order_by("email")
    assert (new.note, new.language, new.next, new.lifetime) == ("Welcome all", "en", "/account", timedelta(days=30))
    assert (own.note, own.language, own.next, own.lifetime) == ("Hi", "ru", "/own", timedelta(hours=36))
    assert [[group.name for group in one.groups.all()] for one in (new, own)] == [["Editors"], ["Readers"]]
    assert str(Batch.objects.get()) == "Autumn"


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ({}, timedelta(days=7)),
        ({"lifetime": "1d"}, timedelta(days=1)),
        ({"lifetime": "30d", "other": "2 weeks"}, timedelta(weeks=2)),
    ],
)
def test_an_invitation_works_as_long_as_is_chosen_or_written(desk, fields, length):
    invite(desk, "new@example.com", **fields)

    assert Invite.objects.get().lifetime == length


def test_only_lengths_of_time_that_the_site_allows_are_offered(desk, settings):
    settings.INVITE_LIFETIME, settings.INVITE_MAX_LIFETIME = timedelta(days=3), timedelta(days=10)
    page = desk.get(f"{LISTS}add/")

    assert re.findall(r'name="lifetime" value="(\w+)"', page.text) == ["1d", "3d", "7d"]
    assert values(page)["lifetime"] == ["3d"]
    assert "Select a valid choice" in words(check(desk, "new@example.com", lifetime="30d"))


def test_people_are_reminded_unless_the_box_is_empty(desk, settings):
    assert "Remind them once, 2 days before the end" in desk.get(f"{LISTS}add/").text
    preview = check(desk, "new@example.com")
    form = desk.get(html.unescape(re.search(r'href="([^"]*\?from=[^"]*)"', preview.text)[1]))
    assert re.search(r'name="remind" [^>]*checked', form.text) is None

    invite(desk, "new@example.com")
    invite(desk, "other@example.com", remind="on")

    assert [one.remind_at is None for one in Invite.objects.order_by("email")] == [True, False]
    settings.INVITE_REMINDERS = 2
    assert "Remind them up to 2 times" in desk.get(f"{LISTS}add/").text
    settings.INVITE_REMINDERS = 0
    assert "Remind them" not in desk.get(f"{LISTS}add/").text


def test_groups_are_offered_to_those_who_may_give_them(desk, helper, editors, billing):
    assert "Billing (gives rights at the desk) Editors" in words(desk.get(f"{LISTS}add/"))
    offered = words(helper.get(f"{LISTS}add/"))
    assert "Editors" in offered
    assert "Billing" not in offered

    page = check(helper, "new@example.com", groups=[billing.pk, editors.pk], note="Hello")

    assert "A group you chose is gone, or isn’t yours to give." in words(page)
    assert values(page) == values(page) | {"pasted": "new@example.com", "note": "Hello", "groups": [str(editors.pk)]}
    assert not Batch.objects.exists()


WRONG = [
    ({"pasted": ""}, "Type, paste or upload at least one address"),
    ({"note": "see www.evil.example"}, "The note has a link in it"),
    ({"note": "x" * 201}, "The note is longer than 200 characters"),
    ({"name": "x" * 101}, "The name is longer than 100 characters"),
    ({"next": "//evil.example/"}, "It must lead to a path of this site, like /account"),
    ({"next": "https://evil.example/"}, "It must lead to a path of this site, like /account"),
    ({"other": "a while"}, "“a while” is not a length of time. Write it like 36 hours, 10 days or 2 weeks"),
    ({"other": "91 days"}, "An invitation works from 1 hour to 90 days"),
    ({"groups": [4711]}, "A group you chose is gone, or isn’t yours to give."),
    ({"lifetime": "nonsense"}, "Select a valid choice"),
    ({"language": "xx"}, "Select a valid choice"),
]


@pytest.mark.parametrize(("fields", "said"), WRONG)
def test_what_is_wrong_is_said_beside_its_field_and_all_that_was_typed_stays(desk, fields, said):
    typed = {"pasted": "a@b.example\nnobody", "note": "Hi", "name": "Autumn", "next": "/account", "other": "2 weeks"}

    page = check(desk, **typed | fields)

    field = next(iter(fields))
    beside = page.text.partition(f'id="id_{field}_error"')[2].partition("</div>")[0]
    assert said in html.unescape(beside)
    shown = values(page)
    assert {name: shown.get(name) for name in typed} == {**typed, **{n: v for n, v in fields.items() if n in typed}}
    assert not Batch.objects.exists()


def test_a_file_can_not_be_kept_and_that_is_said(desk):
    page = check(desk, file=file(b"new@example.com"), note="see www.evil.example")

    assert "Choose the file again: it isn’t kept while something else is to be corrected" in words(page)
    assert values(page)["note"] == "see www.evil.example"


# Files and texts of all kinds


def hidden(sheet):
    sheet.row_dimensions[2].hidden = True


def merged(sheet):
    sheet.merge_cells("A1:B1")


def merged_below(sheet):
    sheet.merge_cells("B2:B3")


def bomb():
    raw = BytesIO()
    with ZipFile(BytesIO(xlsx(["a@b.example"]))) as book, ZipFile(raw, "w", 8) as into:
        for part in book.namelist():
            into.writestr(part, book.read(part))
        into.writestr("xl/sharedStrings.xml", b"<sst>" + b" " * 100_000_000 + b"</sst>")
    return raw.getvalue()


REFUSED = {
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Save it as .xlsx or CSV."),
    "a document": (b"%PDF-1.7 a@b.example", "This file is PDF. Save it as .xlsx or CSV."),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 10, "Save"),
    "a web page": (b"<!DOCTYPE html><p>a@b.example", "This file is a web page. Save it as .xlsx or CSV."),
    "a workbook cut short": (xlsx(["a@b.example"])[:2000], "Save it as .xlsx"),
    "too many people": (b"a@b.example\n" * 5001, "The list has more than 5,000 people. Split it, and send"),
    "too many bytes": (b"a@b.example," + b"x" * 1024 * 1024, "The list is larger than 1 MB. Split it, and send"),
    "nobody": (b"email\n", "There is nobody in this list"),
    "nothing": (b"", "empty"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_is_no_list_is_refused_with_what_to_do_and_the_rest_stays(desk, name):
    raw, said = REFUSED[name]

    page = check(desk, file=file(raw), note="Welcome")

    beside = page.text.partition('id="id_file_error"')[2].partition("</div>")[0]
    assert said in html.unescape(beside)
    assert values(page)["note"] == "Welcome"
    assert not Batch.objects.exists()


def test_a_workbook_that_would_fill_the_memory_is_refused(desk):
    page = check(desk, file=file(bomb()))

    assert "There is too much in this Excel file. Save the sheet" in html.unescape(
        page.text.partition('id="id_file_error"')[2].partition("</div>")[0]
    )
    assert not Batch.objects.exists()


READ = {
    "a title row, names in two columns": (
        xlsx(["Workshop"], ["First Name", "Last Name", "Email"], ["Grace", "Hopper", "grace@example.com"]),
        "Above the headings, this was not read: “Workshop”. All lines 1 Will be invited 1",
    ),
    "a formula": (xlsx(["email", "name"], ["grace@example.com", "=1+1"]), "2 "),
    "200 columns": (
        xlsx(["email", *(f"column {n}" for n in range(199))], ["grace@example.com", *range(199)]),
        "Columns we don’t use: column 0, column 1,",
    ),
    "two columns of addresses": (
        xlsx(["Work email", "Home email"], ["grace@example.com", "g@home.example"]),
        "In 1 line something beside the address was not read: line 2 (g@home.example).",
    ),
    "a hidden row": (
        xlsx(["email"], ["grace@example.com"], change=hidden),
        "Rows that are hidden or filtered out were read, too.",
    ),
    "merged cells": (
        xlsx(["People", ""], ["email", "name"], ["grace@example.com", "Grace"], change=merged),
        "3 Name: Grace Address: grace@example.com",
    ),
    "cells merged below each other": (
        xlsx(["name", "email"], ["Grace", "grace@example.com"], ["Alan"], change=merged_below),
        "Merged cells hold their text in their first row only. In the rows below they were read as empty.",
    ),
    "a long title": (
        xlsx(["Staff of the shop, the office and the garden, autumn 2026"], ["email"], ["grace@example.com"]),
        "this was not read: “Staff of the shop, the office and the ga…”.",
    ),
    "a second address without headings": (
        b"Grace Hopper,grace@example.com,g@home.example",
        "In 1 line something beside the address was not read: line 1 (g@home.example).",
    ),
    "Windows-1251": ("email;имя\ngrace@example.com;Грейс\n".encode("cp1251"), "The file was in Windows-1251"),
    "Windows-1252": ("email;name\ngrace@example.com;Zoë Müller\n".encode("cp1252"), "Name: Zoë Müller"),
    "UTF-16": ("email\tname\ngrace@example.com\tGrace\n".encode("utf-16"), "Name: Grace Address: grace@example.com"),
}


@pytest.mark.parametrize("name", READ)
def test_what_people_have_is_read_and_what_was_left_out_is_said(desk, name):
    raw, said = READ[name]

    page = check(desk, file=file(raw))

    assert said in words(page)
    assert "grace@example.com" in words(page)
    assert not Invite.objects.exists()


@pytest.mark.parametrize(
    "pasted",
    [
        "Hopper, Grace <grace@example.com>; Turing, Alan <alan@example.com>;",  # Outlook
        "Grace Hopper <grace@example.com>, Alan Turing <alan@example.com>",  # Gmail
        "First\tLast\tEmail\nGrace\tHopper\tgrace@example.com\nAlan\tTuring\talan@example.com",
    ],
)
def test_people_are_pasted_as_programs_copy_them(desk, pasted):
    check(desk, pasted)

    assert [row["name"] for row in Batch.objects.get().entries] == ["Grace Hopper", "Alan Turing"]


# What becomes of each line


def test_chips_find_the_lines_of_their_kind_and_a_page_has_fifty(desk, ada):
    check(desk, "\n".join([*(f"guest{n}@example.com" for n in range(60)), "ada@example.com", "@nobody"]))
    batch = Batch.objects.get()

    page = desk.get(page_of(batch), {"show": "new"})
    assert "50 of 60 lines shown" in words(page)
    assert 'href="?show=new&amp;p=2"' in page.text
    assert "ada@example.com" not in page.text
    assert "10 of 60 lines shown" in words(desk.get(page_of(batch), {"show": "new", "p": "2"}))
    assert "1 of 1 line shown" in words(desk.get(page_of(batch), {"show": "account"}))
    assert "50 of 62 lines shown" in words(desk.get(page_of(batch), {"show": "what", "p": "x"}))


def test_members_are_invited_into_groups_and_that_is_shown_before(desk, ada, editors):
    page = check(desk, "ada@example.com\nnew@example.com", groups=[editors.pk])

    assert "Address: ada@example.com What happens: Has an account, joins Editors With: Editors" in words(page)
    assert "Send 2 invitations" in page.text
    assert "Have an account 1" in words(page)
    send(desk, Batch.objects.get())
    kinds = set(OutboxMessage.objects.exclude(about=None).values_list("recipient", "kind"))
    assert kinds == {("ada@example.com", "invite_group"), ("new@example.com", "invite")}


def declined(email, ago):
    """Makes an invitation that was declined so long ago."""
    invite = InviteFactory(email=email)
    Invite.objects.filter(pk=invite.pk).update(declined_at=timezone.now() - ago)
    return invite


def test_whoever_has_declined_within_a_year_is_told_apart_and_mailed_only_if_that_is_ticked(desk):
    declined("lately@example.com", timedelta(minutes=6))
    declined("before@example.com", timedelta(days=366))
    declined("back@example.com", timedelta(days=3))
    InviteFactory(email="back@example.com", accepted_at=timezone.now())
    revoked = InviteFactory(email="revoked@example.com", revoked_at=timezone.now())

    page = check(desk, f"lately@example.com\nbefore@example.com\nback@example.com\n{revoked.email}")

    assert "All lines 4 Will be invited 3 Declined 1" in words(page)
    assert "lately@example.com What happens: Declined 6 minutes ago" in words(page)
    assert "Send again to the 1 person who is invited already or has declined" in words(page)
    assert "3 invitations are on their way. 1 skipped: 1 declined." in words(send(desk, Batch.objects.get()))
    check(desk, "lately@example.com")
    assert "1 invitation is on its way." in words(send(desk, Batch.objects.first(), again="on"))
    assert Invite.objects.pending().filter(email="lately@example.com").count() == 1


def test_a_member_who_has_declined_a_group_is_told_apart_as_well(desk, ada, editors):
    declined("ada@example.com", timedelta(hours=2))

    page = check(desk, "ada@example.com", groups=[editors.pk])

    assert "ada@example.com What happens: Declined 2 hours ago" in words(page)
    send(desk, Batch.objects.get(), again="on")
    assert Invite.objects.pending().get().email == "ada@example.com"


def test_whoever_asked_for_no_mail_is_shown_as_such(desk):
    Suppression.objects.opt_out("lee@never.example")

    assert "lee@never.example What happens: Asked never to be written to" in words(check(desk, "lee@never.example"))


def test_a_check_stands_for_a_quarter_of_an_hour_in_chips_and_lines_alike(desk):
    check(desk, "new@example.com")
    batch = Batch.objects.get()
    UserFactory(username="new", email="new@example.com")

    page = words(desk.get(page_of(batch)))
    assert "Will be invited 1" in page
    assert "new@example.com What happens: Will be invited" in page
    Batch.objects.update(checked_at=timezone.now() - timedelta(minutes=16))
    page = words(send(desk, batch))
    assert "Have an account 1" in page
    assert "new@example.com What happens: Has an account" in page


def test_checking_again_puts_nobody_back_into_a_list_that_another_has_begun_to_send(desk, admin_user):
    check(desk, "new@example.com\ntypo@gmial.com")
    batch = Batch.objects.get()
    Batch.objects.get().claim_for(admin_user)

    batch.look_again()

    assert [row["email"] for row in Batch.objects.get().entries] == ["new@example.com"]


def test_the_preview_costs_as_many_statements_for_fifty_lines_as_for_five(desk, editors):
    def cost(count):
        Batch.objects.all().delete()
        UserFactory(email=f"member{count}@example.com")
        lines = [f"a{n}@example.com" for n in range(count)] + [f"member{count}@example.com"]
        check(desk, "\n".join(lines), groups=[editors.pk])
        with CaptureQueriesContext(connection) as queries:
            desk.get(page_of(Batch.objects.get()))
        return len(queries)

    assert cost(48) == cost(4)


def test_reasons_and_remarks_are_in_the_language_of_whoever_reads_them(desk):
    check(desk, file=file(b"email;name;phone;language\nada@@x.example;Ada;1;\nkim@x.example;Kim;2;xx\n"))
    batch = Batch.objects.get()
    desk.post("/language", {"language": "ru"})

    page = words(desk.get(page_of(batch)))

    with override("ru"):
        assert gettext("Columns we don’t use: %(columns)s.") % {"columns": "phone"} in page
        reasons = ["Enter an email address in the correct format, like name@example.com"]
        reasons.append("The language “%(language)s” is not one that the site speaks; use %(codes)s")
        given = {"language": "xx", "codes": ", ".join(dict(settings.LANGUAGES))}
        for reason in reasons:
            assert gettext(reason) % given in page
            assert gettext(reason) != reason
            assert gettext(reason) % given in bad_lines(desk)


# Changing something


TYPED = {
    "a plain text": "grace@example.com\nnobody\nalan@gmial.com\ngrace@example.com\n",
    "a table": (
        "email\tname\tmessage\tlanguage\tpage\tgroup\texpires\n"
        'grace@example.com\tGrace "Amazing" Hopper\tHi, all\tru\t/own\tEditors;Readers\t36h\n'
        "no address\nalan@example.com\n"
    ),
    "a line of many": "Hopper, Grace <grace@example.com>; Turing, Alan <alan@example.com>; Nobody",
}


@pytest.mark.parametrize("name", TYPED)
def test_to_change_something_all_is_as_it_was_typed_and_means_the_same_again(desk, editors, name):
    Group.objects.create(name="Readers")
    common = {"note": "Welcome", "language": "en", "next": "/account", "name": "Autumn", "groups": [editors.pk]}
    preview = check(desk, TYPED[name], **common, other="2 weeks")
    first = Batch.objects.get()

    shown = change(desk, preview)
    assert {n: shown[n] for n in common} == {**common, "groups": [str(editors.pk)]}
    assert shown["other"] == "2w" or shown["other"] == "14d"
    check(desk, **{n: v for n, v in shown.items() if n != "lifetime"})

    again = Batch.objects.first()
    assert again.pk != first.pk
    assert without_numbers(again.entries) == without_numbers(first.entries)
    assert without_numbers(again.refused) == without_numbers(first.refused)
    assert (again.name, again.common) == (first.name, first.common)


def test_a_plain_text_comes_back_as_it_was_typed(desk):
    preview = check(desk, TYPED["a plain text"], note="Welcome", lifetime="7d", next="/account")

    assert change(desk, preview)["pasted"] == TYPED["a plain text"]


SPREADSHEET = "email\tname\nok@tab.example\tOk Person\nada@@tab.example\tAda Lovelace"
BAD = "p6@@sales.example"


def salespeople():
    """Returns a workbook in whose third row the address is misspelt, with what it says in columns of all kinds."""
    return xlsx(
        ["No", "First name", "Last name", "E-mail", "Group", "Message", "Language", "Valid for", "Page"],
        [1, "Ada", "Lovelace", "ada@sales.example", "Editors"],
        [7, "José", "Ñandú", BAD, "Editors;Readers", "Hi, “José”", "русский", "36h", "/own"],
    )


def test_a_bad_line_of_a_spreadsheet_is_shown_by_its_address_and_mended_there(desk):
    preview = check(desk, SPREADSHEET)

    assert "3 Name: Ada Lovelace Address: ada@@tab.example What happens: Can’t be read" in words(preview)
    shown = change(desk, preview)["pasted"]
    assert shown == SPREADSHEET + "\n"
    check(desk, shown.replace("@@", "@"))
    assert [row["name"] for row in Batch.objects.first().entries] == ["Ok Person", "Ada Lovelace"]


@pytest.mark.parametrize("way", ["the form", "the file"])
def test_all_that_was_understood_of_a_bad_line_of_a_workbook_is_there_when_it_is_mended(desk, editors, way):
    readers = Group.objects.create(name="Readers")
    preview = check(desk, file=file(salespeople(), "people.xlsx"), note="Welcome", remind="on")

    if way == "the form":
        check(desk, change(desk, preview)["pasted"].replace("@@", "@"), note="Welcome", remind="on")
    else:
        check(desk, file=file(bad_lines(desk).replace("@@", "@").encode()), note="Welcome", remind="on")

    batch = Batch.objects.first()
    assert (batch.refused, batch.remarks) == ([], [])
    assert without_numbers(batch.entries)[-1] == {
        "email": "p6@sales.example",
        "name": "José Ñandú",
        "note": "Hi, “José”",
        "language": "ru",
        "next": "/own",
        "groups": [editors.pk, readers.pk],
        "lifetime": 36 * 3600,
        "fate": "new",
    }


def test_the_file_of_bad_lines_has_the_columns_that_they_use_also_of_a_likely_typo(desk, editors):
    check(desk, "email,name,group\nada@gmial.com,Ada,Editors\nbob@@x.example\neve@x.example,Eve")

    assert bad_lines(desk).splitlines() == [
        "\ufeffline,text,name,group,reason",
        "2,ada@gmial.com,Ada,Editors,Did you mean ada@gmail.com?",
        '3,bob@@x.example,,,"Enter an email address in the correct format, like name@example.com"',
    ]
    check(desk, "bob@@x.example")
    assert bad_lines(desk).startswith("\ufeffline,text,reason\r\n1,bob@@x.example,")


TORN = ['grace@example.com\t"Grace', "grace@example.com\tGr\ufffdce", "Gr\ufffdce\tgrace@example.com"]


@pytest.mark.parametrize("line", TORN)
def test_the_cells_of_a_line_with_a_broken_character_or_quotation_are_kept_apart(desk, line):
    shown = change(desk, check(desk, line))["pasted"]

    check(desk, shown.replace("\ufffd", "a"))
    (row,) = Batch.objects.first().entries
    assert (row["email"], row["name"]) == ("grace@example.com", "Grace")


def test_of_a_bad_line_no_more_is_kept_than_can_be_mended(desk):
    check(desk, file=file(xlsx(["email", "note"], ["a@@x.example", "_x0000__xD800_ " + "x" * 9000]), "people.xlsx"))

    (row,) = Batch.objects.first().refused
    assert (len(row["note"]), row["note"][:4]) == (501, "\ufffd\ufffd x")


# The mail and the page


@pytest.mark.parametrize("email", ["new@example.com", "ada@example.com"])
def test_the_mail_shown_is_the_mail_sent_but_for_its_links(desk, ada, editors, mailbox, email):
    check(desk, email, note="Welcome <all>", language="ru", groups=[editors.pk], next="/account")
    batch = Batch.objects.get()
    shown = desk.get(page_of(batch, "mail")).text
    text = desk.get(page_of(batch, "mail"), {"text": ""}).text

    send(desk, batch)

    [sent] = mailbox.letters(email)
    bare = re.compile(r"http://[^\s\"<]*")
    sent_html = sent.get_body(("html",)).get_content()
    assert bare.sub("", shown).split() == bare.sub("", sent_html).split()
    sent_text = f"{sent['Subject']}\n\n{sent.get_body(('plain',)).get_content()}"
    assert bare.sub("", text).split() == bare.sub("", sent_text).split()
    assert "token=" in sent_html
    assert "token=" not in shown + text


def test_the_first_who_would_be_mailed_is_shown_until_another_is_chosen(desk, ada):
    check(desk, "ada@example.com\ntypo@gmial.com,Tim\nb@example.com,Bea\nc@example.com,Cleo")
    batch = Batch.objects.get()

    assert "Hello Bea," in desk.get(page_of(batch, "mail")).text
    assert "Hello Cleo," in desk.get(page_of(batch, "mail"), {"person": 3}).text
    assert "Hello Tim," in desk.get(page_of(batch, "mail"), {"person": 1}).text
    for nonsense in ("0", "99", "x", "²"):
        assert "Hello Bea," in desk.get(page_of(batch, "mail"), {"person": nonsense}).text
    assert f'src="{page_of(batch, "mail")}?person=3"' in desk.get(page_of(batch), {"person": 3}).text


def test_only_the_mail_and_the_page_may_be_framed_and_only_the_preview_frames(desk):
    check(desk, "new@example.com")
    batch = Batch.objects.get()
    preview, mail, opens, form = (
        desk.get(path) for path in (*(page_of(batch, name) for name in ("change", "mail", "page")), f"{LISTS}add/")
    )

    assert "frame-src 'self'" in preview["Content-Security-Policy"]
    assert mail["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-same-origin; frame-ancestors 'self'; "
        "form-action 'none'"
    )
    assert "form-action 'none'" in opens["Content-Security-Policy"]
    for framed in (mail, opens):
        assert "frame-ancestors 'self'" in framed["Content-Security-Policy"]
        assert framed["X-Frame-Options"] == "SAMEORIGIN"
    for page in (preview, form):
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
        assert page["X-Frame-Options"] == "DENY"
    assert "frame-src" not in form["Content-Security-Policy"] + opens["Content-Security-Policy"]


@pytest.mark.parametrize("email", ["new@example.com", "ada@example.com"])
def test_the_page_shown_is_the_page_that_the_mail_opens_but_for_its_tokens(desk, ada, editors, mailbox, client, email):
    check(desk, email, note="Welcome <all>", language="ru", groups=[editors.pk])
    batch = Batch.objects.get()
    with time_machine.travel(timezone.now(), tick=False):  # as both say until when it works
        shown = desk.get(page_of(batch, "page"))
        send(desk, batch)
        opened = client.get(mailbox.link(email), headers={"Accept-Language": "ru"})

    different = r' (?:value|action|formaction|href)="[^"]*"|datetime="[^"]*"'
    one, other = (re.sub(different, "", page.text).split() for page in (shown, opened))
    assert one == other
    assert "token=" not in shown.text


def test_the_page_that_the_mail_opens_is_shown_and_does_nothing(desk, ada, editors):
    check(desk, "new@example.com\nada@example.com", note="Welcome", language="en", groups=[editors.pk])
    batch = Batch.objects.get()
    page = desk.get(page_of(batch, "page"))

    assert "olga invited you to" in words(page)
    assert "Welcome" in words(page)
    assert 'value="new@example.com"' in page.text
    assert "Accept and join Editors" in words(desk.get(page_of(batch, "page"), {"person": 1}))
    assert desk.post(page_of(batch, "page"), {"username": "new", "password": PASSWORD}).status_code == 405
    assert not Invite.objects.exists()
    assert desk.get("/admin/").status_code == 200


def test_the_mail_is_sent_to_whoever_asks_and_opens_nothing(desk, mailbox):
    check(desk, "a@example.com\nnew@example.com,Nadia")
    batch = Batch.objects.get()

    page = desk.post(page_of(batch, "to-me"), {"person": 1}, follow=True)

    assert "The mail is on its way to olga@example.com." in words(page)
    assert page.redirect_chain[-1][0].endswith("?person=1")
    mail = mailbox.letters()[-1]
    text = mail.get_body(("plain",)).get_content()
    assert mail["To"] == "olga@example.com"
    assert mail["Subject"] == "olga invited you to Frontdoor"
    assert "Hello Nadia," in text
    assert "token=" not in mail.as_string()
    assert mail["List-Unsubscribe"] is None
    link = re.search(r"http://\S+", text)[0]
    assert "new@example.com" in desk.get(f"/{link.split('/', 3)[3]}").text
    assert not Invite.objects.exists()


def test_nobody_sends_themselves_many_mails(desk):
    check(desk, "new@example.com")
    batch = Batch.objects.get()
    answers = [desk.post(page_of(batch, "to-me")).status_code for _n in range(limits.SAMPLE_PER_STAFF.most + 1)]

    assert answers[-2:] == [302, 429]
    assert OutboxMessage.objects.filter(kind="invite").count() == limits.SAMPLE_PER_STAFF.most


def test_mails_of_lists_of_others_and_of_lists_without_anybody_are_not_shown(desk, helper, client, ada):
    check(desk, "new@example.com")
    theirs = Batch.objects.get()
    check(desk, "ada@example.com")
    nobody = Batch.objects.first()

    for name in ("mail", "page", "to-me"):
        method = "post" if name == "to-me" else "get"
        assert getattr(helper, method)(page_of(theirs, name)).status_code == 404
        assert getattr(desk, method)(page_of(nobody, name)).status_code == 404
        assert getattr(client, method)(page_of(theirs, name)).status_code == 302
    assert 'name="mail"' not in desk.get(page_of(nobody)).text
    send(desk, theirs)
    assert desk.get(page_of(theirs, "mail")).status_code == 404
