"""Promise 7: one rule for all doors. Whether a person may join does not depend on the door that invites or lets in."""

import pytest
from django.contrib.auth import SESSION_KEY
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.google.client import Identity
from accounts.models import User
from invites.google.join import new_account
from invites.models import Invite, MagicLink, NotInvited
from tests.tools.desk import invite
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def invited_only(settings):
    settings.SIGNUP = "invited"
    settings.RATELIMIT_ENABLE = False


def invite_from_the_desk(email):
    desk = Client()
    desk.force_login(User.objects.filter(is_superuser=True).first() or UserFactory(is_staff=True, is_superuser=True))
    assert invite(desk, email).status_code == 200


def invite_by_command(email):
    call_command("send_invites", email)


def ask_at_the_start_page(email):
    assert Client().post("/", {"email": email}).status_code == 302


def ask_in_json(email):
    assert Program().send("/api/v1/invite", email=email).status_code == 202


DOORS = [invite_from_the_desk, invite_by_command]
ASKING = [ask_at_the_start_page, ask_in_json]


def joins_by_form(link):
    form = {"token": link.partition("token=")[2], "username": "grace", "password": PASSWORD}
    return Client().post("/signup", form).status_code == 302


def joins_in_json(link):
    form = {"token": link.partition("token=")[2], "username": "grace", "password": PASSWORD}
    return Program().send("/api/v1/auth/create", **form).status_code == 201


JOINING = [joins_by_form, joins_in_json]


def joins_by_google(google, email="grace@example.com"):
    google.person = Person(sub=email, email=email, hd=email.partition("@")[2])
    browser = Client()
    browser.get(google.consent(browser.post("/google").url))
    return SESSION_KEY in browser.session


@pytest.mark.parametrize("joins", JOINING)
@pytest.mark.parametrize("ask", ASKING)
@pytest.mark.parametrize("invite", DOORS)
def test_one_rule_lets_an_invited_address_in_by_whichever_link_it_got(mailbox, invite, ask, joins):
    invite("grace@example.com")
    first = mailbox.link("grace@example.com")
    ask("grace@example.com")
    second = mailbox.link("grace@example.com")

    assert joins(second if invite is invite_by_command else first)


@pytest.mark.parametrize("invite", DOORS)
def test_one_rule_lets_an_invited_address_in_by_google_too(google, invite):
    assert not joins_by_google(google)
    invite("grace@example.com")

    assert joins_by_google(google)
    assert not joins_by_google(google, "hopper@example.com")


@pytest.mark.parametrize("joins", JOINING)
@pytest.mark.parametrize("ask", ASKING)
@pytest.mark.parametrize("invite", DOORS)
def test_one_rule_keeps_out_a_person_whose_invitation_was_withdrawn(mailbox, google, invite, ask, joins):
    invite("grace@example.com")
    link = mailbox.link("grace@example.com")
    Invite.objects.update(revoked_at=timezone.now())
    ask("grace@example.com")

    assert not joins(link)
    assert not joins_by_google(google)
    assert "no account with this address" in " ".join(mailbox.text("grace@example.com").split())
    assert not User.objects.filter(email="grace@example.com").exists()


@pytest.mark.parametrize("joins", JOINING)
@pytest.mark.parametrize("ask", ASKING)
def test_one_rule_keeps_out_addresses_proven_before_sign_up_was_closed(mailbox, google, settings, ask, joins):
    settings.SIGNUP = "open"
    ask("grace@example.com")
    link = mailbox.link("grace@example.com")

    settings.SIGNUP = "invited"
    assert not joins(link)
    assert not joins_by_google(google)
    assert not User.objects.exists()
    invite_by_command("grace@example.com")
    assert joins(link)


@pytest.mark.parametrize("ask", ASKING)
def test_one_rule_asks_no_account_for_an_invitation(mailbox, ask):
    UserFactory(email="grace@example.com")
    ask("grace@example.com")

    assert mailbox.link("grace@example.com").startswith("/confirm")


def test_the_models_keep_the_one_rule_even_if_a_door_forgets_to():
    asked = MagicLink.objects.issue("grace@example.com")

    with pytest.raises(NotInvited):
        asked.sign_up("grace", password=PASSWORD)
    with pytest.raises(NotInvited):
        new_account(
            RequestFactory().get("/"), Identity("1", "grace@example.com", is_verified=True, is_authority=True), None
        )
    assert not User.objects.exists()
