"""The page with one button, for someone who has an account."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from invites import purposes
from invites.models import LINK_LIFETIME, Invite, MagicLink
from kit import tokens
from tests.tools.factories import InviteFactory, LinkFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(ada):
    return LinkFactory(email=ada.email)


def path(link):
    return tokens.path(purposes.CONFIRM, link.pk)


def press(client, link):
    return client.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, link.pk)})


def test_one_press_signs_in_and_uses_the_link_up(client, link, ada):
    assert press(client, link).url == "/account"

    link.refresh_from_db()
    assert (link.state, link.used_by) == (MagicLink.State.USED, ada)
    assert Session.objects.get().user == ada


def test_one_press_on_an_invitation_signs_in_and_accepts_it(client, ada):
    invite = InviteFactory(email=ada.email, next="/account/settings")

    assert press(client, invite).url == "/account/settings"

    invite.refresh_from_db()
    assert (invite.state, invite.accepted_by) == (Invite.State.ACCEPTED, ada)
    assert invite.links.get().used_by == ada
    assert Session.objects.get().user == ada


def test_opening_it_changes_nothing(client, link):
    before = list(MagicLink.objects.values())
    for n in range(100):
        assert getattr(Client(), ("get", "head")[n % 2])(path(link)).status_code == 200

    assert list(MagicLink.objects.values()) == before
    assert not Session.objects.exists()


def test_the_page_names_the_account_it_opens(client, link):
    page = words(client.get(path(link)))

    assert "ada@example.com" in page
    assert "Nothing happens until you press the button." in page


def test_a_second_browser_finds_it_used(client, link):
    press(Client(), link)

    assert press(client, link).status_code == 410
    assert client.get("/account").status_code == 302


def test_pressing_twice_in_one_browser_is_fine(link):
    browser, impatient = Client(), Client()
    browser.get(path(link))
    impatient.cookies["frontdoor_csrf"] = browser.cookies["frontdoor_csrf"].value
    press(browser, link)

    assert press(impatient, link).url == "/account"
    assert impatient.get("/account").status_code == 200


def test_the_owner_of_a_deactivated_account_is_told_so_and_stays_out(client, link, ada):
    User.objects.filter(pk=ada.pk).update(is_active=False)

    for answer in (client.get(path(link)), press(client, link)):
        assert answer.status_code == 403
        assert "turned off" in words(answer)
    assert not Session.objects.exists()


def test_the_link_to_a_former_address_of_an_account_leads_to_sign_up(client, link, ada):
    ada.address.change("ada@elsewhere.example")

    assert client.get(path(link)).url.startswith("/signup?token=")


def test_the_link_of_a_deleted_account_opens_nothing(client, link, ada):
    ada.erase()

    assert client.get(path(link)).status_code == 404


def test_pressing_while_signed_in_as_somebody_else_changes_the_account(client, link, ada):
    client.force_login(UserFactory(username="grace"))
    assert "You’re signed in as grace." in words(client.get(path(link)))

    press(client, link)

    assert "ada@example.com" in client.get("/account").text


def test_for_a_signed_in_user_the_press_proves_the_mailbox(signed_in, link):
    page = signed_in.get(path(link))
    assert "sign you out of that account" not in words(page)
    link.refresh_from_db()
    assert link.state == MagicLink.State.PENDING

    assert press(signed_in, link).url == "/account"
    assert "Your password" not in words(signed_in.get("/account/delete"))


def test_the_second_press_counts_for_two_minutes_and_only_as_a_press(link):
    browser, later = Client(), Client()
    browser.get(path(link))
    later.cookies["frontdoor_csrf"] = browser.cookies["frontdoor_csrf"].value
    press(browser, link)

    assert later.get(path(link)).status_code == 410
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert press(later, link).status_code == 410
    assert Session.objects.count() == 1


def test_a_link_that_expires_between_look_and_press_is_not_used(client, link, monkeypatch):
    original = MagicLink.sign_in

    def late(self, *args, **kwargs):
        MagicLink.objects.update(expires_at="2020-01-01T00:00Z")
        return original(self, *args, **kwargs)

    monkeypatch.setattr(MagicLink, "sign_in", late)

    assert press(client, link).status_code == 410
    assert not Session.objects.exists()


def test_an_account_is_never_sent_a_link_that_lasts_longer_than_an_hour(ada):
    asked, issued = MagicLink.objects.issue(ada.email), Invite.objects.issue(ada.email, source="admin")

    for row in (asked, issued, issued.links.get()):
        assert row.expires_at <= timezone.now() + LINK_LIFETIME
