"""Proof again: what gives power away asks who is there, with every factor, unless they have shown it just now."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Session, User
from accounts.password.forms import WithProof
from invites.models import Batch
from outbox.models import Webhook
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.program import Program, codes, fields
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

QUESTION = "Is it still you?"
LATER = timedelta(minutes=16)


def later():
    return time_machine.travel(timezone.now() + LATER)


@pytest.fixture
def paired(ada):
    """Ada's browser, in which she signed in with her password and a code."""
    phone.pair(ada)
    client = Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})
    client.post("/login/code", {"code": phone.code()})
    return client


@pytest.fixture
def colleague(db):
    return UserFactory(username="boss", email="boss@example.com", is_staff=True, is_superuser=True)


def typed(person, **changed):
    """Returns the desk's form for a person, as a browser posts it."""
    return {"username": person.username, "email": person.email, "is_active": "on"} | changed


# The account's pages that ask only now and then


NEXT_TO_NOTHING = [
    ("/account/username", {"username": "newname"}),
    ("/account/settings", {"language": "en", "time_zone": "", "theme": ""}),  # turns the notices off
]
DOWNLOAD = ("/account/export", {})  # asks, too, but goes on only by another press


def state():
    user = User.objects.get(email="ada@example.com")
    return user.username, user.settings.get("notices", True), user.events.filter(kind="exported").count()


@pytest.mark.parametrize(("path", "form"), [*NEXT_TO_NOTHING, DOWNLOAD])
def test_just_after_sign_in_nothing_more_is_asked(signed_in, path, form):
    before = state()

    signed_in.post(path, form)

    assert state() != before


@pytest.mark.parametrize(("path", "form"), NEXT_TO_NOTHING)
def test_later_it_is_asked_for_and_what_was_typed_is_kept(signed_in, path, form):
    before = state()
    with later():
        page = signed_in.post(path, form)
        assert QUESTION in page.text
        assert state() == before
        for name, value in form.items():
            assert f'<input type="hidden" name="{name}" value="{value}">' in page.text

        wrong = signed_in.post(path, form | {"proof-asked": "1", "proof-password": "not the right one"})
        assert "Password is not correct" in words(wrong)
        assert state() == before

        signed_in.post(path, form | {"proof-asked": "1", "proof-password": PASSWORD})
    assert state() != before


@pytest.mark.parametrize(("path", "form"), NEXT_TO_NOTHING)
def test_with_a_second_factor_the_password_alone_is_not_enough(paired, path, form):
    before = state()
    with later():
        code = phone.code()
        for proof in ({"proof-password": PASSWORD}, {"proof-code": code}):
            page = paired.post(path, form | {"proof-asked": "1"} | proof)
            assert QUESTION in page.text
            assert state() == before

        paired.post(path, form | {"proof-asked": "1", "proof-password": PASSWORD, "proof-code": code})
    assert state() != before


def test_an_empty_field_of_the_proof_is_pointed_out_only_once_it_was_shown(signed_in):
    with later():
        assert "There is a problem" not in signed_in.post("/account/export").text
        assert "Enter your password" in words(signed_in.post("/account/export", {"proof-asked": "1"}))


def test_a_proof_gives_the_session_a_new_id_and_twelve_hours(signed_in, ada):
    old, ends = signed_in.cookies["frontdoor_session"].value, ada.sessions.get().expire_date
    with later():
        signed_in.post("/account/export", {"proof-asked": "1", "proof-password": PASSWORD})

        assert signed_in.cookies["frontdoor_session"].value != old
        assert ada.sessions.get().expire_date > ends + LATER - timedelta(seconds=5)
        thief = Client()
        thief.cookies["frontdoor_session"] = old
        assert thief.get("/account").status_code == 302


def test_after_the_proof_a_download_leads_back_and_takes_another_press(signed_in):
    with later():
        page = signed_in.post("/account/export")
        assert QUESTION in page.text
        assert "Nothing has changed yet." in words(page)
        assert "What you typed" not in words(page)

        back = signed_in.post("/account/export", {"proof-asked": "1", "proof-password": PASSWORD}, follow=True)
        assert back.redirect_chain == [("/account#data", 302)]
        assert "Now press “Download my data” once more" in words(back)
        assert state()[2] == 0

        assert signed_in.post("/account/export")["Content-Type"] == "application/zip"


def test_the_page_names_what_is_to_be_done_and_has_a_way_out(signed_in, desk):
    with later():
        for browser, path, doing, back in [
            (signed_in, "/account/username", "Change your username", "/account/username"),
            (signed_in, "/account/export", "Download my data", "/account"),
            (signed_in, "/account/settings", "Turn off emails about sign-ins on new devices", "/account/settings"),
            (desk, "/admin/auth/group/add/", "Change at the desk: groups", "/admin/auth/group/"),
        ]:
            page = browser.post(path, {"language": "en", "time_zone": "", "theme": ""})
            assert f"{doing} Before this is done, show that it’s you." in words(page)
            assert f'<a href="{back}">Cancel</a>' in page.text
            assert browser.get(back).status_code == 200


def test_a_password_typed_on_the_page_is_not_written_into_it(signed_in):
    form = {"username": "newname", "proof-asked": "1", "proof-password": "not the right one"}
    with later():
        page = signed_in.post("/account/username", form)

    assert 'value="newname"' in page.text
    assert "not the right one" not in page.text
    assert page.text.count('name="proof-password"') == page.text.count('name="proof-asked"') == 1


def test_a_file_must_be_chosen_again(desk):
    file = SimpleUploadedFile("people.csv", b"email")
    with later():
        page = desk.post("/admin/auth/group/add/", {"name": "helpers", "people": file})

    assert 'enctype="multipart/form-data"' in page.text
    assert "Choose the file again" in words(page)
    assert '<input type="file" name="people"' in page.text


def use_up(browser, path, form):
    """Tries wrong passwords until there are too many. Returns the last answer."""
    for _try in range(20):
        page = browser.post(path, form | {"password": "wrong", "proof-asked": "1", "proof-password": "wrong"})
        if page.status_code == 429:
            return page
    raise AssertionError("no limit")


@pytest.mark.parametrize(
    ("path", "form"), [("/account/username", {"username": "newname"}), ("/admin/auth/group/add/", {"name": "helpers"})]
)
def test_after_too_many_tries_the_page_keeps_what_was_typed_and_offers_a_link(desk, path, form):
    with later():
        page = use_up(desk, path, form)

        ((name, value),) = form.items()
        assert page["Retry-After"]
        assert "or use a link from your email. Your account is not locked. Nothing has changed." in words(page)
        assert f'<input type="hidden" name="{name}" value="{value}">' in page.text
        assert 'action="/account/prove"' in page.text
        assert "Email me a link" in words(page)
    assert not Group.objects.exists()


def test_after_too_many_tries_to_stay_signed_in_the_page_offers_a_link(signed_in):
    page = use_up(signed_in, "/account/sessions/prolong", {"next": "/account/settings"})

    assert page["Retry-After"]
    assert "Nothing has changed." in words(page)
    assert "Email me a link" in words(page)
    assert 'name="next" value="/account/settings"' in page.text


def test_an_error_after_the_proof_signs_nobody_out(signed_in, ada, monkeypatch):
    def break_down(*_args, **_trace):
        raise RuntimeError("broken")

    monkeypatch.setattr(User, "rename", break_down)
    signed_in.raise_request_exception = False
    form = {"username": "newname", "proof-asked": "1", "proof-password": PASSWORD}
    with later():
        assert signed_in.post("/account/username", form).status_code == 500
        assert signed_in.get("/account").status_code == 200
        monkeypatch.undo()
        signed_in.post("/account/username", form)
    assert User.objects.get().username == "newname"


def test_a_new_password_ends_the_proof_of_the_sign_in(signed_in):
    signed_in.post("/account/password", {"password": PASSWORD, "chosen": "a rather different phrase"})

    assert QUESTION in signed_in.post("/account/username", {"username": "newname"}).text


def test_settings_that_silence_nobody_ask_for_nothing(signed_in, ada):
    with later():
        signed_in.post("/account/settings", {"language": "en", "time_zone": "", "theme": "dark", "notices": "on"})

    assert User.objects.get().settings["theme"] == "dark"


def test_without_a_password_a_mailed_link_proves_and_then_the_page_goes_on(ada, mailbox):
    ada.set_unusable_password()
    ada.save()
    client = Client()
    client.force_login(ada)
    form = {"username": "newname"}
    with later():
        page = client.post("/account/username", form)
        assert QUESTION in page.text
        assert 'name="proof-password"' not in page.text
        assert QUESTION in client.post("/account/username", form | {"proof-asked": "1"}).text

        client.post("/account/prove")
        client.post("/confirm", {"token": mailbox.link("ada@example.com", "/confirm").partition("token=")[2]})
        client.post("/account/username", form | {"proof-asked": "1"})

    assert User.objects.get().username == "newname"


# What could take the account from its owner asks even just after sign-in


TAKING = {
    "address": ("/account/email", {"email": "thief@example.net"}),
    "password": ("/account/password", {"chosen": "a rather different phrase"}),
    "google": ("/account/google", {}),
    "deletion": ("/account/delete", {}),
}


@pytest.mark.parametrize("what", TAKING)
def test_with_a_second_factor_both_are_asked_for(paired, google, mailbox, what):
    path, form = TAKING[what]
    before = (User.objects.values("email", "password").get(), mailbox.kinds(""))
    page = paired.get(path).text
    assert 'name="password"' in page
    assert 'name="code"' in page

    for proof in ({}, {"password": PASSWORD}, {"code": phone.code(steps=1)}, {"password": PASSWORD, "code": "000000"}):
        answer = paired.post(path, form | proof)
        assert answer.status_code == 200
        assert (User.objects.values("email", "password").get(), mailbox.kinds("")) == before

    assert paired.post(path, form | {"password": PASSWORD, "code": phone.code(steps=1)}).status_code == 302


DOORS = [
    ("PUT", "/api/v1/account/password", {"new_password": "a rather different phrase"}),
    ("POST", "/api/v1/account/email-change", {"email": "thief@example.net"}),
    ("DELETE", "/api/v1/account", {}),
]


@pytest.mark.parametrize(("method", "path", "sent"), DOORS)
def test_so_they_are_at_the_json_doors(ada, method, path, sent):
    phone.pair(ada)
    program = Program()
    program.sign_in("ada", PASSWORD)
    program.send("/api/v1/auth/login/code", code=phone.code())

    answer = program.send(path, method, **sent, password=PASSWORD)

    assert (answer.status_code, codes(answer), fields(answer)) == (403, ["proof"], ["code"])
    wrong = program.send(path, method, **sent, password=PASSWORD, code=phone.wrong())
    assert (wrong.status_code, fields(wrong)) == (400, ["code"])
    right = program.send(path, method, **sent, password=PASSWORD, code=phone.code(steps=1))
    assert right.status_code in {200, 202}


def test_one_proof_with_every_factor_opens_them_for_fifteen_minutes(ada):
    phone.pair(ada)
    program = Program()
    program.sign_in("ada", PASSWORD)
    program.send("/api/v1/auth/login/code", code=phone.code())

    half = program.send("/api/v1/auth/proof", password=PASSWORD)
    assert half.status_code == 200
    assert codes(program.send("/api/v1/account", "DELETE")) == ["proof"]
    whole = program.send("/api/v1/auth/proof", password=PASSWORD, code=phone.code(steps=1))
    assert whole.json()["session"]["ends_at"] > half.json()["session"]["ends_at"]

    with later():
        assert codes(program.send("/api/v1/account", "DELETE")) == ["proof"]
    assert program.send("/api/v1/account", "DELETE").status_code == 200


def test_a_trusted_browser_is_asked_for_the_code_all_the_same(ada):
    phone.pair(ada)
    client = Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})
    client.post("/login/code", {"code": phone.code(), "trust": "on"})
    client.post("/logout/here")
    client.post("/login", {"login": "ada", "password": PASSWORD})
    assert client.get("/account").status_code == 200

    assert 'name="proof-code"' in client.post("/account/export").text


# The desk


def changes(person, colleague):
    return {
        "rights": (f"/admin/accounts/user/{person.pk}/change/", typed(person, is_staff="on", is_superuser="on")),
        "address": (f"/admin/accounts/user/{person.pk}/change/", typed(person, email="thief@example.net")),
        "deletion": (f"/admin/accounts/user/{person.pk}/delete/", {"post": "yes"}),
        "sessions": (
            "/admin/accounts/user/",
            {"action": "end_sessions", "_selected_action": [str(person.pk)], "index": "0"},
        ),
        "webhook": ("/admin/outbox/webhook/add/", {"url": "https://8.8.8.8/hook", "is_active": "on"}),
        "group": ("/admin/auth/group/add/", {"name": "helpers"}),
    }


def shape():
    people = sorted(User.objects.values_list("email", "is_staff", "is_superuser", "session_epoch"))
    return people, Webhook.objects.count(), Group.objects.count()


@pytest.mark.parametrize("what", ["rights", "address", "deletion", "sessions", "webhook", "group"])
def test_the_desk_asks_before_it_changes_what_gives_power(desk, ada, colleague, what):
    path, form = changes(ada, colleague)[what]
    before = shape()
    with later():
        page = desk.post(path, form)
        assert QUESTION in page.text
        assert shape() == before

        desk.post(path, form | {"proof-asked": "1", "proof-password": "not the right password"})
        assert shape() == before

        desk.post(path, form | {"proof-asked": "1", "proof-password": PASSWORD})
    assert shape() != before


@pytest.mark.parametrize("what", ["rights", "address", "deletion", "sessions", "webhook", "group"])
def test_just_after_sign_in_the_desk_asks_nothing(desk, ada, colleague, what):
    path, form = changes(ada, colleague)[what]
    before = shape()

    desk.post(path, form)

    assert shape() != before


def test_staff_with_a_second_factor_show_it_too(ada, admin_user):
    phone.pair(admin_user)
    client = Client()
    client.post("/login", {"login": "olga", "password": PASSWORD})
    client.post("/login/code", {"code": phone.code()})
    path, form = changes(ada, None)["rights"]
    with later():
        code = phone.code()
        client.post(path, form | {"proof-asked": "1", "proof-password": PASSWORD})
        assert not User.objects.get(pk=ada.pk).is_superuser
        client.post(path, form | {"proof-asked": "1", "proof-password": PASSWORD, "proof-code": code})
    assert User.objects.get(pk=ada.pk).is_superuser


def test_every_page_of_a_model_at_the_desk_asks_unless_it_says_that_it_need_not(desk):
    silent = {model.__name__ for model, own in admin.site._registry.items() if not asks(own)}

    assert silent == {"Batch", "Invite", "JoinRequest", "OutboxMessage", "Suppression"}


def asks(model_admin):
    return getattr(model_admin, "asks_proof", lambda _request: True)(None)


def test_the_desk_signs_out_whoever_did_not_use_it_for_an_hour(desk):
    start = timezone.now()
    for minutes in (50, 105):  # each within an hour of the one before
        with time_machine.travel(start + timedelta(minutes=minutes)):
            assert desk.get("/admin/accounts/user/").status_code == 200
    with time_machine.travel(start + timedelta(minutes=140)):
        assert desk.get("/account").status_code == 200  # which is not the desk
    with time_machine.travel(start + timedelta(minutes=166)):
        answer = desk.get("/admin/accounts/user/?o=1")
        assert answer.url == "/login?next=/admin/accounts/user/%3Fo%3D1"
        assert "You had not used the desk for a while" in words(desk.get(answer.url))
        assert desk.get("/account").status_code == 302


def test_a_session_that_ends_while_the_desk_asks_leads_to_sign_in(desk, monkeypatch):
    original = WithProof.is_valid

    def meanwhile(form):
        answer = original(form)
        Session.objects.all().delete()
        return answer

    monkeypatch.setattr(WithProof, "is_valid", meanwhile)
    with later():
        answer = desk.post(
            "/admin/auth/group/add/", {"name": "helpers", "proof-asked": "1", "proof-password": PASSWORD}
        )
    assert answer.url == "/login?next=/admin/auth/group/add/"
    assert "Your session had ended, so nothing was changed." in words(desk.get(answer.url))
    assert not Group.objects.exists()


def test_a_desk_just_opened_was_used_at_sign_in(admin_user):
    """The first page at the desk comes hours after sign-in: the desk was not used since, and nothing has been noted."""
    client = Client()
    client.post("/login", {"login": "olga", "password": PASSWORD})
    with time_machine.travel(timezone.now() + timedelta(minutes=59)):
        assert client.get("/admin/").status_code == 200
    other = Client()
    other.post("/login", {"login": "olga", "password": PASSWORD})
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert other.get("/admin/").status_code == 302


def test_a_proof_at_the_desk_counts_as_use_of_it(desk):
    start = timezone.now()
    with time_machine.travel(start + timedelta(minutes=30)):
        desk.get("/admin/")
    with time_machine.travel(start + timedelta(minutes=85)):
        desk.post("/account/sessions/prolong", {"password": PASSWORD})
    with time_machine.travel(start + timedelta(minutes=140)):
        assert desk.get("/admin/").status_code == 200


def test_use_of_the_desk_is_noted_once_a_minute(desk):
    start = timezone.now()
    written = []
    for seconds in (90, 100, 140, 155):
        with time_machine.travel(start + timedelta(seconds=seconds)), CaptureQueriesContext(connection) as queries:
            desk.get("/admin/")
        written.append(any("UPDATE" in query["sql"] and "session" in query["sql"] for query in queries))

    assert written == [True, False, False, True]


def test_a_page_that_loads_itself_again_keeps_nobody_at_the_desk(desk):
    desk.post("/admin/invites/batch/add/", {"pasted": "grace@example.com"})
    batch = Batch.objects.get()
    page = f"/admin/invites/batch/{batch.pk.replace('_', '_5F')}"
    shown = desk.post(f"{page}/send/", follow=True)
    again = f"{page}/change/{shown['Refresh'].partition('url=')[2]}"
    start = timezone.now()
    for minutes in (20, 40, 58):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            assert desk.get(again).status_code == 200
    with time_machine.travel(start + timedelta(minutes=62)):
        assert desk.get(again).url.startswith("/login?next=")
        assert desk.get("/account").status_code == 302


def test_the_idle_time_is_a_setting(desk, settings):
    settings.DESK_IDLE_MINUTES = 5
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert desk.get("/admin/").status_code == 302
