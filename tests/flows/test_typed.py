"""One reading of what people type and paste: addresses, names, passwords, codes and tokens, the same at every door."""

import unicodedata

import pytest
from django.core.management import call_command
from django.test import Client

from accounts import limits
from accounts.management.people import find_people
from accounts.models import Event, User
from accounts.password.hashers import Argon2
from invites import purposes
from invites.models import Invite, MagicLink
from kit import tokens
from outbox.models import OutboxMessage
from tests.tools import phone
from tests.tools.desk import invite
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.program import Program, codes, fields
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL, NEW_PASSWORD = "grace@example.com", "five bright green umbrellas"
PASTED = [
    "grace@example.com\t",
    "\u202agrace@example.com\u202c",
    "\ufeffgr\u00adace@example.com\u200b",
    "grace＠ｅxample。com",
    "Grace Hopper <Grace@example.com>",
    '"Grace" <grace@example.com>,',
    "(grace@example.com).",
    "mailto:grace@example.com?subject=x",
]
TWO = "grace@example.com, eve@example.com"


@pytest.fixture(autouse=True)
def no_limits_and_members_who_invite(settings):
    settings.RATELIMIT_ENABLE = False
    settings.MEMBERS_INVITE = True


def person():
    client = Client()
    client.force_login(UserFactory(username="ada"))
    return client


def staff():
    client = Client()
    client.force_login(UserFactory(username="olga", is_staff=True, is_superuser=True))
    return client


def program():
    asked = Program()
    UserFactory(username="ada")
    asked.sign_in("ada", PASSWORD)
    return asked


PLAN = {"username": "grace", "password": NEW_PASSWORD}
MAILING = {
    "start page": lambda text: Client().post("/", {"email": text}),
    "sign-up": lambda text: Client().post("/signup", {"email": text, **PLAN}),
    "reset": lambda text: Client().post("/reset", {"email": text}),
    "members": lambda text: person().post("/account/invites", {"email": text}),
    "desk": lambda text: invite(staff(), text),
    "another address": lambda text: person().post("/account/email", {"email": text, "password": PASSWORD}),
    "JSON invite": lambda text: Program().send("/api/v1/invite", email=text),
    "JSON sign-up": lambda text: Program().send("/api/v1/auth/create", email=text, **PLAN),
    "JSON reset": lambda text: Program().send("/api/v1/auth/reset", email=text),
    "JSON another address": lambda text: program().send("/api/v1/account/email-change", email=text, password=PASSWORD),
}


@pytest.mark.parametrize("text", PASTED)
@pytest.mark.parametrize("door", MAILING)
def test_every_door_that_mails_takes_the_address_in_a_pasted_text(door, text):
    answer = MAILING[door](text)

    assert answer.status_code in (200, 202, 302)
    assert OutboxMessage.objects.filter(recipient=EMAIL).exists()


@pytest.mark.parametrize("door", [door for door in MAILING if door != "desk"])  # which invites both
def test_two_addresses_are_an_error_of_the_field(door):
    answer = MAILING[door](TWO)

    if door.startswith("JSON"):
        assert (answer.status_code, codes(answer), fields(answer)) == (400, ["several"], ["email"])
    else:
        assert "There are several here" in words(answer)
    assert not OutboxMessage.objects.filter(recipient__in=[EMAIL, "eve@example.com"]).exists()


@pytest.mark.parametrize("text", PASTED)
def test_commands_and_lists_take_it_too(text, capsys):
    call_command("send_invites", text)

    assert Invite.objects.get().email == EMAIL
    call_command("list_invites", "--email", text)
    assert EMAIL in capsys.readouterr().out


@pytest.mark.parametrize("text", PASTED)
def test_every_door_that_finds_a_person_takes_it_too(text):
    grace = UserFactory(username="grace", email=EMAIL)

    assert Client().post("/login", {"login": text, "password": PASSWORD}).url == "/account"
    assert Program().sign_in(text, PASSWORD).status_code == 200
    assert find_people([text]) == [grace]
    assert "1 person" in words(staff().get("/admin/accounts/user/", {"q": text}))


@pytest.mark.parametrize("text", ["grace\t", "\u200bGrace\u2069", "ｇｒａｃｅ", " grace\u00a0"])
def test_a_username_is_read_alike_where_it_is_chosen_and_where_it_is_used(text, mailbox):
    form = {"token": tokens.sign(purposes.SIGNUP, LinkFactory(email=EMAIL).pk), "password": PASSWORD}
    Client().post("/signup", form | {"username": text})

    assert User.objects.get().username == "grace"
    assert Client().post("/login", {"login": text, "password": PASSWORD}).status_code == 302
    assert Program().sign_in(text, PASSWORD).status_code == 200
    person().post("/account/username", {"username": f"{text.strip()}2".upper()})
    assert User.objects.filter(username="grace2").exists()


def test_spellings_of_one_login_are_counted_as_one(ada, settings):
    settings.RATELIMIT_ENABLE = True
    spelled = [
        "ada@example.com",
        "ada@example.com\u200b",
        "Ada <ada@example.com>",
        "ada＠example.com",
        "ADA@example.com.",
    ]
    for login in spelled[: limits.LOGIN_PER_NAME.most]:
        assert Client().post("/login", {"login": login, "password": "wrong"}).status_code == 200

    assert Client().post("/login", {"login": "mailto:ada@example.com", "password": PASSWORD}).status_code == 429


COMPOSED = "grün йод ёлка über fünf"
SPELLED = [COMPOSED, unicodedata.normalize("NFD", COMPOSED), COMPOSED.replace(" ", "\u00a0"), f"\t{COMPOSED}\r\n"]


@pytest.mark.parametrize("typed", SPELLED)
@pytest.mark.parametrize("chosen", SPELLED)
def test_a_password_is_the_same_however_a_keyboard_writes_it(chosen, typed, hashes):
    user = UserFactory(password=chosen)
    hashes.clear()

    assert Client().post("/login", {"login": user.username, "password": typed}).url == "/account"
    assert hashes == [hashes[0]]
    assert Program().sign_in(user.username, typed).status_code == 200


@pytest.mark.parametrize("typed", [COMPOSED.upper(), f" {COMPOSED}", COMPOSED.replace("ü", "u")])
def test_another_password_is_another_one(typed):
    user = UserFactory(password=COMPOSED)

    assert Client().post("/login", {"login": user.username, "password": typed}).status_code == 200


def by_link(_mailbox):
    form = {"token": tokens.sign(purposes.SIGNUP, LinkFactory(email=EMAIL).pk), "username": "grace"}
    return Client().post("/signup", form | {"password": SPELLED[1]})


def by_link_in_json(_mailbox):
    token = tokens.sign(purposes.SIGNUP, LinkFactory(email=EMAIL).pk)
    return Program().send("/api/v1/auth/create", token=token, username="grace", password=SPELLED[1])


def planned(mailbox):
    browser = Client()
    browser.post("/signup", {"email": EMAIL, "username": "grace", "password": SPELLED[1]})
    link = mailbox.link(EMAIL)
    return browser.post("/confirm", {"token": link.partition("token=")[2]})


def by_reset(mailbox):
    UserFactory(username="grace", email=EMAIL)
    Client().post("/reset", {"email": EMAIL})
    link = mailbox.link(EMAIL)
    return Client().post("/reset/password", {"token": link.partition("token=")[2], "password": SPELLED[1]})


def by_change(_mailbox):
    UserFactory(username="grace", email=EMAIL)
    browser = Client()
    browser.post("/login", {"login": "grace", "password": PASSWORD})
    return browser.post("/account/password", {"password": f"{PASSWORD}\t", "chosen": SPELLED[1]})


@pytest.mark.parametrize("choose", [by_link, by_link_in_json, planned, by_reset, by_change])
def test_every_door_stores_one_spelling_of_a_password(mailbox, choose):
    assert choose(mailbox).status_code in (201, 302)

    assert User.objects.get().check_password(COMPOSED)
    assert Argon2().verify(COMPOSED, User.objects.get().password)


ILLEGIBLE = [
    "four random\twords here",
    "four random\ufffdwords here",
    "four random\x01words here",
    "four\r\nrandom words",
]


@pytest.mark.parametrize("password", ILLEGIBLE)
def test_a_password_that_is_damaged_is_an_error_of_its_field_and_the_rest_is_kept(password, hashes):
    link = LinkFactory(email=EMAIL)
    token = tokens.sign(purposes.SIGNUP, link.pk)
    UserFactory(username="ada")
    hashes.clear()
    pages = [
        Client().post("/login", {"login": "ada", "password": password}),
        Client().post("/signup", {"token": token, "username": "ada.b", "password": password}),
        Client().post("/signup", {"email": "ada.b@example.com", "username": "ada.b", "password": password}),
    ]
    for page in pages:
        assert page.status_code == 200
        assert "Type it again: there is a tab" in words(page)
        assert 'value="ada' in page.text
        assert password not in page.text
    answers = [
        Program().sign_in("ada", password),
        Program().send("/api/v1/auth/create", token=token, username="grace", password=password),
        Program().send("/api/v1/auth/create", email=EMAIL, username="grace", password=password),
    ]
    for answer in answers:
        assert (answer.status_code, codes(answer), fields(answer)) == (400, ["control"], ["password"])
    assert not hashes


@pytest.mark.parametrize("login", ["ada\tlovelace", "ad\ufffda", "ada\x07"])
def test_a_damaged_login_is_an_error_of_its_field(login):
    page = Client().post("/login", {"login": login, "password": PASSWORD})

    assert "Type it again: there is a tab" in words(page)
    assert fields(Program().sign_in(login, PASSWORD)) == ["login"]


def test_a_password_that_is_too_long_is_an_error_of_its_field():
    page = Client().post("/signup", {"email": EMAIL, "username": "grace", "password": "x " * 5000})

    assert "Password must be 4,096 characters or less" in words(page)
    assert 'value="grace@example.com"' in page.text


@pytest.mark.parametrize("before, after", [("\t", "\t"), ("\u200b", "\u202c"), ("\ufeff", "\u00a0\r\n")])
def test_codes_are_read_with_what_was_copied_along(before, after, ada, mailbox):
    phone.pair(ada)
    code = ada.second_factor.recovery_codes[0]
    browser = Client()
    browser.post("/login", {"login": "ada", "password": PASSWORD})

    assert browser.post("/login/code", {"code": f"{before}{code[:4]}\u00a0{code[4:]}{after}"}).url == "/account"
    browser.post("/account/email", {"email": EMAIL, "password": PASSWORD, "code": phone.code()})
    mailed = next(
        line.strip() for line in mailbox.text(EMAIL).splitlines() if line.strip().replace(" ", "").isdecimal()
    )
    assert browser.post("/account/email/code", {"code": f"{before}{mailed}{after}"}).url == "/account"


GLUED = [
    ".",
    ")",
    ">",
    ",",
    ";",
    "!",
    '"',
    "'",
    "]",
    "*",
    "%20",
    "%2520",
    "%E2%80%8B",
    "%3E%0D%0AAda",
    "&amp;x=1",
    "%26x%3D1",
]


def links():
    """Returns the pages that mailed links open, with a token for each."""
    link, invite = LinkFactory(email=EMAIL), InviteFactory()
    known = LinkFactory(email=UserFactory().email)
    return {
        "/signup": tokens.sign(purposes.SIGNUP, link.pk),
        "/confirm": tokens.sign(purposes.CONFIRM, known.pk),
        "/reset/password": tokens.sign(purposes.RESET, known.pk),
        "/invite/decline": tokens.sign(purposes.DECLINE, invite.pk),
    }


@pytest.mark.parametrize("glued", GLUED)
def test_a_link_works_with_what_stood_beside_it_in_a_text(glued):
    for page, token in links().items():
        assert Client().get(f"{page}?token={token}{glued}").status_code == 200


@pytest.mark.parametrize("query", ["token=3D{}", "token%3D{}", "amp;token={}", "token=%22{}%22", "x=1&token={}.&y=2"])
def test_a_link_works_whose_query_was_encoded_once_more(query):
    for page, token in links().items():
        assert Client().get(f"{page}?{query.format(token)}").status_code == 200


@pytest.mark.parametrize(
    "path", ["/signup.", "/signup)", "/signup/", "/signup%20", "/signup%E2%80%8B", "/signup请", "/signup_*"]
)
def test_a_path_leads_to_the_page_that_was_meant(path):
    token = tokens.sign(purposes.SIGNUP, LinkFactory().pk)

    assert Client().get(f"{path}?token={token}").url == f"/signup?token={token}"
    assert Client().post(path).status_code == 404


def test_programs_may_send_what_was_copied(mailbox):
    token = tokens.sign(purposes.SIGNUP, LinkFactory(email=EMAIL).pk)

    answer = Program().send(
        "/api/v1/auth/create", token=f"<http://testserver/signup?token=3D{token[:40]}=\r\n{token[40:]}>.", **PLAN
    )

    assert answer.status_code == 201


def test_pages_and_mails_show_a_domain_as_people_read_it(mailbox, signed_in):
    typed, stored = "grace@münchen.de", "grace@xn--mnchen-3ya.de"
    browser = Client()

    assert typed in words(browser.post("/", {"email": typed}, follow=True))
    assert typed in mailbox.text(stored)
    assert typed in browser.get(mailbox.link(stored)).text
    assert typed in Program().send("/api/v1/auth/reset", email=typed).json()["message"]
    signed_in.post("/account/email", {"email": typed, "password": PASSWORD})
    assert typed in words(signed_in.get("/account/email/code"))
    assert "xn--" not in mailbox.text(stored)
    InviteFactory(email=stored)
    desk = staff()
    assert typed in desk.get("/admin/invites/invite/", {"q": typed}).text
    user = UserFactory(email=stored)
    assert f">{typed}<" in desk.get("/admin/accounts/user/", {"q": typed}).text
    asked = Program()
    asked.sign_in(typed, PASSWORD)
    assert asked.get("/api/v1/account").json()["user"]["email"] == stored
    assert MagicLink.objects.filter(email=stored).exists()
    assert Event.objects.filter(user=user, kind=Event.Kind.SIGNED_IN).exists()


def test_a_domain_that_could_pass_for_another_one_is_shown_in_ascii(mailbox):
    typed, stored = "grace@\u0430\u0440\u0440\u04cf\u0435.com", "grace@xn--80ak6aa92e.com"  # "apple" in Cyrillic

    assert stored in words(Client().post("/", {"email": typed}, follow=True))
    assert stored in mailbox.text(stored)


def test_many_invitations_show_it_too(mailbox):
    call_command("send_invites", "a@münchen.de", "b@münchen.de", "ccc@example.com")

    assert "a@münchen.de" in mailbox.text("a@xn--mnchen-3ya.de")
    assert "b@münchen.de" in mailbox.text("b@xn--mnchen-3ya.de")
    assert "ccc@example.com" in mailbox.text("ccc@example.com")
