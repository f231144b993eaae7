"""Names that read as a web address: refused wherever a name is chosen, and harmless in mails where they are older."""

import pytest
from django.test import Client

from accounts import names
from accounts.google.client import Identity
from accounts.models import User
from invites import purposes
from invites.models import Invite
from kit import tokens
from tests.tools.factories import PASSWORD, LinkFactory, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program, codes, fields
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

HOSTS = ["www.paypa1-login.com", "paypa1-login.com", "x.io", "x．io", "login。bank.co.uk", "https.example", "10.0.0.1"]
SAID = "Username must not read like a web address"


@pytest.fixture(autouse=True)
def no_limits(settings):
    settings.RATELIMIT_ENABLE = False


@pytest.mark.parametrize("name", HOSTS)
def test_no_door_takes_such_a_name(name, signed_in, desk, ada):
    token = tokens.sign(purposes.SIGNUP, LinkFactory().pk)
    owner = tokens.sign(purposes.OWNER, LinkFactory(purpose="owner").pk)
    change = {"username": name, "email": ada.email, "is_active": "on"}
    pages = [
        Client().post("/signup", {"token": token, "username": name, "password": PASSWORD}),
        Client().post("/signup", {"email": "grace@example.com", "username": name, "password": PASSWORD}),
        signed_in.post("/account/username", {"username": name}),
        desk.post(f"/admin/accounts/user/{ada.pk}/change/", change),
    ]
    User.objects.filter(is_superuser=True).update(is_superuser=False)
    pages.append(Client().post("/owner", {"token": owner, "username": name, "password": PASSWORD}))
    for page in pages:
        assert SAID in words(page)
    for sent in ({"token": token}, {"email": "grace@example.com"}):
        answer = Program().send("/api/v1/auth/create", username=name, password=PASSWORD, **sent)
        assert (answer.status_code, codes(answer), fields(answer)) == (400, ["link"], ["username"])
    assert User.objects.count() == 2
    assert not User.objects.filter(username__contains=".").exists()


def test_a_name_with_dots_is_taken(client):
    token = tokens.sign(purposes.SIGNUP, LinkFactory().pk)

    assert client.post("/signup", {"token": token, "username": "ada.lovelace", "password": PASSWORD}).status_code == 302


def test_google_suggests_no_such_name(google):
    google.person = Person(email="www.paypal.com@gmail.com")
    browser = Client()
    browser.get(google.consent(browser.post("/google").url))

    assert User.objects.get().username == "www-paypal-com"


def test_there_is_always_a_name_to_suggest():
    near = names.candidates("ada@gmail.com")
    for name in near[:-1]:
        UserFactory(username=name)

    assert names.first_free(near, User.objects.values_list("username", flat=True)).startswith("user-")
    assert str(names.taken_error("").messages[0]) == "That username is taken. Choose another one"


def test_an_older_name_makes_no_link_in_a_mail_to_somebody_else(mailbox, settings):
    settings.MEMBERS_INVITE = True
    UserFactory(username="mallory", email="m@example.com")
    User.objects.update(username="www.paypa1-login.com")
    browser = Client()
    browser.post("/login", {"login": "m@example.com", "password": PASSWORD})
    browser.post("/account/invites", {"email": "grace@example.com"})
    browser.post("/account/email", {"email": "eve@example.com", "password": PASSWORD})

    letters = [*mailbox.letters("grace@example.com"), *mailbox.letters("eve@example.com")]
    assert len(letters) == 2
    for letter in letters:
        parts = [str(letter["Subject"]), *(letter.get_body((kind,)).get_content() for kind in ("plain", "html"))]
        assert any("www paypa1-login com" in part for part in parts[1:])
        assert not any("paypa1-login.com" in part for part in parts)
    assert str(letters[0]["Subject"]).startswith("www paypa1-login com invited you")


def test_a_dot_in_an_inviters_name_makes_no_link_whatever_follows_it(mailbox, settings):
    settings.MEMBERS_INVITE = True
    UserFactory(username="evil.newtopleveldomain", email="m@example.com")
    browser = Client()
    browser.post("/login", {"login": "m@example.com", "password": PASSWORD})
    browser.post("/account/invites", {"email": "grace@example.com"})

    assert "evil newtopleveldomain (m@example.com) would like you to join" in " ".join(
        mailbox.text("grace@example.com").split()
    )


def test_whoever_has_an_older_name_goes_on_with_it(signed_in, ada, desk):
    User.objects.filter(pk=ada.pk).update(username="ada.io")

    assert signed_in.post("/account/username", {"username": "ada.io"}).url == "/account"
    change = {"username": "ada.io", "email": ada.email, "is_active": ""}
    assert desk.post(f"/admin/accounts/user/{ada.pk}/change/", change).status_code == 302
    assert not User.objects.get(pk=ada.pk).is_active


def test_the_note_of_an_inviter_has_no_link_either(signed_in, settings):
    settings.MEMBERS_INVITE = True
    for note in ("See www.x.com", "see x.io", "see paypal․com", "caf\ufffd"):
        assert signed_in.post("/account/invites", {"email": "grace@example.com", "note": note}).status_code == 200
    assert not Invite.objects.exists()


@pytest.mark.parametrize("email", ["\uff41da@gmail.com", "ada@gmail.com\u200b", "<ada@gmail.com>"])
def test_google_is_believed_for_the_very_address_that_it_names(email):
    claims = {"email": email, "email_verified": True}

    assert not Identity.of("1", claims).is_verified or Identity.of("1", claims).email == email
