"""The events that other services hear about new accounts and accepted invitations, by whichever door people join."""

import pytest
from django.contrib.auth import SESSION_KEY
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from invites import purposes
from invites.models import Invite
from kit import tokens
from outbox.models import OutboxEvent
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.google import Person

pytestmark = pytest.mark.django_db

EMAIL = "grace@gmail.com"


@pytest.fixture
def olga():
    return UserFactory(username="olga")


def post(client, page, link, **typed):
    return client.post(page, {"token": link.partition("token=")[2], "password": PASSWORD, **typed})


def come_by_google(google):
    google.person = Person(sub="2001", email=EMAIL)
    browser = Client()
    browser.get(google.consent(browser.post("/google").url))


def created(user, groups=()):
    called = {"username": user.username, "name": user.name, "email": user.email, "groups": list(groups)}
    return "user.created", {"user": str(user.pk)} | called


def accepted(user, **said):
    invite = Invite.objects.get(accepted_by=user)
    plain = {"source": "admin", "batch": "", "invited_by": None, "groups": [], "app": None}
    return "invite.accepted", {"invite": str(invite.pk), "user": str(user.pk)} | plain | said


def test_accepting_an_invitation_is_announced_with_its_sender(client, mailbox, olga, announced):
    Invite.objects.issue(EMAIL, source="csv", invited_by=olga, batch="spring", note="between us")
    OutboxEvent.objects.all().delete()

    post(client, "/signup", mailbox.link(EMAIL), username="grace")

    grace = User.objects.get(username="grace")
    assert announced() == [created(grace), accepted(grace, source="csv", batch="spring", invited_by=str(olga.pk))]


def test_joining_by_a_link_that_was_asked_for_announces_no_acceptance(client, mailbox, announced):
    client.post("/", {"email": EMAIL})
    assert announced() == []

    post(client, "/signup", mailbox.link(EMAIL), username="grace")

    assert announced() == [created(User.objects.get())]


def test_an_invited_person_who_asks_for_a_link_accepts_the_invitation_by_it(client, mailbox, olga, announced):
    InviteFactory(email=EMAIL, invited_by=olga)
    client.post("/", {"email": EMAIL})

    post(client, "/signup", mailbox.link(EMAIL), username="grace")

    grace = User.objects.get(email=EMAIL)
    assert announced() == [created(grace), accepted(grace, invited_by=str(olga.pk))]


def test_an_account_registered_in_one_form_is_announced_when_confirmed(client, mailbox, announced):
    client.post("/signup", {"email": EMAIL, "username": "grace", "password": PASSWORD})
    assert announced() == []

    for _ in range(2):
        post(client, "/confirm", mailbox.link(EMAIL))

    assert announced() == [created(User.objects.get())]


def test_joining_by_google_is_announced(google, announced):
    for _ in range(2):
        come_by_google(google)

    assert announced() == [created(User.objects.get())]


def test_joining_by_google_is_announced_with_the_invitation_that_waited(google, olga, announced):
    InviteFactory(email=EMAIL, invited_by=olga)

    come_by_google(google)

    grace = User.objects.get(email=EMAIL)
    assert announced() == [created(grace), accepted(grace, invited_by=str(olga.pk))]


def test_the_owner_is_announced(client, capsys, announced):
    call_command("owner_link", "--email", EMAIL)

    post(client, "/owner", capsys.readouterr().out.strip(), username="grace")

    assert announced() == [created(User.objects.get())]


def test_a_second_press_and_a_taken_name_are_not_announced(client, olga, announced):
    link = tokens.path(purposes.SIGNUP, InviteFactory(email=EMAIL).pk)

    post(client, "/signup", link, username="olga")
    assert announced() == []
    for _ in range(2):
        post(client, "/signup", link, username="grace")

    grace = User.objects.get(email=EMAIL)
    assert announced() == [created(grace), accepted(grace)]


def test_signing_in_by_a_link_that_was_asked_for_announces_no_acceptance(client, mailbox, olga, announced):
    InviteFactory(email=olga.email)
    client.post("/", {"email": olga.email})

    post(client, "/confirm", mailbox.link(olga.email))

    assert client.session[SESSION_KEY] == str(olga.pk)
    assert announced() == []


def test_signing_in_by_an_invitation_is_announced_as_its_acceptance(client, mailbox, olga, announced):
    Invite.objects.issue(olga.email, source="command")
    OutboxEvent.objects.all().delete()

    for _ in range(2):
        post(client, "/confirm", mailbox.link(olga.email))

    assert announced() == [accepted(olga, source="command")]


def test_nothing_is_stored_where_there_is_no_broker(client, mailbox, announced, settings):
    settings.AMQP_URL = ""
    client.post("/", {"email": EMAIL})

    post(client, "/signup", mailbox.link(EMAIL), username="grace")

    assert User.objects.get()
    assert announced() == []


def test_events_hold_neither_the_link_nor_what_was_written_to_the_invited(client, mailbox, olga, announced):
    Invite.objects.issue(EMAIL, source="admin", invited_by=olga, note="between us", next="/account?secret")
    link = mailbox.link(EMAIL)
    post(client, "/signup", link, username="grace")

    told = str(announced())
    assert "grace" in told
    hidden = [link.partition("token=")[2], "between us", "secret", PASSWORD, User.objects.get(email=EMAIL).password]
    assert not [text for text in hidden if text in told]
