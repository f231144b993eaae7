"""The JSON door of the button in the mail: the cases of a press, in the order of invites/link/opened.py."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import Event, Session, User
from invites import purposes
from invites.models import Invite, MagicLink, Unavailable
from kit import tokens
from tests.tools import phone
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.program import Program, codes, fields

pytestmark = pytest.mark.django_db

CONFIRM = "/api/v1/auth/confirm"
EMAIL = "grace@example.com"
LONG_AGO = timezone.now() - timedelta(days=30)


@pytest.fixture
def program():
    """A program that has its cookies already."""
    program = Program()
    program.look()
    return program


@pytest.fixture
def link(ada):
    return LinkFactory(email=ada.email, epoch=0, next="/account/settings")


def token_of(link):
    return tokens.sign(purposes.CONFIRM, link.pk)


def press(program, link):
    return program.send(CONFIRM, token=token_of(link))


def refused(answer, status, code):
    return (answer.status_code, codes(answer)) == (status, [code])


def state(link):
    link.refresh_from_db()
    return link.state


def twin(program):
    """Returns the same browser for a second request, sent before the first was answered."""
    twin = Program()
    twin.cookies.load({name: cookie.value for name, cookie in program.cookies.items()})
    twin.token = program.token
    return twin


# 1 and 2: an invalid link, and one press too many


@pytest.mark.parametrize("token", [None, "", "x", "x" * 2000])
def test_a_token_that_nobody_can_read_is_broken(program, token):
    answer = program.send(CONFIRM, token=token)

    assert refused(answer, 404, "broken")
    assert fields(answer) == ["token"]


@pytest.mark.parametrize("purpose", [purposes.SIGNUP, purposes.RESET, purposes.DECLINE, purposes.OWNER])
def test_the_token_of_another_page_confirms_nothing(program, link, purpose):
    assert refused(program.send(CONFIRM, token=tokens.sign(purpose, link.pk)), 404, "broken")
    assert state(link) == MagicLink.State.PENDING


def test_the_link_of_whoever_has_left_is_broken(program, link, ada):
    ada.erase()

    assert refused(press(program, link), 404, "broken")


def test_guessed_tokens_are_counted_with_those_of_the_page(program, link):
    for _ in range(15):
        Client().post("/confirm", {"token": "x"})
        assert program.send(CONFIRM, token="x").status_code == 404

    assert refused(program.send(CONFIRM, token="x"), 429, "limited")
    assert press(program, link).status_code == 200  # a valid token is not refused with them


def test_one_link_can_be_pressed_a_hundred_times_and_no_more(program, link):
    MagicLink.objects.update(expires_at=LONG_AGO)
    for _ in range(50):
        Client().post("/confirm", {"token": token_of(link)})
        assert refused(press(program, link), 410, "expired")

    assert refused(press(program, link), 429, "limited")


# 3 and 4: used by this browser, or by the signed-in user


def test_a_second_press_of_this_browser_signs_in_again(program, link, ada):
    impatient = twin(program)

    first, second = press(program, link), press(impatient, link)

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["user"] == second.json()["user"]
    assert impatient.look().status_code == 200


def test_a_second_press_counts_for_two_minutes(program, link):
    impatient = twin(program)
    press(program, link)

    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        assert refused(press(impatient, link), 410, "used")


def test_a_second_press_no_longer_counts_once_all_sessions_have_ended(program, link):
    impatient = twin(program)
    press(program, link)
    User.objects.get().end_sessions()

    assert refused(press(impatient, link), 410, "used")


def test_a_used_link_tells_its_signed_in_user_who_they_are(program, link):
    press(program, link)

    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        answer = press(program, link)

    assert (answer.status_code, answer.json()["next"]) == (200, "/account/settings")
    assert answer.json()["user"]["username"] == "ada"
    assert Session.objects.exclude(user=None).count() == 1


def test_a_link_spent_by_another_tells_the_signed_in_user_who_they_are(program, link, ada):
    press(program, LinkFactory(email=ada.email, epoch=0))

    answer = press(program, link)

    assert (answer.status_code, answer.json()["user"]["username"]) == (200, "ada")


# 5: used, ended or expired


@pytest.mark.parametrize(
    ("make", "over", "code"),
    [
        (LinkFactory, "used_at", "used"),
        (LinkFactory, "revoked_at", "revoked"),
        (LinkFactory, "expires_at", "expired"),
        (InviteFactory, "accepted_at", "used"),
        (InviteFactory, "declined_at", "declined"),
        (InviteFactory, "revoked_at", "revoked"),
        (InviteFactory, "expires_at", "expired"),
    ],
)
@pytest.mark.parametrize("email", ["ada@example.com", EMAIL])
def test_a_dead_link_says_why(program, ada, make, over, code, email):
    answer = press(program, make(email=email, **{over: LONG_AGO}))

    assert refused(answer, 410, code)
    assert fields(answer) == ["token"]
    assert program.look().status_code == 401


def test_a_later_use_of_another_link_ends_a_link(program, link, ada):
    press(Program(), LinkFactory(email=ada.email, epoch=0))

    assert refused(press(program, link), 410, "used")


# 6: signed in as somebody else


@pytest.mark.parametrize("make", [LinkFactory, InviteFactory])
def test_a_signed_in_user_makes_no_other_account(program, ada, make):
    program.sign_in("ada", PASSWORD)

    assert refused(press(program, make(email=EMAIL)), 409, "wrong_account")
    assert state(MagicLink.objects.get()) == MagicLink.State.PENDING


def test_the_press_signs_out_of_one_account_and_in_to_that_of_the_link(program, link):
    UserFactory(username="grace")
    program.sign_in("grace", PASSWORD)

    assert press(program, link).json()["user"]["username"] == "ada"
    assert program.look().json()["user"]["username"] == "ada"


# 7 and 8: an account that the link does not open


def test_an_account_that_is_turned_off_stays_shut(program, link):
    User.objects.update(is_active=False)

    assert refused(press(program, link), 403, "inactive")
    assert state(link) == MagicLink.State.PENDING


def test_a_link_from_before_all_sessions_ended_has_expired(program, link, ada):
    ada.end_sessions()

    answer = press(program, link)

    assert refused(answer, 410, "expired")
    assert fields(answer) == ["token"]
    assert program.look().status_code == 401


def test_a_link_from_before_the_account_has_expired_after_an_hour(program, ada):
    invite = InviteFactory(email=ada.email)
    MagicLink.objects.update(sent_at=timezone.now() - timedelta(hours=2))

    assert refused(press(program, invite), 410, "expired")
    invite.refresh_from_db()
    assert invite.state == Invite.State.PENDING


# 9: an account that the link opens


def test_a_link_signs_in_and_is_used_up(program, link, ada):
    answer = press(program, link)

    assert (answer.status_code, answer.json()["next"]) == (200, "/account/settings")
    assert answer.json()["user"]["username"] == "ada"
    assert program.look().json()["session"] == answer.json()["session"]
    assert (state(link), link.used_by) == (MagicLink.State.USED, ada)
    assert Event.objects.get(kind=Event.Kind.SIGNED_IN).detail["way"] == "link"


def test_the_press_accepts_an_invitation(program, ada):
    invite = InviteFactory(email=ada.email, next="/account/settings")

    assert press(program, invite).json()["next"] == "/account/settings"
    invite.refresh_from_db()
    assert invite.accepted_by == ada


def test_with_a_second_factor_the_press_waits_for_the_code(program, link, ada):
    phone.pair(ada)
    MagicLink.objects.update(epoch=User.objects.get().session_epoch)

    answer = press(program, link)

    assert refused(answer, 401, "second_factor")
    assert answer.json()["next"] == "/api/v1/auth/login/code"
    assert program.look().status_code == 401
    entered = program.send(answer.json()["next"], code=phone.code())
    assert (entered.status_code, entered.json()["next"]) == (200, "/account/settings")


# 11: no account, and none was planned (for plans see test_api_register.py)


@pytest.mark.parametrize("make", [LinkFactory, InviteFactory])
def test_a_link_without_a_plan_asks_for_a_name_and_a_password(program, make):
    assert refused(press(program, make()), 400, "choose")
    assert not User.objects.exists()


# 14: another request was faster


def just_before(monkeypatch, verb, happens):
    """Has `happens` called with the link just before its next `verb`, after the link was looked at."""
    original = getattr(MagicLink, verb)

    def late(self, *args, **kwargs):
        monkeypatch.setattr(MagicLink, verb, original)
        happens(self)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(MagicLink, verb, late)


@pytest.mark.parametrize(
    ("happens", "code"),
    [
        (lambda link: press(Program(), link), "used"),
        (lambda link: MagicLink.objects.filter(pk=link.pk).update(revoked_at=timezone.now()), "revoked"),
        (lambda link: MagicLink.objects.filter(pk=link.pk).update(expires_at=LONG_AGO), "expired"),
        (lambda link: User.objects.get(email=link.email).erase(), "broken"),
    ],
    ids=["used", "revoked", "expired", "left"],
)
def test_a_press_that_is_overtaken_is_told_what_became_of_the_link(program, link, monkeypatch, happens, code):
    just_before(monkeypatch, "sign_in", happens)

    assert refused(press(program, link), 404 if code == "broken" else 410, code)
    assert program.look().status_code == 401


def test_a_link_that_works_again_after_a_lost_claim_is_answered_with_changed(program, link, monkeypatch):
    def late(*_args, **_fields):
        raise Unavailable

    monkeypatch.setattr(MagicLink, "sign_in", late)

    assert refused(press(program, link), 409, "changed")


# Asking for a link as proof of the account


PROVE = "/api/v1/auth/proof/link"


def test_only_a_signed_in_user_can_ask_for_a_link_as_proof(program):
    assert refused(program.send(PROVE), 401, "signed_out")
    assert not MagicLink.objects.exists()


@pytest.mark.parametrize(("asked", "leads_to"), [("/account/delete", "/account/delete"), ("https://evil.example", "")])
def test_the_link_goes_to_the_accounts_own_address_and_coming_in_by_it_is_proof(mailbox, asked, leads_to):
    program = Program()
    program.force_login(UserFactory(username="grace", email=EMAIL, password=None))
    assert refused(program.send("/api/v1/account", "DELETE"), 403, "proof")

    answer = program.send(PROVE, next=asked, email="mallory@example.com")

    assert (answer.status_code, list(answer.json())) == (202, ["message"])
    assert EMAIL in answer.json()["message"]
    token = mailbox.link(EMAIL, "/confirm").partition("token=")[2]
    assert program.send(CONFIRM, token=token).json()["next"] == (leads_to or None)
    assert program.send("/api/v1/account", "DELETE").status_code == 200


def test_links_that_prove_are_counted_with_all_others(signed_in, ada):
    signed_in.post("/account/prove")

    answer = signed_in.post(PROVE, {}, "application/json")

    assert refused(answer, 429, "limited")
    assert MagicLink.objects.count() == 1


@pytest.mark.parametrize("path", [CONFIRM, PROVE])
def test_pressing_takes_the_csrf_token(path, ada, link):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)

    assert refused(browser.post(path, {"token": token_of(link)}, "application/json"), 403, "csrf")
    assert state(link) == MagicLink.State.PENDING
