"""What a list says of people for the fields that the site asks about (PROFILE_FIELDS), and what becomes of it."""

import csv
import json
import re
from datetime import timedelta

import pytest
from django import forms
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from invites import purposes
from invites.batch import headings
from invites.link import readdressing
from invites.models import Batch, Invite
from kit import own_fields, tokens
from tests.tools.desk import check, invite, page_of, send
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

LIST = "Email;Name;START DATE;Job\nnew@example.com;Grace;2026-12-01;Admiral\n"
SAID = {"start_date": "2026-12-01", "job": "Admiral"}


@pytest.fixture(autouse=True)
def asked(settings):
    """A site that asks for a job and a day, if people like: so the staff of these tests need not answer."""
    settings.PROFILE_FIELDS = own_fields.parse("job:optional,start_date:optional:date")


def downloaded(page):
    """Returns the rows of a CSV file."""
    return list(csv.reader(b"".join(page.streaming_content).decode("utf-8-sig").splitlines()))


def signup(found):
    return {"token": tokens.sign(purposes.SIGNUP, found.pk)}


def given(page):
    """Returns the values of the fields for what the site asks."""
    return dict(re.findall(r'name="profile_(\w+)" value="([^"]*)"', page.text))


def test_a_list_fills_in_the_form_of_sign_up_and_the_person_may_change_it(desk, client):
    preview = check(desk, LIST)
    assert "Job: Admiral · Start date: 1 December 2026" in words(preview)
    assert "Columns we don’t use" not in words(preview)
    batch = Batch.objects.get()
    assert given(desk.get(page_of(batch, "page"))) == SAID
    assert downloaded(desk.get(page_of(batch, "people")))[1][-1] == "Job: Admiral · Start date: 1 December 2026"

    desk.post(page_of(batch, "send"))

    found = Invite.objects.get()
    assert found.profile == SAID
    assert given(client.get("/signup", signup(found))) == SAID
    typed = {"username": "grace", "password": PASSWORD, "profile_job": "Pilot", "profile_start_date": ""}
    client.post("/signup", signup(found) | typed)
    assert User.objects.get(username="grace").settings["profile"] == {"job": "Pilot"}


def test_staff_see_it_where_they_see_the_name(desk, capsys):
    invite(desk, LIST)
    found = Invite.objects.get()

    assert "JobAdmiral" in words(desk.get(f"/admin/invites/invite/{found.pk}/change/"))
    exported = desk.post("/admin/invites/invite/", {"action": "export", "_selected_action": [str(found.pk)]})
    assert [row[-2:] for row in downloaded(exported)] == [["job", "start_date"], ["Admiral", "2026-12-01"]]
    call_command("list_invites", "--format", "json")
    assert json.loads(capsys.readouterr().out)[0]["profile"] == SAID


@pytest.mark.parametrize("way", ["the form", "the file"])
def test_a_value_that_the_field_does_not_take_is_named_and_mended(desk, way):
    preview = check(desk, LIST.replace("2026-12-01", "1 Dec"))

    assert "Start date: Enter a date as year, month and day, like 2026-11-30" in words(preview)
    batch = Batch.objects.get()
    if way == "the form":
        shown = re.search(
            r'<textarea name="pasted"[^>]*>\n?(.*?)</textarea>',
            desk.get("/admin/invites/batch/add/", {"from": batch.pk}).text,
            re.DOTALL,
        )[1]
    else:
        shown = b"".join(desk.get(page_of(batch, "unread")).streaming_content).decode()
        assert shown.startswith("\ufeffline,text,name,job,start_date,reason")
    check(desk, shown.replace("1 Dec", "2026-12-01"))

    (row,) = Batch.objects.first().entries
    assert (row["email"], row["name"], row["profile"]) == ("new@example.com", "Grace", SAID)


class LabelledAsOurs(forms.Form):
    nick = forms.CharField(label="Name", required=False)


def test_a_label_takes_no_column_of_ours_so_a_mended_file_is_read_as_it_was(desk, settings):
    settings.PROFILE_FORM = f"{__name__}.LabelledAsOurs"
    check(desk, "Email;Full name;Nick;Start date\nnew@example.com;Grace Hopper;Amazing;soon\n")

    file = b"".join(desk.get(page_of(Batch.objects.get(), "unread")).streaming_content).decode()
    check(desk, file.replace("soon", "2026-12-01"))

    (row,) = Batch.objects.first().entries
    assert (row["name"], row["profile"]) == ("Grace Hopper", {"nick": "Amazing", "start_date": "2026-12-01"})


def test_a_value_may_not_be_longer_than_people_may_type(desk):
    assert "Job is longer than 200 characters" in words(check(desk, LIST.replace("Admiral", "x" * 201)))


def test_whoever_has_an_account_keeps_what_is_there(desk, ada, client):
    editors = Group.objects.create(name="Editors")
    ada.fill_in({"job": "Poet"})

    preview = check(desk, LIST.replace("new@", "ada@"), groups=[editors.pk])
    assert "Admiral" not in words(preview)
    desk.post(page_of(Batch.objects.get(), "send"))
    client.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, Invite.objects.get().pk), "here": "on"})

    assert ada.groups.get() == editors
    assert User.objects.get(pk=ada.pk).settings["profile"] == {"job": "Poet"}


def test_an_invitation_that_is_open_keeps_what_it_says(desk):
    InviteFactory(email="new@example.com", profile=SAID, sent_at=timezone.now() - timedelta(days=1))
    check(desk, LIST.replace("Admiral", "Captain"))

    assert "1 invitation is on its way." in words(send(desk, Batch.objects.first(), again="on"))

    assert Invite.objects.get().profile == SAID


def test_programs_and_google_need_not_send_what_the_invitation_knows(client, google, settings):
    settings.PROFILE_FIELDS = own_fields.parse("job,start_date:optional:date")
    settings.PROFILE_FORM = "tests.accounts.test_profile_form.OneBox"
    told = SAID | {"gone": "x", "news": "yes"}
    by_program = InviteFactory(email="new@example.com", profile=told)
    InviteFactory(email="eve@gmail.com", profile=told | {"start_date": "soon"})

    answer = Program().send(
        "/api/v1/auth/create", username="newcomer", password=PASSWORD, **signup(by_program), profile={"start_date": ""}
    )
    google.person = Person(email="eve@gmail.com")
    landed = client.get(google.consent(client.post("/google").url))

    assert answer.status_code == 201
    assert landed.url == "/account"
    for email in ("new@example.com", "eve@gmail.com"):
        assert User.objects.get(email=email).settings["profile"] == {"job": "Admiral"}


def test_it_goes_to_another_address_with_the_invitation_and_is_erased_with_the_name(ada):
    found = InviteFactory(email="new@example.com", name="Grace", profile=SAID)

    moved = readdressing.correct(found, by=ada, email="grace@example.com", groups=[], name="Grace", note="")
    assert moved.profile == SAID

    UserFactory(username="grace", email="grace@example.com").erase()
    moved.refresh_from_db()
    assert (moved.email, moved.name, moved.profile) == ("", "", {})


HEADINGS = {
    ("Email", "Job"): ["email", "profile_job"],
    ("Email", "JOB*", "phone"): ["email", "profile_job", ""],
    ("Address", "Mail"): ["profile_address", "email"],
    ("Name", "Address"): ["name", "email"],
    ("Work email", "Email"): ["profile_work_email", "email"],
    ("Work email", "Name"): ["email", "name"],
    ("Email", "First name", "Comment"): ["email", "profile_first_name", "profile_comment"],
    ("Почта", "Да"): ["email", "profile_yes"],
}


@pytest.mark.parametrize("cells", HEADINGS)
def test_a_heading_that_names_a_field_of_the_site_goes_before_ours(cells, settings):
    settings.PROFILE_FIELDS = own_fields.parse("job,address,work_email,first_name,comment,yes")

    assert headings.of_cells(list(cells)) == HEADINGS[cells]


def test_the_desks_list_of_people_shows_it(desk, ada):
    ada.fill_in(SAID)

    assert "Admiral · 1 December 2026" in words(desk.get("/admin/accounts/user/"))
