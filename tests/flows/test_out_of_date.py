"""Forms whose CSRF token is out of date come again with what was typed; nothing that was sent is done."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from invites import purposes
from invites.models import Batch, Invite, MagicLink
from kit import tokens
from outbox.models import OutboxMessage
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

SAID = "so we haven’t used what you sent"
ADVICE = "press the button once more"
SINCE = "You signed in meanwhile, so we haven’t used what you sent."
HERE = {"Origin": "http://testserver"}
ELSEWHERE = {"Origin": "https://evil.example"}
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Browser(Client):
    """A browser whose forms are checked, and sent with their token."""

    def __init__(self):
        super().__init__(enforce_csrf_checks=True, headers=HERE)

    def open(self, path):
        """Opens a page in a tab, and returns the token of its forms."""
        return TOKEN.search(self.get(path).text)[1]

    def send(self, path, secret, **fields):
        return self.post(path, fields | {"csrfmiddlewaretoken": secret})

    def sign_in(self, name="ada"):
        assert self.send("/login", self.open("/login"), login=name, password=PASSWORD).status_code == 302


@pytest.fixture
def browser(ada):
    return Browser()


def test_signing_in_in_two_tabs_leads_on(browser):
    first, second = browser.open("/login"), browser.open("/login?next=/account/settings")
    browser.send("/login", first, login="ada", password=PASSWORD)

    answer = browser.send("/login", second, login="ada", password=PASSWORD, next="/account/settings")

    assert answer.url == "/account/settings"
    assert SAID not in words(browser.get(answer.url))
    assert Session.objects.count() == 1


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example/"])
def test_it_leads_on_to_this_site_only(browser, path):
    stale = browser.open("/login")
    browser.sign_in()

    assert browser.send("/login", stale, login="ada", password=PASSWORD, next=path).url == "/account"


def test_a_sign_in_by_somebody_else_in_the_other_tab_changes_nobody(browser):
    UserFactory(username="grace")
    stale = browser.open("/login")
    browser.sign_in()

    assert browser.send("/login", stale, login="grace", password=PASSWORD).url == "/account"
    assert "ada@example.com" in browser.get("/account").text


def test_a_sign_in_page_comes_again_with_the_name_and_without_the_password(browser, hashes):
    page = browser.send("/login", "x" * 64, login="ada", password=PASSWORD, next="/account/settings")

    assert page.status_code == 403
    assert SAID in words(page)
    assert 'value="ada"' in page.text
    assert 'value="/account/settings"' in page.text
    assert PASSWORD not in page.text
    assert not hashes[1:]  # the first made the account
    again = TOKEN.search(page.text)[1]
    assert browser.send("/login", again, login="ada", password=PASSWORD).status_code == 302


def test_a_form_that_is_gone_after_a_sign_in_in_another_tab_is_not_asked_for(browser):
    token = tokens.sign(purposes.SIGNUP, LinkFactory().pk)
    stale = browser.open("/")
    browser.sign_in()
    sent = [("/", {"email": "new@example.com"}), (f"/signup?token={token}", {"token": token, "username": "grace"})]
    for path, fields in sent:
        page = browser.send(path, stale, **fields)

        assert page.status_code == 403
        assert SINCE in words(page)
        assert ADVICE not in words(page)
        assert "allow cookies" not in words(page)
    assert not OutboxMessage.objects.filter(recipient="new@example.com").exists()


def test_a_form_that_stays_after_a_sign_in_in_another_tab_is_asked_for_again(browser):
    stale = browser.open("/reset")
    browser.sign_in()

    page = browser.send("/reset", stale, email="new@example.com")

    assert page.status_code == 403
    assert SINCE in words(page)
    assert ADVICE in words(page)
    assert "allow cookies" not in words(page)
    assert 'value="new@example.com"' in page.text


def test_a_link_that_was_used_in_another_tab_is_said_once(browser):
    link = LinkFactory(email="grace@example.com")
    token = tokens.sign(purposes.SIGNUP, link.pk)
    stale = browser.open(f"/signup?token={token}")
    form = {"token": token, "username": "grace", "password": PASSWORD}
    browser.send(f"/signup?token={token}", stale, **form)
    browser.send("/logout/here", browser.open("/logout"))

    page = browser.send(f"/signup?token={token}", stale, **form)

    assert page.status_code == 410
    assert "This page was out of date, so we haven’t used what you sent." in words(page)
    assert ADVICE not in words(page)
    assert "Try once more" not in words(browser.get("/"))


def test_without_a_cookie_the_page_asks_for_cookies(ada):
    browser = Browser()

    page = browser.send("/login", "x" * 64, login="ada", password=PASSWORD)

    assert "Your browser sent no cookie with the form, so we haven’t used what you sent." in words(page)
    assert ADVICE in words(page)
    assert "allow cookies" in words(page)


def test_sign_up_comes_again_as_it_was_filled_in(browser):
    link = LinkFactory()
    token = tokens.sign(purposes.SIGNUP, link.pk)
    page = browser.send("/signup", "", token=token, username="grace.h", password="five bright green umbrellas")
    other = browser.send("/signup", "", email="g@example.com", username="grace.h", password="five bright umbrellas")

    for answer in (page, other):
        assert answer.status_code == 403
        assert SAID in words(answer)
        assert 'value="grace.h"' in answer.text
        assert "umbrellas" not in answer.text
    assert 'value="g@example.com"' in other.text
    assert User.objects.count() == 1
    assert not OutboxMessage.objects.exists()


def test_the_pages_of_an_account_come_again_as_they_were_filled_in(browser, settings):
    settings.MEMBERS_INVITE = True
    browser.sign_in()
    sent = [
        ("/account/username", {"username": "ada.b"}, 'value="ada.b"'),
        ("/account/email", {"email": "new@example.com", "password": PASSWORD}, 'value="new@example.com"'),
        ("/account/invites", {"email": "grace@example.com", "note": "Come and see"}, 'value="Come and see"'),
        ("/account/settings", {"language": "ru", "time_zone": "Asia/Tokyo", "theme": "dark"}, "selected"),
    ]
    before = User.objects.values().get()
    mails = OutboxMessage.objects.count()
    for path, fields, kept in sent:
        page = browser.send(path, "out of date", **fields)

        assert page.status_code == 403
        assert SAID in words(page)
        assert kept in page.text
        assert PASSWORD not in page.text
    assert re.search(r'<option value="Asia/Tokyo" selected', page.text)
    assert not re.search(r'name="notices"[^>]*checked', page.text)
    assert User.objects.values().get() == before
    assert OutboxMessage.objects.count() == mails
    assert not Invite.objects.exists()


def test_nothing_at_all_is_done(browser, mailbox, signed_in):
    browser.sign_in()
    link, invite = LinkFactory(email="ada@example.com"), InviteFactory()
    browser.send("/account/email", browser.open("/account/email"), email="new@example.com", password=PASSWORD)
    before = [
        list(model.objects.order_by("pk").values()) for model in (User, Session, MagicLink, Invite, OutboxMessage)
    ]
    for path, fields in [
        ("/account/email/code", {"action": "resend"}),
        ("/account/sessions/end", {"session": Session.objects.order_by("created_at")[0].handle}),
        ("/logout", {}),
        ("/logout/here", {}),
        ("/account/export", {}),
        ("/account/delete", {"when": "now", "password": PASSWORD}),
        ("/account/prove", {"next": "/account"}),
        ("/confirm", {"token": tokens.sign(purposes.CONFIRM, link.pk)}),
        ("/invite/decline", {"token": tokens.sign(purposes.DECLINE, invite.pk), "never": "on"}),
        ("/invite/sent", {"token": tokens.sign(purposes.CONFIRM, link.pk)}),
        ("/language", {"language": "ru"}),
        ("/account/second-factor/browsers", {}),
    ]:
        answer = browser.send(path, "out of date", **fields)

        assert answer.status_code in (302, 403), path
        assert SAID in words(answer) or "nothing has changed. Try once more" in words(browser.get(answer.url)), path
    after = [list(model.objects.order_by("pk").values()) for model in (User, Session, MagicLink, Invite, OutboxMessage)]
    assert after == before


def test_a_dead_link_and_google_are_asked_for_again_with_their_link(browser, settings, google):
    dead = LinkFactory(expires_at=timezone.now() - timedelta(hours=1))
    token = tokens.sign(purposes.SIGNUP, dead.pk)
    fresh = tokens.sign(purposes.SIGNUP, LinkFactory().pk)

    answer = browser.send("/invite/sent", "out of date", token=token)
    start = browser.send("/google", "out of date", token=fresh, next="/account/settings")

    assert answer.url == f"/signup?token={token}"
    assert f'value="{token}"' in browser.get(answer.url).text
    assert f'value="{fresh}"' in start.text
    assert 'value="/account/settings"' in start.text


def test_what_another_site_sends_is_not_shown(browser):
    browser.sign_in()
    token = browser.open("/account/username")

    page = browser.post("/account/username", {"username": "evil", "csrfmiddlewaretoken": token}, headers=ELSEWHERE)

    assert page.status_code == 403
    assert "We haven’t used what you sent" in words(page)
    assert "allow cookies" not in words(page)
    assert "evil" not in page.text


def test_the_desk_offers_to_send_the_same_again(admin_user):
    desk = Browser()
    desk.sign_in("olga")
    sent = {"pasted": "grace@example.com", "note": 'Come & "see"'}

    page = desk.send("/admin/invites/batch/add/", "out of date", **sent)

    assert page.status_code == 403
    assert "The form was out of date, but what you sent isn’t lost" in words(page)
    assert "allow cookies" not in words(page)
    assert 'value="Come &amp; &quot;see&quot;"' in page.text
    assert not Batch.objects.exists()
    again = desk.send("/admin/invites/batch/add/", TOKEN.search(page.text)[1], **sent)
    assert again.status_code == 302
    assert Batch.objects.get().common["note"] == 'Come & "see"'


def test_the_desk_offers_nothing_that_another_site_sent(admin_user):
    desk = Browser()
    desk.sign_in("olga")
    for headers in (ELSEWHERE, {"Origin": ""}):
        page = desk.post("/admin/invites/batch/add/", {"pasted": "grace@example.com"}, headers=headers)

        assert page.status_code == 403
        assert "grace@example.com" not in page.text


def test_a_program_is_told_in_json(browser):
    answer = browser.post("/api/v1/auth/login", {"login": "ada"}, "application/json")

    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "csrf"
