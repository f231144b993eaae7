"""Promise 11: dead links say what happened and offer one way on."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import notices
from accounts.notices import NOT_ME
from invites import purposes
from invites.models import Invite
from kit import tokens
from kit.tokens import Purpose
from outbox.models import OutboxMessage
from tests.tools.factories import InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

AGO = timezone.now() - timedelta(hours=2)
PURPOSES = [purposes.SIGNUP, purposes.CONFIRM]

PAGES = {
    "/signup": purposes.SIGNUP,
    "/confirm": purposes.CONFIRM,
    "/owner": purposes.OWNER,
    "/reset/password": purposes.RESET,
    "/not-me": notices.NOT_ME,
}


def dead(state, **fields):
    over = {
        "expired": {"expires_at": AGO},
        "used": {"claimed_at": AGO},
        "declined": {"declined_at": AGO},
        "revoked": {"revoked_at": AGO},
    }[state]
    return InviteFactory(**over, **fields)


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize(
    ("state", "said", "way_on"),
    [
        ("expired", "This link has expired", "Send a new link"),
        ("used", "This link has already been used", "Sign in"),
        ("declined", "You declined this invitation", "Get a new link"),
        ("revoked", "This invitation was withdrawn", "Sign in"),
    ],
)
def test_a_dead_link_says_why_and_offers_one_way_on(client, purpose, state, said, way_on):
    invite = dead(state)
    path, form = tokens.path(purpose, invite.pk), {"token": tokens.sign(purpose, invite.pk)}

    for page in (client.get(path), client.post(path, form)):
        assert page.status_code == 410
        assert said in words(page)
        assert way_on in words(page)
        assert page.text.count('class="btn') == 1
        assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize("purpose", PURPOSES)
def test_an_expired_link_mails_a_fresh_one_with_one_button_and_nothing_to_type(client, mailbox, purpose):
    if purpose == purposes.CONFIRM:
        UserFactory(email="grace@example.com")
    invite = dead("expired", email="grace@example.com", next="/account?kept")
    old = tokens.path(purpose, invite.pk)
    assert 'name="token"' in client.get(old).text

    page = client.post("/invite/sent", {"token": tokens.sign(purpose, invite.pk)})

    assert "We sent another email to grace@example.com." in words(page)
    fresh = mailbox.link("grace@example.com")
    assert client.get(fresh).status_code == 200
    assert client.get(old).status_code == 410  # it may be in other hands by now
    assert Invite.objects.pending().get().next == "/account?kept"


def test_an_invitation_that_expired_stays_an_invitation(client, settings, mailbox):
    settings.SIGNUP = "invited"
    invite = dead("expired", email="grace@example.com", source=Invite.Source.ADMIN)

    client.post("/invite/sent", {"token": tokens.sign(purposes.SIGNUP, invite.pk)})

    assert client.get(mailbox.link("grace@example.com")).status_code == 200


def test_no_two_kinds_of_links_share_a_salt():
    """A link that invites somebody must never pass as one that signs somebody in."""
    kinds = [NOT_ME, *(kind for kind in vars(purposes).values() if isinstance(kind, Purpose))]

    assert len({kind.salt for kind in kinds}) == len(kinds) == 7


@pytest.mark.parametrize("path", PAGES)
def test_what_we_did_not_sign_for_this_page_does_not_work(path, subtests):
    for damage, token in damaged(PAGES[path]).items():
        if (path, damage) == ("/signup", "missing"):
            continue  # without any token it is the form that asks for everything
        with subtests.test(damage):
            page = Client().get(path, {} if token is None else {"token": token})

            assert page.status_code == 404
            assert "This link doesn’t work" in words(page)
            assert ("Reset your password" if path == "/not-me" else "Get a new link") in words(page)


def damaged(right):
    """Tokens that we did not sign for a page whose purpose is this, by what is wrong with them."""
    invite = InviteFactory()
    token = tokens.sign(right, invite.pk)
    return {
        "missing": None,
        "empty": "",
        "noise": "not.a.token",
        "cut": token[:-3],
        "altered": ("A" if token[5] != "A" else "B").join([token[:5], token[6:]]),
        "other purpose": tokens.sign(purposes.DECLINE, invite.pk),
        "no row": tokens.sign(right, UserFactory().pk),
        "long": token * 100,
        "nul": token + "\x00",
    }


def test_purposes_do_not_open_each_others_pages(client):
    invite = InviteFactory()
    for purpose in PAGES.values():
        for page, other in PAGES.items():
            if other != purpose:
                assert client.get(page, {"token": tokens.sign(purpose, invite.pk)}).status_code == 404


def test_bad_tokens_are_counted_by_network_and_good_ones_are_not(client):
    for _ in range(30):
        assert client.post("/signup", {"token": "noise"}).status_code == 404

    assert client.post("/signup", {"token": "noise"}).status_code == 429
    assert client.post("/signup", {"token": tokens.sign(purposes.SIGNUP, InviteFactory().pk)}).status_code == 200


def test_a_rotated_key_keeps_old_links_working(client, settings):
    path = tokens.path(purposes.SIGNUP, InviteFactory().pk)

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key that is long enough to be one, 0123456789 abcdef"
    assert client.get(path).status_code == 200

    settings.SECRET_KEY_FALLBACKS = []
    assert client.get(path).status_code == 404


def test_no_mail_leaves_when_a_dead_link_is_only_looked_at(client):
    client.get(tokens.path(purposes.SIGNUP, dead("expired").pk))

    assert not OutboxMessage.objects.exists()


def test_asking_for_a_stranger_brings_no_old_link_of_theirs_back_to_life(client, mailbox, ada):
    Invite.objects.issue(ada.email)
    old = mailbox.link(ada.email)
    Invite.objects.update(expires_at=AGO)

    client.post("/", {"email": ada.email})

    assert client.get(old).status_code == 410
    assert client.get(mailbox.link(ada.email)).status_code == 200


def test_asking_again_and_again_keeps_a_link_alive_for_a_day_at_most(client, mailbox, settings):
    settings.RATELIMIT_ENABLE = False
    start = timezone.now()
    client.post("/", {"email": "grace@example.com"})
    first = mailbox.link("grace@example.com")

    for minutes in range(50, 25 * 60, 50):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            client.post("/", {"email": "grace@example.com"})
            still = client.get(first).status_code == 200
            assert client.get(mailbox.link("grace@example.com")).status_code == 200
        assert still == (minutes < 23 * 60), minutes


def test_a_mailed_link_does_not_outlive_signing_out_everywhere(client, mailbox, settings, ada):
    settings.RATELIMIT_ENABLE = False
    Invite.objects.issue(ada.email)
    old = mailbox.link(ada.email)
    form = {"token": old.partition("token=")[2]}
    ada.end_sessions()

    assert client.get(old).status_code == client.post("/confirm", form).status_code == 410
    client.post("/invite/sent", form)
    assert client.get(old).status_code == 410
    assert client.get(mailbox.link(ada.email)).status_code == 200


def test_an_old_invitation_is_no_week_long_way_into_an_account_made_since(client):
    invite = InviteFactory(invitation=True, sent_at=timezone.now() - timedelta(hours=2))
    UserFactory(email=invite.email)

    page = client.get(tokens.path(purposes.SIGNUP, invite.pk), follow=True)

    assert page.status_code == 410
    assert "Send a new link" in words(page)


def test_a_withdrawn_invitation_mails_nothing_to_whoever_kept_its_link(client):
    invite = dead("revoked")

    assert client.post("/invite/sent", {"token": tokens.sign(purposes.SIGNUP, invite.pk)}).url == "/"
    assert not OutboxMessage.objects.exists()
