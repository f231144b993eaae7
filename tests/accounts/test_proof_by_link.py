"""A mailed link as proof: it counts as the first factor, in the browser that asked, and stands in for no code."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import User
from invites.models import MagicLink
from tests.tools import phone
from tests.tools.factories import PASSWORD
from tests.tools.program import codes, fields
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

QUESTION = "Is it still you?"
ADA = "ada@example.com"


def after(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


def by_code(client, name="ada"):
    """Signs in with a password and a code."""
    client.post("/login", {"login": name, "password": PASSWORD})
    client.post("/login/code", {"code": phone.code()})
    return client


def token(mailbox, address=ADA):
    return mailbox.link(address, "/confirm").partition("token=")[2]


def press_page(client, mailbox, address=ADA):
    client.post("/account/prove")
    return client.post("/confirm", {"token": token(mailbox, address)})


def press_door(client, mailbox, address=ADA):
    client.post("/api/v1/auth/proof/link", {}, "application/json")
    return client.post("/api/v1/auth/confirm", {"token": token(mailbox, address)}, "application/json")


doors = pytest.mark.parametrize("press", [press_page, press_door])


@pytest.fixture
def paired(ada):
    phone.pair(ada)
    return by_code(Client())


@pytest.fixture
def by_mail(ada, mailbox):
    """The browser of Ada, who has no password, after she signed in with a mailed link and a code."""
    phone.pair(ada)
    User.objects.update(password="!")
    client = Client()
    MagicLink.objects.issue(ADA)
    client.post("/confirm", {"token": token(mailbox)})
    client.post("/login/code", {"code": phone.code()})
    return client


def csrf(page):
    return page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]


# With a second factor


@doors
def test_a_link_without_a_code_gives_the_session_no_new_end(paired, ada, mailbox, press):
    ends = ada.sessions.get().expire_date
    with after(hours=11):
        assert press(paired, mailbox).status_code in {200, 302}

        assert ada.sessions.get().expire_date == ends
    with after(hours=12, minutes=1):
        assert paired.get("/account").status_code == 302


@doors
def test_without_a_second_factor_it_does(signed_in, ada, mailbox, press):
    ends = ada.sessions.get().expire_date
    with after(hours=11):
        press(signed_in, mailbox)

        assert ada.sessions.get().expire_date > ends + timedelta(hours=10)


@doors
def test_it_does_not_reopen_the_desk_after_an_idle_hour(admin_user, mailbox, press):
    phone.pair(admin_user)
    client = by_code(Client(), "olga")
    with after(hours=5):
        press(client, mailbox, admin_user.email)

        assert client.get("/admin/accounts/user/").url.startswith("/login")


@doors
def test_after_it_only_the_code_is_asked_for(paired, mailbox, press):
    with after(minutes=16):
        code = phone.code()
        press(paired, mailbox)

        page = paired.post("/account/username", {"username": "newname"})
        assert 'name="proof-password"' not in page.text
        assert 'name="proof-code"' in page.text
        paired.post("/account/username", {"username": "newname", "proof-asked": "1", "proof-code": code})
    assert User.objects.get().username == "newname"


@doors
def test_it_takes_nothing_away_that_was_shown_with_a_code_a_minute_ago(paired, mailbox, press):
    paired.post("/api/v1/auth/proof", {"password": PASSWORD, "code": phone.code(steps=1)}, "application/json")
    press(paired, mailbox)

    assert paired.delete("/api/v1/account", {}, "application/json").status_code == 200


def test_nor_does_a_password_alone(paired):
    paired.post("/api/v1/auth/proof", {"password": PASSWORD, "code": phone.code(steps=1)}, "application/json")
    paired.post("/api/v1/auth/proof", {"password": PASSWORD}, "application/json")

    assert paired.delete("/api/v1/account", {}, "application/json").status_code == 200


def test_it_does_not_let_an_older_code_count_for_longer(paired, mailbox):
    paired.post("/api/v1/auth/proof", {"password": PASSWORD, "code": phone.code(steps=1)}, "application/json")
    with after(minutes=14):
        press_page(paired, mailbox)
    with after(minutes=16):
        assert codes(paired.delete("/api/v1/account", {}, "application/json")) == ["proof"]


def test_a_password_alone_renews_neither_id_nor_end(paired, ada):
    old, ends = paired.cookies["frontdoor_session"].value, ada.sessions.get().expire_date
    with after(hours=1):
        answer = paired.post("/api/v1/auth/proof", {"password": PASSWORD}, "application/json")

        assert answer.status_code == 200
        assert paired.cookies["frontdoor_session"].value == old
        assert ada.sessions.get().expire_date == ends


def test_without_a_password_a_link_and_then_a_code_give_twelve_hours_more(by_mail, ada, mailbox):
    ends = ada.sessions.get().expire_date
    with after(hours=11):
        prolong = "/account/sessions/prolong"
        by_mail.post("/account/prove", {"next": prolong})
        code = phone.code()
        page = by_mail.post("/confirm", {"token": token(mailbox)}, follow=True)
        assert page.redirect_chain[-1][0] == prolong
        assert 'name="code"' in page.text
        assert 'name="password"' not in page.text
        assert by_mail.post(prolong, {}).status_code == 200
        assert ada.sessions.get().expire_date == ends

        assert by_mail.post(prolong, {"code": code}).status_code == 302
        assert ada.sessions.get().expire_date > ends + timedelta(hours=10)


def test_so_they_do_at_the_door_and_nothing_at_all_proves_nothing(by_mail, ada, mailbox):
    ends = ada.sessions.get().expire_date
    with after(hours=11):
        code = phone.code()
        press_door(by_mail, mailbox)
    with after(hours=11, minutes=10):
        nothing = by_mail.post("/api/v1/auth/proof", {}, "application/json")
        assert (nothing.status_code, codes(nothing), fields(nothing)) == (400, ["required"], ["code"])
    with after(hours=11, minutes=16):
        assert codes(by_mail.post("/api/v1/auth/proof", {"code": code}, "application/json")) == ["proof"]
        assert ada.sessions.get().expire_date == ends
    with after(hours=11, minutes=20):
        code = phone.code()
        press_door(by_mail, mailbox)
        assert by_mail.post("/api/v1/auth/proof", {"code": code}, "application/json").status_code == 200
        assert ada.sessions.get().expire_date > ends + timedelta(hours=10)


# In the browser that asked


def test_the_form_of_another_tab_still_works_after_it(ada, mailbox):
    browser = Client(enforce_csrf_checks=True)
    browser.post("/login", {"login": "ada", "password": PASSWORD, "csrfmiddlewaretoken": csrf(browser.get("/login"))})
    form = {"language": "en", "time_zone": "", "theme": "dark"}  # turns the notices off
    with after(minutes=16):
        form["csrfmiddlewaretoken"] = csrf(browser.get("/account/settings"))
        page = browser.post("/account/settings", form)
        assert QUESTION in page.text
        form |= {"csrfmiddlewaretoken": csrf(page), "proof-asked": "1"}

        browser.post("/account/prove", {"csrfmiddlewaretoken": csrf(page)})
        confirm = browser.get(mailbox.link(ADA, "/confirm"))
        browser.post("/confirm", {"token": token(mailbox), "csrfmiddlewaretoken": csrf(confirm)})
        browser.post("/account/settings", form)
    assert User.objects.get().settings["theme"] == "dark"


def test_the_form_of_the_desk_does_so_too(admin_user, mailbox):
    browser = Client(enforce_csrf_checks=True)
    browser.post("/login", {"login": "olga", "password": PASSWORD, "csrfmiddlewaretoken": csrf(browser.get("/login"))})
    with after(minutes=16):
        add = "/admin/auth/group/add/"
        form = {"name": "helpers", "csrfmiddlewaretoken": csrf(browser.get(add))}
        form |= {"csrfmiddlewaretoken": csrf(browser.post(add, form)), "proof-asked": "1"}

        browser.post("/account/prove", form)
        confirm = browser.get(mailbox.link(admin_user.email, "/confirm"))
        browser.post("/confirm", {"token": token(mailbox, admin_user.email), "csrfmiddlewaretoken": csrf(confirm)})
        browser.post(add, form)
    assert Group.objects.get().name == "helpers"


def test_the_mail_and_the_pages_lead_back_to_the_other_tab(signed_in, mailbox):
    sent = signed_in.post("/account/prove", follow=True)

    assert "Press the button in it, on any device" in words(sent)
    assert "Go back to the other tab and press “Go on”" in words(sent)
    assert "Use a different address" not in words(sent)
    assert mailbox.kinds(ADA)[-1] == "link_proof"
    assert "Confirm that it’s you" in mailbox.text(ADA)

    assert "Confirm that it’s you" in words(signed_in.get(mailbox.link(ADA, "/confirm")))
    landed = signed_in.post("/confirm", {"token": token(mailbox)}, follow=True)
    assert "Go back to the other tab and press “Go on”" in words(landed)


def test_sent_again_it_is_still_a_proof(signed_in, mailbox, settings):
    settings.RATELIMIT_ENABLE = False
    signed_in.post("/account/prove")
    again = signed_in.post("/invite/sent")

    assert "on any device" in words(again)
    assert mailbox.kinds(ADA)[-1] == "link_proof"


def test_a_link_that_leads_back_says_nothing_of_another_tab(signed_in, mailbox):
    sent = signed_in.post("/account/prove", {"next": "/account/password"}, follow=True)
    landed = signed_in.post("/confirm", {"token": token(mailbox)}, follow=True)

    assert "other tab" not in words(sent)
    assert landed.redirect_chain[-1][0] == "/account/password"
    assert "other tab" not in words(landed)


def test_on_another_device_it_signs_in_there_and_go_on_says_what_to_do(signed_in, mailbox):
    with after(minutes=16):
        signed_in.post("/account/prove")
        elsewhere = Client()
        assert "Type this code there" in words(elsewhere.get(mailbox.link(ADA, "/confirm")))
        landed = elsewhere.post("/confirm", {"token": token(mailbox), "here": "on"}, follow=True)
        assert landed.redirect_chain[-1][0] == "/account"
        assert "other tab" not in words(landed)

        page = signed_in.post("/account/username", {"username": "newname", "proof-asked": "1"})
    assert "It counts only in this browser: on another device it signs you in there." in words(page)
    assert User.objects.get().username == "ada"
