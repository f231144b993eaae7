"""The JSON doors to Google and to the configuration, for programs with pages of their own."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from accounts.models import User
from accounts.models.google import Google, LastWayIn
from invites import purposes
from kit import tokens
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program, codes, fields

pytestmark = pytest.mark.django_db

START, OWN, PROOF = "/api/v1/auth/google", "/api/v1/account/google", "/api/v1/auth/proof"
GRACE = Person(sub="2001", email="grace@gmail.com")


@pytest.fixture(autouse=True)
def grace_at_google(google):
    google.person = GRACE


@pytest.fixture
def program(ada):
    """A program signed in as Ada."""
    program = Program()
    assert program.sign_in("ada", PASSWORD).status_code == 200
    return program


@pytest.fixture
def connected(program, ada):
    """A program signed in to an account that has a Google account connected."""
    ada.google.adopt("2001", "grace@gmail.com")
    return program


def send(program, path, **typed):
    """Sends a form, as a browser does from a page of the program."""
    program.look()
    return program.post(path, typed | {"csrfmiddlewaretoken": program.token})


def token_of(link):
    return tokens.sign(purposes.SIGNUP, link.pk)


# Signing in


@pytest.mark.parametrize(
    ("asked", "arrived"),
    [
        ("/account/settings", "/account/settings"),
        ("", "/account"),
        ("https://evil.example/", "/account"),
        ("//evil.example/", "/account"),
    ],
)
def test_coming_back_from_google_signs_in_and_stays_on_this_site(google, asked, arrived):
    program = Program()
    sent = send(program, START, next=asked)

    page = program.get(google.consent(sent.url))

    assert sent.status_code == 303
    assert page.url == arrived
    assert User.objects.get().email == "grace@gmail.com"
    assert program.look().status_code == 200


def test_an_invitation_is_accepted_on_the_way(google, settings):
    settings.SIGNUP = "invited"
    invite, program = InviteFactory(email="grace@gmail.com", next="/account/settings"), Program()

    page = program.get(google.consent(send(program, START, token=token_of(invite)).url))

    assert page.url == "/account/settings"
    invite.refresh_from_db()
    assert invite.accepted_by == User.objects.get()
    assert google.visits[0].query["login_hint"] == "grace@gmail.com"


@pytest.mark.parametrize("token", ["", "x"])
def test_an_invalid_token_neither_stops_the_sign_in_nor_gives_google_a_hint(google, token):
    program = Program()

    page = program.get(google.consent(send(program, START, token=token).url))

    assert page.url == "/account"
    assert "login_hint" not in google.visits[0].query


def test_a_signed_in_user_is_not_sent_to_google(program):
    answer = send(program, START, next="/account/settings")
    assert (answer.status_code, answer.url) == (303, "/account/settings")
    assert send(program, START).url == "/account"

    link = LinkFactory()
    assert send(program, START, token=token_of(link)).url.startswith("/signup?token=")


@pytest.mark.parametrize("path", [START, OWN])
def test_another_site_cannot_send_people_to_google(program, google, path):
    forged = program.post(path, {"password": PASSWORD})

    assert (forged.status_code, codes(forged)) == (403, ["csrf"])
    assert program.get(path).status_code == 405
    assert google.visits == []


def test_without_google_both_doors_are_off(program, settings):
    settings.GOOGLE_CLIENT_ID = ""

    for answer in (send(Program(), START), send(program, START), send(program, OWN, password=PASSWORD)):
        assert (answer.status_code, codes(answer)) == (404, ["off"])


# Connecting


def test_google_is_connected_once_the_password_is_given(program, google, mailbox, ada):
    sent = send(program, OWN, password=PASSWORD)
    assert sent.status_code == 303

    page = program.get(google.consent(sent.url))

    assert page.url == "/account"
    assert google.visits[0].query["login_hint"] == ada.email
    assert SocialAccount.objects.values_list("user", "uid").get() == (ada.pk, "2001")
    assert mailbox.kinds(ada.email).count("google_connected") == 1
    assert program.get("/api/v1/account").json()["user"]["google"] == "grace@gmail.com"


def test_after_proof_google_is_connected_without_the_password(program):
    program.send(PROOF, password=PASSWORD)

    assert send(program, OWN).status_code == 303


@pytest.mark.parametrize(
    ("typed", "status", "code"),
    [({}, 403, "proof"), ({"password": ""}, 403, "proof"), ({"password": "wrong password"}, 400, "password")],
)
def test_without_proof_nobody_is_sent_to_google(program, google, typed, status, code):
    answer = send(program, OWN, **typed)

    assert (answer.status_code, fields(answer), codes(answer)) == (status, ["password"], [code])
    assert answer.json().get("next") == (PROOF if code == "proof" else None)
    assert google.visits == []


def test_a_stranger_can_neither_connect_nor_disconnect_google():
    for answer in (send(Program(), OWN, password=PASSWORD), Program().send(OWN, "DELETE", password=PASSWORD)):
        assert (answer.status_code, codes(answer)) == (401, ["signed_out"])


def test_an_account_has_one_google_account(connected):
    answer = send(connected, OWN, password=PASSWORD)

    assert (answer.status_code, codes(answer)) == (409, ["connected"])


def test_without_a_password_a_mailed_link_is_the_proof(mailbox, google):
    grace, program = UserFactory(username="grace", email="grace@navy.example", password=None), Program()
    program.force_login(grace)
    refused = send(program, OWN, password=PASSWORD)
    assert (refused.status_code, codes(refused)) == (403, ["proof"])
    program.send(refused.json()["next"])

    token = mailbox.link(grace.email, "/confirm").partition("token=")[2]
    assert program.send("/api/v1/auth/confirm", token=token).status_code == 200

    program.get(google.consent(send(program, OWN).url))
    assert grace.google.email == "grace@gmail.com"


# Disconnecting


def test_google_is_disconnected_with_proof(connected, mailbox, ada):
    for sent, code in (({}, "proof"), ({"password": "wrong password"}, "password")):
        assert codes(connected.send(OWN, "DELETE", **sent)) == [code]
    assert ada.google.account

    answer = connected.send(OWN, "DELETE", password=PASSWORD)

    assert (answer.status_code, list(answer.json())) == (200, ["message"])
    assert mailbox.kinds(ada.email)[-1] == "google_disconnected"
    assert connected.get("/api/v1/account").json()["user"]["google"] is None


def test_a_google_account_that_is_not_connected_cannot_be_disconnected(program):
    answer = program.send(OWN, "DELETE", password=PASSWORD)

    assert (answer.status_code, codes(answer)) == (404, ["not_found"])


def test_google_stays_connected_while_it_is_the_last_way_in(google):
    UserFactory(username="grace", email="grace@gmail.com", password=None).google.adopt("2001", "grace@gmail.com")
    program = Program()
    program.get(google.consent(send(program, START).url))
    assert program.look().status_code == 200

    answer = program.send(OWN, "DELETE")

    assert (answer.status_code, codes(answer)) == (409, ["last_way_in"])
    assert SocialAccount.objects.exists()


def test_google_stays_connected_if_the_password_is_removed_meanwhile(connected, monkeypatch):
    def late(*_args, **_trace):
        raise LastWayIn

    monkeypatch.setattr(Google, "disconnect", late)

    assert codes(connected.send(OWN, "DELETE", password=PASSWORD)) == ["last_way_in"]


# The configuration


def test_the_configuration_takes_no_statement_and_sets_no_cookie(django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = Client().get("/api/v1/config")

    assert answer.json() == {
        "signup": "open",
        "signup_domains": [],
        "members_invite": False,
        "google": True,
        "password_min_length": 15,
        "second_factor": "optional",
        "terms": None,
        "profile_fields": [],
    }
    assert not answer.cookies


def test_the_configuration_follows_the_settings(settings):
    settings.SIGNUP, settings.MEMBERS_INVITE, settings.GOOGLE_CLIENT_ID = "invited", True, ""
    settings.PASSWORD_MIN_LENGTH, settings.REQUIRE_STAFF_2FA = 20, True

    assert Client().get("/api/v1/config").json() == {
        "signup": "invited",
        "signup_domains": [],
        "members_invite": True,
        "google": False,
        "password_min_length": 20,
        "second_factor": "staff",
        "terms": None,
        "profile_fields": [],
    }


def test_a_door_that_takes_a_form_takes_no_json(google, subtests):
    program = Program()
    program.look()
    for door in ("auth/google", "account/google"):
        with subtests.test(door):
            program.force_login(UserFactory()) if door == "account/google" else None

            answer = program.send(f"/api/v1/{door}", next="/account/settings")

            assert (answer.status_code, codes(answer)) == (415, ["unsupported"])
