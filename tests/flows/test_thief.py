"""A thief has Ada's password, or her mailbox: what she does shuts every way in, and she herself comes in."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.utils import timezone

from accounts.models import User
from invites.members.invitations import MemberInvites
from invites.models import Invite
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

NEW, NEWER = "another horse battery staple", "yet another horse battery staple"
ELSEWHERE = "mallory@thief.example"
THIEFS = "KRSXG5CTMVRXEZLUKRSXG5CTMVRXEZLU"  # the secret of a thief's own app


@pytest.fixture(autouse=True)
def unlimited(settings):
    settings.RATELIMIT_ENABLE = False


def token_of(link):
    return link.partition("token=")[2]


def is_ada(client):
    ada = User.objects.get(username="ada")
    return client.session.get(SESSION_KEY) == str(ada.pk) and client.get("/account").status_code == 200


def enter(client, password=PASSWORD, code="", **typed):
    """Signs in as Ada, with `code` if there is one. Returns the client."""
    client.post("/login", {"login": "ada", "password": password})
    if code:
        client.post("/login/code", {"code": code, **typed})
    return client


def with_cookies(client, *names):
    """Returns a new browser with these cookies of `client`."""
    other = Client()
    for name in names or client.cookies:
        other.cookies[name] = client.cookies[name].value
    return other


# The break-in


class Thief:
    """Somebody who signs in with Ada's password, and makes himself at home.

    Either he sets up an authenticator app of his own, or he has got a code of Ada's and her recovery codes.
    """

    def __init__(self, mailbox, google, ada, *, own_app):
        google.person = Person(sub="666", email="mallory@gmail.com")
        self.google, self.mailbox = google, mailbox
        self.browser = enter(Client(), code="" if own_app else phone.code())
        self.first_mail = mailbox.link(ada.email, "/not-me")
        proof = {"password": PASSWORD} if own_app else {"password": PASSWORD, "code": phone.code(steps=1)}
        to_google = self.browser.post("/account/google", proof).url
        self.browser.get(google.consent(to_google))
        if own_app:
            phone.pair(User.objects.get(pk=ada.pk), THIEFS)
            self.mail_about_app = mailbox.link(ada.email, "/not-me")
        self.codes = User.objects.get(pk=ada.pk).second_factor.recovery_codes
        self.trusted = enter(Client(), code=self.codes.pop(), trust="on")
        self.browser = with_cookies(self.trusted)
        self.browser.post("/account/email", {"email": ELSEWHERE, "password": PASSWORD, "code": self.codes.pop()})
        self.code = re.search(r"^ {4}(\d{4} \d{4})$", mailbox.text(ELSEWHERE), re.MULTILINE)[1]
        self.waiting = enter(Client())  # for its code
        self.program = Program()
        self.program.sign_in("ada", PASSWORD)
        self.program.send("/api/v1/auth/login/code", code=self.codes.pop())
        self.underway = Client()
        self.way_back = google.consent(self.underway.post("/google").url)
        Client().post("/", {"email": ada.email})
        self.link = mailbox.link(ada.email, "/confirm")
        Client().post("/reset", {"email": ada.email})
        self.reset = mailbox.link(ada.email, "/reset/password")

    def by_reset(self):  # the first to be tried: the next sign-in ends it
        return Client().get(self.reset).status_code == 200

    def by_google(self):
        client = with_cookies(self.trusted, "frontdoor_trusted", "frontdoor_device")
        client.get(self.google.consent(client.post("/google").url))
        return is_ada(client)

    def by_google_that_was_under_way(self):
        self.underway.get(self.way_back)
        return waits(self.underway)

    def by_old_session(self):
        return is_ada(self.browser)

    def by_proxy(self):
        return self.browser.get("/auth/verify").status_code == 204

    def by_json(self):
        return self.program.get("/api/v1/account").status_code == 200

    def by_trusted_browser(self):
        return is_ada(enter(with_cookies(self.trusted, "frontdoor_trusted", "frontdoor_device")))

    def by_second_step(self):
        self.waiting.post("/login/code", {"code": self.codes.pop()})
        return is_ada(self.waiting)

    def by_link(self):
        return Client().get(self.link).status_code == 200

    def by_address(self):
        self.browser.post("/account/email/code", {"code": self.code})
        return User.objects.get(username="ada").email == ELSEWHERE

    def ways_in(self):
        """Tries every way. Returns the names of those that are open."""
        names = [name for name in vars(type(self)) if name.startswith("by_")]
        return [name for name in names if getattr(self, name)()]


def waits(client):
    return client.get("/login/code").status_code == 200


APPS = pytest.mark.parametrize("own_app", [True, False], ids=["the thief's app", "her app"])


@pytest.fixture
def break_in(mailbox, google, ada):
    def break_in(*, own_app):
        if not own_app:
            phone.pair(ada)
        return Thief(mailbox, google, ada, own_app=own_app)

    return break_in


@APPS
def test_a_thief_has_many_ways_in_until_the_owner_acts(break_in, own_app):
    thief = break_in(own_app=own_app)

    assert len(thief.ways_in()) == 10


# What the owner does


def a_code_of(ada):
    """Returns one of the recovery codes that Ada has now; "" if she has none."""
    return next(iter(User.objects.get(pk=ada.pk).second_factor.recovery_codes), "")


def choose(mailbox, ada, password=NEW):
    link = mailbox.link(ada.email, "/reset/password")
    assert Client().post("/reset/password", {"token": token_of(link), "password": password}).url == "/login"


def reset_by_page(thief, mailbox, ada):
    Client().post("/reset", {"email": ada.email})
    choose(mailbox, ada)


def reset_in_json(thief, mailbox, ada):
    Program().send("/api/v1/auth/reset", email=ada.email)
    token = token_of(mailbox.link(ada.email, "/reset/password"))
    assert Program().send("/api/v1/auth/reset/password", token=token, password=NEW).status_code == 200


def say_it_was_not_me(thief, mailbox, ada):
    assert Client().post("/not-me", {"token": token_of(thief.first_mail)}).status_code == 200
    assert thief.ways_in() == []
    choose(mailbox, ada)


def change_by_page(thief, mailbox, ada):
    owner = enter(Client(), code=a_code_of(ada))
    form = {"password": PASSWORD, "code": a_code_of(ada), "chosen": NEW}
    assert owner.post("/account/password", form).url == "/account"
    assert is_ada(owner)


def change_in_json(thief, mailbox, ada):
    owner = Program()
    owner.sign_in("ada", PASSWORD)
    if code := a_code_of(ada):
        owner.send("/api/v1/auth/login/code", code=code)
    sent = {"password": PASSWORD, "code": a_code_of(ada), "new_password": NEW}
    answer = owner.send("/api/v1/account/password", "PUT", **sent)
    assert answer.status_code == 200


RESETS, CHANGES = [reset_by_page, reset_in_json], [change_by_page, change_in_json]


@pytest.mark.parametrize("act", [*RESETS, say_it_was_not_me, *CHANGES])
def test_a_thief_who_had_a_code_of_the_owner_finds_every_way_shut(break_in, mailbox, ada, act):
    thief = break_in(own_app=False)

    act(thief, mailbox, ada)

    assert thief.ways_in() == []
    assert waits(enter(with_cookies(thief.trusted, "frontdoor_trusted", "frontdoor_device"), NEW)), (
        "the browser is trusted no more"
    )
    assert not is_ada(enter(Client(), NEW)), "her own second factor stays on"
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):  # the codes of now may be used up
        assert is_ada(enter(Client(), NEW, code=a_code_of(ada) or phone.code()))


@pytest.mark.parametrize("act", [*RESETS, *CHANGES])
def test_the_google_account_of_a_thief_opens_nothing_where_no_code_is_asked_for(google, mailbox, ada, act):
    google.person = Person(sub="666", email="mallory@gmail.com")
    ada.google.adopt("666", "mallory@gmail.com")

    act(None, mailbox, ada)

    thief = Client()
    thief.get(google.consent(thief.post("/google").url))
    assert not is_ada(thief)
    assert is_ada(enter(Client(), NEW))


@pytest.mark.parametrize("act", [*RESETS, *CHANGES])
def test_a_google_account_of_the_owners_own_address_is_connected_again_by_using_it(google, mailbox, act):
    ada = UserFactory(username="ada", email="ada@gmail.com")
    google.person = Person(sub="1", email="ada@gmail.com")
    ada.google.adopt("1", "ada@gmail.com")

    act(None, mailbox, ada)

    assert ada.google.account is None
    owner = Client()
    owner.get(google.consent(owner.post("/google").url))
    assert is_ada(owner)
    assert ada.google.account.uid == "1"


@pytest.mark.parametrize("act", RESETS)
def test_an_app_that_a_thief_has_set_up_goes_with_the_mail_about_it(break_in, mailbox, ada, act):
    """A reset leaves it on: whoever has the mailbox alone must not be able to turn two-step verification off."""
    thief = break_in(own_app=True)

    act(thief, mailbox, ada)

    assert thief.ways_in() == []
    owner = enter(Client(), NEW)
    assert "You never set up an app?" in words(owner.get("/login/code"))
    assert Client().post("/not-me", {"token": token_of(thief.mail_about_app)}).status_code == 200
    choose(mailbox, ada, NEWER)
    assert thief.ways_in() == []
    assert is_ada(enter(Client(), NEWER))


def test_this_was_not_me_shuts_every_way_and_removes_the_app_of_the_thief(break_in, mailbox, ada):
    thief = break_in(own_app=True)

    say_it_was_not_me(thief, mailbox, ada)

    assert thief.ways_in() == []
    assert is_ada(enter(Client(), NEW))


@pytest.mark.parametrize("act", [*RESETS, *CHANGES])
def test_the_mail_and_the_history_name_what_was_dropped(break_in, mailbox, ada, act):
    thief = break_in(own_app=False)

    act(thief, mailbox, ada)

    said = " ".join(mailbox.text(ada.email).split())
    assert "The Google account mallory@gmail.com is disconnected." in said
    assert "a change of address that was waiting for its code" in said
    assert "Every browser is asked for a code again." in said
    assert "Two‑step verification stays on." in said
    assert list(ada.events.order_by("-id").values_list("kind", flat=True)[:2]) == [
        "password_changed",
        "google_disconnected",
    ]
    assert ada.events.get(kind="google_disconnected").detail == {"google": "mallory@gmail.com"}


def test_a_report_names_what_was_dropped(break_in, mailbox, ada):
    thief = break_in(own_app=False)

    page = Client().post("/not-me", {"token": token_of(thief.first_mail)})

    assert "The Google account mallory@gmail.com is disconnected." in words(page)
    assert "Google accounts are disconnected, and earlier browsers, links and codes no longer work" in " ".join(
        mailbox.text(ada.email).split()
    )
    assert ada.events.filter(kind="google_disconnected").count() == 1


def test_a_new_password_without_anything_to_drop_names_nothing(mailbox, signed_in, ada):
    signed_in.post("/account/password", {"password": PASSWORD, "chosen": NEW})

    said = mailbox.text(ada.email)
    assert "Google" not in said
    assert "Two‑step" not in said
    assert not ada.events.filter(kind="google_disconnected").exists()


# A thief who reads the mailbox, and knows no password


@pytest.mark.parametrize("act", RESETS)
def test_whoever_has_the_mailbox_alone_is_asked_for_the_owners_code(mailbox, ada, act):
    phone.pair(ada)
    thief = Client()

    act(None, mailbox, ada)

    assert waits(enter(thief, NEW))
    assert not is_ada(thief)
    Client().post("/", {"email": ada.email})
    thief = Client()
    pressed = {"token": token_of(mailbox.link(ada.email, "/confirm")), "here": "on"}
    assert thief.post("/confirm", pressed).url == "/login/code"
    assert User.objects.get(pk=ada.pk).second_factor.is_on
    assert is_ada(enter(Client(), NEW, code=phone.code()))


# A thief who silences, renames and invites


QUIET = {"language": "en", "time_zone": "", "theme": ""}  # no mail about new devices, nor about declined invitations
WHAT_IS_ON = "Emails about your account had been turned off. They are on again"


def settings_of(ada):
    return User.objects.get(pk=ada.pk).settings


def new_device_is_mailed(mailbox, ada, password):
    before = mailbox.kinds(ada.email).count("new_device")
    assert is_ada(enter(Client(), password))
    return mailbox.kinds(ada.email).count("new_device") == before + 1


@pytest.mark.parametrize("act", [*RESETS, *CHANGES])
def test_a_new_password_ends_the_silence_of_a_thief_and_says_so(mailbox, ada, act):
    enter(Client()).post("/account/settings", QUIET)
    assert (settings_of(ada)["notices"], settings_of(ada)["digest"]) == (False, False)

    act(None, mailbox, ada)

    assert (settings_of(ada)["notices"], settings_of(ada)["digest"]) == (True, True)
    assert settings_of(ada)["language"] == "en"
    assert WHAT_IS_ON in " ".join(mailbox.text(ada.email).split())
    assert new_device_is_mailed(mailbox, ada, NEW)


@pytest.mark.parametrize("mail", ["sign-in", "silence"])
def test_this_was_not_me_ends_the_silence_of_a_thief_and_says_so(mailbox, ada, mail):
    thief = enter(Client())
    link = mailbox.link(ada.email, "/not-me")
    thief.post("/account/settings", QUIET)
    link = link if mail == "sign-in" else mailbox.link(ada.email, "/not-me")
    assert "emails about your account are turned on again" in words(Client().get(link))

    page = Client().post("/not-me", {"token": token_of(link)})

    assert WHAT_IS_ON in words(page)
    assert settings_of(ada)["notices"]
    choose(mailbox, ada)
    assert new_device_is_mailed(mailbox, ada, NEW)


def test_who_never_turned_anything_off_reads_nothing_of_it(mailbox, ada):
    reset_by_page(None, mailbox, ada)

    assert WHAT_IS_ON not in " ".join(mailbox.text(ada.email).split())
    assert settings_of(ada) == {}


def test_a_stolen_sheet_of_recovery_codes_goes_with_the_sign_in_that_it_was_used_for(mailbox, ada):
    phone.pair(ada)
    enter(Client(), code=a_code_of(ada))
    about_sign_in = mailbox.link(ada.email, "/not-me")
    assert "your recovery codes stop working" in words(Client().get(about_sign_in))

    page = Client().post("/not-me", {"token": token_of(about_sign_in)})

    assert "Your recovery codes no longer work" in words(page)
    assert a_code_of(ada) == ""
    assert User.objects.get().second_factor.is_on


def test_the_mail_about_a_recovery_code_drops_the_sheet_even_after_a_later_report(mailbox, ada):
    now = timezone.now()
    with time_machine.travel(now - timedelta(hours=2)):
        phone.pair(ada)
    with time_machine.travel(now - timedelta(hours=1)):
        User.objects.get().second_factor.check(a_code_of(ada))
    about_code = mailbox.link(ada.email, "/not-me")
    User.objects.get().rename("zzz-hacked")
    Client().post("/not-me", {"token": token_of(mailbox.link(ada.email, "/not-me"))})
    assert a_code_of(ada), "nothing tells that the rename had to do with the code"

    assert Client().post("/not-me", {"token": token_of(about_code)}).status_code == 200

    assert a_code_of(ada) == ""
    assert Client().post("/not-me", {"token": token_of(about_code)}).status_code == 410


def test_codes_that_nobody_has_used_stay(mailbox, ada):
    phone.pair(ada)
    enter(Client(), code=phone.code())

    page = Client().post("/not-me", {"token": token_of(mailbox.link(ada.email, "/not-me"))})

    assert a_code_of(ada)
    assert "recovery codes" not in words(page)


@pytest.mark.parametrize("mail", ["sign-in", "rename"])
def test_a_name_that_a_thief_has_changed_comes_back(mailbox, ada, mail):
    thief = enter(Client())
    link = mailbox.link(ada.email, "/not-me")
    for name in ("zzz-hacked", "zzz-again"):
        thief.post("/account/username", {"username": name})
        link = mailbox.link(ada.email, "/not-me") if (mail, name) == ("rename", "zzz-hacked") else link
    assert "your account is called ada again" in words(Client().get(link))

    page = Client().post("/not-me", {"token": token_of(link)})

    assert "Your account is called ada again." in words(page)
    assert User.objects.get().username == "ada"


def test_a_name_that_somebody_else_has_taken_is_left_to_them_and_named(mailbox, ada):
    enter(Client()).post("/account/username", {"username": "zzz-hacked"})
    link = mailbox.link(ada.email, "/not-me")
    UserFactory(username="ada", email="other@example.com")

    page = Client().post("/not-me", {"token": token_of(link)})

    assert "Somebody else has taken the name ada. Your account is still called zzz-hacked" in words(page)
    assert User.objects.get(pk=ada.pk).username == "zzz-hacked"
    assert not User.objects.get(pk=ada.pk).has_usable_password()


def test_a_name_that_the_owner_has_chosen_after_a_report_is_not_undone(mailbox, ada):
    User.objects.get().second_factor.turn_on(THIEFS, "000000")
    about_app = mailbox.link(ada.email, "/not-me")
    User.objects.get().rename("zzz-hacked")
    Client().post("/not-me", {"token": token_of(mailbox.link(ada.email, "/not-me"))})
    User.objects.get().rename("countess")

    assert Client().post("/not-me", {"token": token_of(about_app)}).status_code == 200

    assert User.objects.get().username == "countess"


def test_a_name_that_staff_have_set_is_not_undone(mailbox, ada, desk):
    enter(Client()).post("/account/username", {"username": "zzz-hacked"})
    link = mailbox.link(ada.email, "/not-me")
    form = {"username": "ada-king", "email": ada.email, "is_active": "on"}
    desk.post(f"/admin/accounts/user/{ada.pk}/change/", form)

    Client().post("/not-me", {"token": token_of(link)})

    assert User.objects.get(pk=ada.pk).username == "ada-king"


def test_invitations_that_a_thief_has_sent_are_withdrawn(settings, mailbox, ada):
    settings.MEMBERS_INVITE = True
    older = MemberInvites(ada).send("grace@example.com")
    thief = enter(Client())
    link = mailbox.link(ada.email, "/not-me")
    thief.post("/account/invites", {"email": ELSEWHERE, "note": ""})
    theirs = mailbox.link(ELSEWHERE)
    assert "invitations that your account has sent since are withdrawn" in words(Client().get(link))

    page = Client().post("/not-me", {"token": token_of(link)})

    assert "1 invitation that your account had sent since then is withdrawn." in words(page)
    assert list(Invite.objects.pending()) == [older]
    assert Client().get(theirs).status_code == 410
