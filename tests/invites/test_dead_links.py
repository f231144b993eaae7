"""Promise 11: dead links say what happened and offer one way on."""

import secrets
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import notices
from accounts.notices import NOT_ME
from invites import purposes
from invites.models import Invite, MagicLink
from kit import tokens
from kit.tokens import Purpose
from outbox.models import OutboxMessage
from tests.tools.factories import InviteFactory, LinkFactory, UserFactory
from tests.tools.program import Program
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


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize(
    ("make", "over", "said", "way_on"),
    [
        (LinkFactory, "expires_at", "This link has expired", "Send a new link"),
        (LinkFactory, "used_at", "This link has already been used", "Sign in"),
        (LinkFactory, "revoked_at", "This link was turned off", "Get a new link"),
        (InviteFactory, "expires_at", "This link has expired", "Send a new link"),
        (InviteFactory, "accepted_at", "This link has already been used", "Sign in"),
        (InviteFactory, "declined_at", "You declined this invitation", "Get a new link"),
        (InviteFactory, "revoked_at", "This invitation was withdrawn", "Ask for a new invitation"),
    ],
)
def test_a_dead_link_says_why_and_offers_one_way_on(client, purpose, make, over, said, way_on):
    row = make(**{over: AGO})
    path, form = tokens.path(purpose, row.pk), {"token": tokens.sign(purpose, row.pk)}

    for page in (client.get(path), client.post(path, form)):
        assert page.status_code == 410
        assert said in words(page)
        assert way_on in words(page)
        assert page.text.count('class="btn') == 1
        assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize("make", [LinkFactory, InviteFactory])
@pytest.mark.parametrize("purpose", PURPOSES)
def test_an_expired_link_mails_a_fresh_one_with_one_button_and_nothing_to_type(client, mailbox, purpose, make):
    if purpose == purposes.CONFIRM:
        UserFactory(email="grace@example.com")
    expired = make(email="grace@example.com", next="/account?kept", expires_at=AGO)
    old = tokens.path(purpose, expired.pk)
    assert 'name="token"' in client.get(old).text

    page = client.post("/invite/sent", {"token": tokens.sign(purpose, expired.pk)})

    assert "We sent another email to grace@example.com." in words(page)
    fresh = mailbox.link("grace@example.com")
    assert client.get(fresh).status_code == 200
    assert client.get(old).status_code == 410  # the mailbox may be in other hands by now
    assert MagicLink.objects.pending().get().leads_to == "/account?kept"


def test_an_invitation_that_expired_stays_an_invitation(client, settings, mailbox):
    settings.SIGNUP = "invited"
    invite = InviteFactory(email="grace@example.com", expires_at=AGO)

    client.post("/invite/sent", {"token": tokens.sign(purposes.SIGNUP, invite.pk)})

    assert client.get(mailbox.link("grace@example.com")).status_code == 200
    invite.refresh_from_db()
    assert invite.state == Invite.State.PENDING


@pytest.mark.django_db(transaction=True)
def test_an_invitation_stays_expired_if_its_fresh_link_cannot_be_stored(monkeypatch):
    invite = InviteFactory(expires_at=AGO)
    monkeypatch.setattr(secrets, "token_hex", lambda _: "too long for its column" * 10)

    ask_again(Client(raise_request_exception=False), purposes.SIGNUP, invite)

    invite.refresh_from_db()
    assert invite.state == Invite.State.EXPIRED
    assert MagicLink.objects.get().pk == invite.pk


def test_no_two_kinds_of_links_share_a_salt():
    """With a shared salt a link that invites somebody could be used to sign somebody in."""
    kinds = [NOT_ME, *(kind for kind in vars(purposes).values() if isinstance(kind, Purpose))]

    assert len({kind.salt for kind in kinds}) == len(kinds) == 9


@pytest.mark.parametrize("path", PAGES)
def test_a_token_that_was_not_signed_for_the_page_does_not_work(path, subtests):
    for damage, token in damaged(PAGES[path]).items():
        if (path, damage) == ("/signup", "missing"):
            continue  # without a token this page is the form that registers at once
        with subtests.test(damage):
            page = Client().get(path, {} if token is None else {"token": token})

            assert page.status_code == 404
            assert "This link doesn’t work" in words(page)
            assert ("Reset your password" if path == "/not-me" else "Get a new link") in words(page)


def damaged(right):
    """Returns tokens that are not signed for a page with the purpose `right`, keyed by what is wrong with them."""
    link = LinkFactory()
    token = tokens.sign(right, link.pk)
    return {
        "missing": None,
        "empty": "",
        "noise": "not.a.token",
        "cut": token[:-3],
        "altered": ("A" if token[5] != "A" else "B").join([token[:5], token[6:]]),
        "other purpose": tokens.sign(purposes.DECLINE, link.pk),
        "no row": tokens.sign(right, UserFactory().pk),
        "long": token * 100,
        "nul": token + "\x00",
    }


def test_purposes_do_not_open_each_others_pages(client):
    link = LinkFactory()
    for purpose in PAGES.values():
        for page, other in PAGES.items():
            if other != purpose:
                assert client.get(page, {"token": tokens.sign(purpose, link.pk)}).status_code == 404


def test_bad_tokens_are_counted_by_network_and_good_ones_are_not(client):
    for _ in range(30):
        assert client.post("/signup", {"token": "noise"}).status_code == 404

    assert client.post("/signup", {"token": "noise"}).status_code == 429
    assert client.post("/signup", {"token": tokens.sign(purposes.SIGNUP, LinkFactory().pk)}).status_code == 200


def test_a_rotated_key_keeps_old_links_working(client, settings):
    path = tokens.path(purposes.SIGNUP, LinkFactory().pk)

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a new key that is long enough to be one, 0123456789 abcdef"
    assert client.get(path).status_code == 200

    settings.SECRET_KEY_FALLBACKS = []
    assert client.get(path).status_code == 404


def test_opening_a_dead_link_mails_nothing(client):
    client.get(tokens.path(purposes.SIGNUP, LinkFactory(expires_at=AGO).pk))

    assert not OutboxMessage.objects.exists()


def test_asking_for_a_stranger_brings_no_old_link_of_theirs_back_to_life(client, mailbox, ada):
    MagicLink.objects.issue(ada.email)
    old = mailbox.link(ada.email)
    MagicLink.objects.update(expires_at=AGO)

    client.post("/", {"email": ada.email})

    assert client.get(old).status_code == 410
    assert client.get(mailbox.link(ada.email)).status_code == 200


def test_asking_again_and_again_each_link_lives_its_own_hour(client, mailbox, settings):
    settings.RATELIMIT_ENABLE = False
    start, links = timezone.now(), []

    for minutes in (0, 25, 50, 75, 100):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            client.post("/", {"email": "grace@example.com"})
            links.append(mailbox.link("grace@example.com"))
            works = [client.get(link).status_code == 200 for link in links]
        assert works == [minutes - asked_at < 60 for asked_at in range(0, minutes + 1, 25)], minutes


def test_a_mailed_link_does_not_outlive_signing_out_everywhere(client, mailbox, settings, ada):
    settings.RATELIMIT_ENABLE = False
    MagicLink.objects.issue(ada.email)
    old = mailbox.link(ada.email)
    form = {"token": old.partition("token=")[2]}
    ada.end_sessions()

    assert client.get(old).status_code == client.post("/confirm", form).status_code == 410
    client.post("/invite/sent", form)
    assert client.get(old).status_code == 410
    assert client.get(mailbox.link(ada.email)).status_code == 200


def test_an_old_invitation_is_no_week_long_way_into_an_account_made_since(client):
    invite = InviteFactory(sent_at=timezone.now() - timedelta(hours=2))
    UserFactory(email=invite.email)

    page = client.get(tokens.path(purposes.SIGNUP, invite.pk), follow=True)

    assert page.status_code == 410
    assert "Send a new link" in words(page)


def test_a_withdrawn_invitation_mails_nothing_to_whoever_kept_its_link(client):
    invite = InviteFactory(revoked_at=AGO)

    assert client.post("/invite/sent", {"token": tokens.sign(purposes.SIGNUP, invite.pk)}).url == "/"
    assert not OutboxMessage.objects.exists()


def ask_again(client, purpose, row):
    return client.post("/invite/sent", {"token": tokens.sign(purpose, row.pk)})


def days_left(row):
    row.refresh_from_db()
    return (row.expires_at - timezone.now() + timedelta(minutes=1)) // timedelta(days=1)


def test_a_renewed_invitation_lasts_as_long_as_its_inviter_had_extended_it(client, mailbox):
    invite = Invite.objects.issue("grace@example.com", source="admin")
    Invite.objects.all().extend()

    with time_machine.travel(timezone.now() + timedelta(days=15)):
        ask_again(client, purposes.SIGNUP, invite)

        assert days_left(invite) == 14
        assert days_left(MagicLink.objects.exclude(pk=invite.pk).get()) == 14


def test_a_link_to_an_account_is_renewed_for_an_hour_whatever_its_invitation_says(client, mailbox, ada):
    invite = Invite.objects.issue(ada.email, source="admin")
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        ask_again(client, purposes.CONFIRM, invite)

        fresh = MagicLink.objects.exclude(pk=invite.pk).get()
        assert fresh.expires_at <= timezone.now() + timedelta(hours=1)


def test_the_reminder_of_a_renewed_invitation_has_a_link_that_works(client, mailbox):
    invite = Invite.objects.issue("grace@example.com", source="admin")
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        ask_again(client, purposes.SIGNUP, invite)
    with time_machine.travel(timezone.now() + timedelta(days=14)):
        assert Invite.objects.remindable().remind().done

        assert mailbox.kinds("grace@example.com")[-1] == "invite_reminder"
        assert client.get(mailbox.link("grace@example.com")).status_code == 200


def test_a_withdrawn_invitation_names_whom_to_ask(client, ada):
    page = client.get(tokens.path(purposes.SIGNUP, InviteFactory(revoked_at=AGO, invited_by=ada).pk))

    assert "Ask ada for a new invitation" in words(page)
    assert 'href="mailto:ada@example.com"' in page.text


@pytest.mark.parametrize("gone", [True, False])
def test_where_the_inviter_is_gone_support_can_be_asked(client, ada, gone):
    invite = InviteFactory(revoked_at=AGO, invited_by=ada)
    if gone:
        ada.erase()
    else:
        ada.turn_off()

    page = client.get(tokens.path(purposes.SIGNUP, invite.pk))

    assert 'href="mailto:help@testserver"' in page.text
    assert "ada@example.com" not in page.text


def test_a_link_that_staff_have_ended_says_nothing_of_an_invitation(client):
    link = LinkFactory()
    MagicLink.objects.filter(pk=link.pk).revoke()
    program = Program()
    program.look()

    page = client.get(tokens.path(purposes.SIGNUP, link.pk))
    answer = program.send("/api/v1/auth/confirm", token=tokens.sign(purposes.CONFIRM, link.pk))

    assert "This link was turned off" in words(page)
    assert "invitation" not in words(page)
    assert answer.status_code == 410
    assert "invitation" not in answer.json()["errors"][0]["message"]


def test_a_link_to_one_account_signs_in_to_no_other_with_its_address(client, mailbox, ada):
    client.post("/", {"email": ada.email})
    link = mailbox.link(ada.email)
    ada.address.change("countess@example.com")
    UserFactory(username="grace", email="ada@example.com")

    assert client.get(link).status_code == client.post("/confirm", {"token": link.partition("token=")[2]}).status_code
    assert client.get(link).status_code == 410


def test_a_plan_whose_address_got_an_account_is_not_confirmed_by_a_second_press(client, mailbox, settings):
    settings.RATELIMIT_ENABLE = False
    client.post("/signup", {"email": "grace@example.com", "username": "grace", "password": "correct horse battery"})
    plan = mailbox.link("grace@example.com", "/confirm")
    UserFactory(username="hopper", email="grace@example.com")
    client.post("/", {"email": "grace@example.com"})
    link = mailbox.link("grace@example.com", "/confirm")
    client.get(link)
    again = Client()
    name = settings.CSRF_COOKIE_NAME
    again.cookies[name] = client.cookies[name].value  # the same browser, before it was signed in

    client.post("/confirm", {"token": link.partition("token=")[2]})
    page = again.post("/confirm", {"token": plan.partition("token=")[2]}, follow=True)

    assert "Email address confirmed" not in words(page)
    assert page.redirect_chain[0][0] == "/account"
