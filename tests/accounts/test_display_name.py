"""The name that others read: who sets it, what it may be, and where it stands in place of the username."""

import io
import json
import zipfile

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts import display_names
from accounts.models import Event, User
from invites.models import Entry, Invite
from invites.sign_up.forms import SignupForm
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.program import Program
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

GOOD = [
    ("", ""),
    ("  Ada \t Lovelace ", "Ada Lovelace"),
    ("Zoë", "Zoë"),
    ("Ада Лавлейс", "Ада Лавлейс"),
    ("J.R. Tolkien", "J.R. Tolkien"),
    ("Info Wars", "Info Wars"),
    ("x" * 100, "x" * 100),
]
BAD = [
    ("x" * 101, "max_length"),
    ("Ada\u202eecalevoL", "control"),
    ("Ada\x00", "control"),
    ("Ada www.evil.example", "link"),
    ("evil.example", "link"),
    ("ｅｖｉｌ.example", "link"),
    ("Ada https://evil", "link"),
    ("-", "invalid"),
    ("Support", "reserved"),
    ("Security Team", "reserved"),
    ("frontdoor", "reserved"),
    ("Frontdoor Support Team", "reserved"),
    ("ＡＤＭＩＮ", "reserved"),
]


def test_a_good_name_is_kept_with_single_spaces(subtests):
    for typed, name in GOOD:
        with subtests.test(typed=typed):
            assert display_names.normalize(typed) == name


def test_a_bad_name_is_refused_and_fits_nobody(subtests):
    for typed, code in BAD:
        with subtests.test(typed=typed):
            with pytest.raises(ValidationError) as refused:
                display_names.normalize(typed)
            assert refused.value.code == code
            assert display_names.fitting(typed) == ""


def test_the_account_page_sets_and_clears_it_and_mails_nobody(signed_in, ada, mailbox, announced):
    sent = mailbox.kinds(ada.email)

    page = signed_in.post("/account/profile", {"name": " Ada  Lovelace "}, follow=True)

    assert "Ada Lovelace" in words(page)
    assert "Name changed" in words(page)
    signed_in.post("/account/profile", {"name": ""})
    events = Event.objects.filter(kind=Event.Kind.NAME_CHANGED, user=ada).order_by("id")
    assert [event.detail["before"] for event in events] == ["", "Ada Lovelace"]
    told = [(fields["name"], fields["changed"]) for name, fields in announced() if name == "user.updated"]
    assert told == [("Ada Lovelace", ["name"]), ("", ["name"])]
    assert mailbox.kinds(ada.email) == sent


def test_the_same_name_again_tells_nothing(signed_in, ada, announced):
    ada.call("Ada")
    before = len(announced())

    signed_in.post("/account/profile", {"name": "Ada "})

    assert len(announced()) == before


def test_a_refused_name_stays_in_the_form_and_changes_nothing(signed_in, ada):
    ada.call("Ada")

    page = signed_in.post("/account/profile", {"name": "see www.evil.example"})

    assert "has a link in it" in words(page)
    assert 'value="see www.evil.example"' in page.text
    assert User.objects.get(pk=ada.pk).name == "Ada"


def test_programs_read_and_change_it(ada):
    program = Program()
    program.sign_in("ada", PASSWORD)

    answer = program.send("/api/v1/account", "PATCH", name="Ada Lovelace")

    assert (answer.status_code, answer.json()["user"]["name"]) == (200, "Ada Lovelace")
    assert program.send("/api/v1/account", "PATCH").json()["user"]["name"] == "Ada Lovelace"
    assert program.send("/api/v1/account", "GET").json()["user"]["name"] == "Ada Lovelace"
    assert program.send("/api/v1/auth/session", "GET").json()["user"]["name"] == "Ada Lovelace"
    refused = program.send("/api/v1/account", "PATCH", name="Support")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "reserved")
    assert program.send("/api/v1/account", "PATCH", name="").json()["user"]["name"] == ""
    assert Program().send("/api/v1/account", "PATCH", name="x").status_code == 401


HEADERS = [("", "ada"), ("Ada Lovelace", "Ada Lovelace"), ("100% Ada", "100%25%20Ada"), ("Zoë", "Zo%C3%AB")]


def test_proxies_are_told_it_or_the_username(signed_in, ada, subtests):
    for name, header in HEADERS:
        with subtests.test(name):
            ada.call(name)

            assert signed_in.get("/auth/verify")["X-Auth-Name"] == header


def test_an_invitation_names_its_inviter_by_it(client, ada, mailbox):
    ada.call("Ada Lovelace")

    invite = Invite.objects.issue("grace@example.com", source="admin", invited_by=ada)

    (letter,) = mailbox.letters("grace@example.com")
    assert letter["Subject"] == "Ada Lovelace invited you to Frontdoor"
    assert "Ada Lovelace (ada@example.com) would like you" in " ".join(mailbox.text("grace@example.com").split())
    page = client.get(mailbox.link("grace@example.com"))
    assert "Ada Lovelace invited you to Frontdoor" in words(page)
    assert "ada@example.com" in words(page)
    assert invite.invited_by == ada


def test_a_long_name_is_cut_in_a_subject_and_nowhere_else(ada, mailbox):
    long = "Ada " + "Lovelace " * 10
    ada.call(long)

    Invite.objects.issue("grace@example.com", source="admin", invited_by=ada)

    (letter,) = mailbox.letters("grace@example.com")
    assert letter["Subject"] == "Ada Lovelace Lovelace Lovelac… invited you to Frontdoor"
    assert long.strip() in " ".join(mailbox.text("grace@example.com").split())


def join(browser, mailbox, typed):
    """Posts the form behind the link of the mail to grace@example.com, with what was typed."""
    path, _, token = mailbox.link("grace@example.com").partition("?token=")
    return browser.post(path, {"token": token} | typed)


def test_whoever_was_invited_under_a_name_has_it(mailbox, announced):
    Invite.objects.issue_many([Entry("grace@example.com", name="Grace Hopper")], source="csv")

    browser = Client()
    join(browser, mailbox, {"username": "grace", "password": PASSWORD})

    assert User.objects.get(email="grace@example.com").name == "Grace Hopper"
    assert "Grace Hopper" in words(browser.get("/account"))
    assert [fields["name"] for name, fields in announced() if name == "user.created"] == ["Grace Hopper"]


def test_a_name_that_an_inviter_may_write_and_an_owner_may_not_is_left_out(mailbox):
    Invite.objects.issue_many([Entry("grace@example.com", name="Support Team")], source="csv")

    join(Client(), mailbox, {"username": "grace", "password": PASSWORD})

    assert User.objects.get(email="grace@example.com").name == ""


def test_an_invitation_into_groups_leaves_the_name_of_an_account(ada):
    ada.call("Ada Lovelace")

    InviteFactory(email=ada.email, name="Countess").accept(ada)

    assert User.objects.get(pk=ada.pk).name == "Ada Lovelace"


def test_a_password_made_of_the_inviters_name_is_easy(ada):
    ada.call("Bartholomew Featherstone")
    link = InviteFactory(email="grace@example.com", invited_by=ada).links.get()

    form = SignupForm({"username": "grace", "password": "bartholomew featherstone"}, link=link)

    assert form.errors.as_data()["password"][0].code.startswith("password_too")


def test_staff_change_it_and_the_person_is_mailed(desk, ada, mailbox, admin_user):
    form = {"username": "ada", "name": "Ada Lovelace", "email": ada.email, "is_active": "on"}

    desk.post(f"/admin/accounts/user/{ada.pk}/change/", form | {"password": PASSWORD})

    assert User.objects.get(pk=ada.pk).name == "Ada Lovelace"
    assert "Name: – → Ada Lovelace" in mailbox.text(ada.email)
    event = Event.objects.get(kind=Event.Kind.NAME_CHANGED)
    assert event.detail == {"before": "", "by": "staff", "staff": admin_user.username}
    page = words(desk.get(f"/admin/accounts/user/{ada.pk}/change/"))
    assert "olga changed the name of ada" in page
    assert "NameAda Lovelace" in page


def test_the_desk_refuses_what_the_owner_may_not_write(desk, ada):
    form = {"username": "ada", "name": "www.evil.example", "email": ada.email, "is_active": "on"}

    page = desk.post(f"/admin/accounts/user/{ada.pk}/change/", form | {"password": PASSWORD})

    assert "has a link in it" in words(page)
    assert User.objects.get(pk=ada.pk).name == ""


def test_the_desk_finds_and_lists_people_by_it(desk, ada):
    ada.call("Zoë Lovelace")
    UserFactory(username="grace")

    assert "Zoë Lovelace (ada)" in words(desk.get("/admin/accounts/user/", {"q": "zoe love"}))
    assert "grace" not in words(desk.get("/admin/accounts/user/", {"q": "love"}))
    assert "Zoë Lovelace" in words(desk.get("/admin/search/", {"q": "lovel"}))


def test_it_is_in_both_exports(signed_in, desk, ada):
    ada.call("Ada Lovelace")

    mine = b"".join(signed_in.post("/account/export", {"password": PASSWORD}).streaming_content)
    with zipfile.ZipFile(io.BytesIO(mine)) as archive:
        assert json.loads(archive.read("account.json"))[0]["name"] == "Ada Lovelace"
    people = desk.post("/admin/accounts/user/", {"action": "export", "_selected_action": ada.pk, "index": 0})
    text = b"".join(people.streaming_content).decode()
    assert "ada,Ada Lovelace,ada@example.com" in text


def test_a_deleted_account_leaves_no_name_behind(ada):
    ada.call("Ada Lovelace")
    ada.call("")

    ada.erase()

    assert not Event.objects.filter(kind=Event.Kind.NAME_CHANGED).exclude(detail={}).exists()
