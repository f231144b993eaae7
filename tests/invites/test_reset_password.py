"""A new password from a mailed link."""

import re

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import notices
from accounts.models import User
from invites.models import Invite, MagicLink
from invites.reset_password import reset
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.program import Program
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

NEW = "another horse battery staple"


def choose(client, link, password=NEW):
    return client.post("/reset/password", {"token": link.partition("token=")[2], "password": password})


@pytest.fixture
def link(client, mailbox, ada):
    client.post("/reset", {"email": ada.email})
    return mailbox.link(ada.email, "/reset/password")


def test_the_link_lets_choose_a_password_which_then_signs_in(client, mailbox, ada, link):
    assert mailbox.kinds(ada.email) == ["reset"]
    page = client.get(link)
    assert 'value="ada@example.com"' in page.text
    assert "Saving it signs you out on every device." in words(page)

    form = {"token": link.partition("token=")[2], "password": NEW}
    done = client.post("/reset/password", form, follow=True)

    assert done.redirect_chain == [("/login", 302)]
    assert "Password changed. Sign in with the new one." in words(done)
    assert client.post("/login", {"login": "ada", "password": PASSWORD}).status_code == 200
    assert client.post("/login", {"login": "ada", "password": NEW}).status_code == 302
    assert "password_changed" in mailbox.kinds(ada.email)


def test_a_reset_ends_every_session_and_every_other_link(client, mailbox, signed_in, ada, link, settings):
    settings.RATELIMIT_ENABLE = False
    client.post("/", {"email": ada.email})
    other = mailbox.link(ada.email, "/confirm")

    choose(client, link)

    assert signed_in.get("/account").status_code == 302
    assert Client().get(other).status_code == 410


def test_looking_changes_nothing_however_often(client, ada, link):
    for _ in range(10):
        assert client.get(link).status_code == 200
        assert client.head(link).status_code == 200

    assert User.objects.get().check_password(PASSWORD)
    assert MagicLink.objects.get().state == MagicLink.State.PENDING


def test_the_link_works_once(client, ada, link):
    client.get(link)
    assert choose(client, link).url == "/login"
    assert choose(client, link).url == "/login"  # a double click
    assert choose(Client(), link, "yet another long password").status_code == 410

    assert User.objects.get().check_password(NEW)


@pytest.mark.parametrize("password", ["", "short", "passwordpassword", "ada@example.com"])
def test_a_bad_password_is_explained_and_the_link_goes_on_working(client, ada, link, password):
    page = choose(client, link, password)

    assert page.status_code == 200
    assert 'id="errors"' in page.text
    assert User.objects.get().check_password(PASSWORD)
    assert choose(client, link).url == "/login"


def test_a_double_press_is_one_change_and_another_password_is_refused(client, ada, link):
    client.get(link)  # gives the browser its cookie

    assert [choose(client, link).status_code for _ in range(2)] == [302, 302]
    answer = choose(client, link, "yet another long password")

    assert answer.status_code == 410
    assert "already been used" in words(answer)
    assert User.objects.get().check_password(NEW)


def test_a_double_press_at_once_gets_one_answer_twice(client, ada, link, monkeypatch):
    client.get(link)
    save, browser = reset.save, Client()
    browser.cookies = client.cookies

    def after_the_other_press(*args):
        monkeypatch.undo()
        assert choose(browser, link).url == "/login"
        save(*args)

    monkeypatch.setattr(reset, "save", after_the_other_press)

    assert choose(client, link).url == "/login"
    assert User.objects.get().check_password(NEW)


def test_a_link_sets_the_first_password_too(client, mailbox):
    grace = UserFactory(username="grace", email="grace@example.com", password=None)
    client.post("/reset", {"email": grace.email})

    choose(client, mailbox.link(grace.email, "/reset/password"))

    assert client.post("/login", {"login": "grace", "password": NEW}).status_code == 302


def test_one_press_renews_an_expired_link_as_a_link_to_reset(client, mailbox, ada, link, settings):
    settings.RATELIMIT_ENABLE = False
    MagicLink.objects.update(expires_at="2020-01-01T00:00Z")
    page = client.get(link)
    assert page.status_code == 410
    token = re.search(r'name="token" value="([^"]+)"', page.text)[1]

    client.post("/invite/sent", {"token": token})

    assert mailbox.kinds(ada.email) == ["reset", "reset"]
    assert client.get(mailbox.link(ada.email, "/reset/password")).status_code == 200


def test_sending_again_sends_the_same_kind_of_mail(client, mailbox, ada, link, settings):
    settings.RATELIMIT_ENABLE = False
    client.post("/invite/sent")

    assert mailbox.kinds(ada.email) == ["reset", "reset"]


def test_the_sign_in_mail_offers_a_new_password_as_well(client, mailbox, ada):
    client.post("/", {"email": ada.email})

    assert choose(client, mailbox.link(ada.email, "/reset/password")).url == "/login"
    assert User.objects.get().check_password(NEW)


def seen(email):
    client = Client()
    answer = client.post("/reset", {"email": email})
    page = client.get("/invite/sent")
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text).replace(email, "ADDRESS")
    return answer.status_code, answer.url, page.status_code, body, sorted(client.cookies), sorted(answer.headers)


@pytest.mark.parametrize("signup", ["open", "invited"])
def test_a_stranger_gets_the_same_answer_for_every_address(ada, mailbox, hashes, settings, signup):
    settings.SIGNUP = signup
    UserFactory(email="idle@example.com", is_active=False)
    UserFactory(email="google@example.com", password=None)
    Invite.objects.issue("invited@example.com", source="admin")
    hashes.clear()
    answers, statements, mails = [], [], []
    for email in ("new@example.com", ada.email, "idle@example.com", "google@example.com", "invited@example.com"):
        before = len(mailbox.letters(email))
        with CaptureQueriesContext(connection) as queries:
            answers.append(seen(email))
        statements.append(len(queries))
        mails.append(len(mailbox.letters(email)) - before)

    assert all(answer == answers[0] for answer in answers)
    assert len(set(statements)) == 1
    assert set(mails) == {1}
    assert hashes == []
    assert mailbox.kinds("new@example.com") == ["reset_unknown"]


def test_a_deactivated_account_says_so_to_its_owner_only(client, mailbox, ada):
    User.objects.update(is_active=False)
    client.post("/reset", {"email": ada.email})
    link = mailbox.link(ada.email, "/reset/password")

    for page in (client.get(link), choose(client, link)):
        assert page.status_code == 403
        assert "turned off" in words(page)
    assert User.objects.get().check_password(PASSWORD)


def test_an_account_that_moved_away_cannot_be_reset_from_its_old_address(client, ada, link):
    ada.address.change("ada@elsewhere.example")

    assert client.get(link).url.startswith("/signup")
    assert choose(client, link).url.startswith("/signup")
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_the_page_is_found_from_sign_in_and_from_a_used_link(client, ada, link):
    assert 'href="/reset"' in client.get("/login").text
    choose(client, link)

    page = Client().get(link)
    assert page.status_code == 410
    assert "It wasn’t me: reset my password" in words(page)


def test_resets_of_an_address_nobody_has_leave_it_its_way_in(client, mailbox):
    for _ in range(7):
        Client().post("/reset", {"email": "grace@example.com"})

    assert client.post("/", {"email": "grace@example.com"}).status_code == 302
    assert mailbox.kinds("grace@example.com")[-1] == "link_new"


def test_a_reset_that_was_overtaken_changes_nothing(client, ada, link, monkeypatch):
    original = User.lock_or_raise

    def late(self):
        User.objects.get(pk=self.pk).end_sessions()
        return original(self)

    monkeypatch.setattr(User, "lock_or_raise", late)

    assert choose(client, link).status_code == 410
    assert User.objects.get().check_password(PASSWORD)


def test_a_link_from_before_signing_out_everywhere_resets_nothing(client, signed_in, link):
    signed_in.post("/logout")

    assert client.get(link).status_code == 410
    assert choose(client, link).status_code == 410
    assert User.objects.get().check_password(PASSWORD)


def test_a_reset_whose_mail_cannot_be_written_changes_nothing(client, link, monkeypatch):
    def fail(*_args, **_kwargs):
        raise DatabaseError("on purpose")

    client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(notices, "tell", fail)
        assert choose(client, link).status_code == 500

    assert User.objects.get().check_password(PASSWORD)
    assert choose(client, link).url == "/login"


def signs_in_by_password(mailbox, ada):
    assert Client().post("/login", {"login": "ada", "password": PASSWORD}).status_code == 302


def signs_in_with_a_program(mailbox, ada):
    program = Program()
    program.look()
    assert program.send("/api/v1/auth/login", login="ada", password=PASSWORD).status_code == 200


@pytest.mark.parametrize("signs_in", [signs_in_by_password, signs_in_with_a_program])
def test_the_link_dies_with_the_next_sign_in_and_says_so(mailbox, ada, link, settings, signs_in):
    settings.RATELIMIT_ENABLE = False
    signs_in(mailbox, ada)

    for page in (Client().get(link), choose(Client(), link)):
        assert page.status_code == 410
        assert "You’ve signed in since" in words(page)
        assert "Your password has not been changed" in words(page)
        assert "Email me a link instead" in words(page)

    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_a_program_is_told_the_same(mailbox, ada, link):
    signs_in_by_password(mailbox, ada)
    program = Program()
    program.look()
    token = link.partition("token=")[2]

    for answer in (
        program.send("/api/v1/auth/reset/check", token=token),
        program.send("/api/v1/auth/reset/password", token=token, password=NEW),
    ):
        assert answer.status_code == 410
        assert "signed in since" in answer.json()["errors"][0]["message"]


def test_the_link_in_a_sign_in_mail_dies_too(client, mailbox, ada):
    client.post("/", {"email": ada.email})
    link = mailbox.link(ada.email, "/reset/password")
    assert client.get(link).status_code == 200

    signs_in_by_password(mailbox, ada)

    assert client.get(link).status_code == 410


def test_a_thief_who_signs_in_again_and_again_keeps_no_owner_out(mailbox, ada, link, settings):
    settings.RATELIMIT_ENABLE = False
    signs_in_by_password(mailbox, ada)
    owner = Client()

    owner.post("/invite/sent", {"token": link.partition("token=")[2]})
    fresh = mailbox.link(ada.email, "/reset/password")
    signs_in_by_password(mailbox, ada)

    assert fresh != link
    assert mailbox.kinds(ada.email).count("reset") == 2
    assert owner.get(link).status_code == 410
    assert choose(owner, fresh).url == "/login"
    ada.refresh_from_db()
    assert ada.check_password(NEW)
    assert owner.get(fresh).status_code == 410


def test_a_sign_in_does_not_end_the_link_of_this_was_not_me(mailbox, ada):
    MagicLink.objects.issue(ada.email, MagicLink.Purpose.DISOWNED)
    link = mailbox.link(ada.email, "/reset/password")

    signs_in_by_password(mailbox, ada)

    assert Client().get(link).status_code == 200


def test_asking_again_does_not_end_the_older_mail(client, mailbox, ada, link, settings):
    settings.RATELIMIT_ENABLE = False
    client.post("/reset", {"email": ada.email})

    assert client.get(link).status_code == client.get(mailbox.link(ada.email, "/reset/password")).status_code == 200


def test_the_link_dies_with_a_sign_in_by_another_link_too(client, mailbox, ada, link, settings):
    settings.RATELIMIT_ENABLE = False
    client.post("/", {"email": ada.email})
    other = mailbox.link(ada.email, "/confirm")
    assert client.post("/confirm", {"token": other.partition("token=")[2]}).status_code == 302

    page = Client().get(link)

    assert page.status_code == 410
    assert "reset my password" in words(page)
