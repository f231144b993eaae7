"""Whose domain may join: one rule for all doors, said in words that tell nobody whose address is known."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.models import User
from invites import purposes, who_may_join
from invites.models import Invite
from kit import tokens
from outbox.models import OutboxMessage, Suppression
from tests.invites.test_statements import ASKED, shapes
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program, codes
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

CSRF = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
KINDS = ("nobody", "known", "turned-off", "google-only", "invited", "suppressed")
# What shuts each of these domains, by the setting that does.
SHUT = {
    "elsewhere.example": {"SIGNUP": "domains", "SIGNUP_DOMAINS": ("example.com", "*.edu")},
    "blocked.example": {"BLOCKED_DOMAINS": frozenset({"blocked.example"})},
    "mailinator.com": {"DISPOSABLE_MAILBOXES": "refuse"},
}
SAID = {
    "elsewhere.example": "New accounts are for addresses that end in @example.com or .edu.",
    "blocked.example": "New accounts with an address at blocked.example are by invitation only.",
    "mailinator.com": "New accounts with a disposable address, such as one at mailinator.com, are by invitation only.",
}
GO_ON = "If you have an account or an invitation, the email lets you in."


@pytest.fixture(params=SHUT)
def shut(request, settings):
    """A domain whose people need an invitation, each by another setting."""
    settings.RATELIMIT_ENABLE = False
    for name, value in SHUT[request.param].items():
        setattr(settings, name, value)
    return request.param


def everyone(domain):
    """Returns an address of each of KINDS at this domain."""
    UserFactory(username="known", email=f"known@{domain}")
    UserFactory(username="idle", email=f"turned-off@{domain}", is_active=False)
    UserFactory(username="google", email=f"google-only@{domain}", password=None)
    InviteFactory(email=f"invited@{domain}")
    Suppression.objects.suppress(f"suppressed@{domain}", "550 5.1.1 No such user")
    return [f"{kind}@{domain}" for kind in KINDS]


def typed(link, **more):
    return {"token": tokens.sign(purposes.SIGNUP, link.pk), "username": "grace", "password": PASSWORD} | more


# The rule


@pytest.mark.parametrize(
    ("email", "against"),
    [
        ("ada@example.com", None),
        ("ada@mail.example.com", "elsewhere"),
        ("ada@mit.edu", None),
        ("ada@cs.mit.edu", None),
        ("ada@edu.example", "elsewhere"),
        ("ada@spam.edu", "blocked"),
        ("ada@a.spam.edu", None),
        ("ada@mailinator.com", None),  # the operator has named it
        ("ada@www.mailinator.com", "elsewhere"),
    ],
)
def test_the_domain_alone_decides(settings, email, against):
    settings.SIGNUP, settings.SIGNUP_DOMAINS = "domains", ("example.com", "*.edu", "mailinator.com")
    settings.BLOCKED_DOMAINS, settings.DISPOSABLE_MAILBOXES = frozenset({"spam.edu"}), "refuse"

    assert who_may_join.obstacle(email) == against
    assert Invite.objects.may_join(email) == (against is None)


def test_by_default_no_domain_matters():
    assert who_may_join.obstacle("ada@mailinator.com") is None
    assert (who_may_join.condition(), who_may_join.warning("ada@mailinator.com")) == ("", "")


def test_a_sentence_names_a_few_domains_and_reads_from_right_to_left(settings):
    settings.SIGNUP, settings.SIGNUP_DOMAINS = "domains", tuple(f"{n}.example" for n in range(7))

    assert who_may_join.condition().endswith("@4.example, @5.example, ….")
    settings.SIGNUP_DOMAINS = ("xn--mnchen-3ya.de",)
    assert "@münchen.de" in who_may_join.condition()
    with translation.override("ar"):
        assert "\u2066@münchen.de\u2069" in who_may_join.condition()


# What a stranger sees


def seen_by_a_stranger(email):
    """Asks for a link for this address. Returns everything that a stranger can see or count."""
    before = OutboxMessage.objects.count()
    browser = Client()
    with CaptureQueriesContext(connection) as statements:
        asked = browser.post("/", {"email": email})
    taken = shapes(statements)  # before the next request forgets them
    page = browser.get(asked.url)
    return {
        "statuses": (asked.status_code, page.status_code),
        "headers": sorted(asked.headers),
        "body": CSRF.sub("", page.text).replace(email, "ADDRESS"),
        "cookies": sorted((name, morsel["max-age"], morsel["httponly"]) for name, morsel in browser.cookies.items()),
        "mails": OutboxMessage.objects.count() - before,
        "statements": taken,
    }, words(page)


def test_a_stranger_gets_the_same_answer_for_every_address_of_a_domain(shut):
    answers = [seen_by_a_stranger(email) for email in everyone(shut)]

    first, page = answers[0]
    assert (first["mails"], first["statements"]) == (1, ASKED)
    assert f"{SAID[shut]} {GO_ON}" in page
    for kind, (answer, _page) in zip(KINDS, answers, strict=True):
        assert answer == first, kind


def test_a_program_gets_the_same_answer_for_every_address_of_a_domain(shut):
    program, answers = Program(), []
    for email in everyone(shut):
        answer = program.send("/api/v1/invite", email=email)
        answers.append((answer.status_code, answer.text.replace(email, "ADDRESS")))

    assert answers == [answers[0]] * len(KINDS)
    assert f"{SAID[shut]} {GO_ON}" in answers[0][1]


def test_each_owner_reads_in_the_mail_what_the_domain_needs(shut, mailbox):
    for email in everyone(shut):
        Client().post("/", {"email": email})

    assert mailbox.kinds(f"nobody@{shut}") == ["closed"]
    told = " ".join(mailbox.text(f"nobody@{shut}").split())
    assert SAID[shut] in told
    assert ("ask to join" in told) == (shut == "elsewhere.example")  # where anybody may join, nobody needs to ask
    assert mailbox.kinds(f"known@{shut}") == ["link_known"]
    assert mailbox.kinds(f"invited@{shut}") == ["invite"]


def test_the_form_with_a_password_says_it_beside_the_address_whoever_has_it(shut):
    answers = []
    for email in everyone(shut):
        page = Client().post("/signup", {"email": email, "username": "grace", "password": PASSWORD})
        answers.append(CSRF.sub("", page.text).replace(email, "ADDRESS"))

    assert answers == [answers[0]] * len(KINDS)
    assert f"{SAID[shut]} If it has an account or an invitation, get a link by email instead." in words(page)
    assert '<a href="/">Email me a link</a>' in page.text
    assert not OutboxMessage.objects.exists()


def test_a_program_that_plans_an_account_is_told_too(shut):
    answer = Program().send("/api/v1/auth/create", email=f"ada@{shut}", username="ada", password=PASSWORD)

    assert (answer.status_code, codes(answer)) == (400, ["closed"])
    assert SAID[shut] in answer.json()["errors"][0]["message"]


def test_whoever_resets_a_password_reads_nothing_of_domains(shut):
    browser = Client()
    page = browser.get(browser.post("/reset", {"email": f"ada@{shut}"}).url)

    assert SAID[shut] not in words(page)


@pytest.mark.parametrize("page", ["/", "/signup"])
def test_the_pages_that_make_accounts_say_for_whom(settings, page):
    said = SAID["elsewhere.example"]
    assert said not in words(Client().get(page))

    for name, value in SHUT["elsewhere.example"].items():
        setattr(settings, name, value)

    assert said in words(Client().get(page))
    assert Client().get("/api/v1/config").json()["signup_domains"] == ["example.com", "*.edu"]


# Coming in


@pytest.mark.parametrize("domain", ["example.com", "mit.edu", "EXAMPLE.COM"])
def test_whoever_has_an_address_at_the_domain_comes_in(settings, mailbox, client, domain):
    settings.SIGNUP, settings.SIGNUP_DOMAINS = "domains", ("example.com", "*.edu")
    client.post("/", {"email": f"grace@{domain}"})
    link = mailbox.link(f"grace@{domain.lower()}")

    token = link.partition("token=")[2]
    assert client.post("/signup", {"token": token, "username": "grace", "password": PASSWORD}).status_code == 302
    assert User.objects.get().email == f"grace@{domain.lower()}"


def test_an_invitation_lets_in_from_any_domain(shut, client):
    invite = InviteFactory(email=f"grace@{shut}")

    assert client.post("/signup", typed(invite)).status_code == 302
    assert User.objects.get().email == f"grace@{shut}"


def test_who_has_an_account_goes_on_signing_in(shut, client):
    ada = UserFactory(email=f"ada@{shut}")
    link = LinkFactory(email=ada.email)

    client.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, link.pk)})

    assert client.get("/account").status_code == 200


@pytest.mark.parametrize("press", ["GET", "POST"])
def test_a_link_is_worth_nothing_once_its_domain_is_shut(client, settings, press):
    link = LinkFactory(email="grace@blocked.example")
    settings.BLOCKED_DOMAINS = SHUT["blocked.example"]["BLOCKED_DOMAINS"]

    form = typed(link)
    page = client.post("/signup", form) if press == "POST" else client.get("/signup", {"token": form["token"]})
    answer = Program().send("/api/v1/auth/create", **form)

    said = SAID["blocked.example"]
    assert page.status_code == 403
    assert f"You need an invitation{said} If you already have an account, sign in below." in words(page)
    assert "Ask to join" not in words(page)  # where anybody may join, nobody can ask
    assert (answer.status_code, codes(answer), answer.json()["errors"][0]["message"]) == (403, ["closed"], said)
    assert not User.objects.exists()
    InviteFactory(email="grace@blocked.example")
    assert client.post("/signup", typed(link)).status_code == 302


def test_a_planned_account_is_not_made_once_its_domain_is_shut(client, mailbox, settings):
    email = "grace@blocked.example"
    client.post("/signup", {"email": email, "username": "grace", "password": PASSWORD})
    token = mailbox.link(email).partition("token=")[2]
    settings.BLOCKED_DOMAINS = SHUT["blocked.example"]["BLOCKED_DOMAINS"]

    for page in (client.get(f"/confirm?token={token}", follow=True), client.post("/confirm", {"token": token})):
        assert page.status_code == 403
        assert SAID["blocked.example"] in words(page)
    assert not User.objects.exists()


def test_google_makes_no_account_at_a_domain_that_is_shut(client, google, settings):
    settings.SIGNUP, settings.SIGNUP_DOMAINS = "domains", ("example.com",)
    google.person = Person(sub="1", email="grace@gmail.com")

    page = client.get(google.consent(client.post("/google").url), follow=True)

    assert page.status_code == 403
    assert "New accounts are for addresses that end in @example.com. Nobody has invited grace@gmail.com." in words(page)
    assert not User.objects.exists()
    InviteFactory(email="grace@gmail.com")
    client.get(google.consent(client.post("/google").url), follow=True)
    assert User.objects.get().email == "grace@gmail.com"


def test_google_makes_an_account_at_a_domain_that_is_let_in(client, google, settings):
    settings.SIGNUP, settings.SIGNUP_DOMAINS = "domains", ("example.com",)
    google.person = Person(sub="1", email="grace@example.com", hd="example.com")

    client.get(google.consent(client.post("/google").url), follow=True)

    assert User.objects.get().email == "grace@example.com"


@pytest.mark.parametrize(
    ("shut", "status"),
    [("elsewhere.example", 302), ("blocked.example", 200), ("mailinator.com", 200)],
    indirect=["shut"],
)
def test_a_member_invites_elsewhere_but_leads_nobody_around_a_block(shut, status, signed_in, settings):
    settings.MEMBERS_INVITE = True

    answer = signed_in.post("/account/invites", {"email": f"grace@{shut}"})

    assert answer.status_code == status
    assert Invite.objects.exists() == (status == 302)
    if status == 200:
        assert "Only staff may invite addresses of this domain. Enter another one" in words(answer)
