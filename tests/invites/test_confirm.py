"""The page with one button, for someone who has an account."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from invites import purposes
from invites.models import Invite
from kit import tokens
from tests.tools.factories import InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def invite(ada):
    return InviteFactory(email=ada.email)


def link(invite):
    return tokens.path(purposes.CONFIRM, invite.pk)


def press(client, invite):
    return client.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, invite.pk)})


def test_one_press_signs_in_and_uses_the_link_up(client, invite, ada):
    assert press(client, invite).url == "/account"

    invite.refresh_from_db()
    assert (invite.state, invite.claimed_by) == (Invite.State.CLAIMED, ada)
    assert Session.objects.get().user == ada


def test_opening_it_changes_nothing(client, invite):
    before = list(Invite.objects.values())
    for n in range(100):
        assert getattr(Client(), ("get", "head")[n % 2])(link(invite)).status_code == 200

    assert list(Invite.objects.values()) == before
    assert not Session.objects.exists()


def test_the_page_names_the_account_it_opens(client, invite):
    page = words(client.get(link(invite)))

    assert "ada@example.com" in page
    assert "Nothing happens until you press the button." in page


def test_a_second_browser_finds_it_used(client, invite):
    press(Client(), invite)

    assert press(client, invite).status_code == 410
    assert client.get("/account").status_code == 302


def test_pressing_twice_in_one_browser_is_fine(invite):
    browser, impatient = Client(), Client()
    browser.get(link(invite))
    impatient.cookies["csrf"] = browser.cookies["csrf"].value
    press(browser, invite)

    assert press(impatient, invite).url == "/account"
    assert impatient.get("/account").status_code == 200


def test_a_deactivated_account_is_said_to_its_owner_and_not_opened(client, invite, ada):
    User.objects.filter(pk=ada.pk).update(is_active=False)

    for answer in (client.get(link(invite)), press(client, invite)):
        assert answer.status_code == 403
        assert "turned off" in words(answer)
    assert not Session.objects.exists()


def test_an_account_that_has_moved_away_leads_to_sign_up(client, invite, ada):
    ada.move("ada@elsewhere.example")

    assert client.get(link(invite)).url.startswith("/signup?token=")


def test_the_link_of_who_has_left_opens_nothing(client, invite, ada):
    ada.erase()

    assert client.get(link(invite)).status_code == 404


def test_signed_in_as_somebody_else_the_press_changes_over(client, invite, ada):
    client.force_login(UserFactory(username="grace"))
    assert "You’re signed in as grace." in words(client.get(link(invite)))

    press(client, invite)

    assert "ada@example.com" in client.get("/account").text


def test_signed_in_already_it_is_kept_until_pressed_and_then_proves_the_mailbox(signed_in, invite):
    page = signed_in.get(link(invite))
    assert "sign you out of that account" not in words(page)
    invite.refresh_from_db()
    assert invite.state == Invite.State.PENDING

    assert press(signed_in, invite).url == "/account"
    assert "Your password" not in words(signed_in.get("/account/delete"))


def test_the_second_press_counts_for_two_minutes_and_only_as_a_press(invite):
    browser, later = Client(), Client()
    browser.get(link(invite))
    later.cookies["csrf"] = browser.cookies["csrf"].value
    press(browser, invite)

    assert later.get(link(invite)).status_code == 410
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert press(later, invite).status_code == 410
    assert Session.objects.count() == 1


def test_a_link_that_expires_between_look_and_press_is_not_used(client, invite, monkeypatch):
    original = Invite.claim

    def late(self, *args, **kwargs):
        Invite.objects.update(expires_at="2020-01-01T00:00Z")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Invite, "claim", late)

    assert press(client, invite).status_code == 410
    assert not Session.objects.exists()


def test_an_account_is_never_sent_a_link_that_lasts_longer_than_an_hour(ada):
    issued = Invite.objects.issue(ada.email, source="admin")

    assert issued.expires_at <= timezone.now() + timedelta(hours=1)
