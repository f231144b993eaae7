"""Ending one session by its button, and prolonging this one."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import caches
from django.test import Client

from accounts.models import Session
from accounts.models.session import stored_key
from accounts.session.notes import HANDLE
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


def signed_in_as(name="ada"):
    client = Client()
    client.post("/login", {"login": name, "password": PASSWORD})
    return client


def row(client):
    return Session.objects.get(session_key=stored_key(client.cookies["frontdoor_session"].value))


def test_one_session_ends_and_the_others_go_on(ada):
    here, there, elsewhere = (signed_in_as() for _ in range(3))

    page = here.post("/account/sessions/end", {"session": row(there).handle}, follow=True)

    assert "Session ended: Unknown device." in words(page)
    assert there.get("/account").status_code == 302
    assert elsewhere.get("/account").status_code == here.get("/account").status_code == 200


def test_redis_keeps_no_copy_of_a_session_that_was_ended_from_elsewhere(ada):
    here, there = signed_in_as(), signed_in_as()
    session = row(there)
    assert caches["sessions"].get(Session.cache_key(session.session_key))

    here.post("/account/sessions/end", {"session": session.handle})

    assert caches["sessions"].get(Session.cache_key(session.session_key)) is None


def test_ending_a_session_that_has_ended_is_no_error(ada):
    here, there = signed_in_as(), signed_in_as()
    handle = row(there).handle
    there.post("/logout/here")

    assert "That session had already ended." in words(
        here.post("/account/sessions/end", {"session": handle}, follow=True)
    )


def test_nobody_can_end_the_session_of_another_user(ada):
    UserFactory(username="grace")
    mine, hers = signed_in_as(), signed_in_as("grace")

    mine.post("/account/sessions/end", {"session": row(hers).handle})

    assert hers.get("/account").status_code == 200


@pytest.mark.parametrize("handle", ["", "x", "é" * 40, "' OR 1=1"])
def test_a_made_up_handle_ends_nothing(signed_in, handle):
    assert signed_in.post("/account/sessions/end", {"session": handle}).url == "/account"
    assert signed_in.get("/account").status_code == 200


def test_no_page_shows_the_session_key_of_a_cookie(ada):
    here, there = signed_in_as(), signed_in_as()

    page = here.get("/account").text

    assert row(there).handle in page
    for client in (here, there):
        assert client.cookies["frontdoor_session"].value not in page


def test_a_get_request_ends_no_session(ada):
    here, there = signed_in_as(), signed_in_as()

    assert here.get("/account/sessions/end", {"session": row(there).handle}).url == "/account"
    assert there.get("/account").status_code == 200


def test_in_its_last_hour_a_session_is_offered_twelve_more(ada):
    start = datetime.now(UTC)
    client = signed_in_as()
    old = client.cookies["frontdoor_session"].value
    assert "Stay signed in" not in client.get("/account").text

    with time_machine.travel(start + timedelta(hours=11, minutes=30)):
        page = words(client.get("/account/settings"))
        assert "You’ll be signed out at" in page
        answer = client.post("/account/sessions/prolong", {"next": "/account/settings", "password": PASSWORD})
        assert answer.url == "/account/settings"
        assert "Stay signed in" not in client.get("/account").text
    assert client.cookies["frontdoor_session"].value != old
    with time_machine.travel(start + timedelta(hours=23)):
        assert client.get("/account").status_code == 200
        old_client = Client()
        old_client.cookies["frontdoor_session"] = old
        assert old_client.get("/account").status_code == 302
    with time_machine.travel(start + timedelta(hours=23, minutes=31)):
        assert client.get("/account").status_code == 302


@pytest.mark.parametrize("sent", [{}, {"password": ""}, {"password": "not the right password"}])
def test_nothing_but_proof_prolongs_a_session(ada, sent):
    client = signed_in_as()
    ends, key = row(client).expire_date, client.cookies["frontdoor_session"].value

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=11, minutes=30)):
        page = client.post("/account/sessions/prolong", sent)

    assert (page.status_code, row(client).expire_date, client.cookies["frontdoor_session"].value) == (200, ends, key)
    assert "There is a problem" in page.text


def test_a_session_that_is_used_and_used_ends_twelve_hours_after_its_owner_signed_in(ada):
    client, start = signed_in_as(), datetime.now(UTC)
    for hour in range(1, 12):
        with time_machine.travel(start + timedelta(hours=hour)):
            client.post("/account/sessions/prolong")
            client.post("/account/settings", {"theme": "dark", "notices": "on", "language": "en", "time_zone": ""})
            assert client.get("/account").status_code == 200

    with time_machine.travel(start + timedelta(hours=12, seconds=1)):
        assert client.get("/account").status_code == 302
        assert client.get("/auth/verify").status_code == 401


def test_with_two_step_verification_a_session_is_prolonged_by_the_password_and_a_code(ada):
    phone.pair(ada)
    client = signed_in_as()
    client.post("/login/code", {"code": phone.code()})
    ends = row(client).expire_date

    for sent in ({"password": PASSWORD}, {"code": phone.code(steps=1)}, {"password": PASSWORD, "code": phone.wrong()}):
        client.post("/account/sessions/prolong", sent)
        assert row(client).expire_date == ends

    answer = client.post("/account/sessions/prolong", {"password": PASSWORD, "code": phone.code(steps=1)})
    assert answer.url == "/account"
    assert row(client).expire_date > ends


def test_a_mailed_link_prolongs_the_session_of_somebody_without_a_password(ada, mailbox):
    ada.set_unusable_password()
    ada.save()
    client = Client()
    client.force_login(ada)
    ends = row(client).expire_date
    page = client.get("/account/sessions/prolong?next=/account/settings").text
    assert 'name="password"' not in page

    client.post("/account/prove", {"next": "/account/settings"})
    answer = client.post("/confirm", {"token": mailbox.link("ada@example.com", "/confirm").partition("token=")[2]})

    assert answer.url == "/account/settings"
    assert row(client).expire_date > ends


@pytest.mark.parametrize("away", ["https://evil.example/", "//evil.example"])
def test_prolonging_leads_to_no_other_site(signed_in, away):
    assert signed_in.post("/account/sessions/prolong", {"next": away, "password": PASSWORD}).url == "/account"


def test_a_session_that_was_prolonged_ends_by_the_button_of_an_older_page(ada):
    owner, thief = signed_in_as(), signed_in_as()
    handle = row(thief).handle
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=11, minutes=30)):
        thief.post("/account/sessions/prolong", {"password": PASSWORD})
        assert thief.get("/account").status_code == 200

        page = owner.post("/account/sessions/end", {"session": handle}, follow=True)

        assert "Session ended" in words(page)
        assert thief.get("/account").status_code == 302


def test_the_page_says_when_somebody_signed_in_however_often_it_was_prolonged(ada):
    client = signed_in_as()
    began = row(client).created_at
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=11, minutes=30)):
        client.post("/account/sessions/prolong", {"password": PASSWORD})

    assert row(client).created_at == began


def test_a_session_without_a_handle_cannot_be_ended_by_a_button(signed_in):
    Session.objects.update(handle="")

    page = signed_in.post("/account/sessions/end", {"session": ""}, follow=True)

    assert "That session had already ended." in words(page)
    assert signed_in.get("/account").status_code == 200


def test_the_end_of_a_session_without_a_handle_is_told_to_nobody(signed_in, announced):
    session = signed_in.session
    del session[HANDLE]
    session.save()

    signed_in.post("/logout/here")

    assert not Session.objects.exists()
    assert announced() == []


def test_proving_the_mailbox_takes_a_new_id_so_that_a_copied_cookie_gains_nothing(mailbox, signed_in, ada):
    copy = Client()
    copy.cookies["frontdoor_session"] = signed_in.cookies["frontdoor_session"].value
    signed_in.post("/account/prove", {"next": "/account/password"})

    token = mailbox.link(ada.email, "/confirm").partition("token=")[2]
    signed_in.post("/confirm", {"token": token})

    assert signed_in.cookies["frontdoor_session"].value != copy.cookies["frontdoor_session"].value
    assert signed_in.get("/account").status_code == 200
    assert copy.get("/account").status_code == 302
