"""The security history: acts and where they came from. People see their own, staff everybody's."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django.utils import timezone

from accounts import notices
from accounts.models import Event, Session, User
from accounts.models.session import stored_key
from invites.models import Invite
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def kinds(user):
    return list(user.events.order_by("id").values_list("kind", flat=True))


def test_right_and_wrong_passwords_are_recorded_with_ip_plus_device(ada):
    browser = Client(headers={"User-Agent": FIREFOX}, REMOTE_ADDR="203.0.113.7")
    browser.post("/login", {"login": "ada", "password": "not the right password"})
    browser.post("/login", {"login": "ada", "password": PASSWORD})

    failed, came = Event.objects.filter(user=ada).order_by("id")[1:]
    assert (failed.kind, failed.ip, failed.device_name) == ("failed", "203.0.113.7", "Firefox on Windows")
    assert (came.kind, came.ip, came.detail["way"]) == ("signed_in", "203.0.113.7", "password")
    assert "Wrong password entered" in words(browser.get("/account"))


@pytest.mark.parametrize("login", ["ada", "nobody", "nobody@example.com", "google", "idle"])
def test_a_wrong_password_is_one_row_whoever_is_named(client, ada, login):
    UserFactory(username="google", password=None)
    UserFactory(username="idle", is_active=False)
    before = Event.objects.count()

    client.post("/login", {"login": login, "password": "not the right password"})

    assert Event.objects.count() == before + 1
    assert Event.objects.order_by("-id")[0].kind == Event.Kind.FAILED
    assert "not the right" not in str(Event.objects.order_by("-id").values()[0])


def test_a_wrong_password_is_logged_with_its_place(client, ada, caplog):
    client.post("/login", {"login": "ada", "password": "not the right password"}, REMOTE_ADDR="203.0.113.7")

    assert "wrong password ip=203.0.113.7" in caplog.text
    assert "not the right" not in caplog.text


def test_people_see_the_ten_newest_of_their_own_events(signed_in, ada):
    other = UserFactory()
    Event.objects.record(Event.Kind.FAILED, other, ip="198.51.100.9")
    for n in range(20):
        Event.objects.record(Event.Kind.FAILED, ada, ip=f"192.0.2.{n}")

    page = signed_in.get("/account").text

    assert "198.51.100.9" not in page
    assert "192.0.2.19" in page
    assert "192.0.2.9<" not in page


def test_making_an_account_inviting_and_signing_out_are_in_the_history(client, mailbox, ada):
    Invite.objects.issue("grace@example.com", source="admin", invited_by=ada)
    link = mailbox.link("grace@example.com")
    client.post("/signup", {"token": link.partition("token=")[2], "username": "grace", "password": PASSWORD})
    client.post("/logout")

    assert kinds(ada) == ["created", "invited"]
    assert kinds(User.objects.get(username="grace")) == ["created", "accepted", "signed_in", "signed_out"]


def test_staff_can_read_every_history_and_change_none(admin_client, ada, admin_user):
    mine = Event.objects.record(Event.Kind.FAILED, ada)

    assert admin_client.get("/admin/accounts/event/").status_code == 200
    found = admin_client.get("/admin/accounts/event/?q=ADA@example.com").context["cl"].result_list
    assert mine in found
    assert admin_user.events.first() not in found
    assert admin_client.get("/admin/accounts/event/?q=nobody").status_code == 200
    page = f"/admin/accounts/event/{mine.pk}/"
    assert admin_client.get(page + "change/").status_code == 200
    assert admin_client.post(page + "change/", {"kind": "created"}).status_code == 403
    assert admin_client.post(page + "delete/", {"post": "yes"}).status_code == 403
    assert admin_client.get("/admin/accounts/event/?detail__contains=x").status_code in (302, 400)


def test_a_strangers_guesses_push_nothing_off_the_page(signed_in, ada):
    signed_in.post("/account/username", {"username": "ada.lovelace"})
    for n in range(30):
        Event.objects.record(Event.Kind.FAILED, ada, ip=f"192.0.2.{n}")

    page = words(signed_in.get("/account"))

    assert "Username changed" in page
    assert page.count("Wrong password entered") == 5


@pytest.mark.parametrize("path", ["/account/password", "/account/email", "/account/delete"])
def test_a_wrong_password_at_an_open_laptop_is_recorded_too(signed_in, ada, path):
    signed_in.post(path, {"password": "not the right password", "email": "x@example.com", "chosen": PASSWORD})

    assert kinds(ada)[-1] == "failed"


def test_ending_one_session_and_staying_in_another_are_in_the_history(signed_in, ada):
    there = Client(headers={"User-Agent": FIREFOX})
    there.post("/login", {"login": "ada", "password": PASSWORD})
    handle = Session.objects.get(session_key=stored_key(there.cookies["frontdoor_session"].value)).handle

    signed_in.post("/account/sessions/end", {"session": handle})
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=11, minutes=30)):
        signed_in.post("/account/sessions/prolong", {"password": PASSWORD})

    ended, prolonged = ada.events.order_by("id")[3:]
    assert (ended.kind, ended.ip, ended.detail["ended"]) == ("session_ended", "127.0.0.1", "Firefox/Windows")
    assert prolonged.kind == "prolonged"


def fail(*_args, **_kwargs):
    raise DatabaseError("on purpose")


def test_a_sign_in_whose_mail_cannot_be_written_is_not_recorded(ada, monkeypatch):
    monkeypatch.setattr(notices, "letter", fail)
    client = Client(raise_request_exception=False)

    assert client.post("/login", {"login": "ada", "password": PASSWORD}).status_code == 500
    assert kinds(ada) == ["created"]


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/account/password", {"password": PASSWORD, "chosen": "another horse battery staple"}),
        ("/account/username", {"username": "ada.lovelace"}),
    ],
)
def test_a_change_whose_mail_cannot_be_written_is_not_made(signed_in, ada, monkeypatch, path, form):
    other = Client()
    other.post("/login", {"login": "ada", "password": PASSWORD})
    monkeypatch.setattr(notices, "tell", fail)
    signed_in.raise_request_exception = False

    assert signed_in.post(path, form).status_code == 500

    kept = User.objects.get()
    assert kept.username == "ada"
    assert kept.check_password(PASSWORD)
    assert other.get("/account").status_code == 200


@pytest.mark.parametrize("path", ["/login", "/api/v1/auth/login"])
def test_wrong_passwords_of_nobody_are_kept_for_thirty_days_and_those_of_an_account_for_a_year(ada, path):
    for login in ("ada", "nobody", "ada@example.com", "nobody@example.com"):
        Client().post(
            path,
            {"login": login, "password": "not the right password"},
            "application/json" if "api" in path else MULTIPART_CONTENT,
        )
    failed = Event.objects.filter(kind=Event.Kind.FAILED)

    for days, left in ((29, [None, None, ada.pk, ada.pk]), (31, [ada.pk, ada.pk]), (364, [ada.pk, ada.pk]), (366, [])):
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            call_command("prune", verbosity=0)
        assert sorted(failed.values_list("user", flat=True), key=str) == sorted(left, key=str)


def test_other_events_of_a_deleted_account_are_kept_for_a_year(signed_in, ada):
    signed_in.post("/account/delete", {"when": "now", "password": PASSWORD})
    stored = set(Event.objects.filter(user=None).values_list("kind", flat=True))

    with time_machine.travel(timezone.now() + timedelta(days=31)):
        call_command("prune", verbosity=0)

    assert {Event.Kind.CREATED, Event.Kind.DELETED} <= stored
    assert set(Event.objects.values_list("kind", flat=True)) == stored


def test_many_sign_ins_push_no_change_off_the_page(signed_in, ada):
    signed_in.post("/account/username", {"username": "ada.lovelace"})
    for _ in range(20):
        Event.objects.record(Event.Kind.SIGNED_IN, ada)

    assert "Username changed" in words(signed_in.get("/account"))
