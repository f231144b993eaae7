"""Proof again: what gives power away asks who is there, with every factor, unless they have shown it just now."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import User
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
    ("/account/export", {}),
    ("/account/settings", {"language": "en", "time_zone": "", "theme": ""}),  # turns the notices off
]


def state():
    user = User.objects.get(email="ada@example.com")
    return user.username, user.settings.get("notices", True), user.events.filter(kind="exported").count()


@pytest.mark.parametrize(("path", "form"), NEXT_TO_NOTHING)
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

    assert silent == {"Batch", "Invite", "OutboxMessage", "Suppression"}


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


def test_the_idle_time_is_a_setting(desk, settings):
    settings.DESK_IDLE_MINUTES = 5
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        assert desk.get("/admin/").status_code == 302
