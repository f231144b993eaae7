"""The statements of each step of signing up and in: the same for every address, so that the time tells nothing."""

import re

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from invites import purposes
from invites.members.invitations import MemberInvites
from invites.models import Entry, Invite, MagicLink
from kit import tokens
from outbox.models import Suppression, Webhook, WebhookDelivery
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.program import Program

pytestmark = pytest.mark.django_db(transaction=True)

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
KINDS = ["unknown", "known", "turned-off", "google-only", "suppressed", "invited", "invited-by-a-member"]


@pytest.fixture(params=KINDS)
def address(request, settings):
    """An address of each kind that a stranger might be curious about."""
    settings.RATELIMIT_ENABLE = False
    email = f"{request.param}@example.com"
    make = {
        "known": lambda: UserFactory(email=email),
        "turned-off": lambda: UserFactory(email=email, is_active=False),
        "google-only": lambda: UserFactory(email=email, password=None),
        "suppressed": lambda: Suppression.objects.opt_out(email),
        "invited": lambda: InviteFactory(email=email, invited_by=UserFactory()),
        "invited-by-a-member": lambda: InviteFactory(email=email, invited_by=UserFactory(), source="member"),
    }
    make.get(request.param, lambda: None)()
    return email


def shapes(statements):
    """Returns verb and table of each statement, in order, without those that begin or commit a transaction."""
    found = [statement["sql"].split("*/")[-1].strip(" (") for statement in statements.captured_queries]
    return [shape(sql) for sql in found if not re.match("BEGIN|COMMIT", sql)]


WRITE = re.compile(r'(UPDATE|INSERT INTO|DELETE FROM) "?(\w+)"?')


def shape(sql):
    """Returns verb and table; of several writes in one statement, all of theirs in brackets."""
    verb = sql.split()[0]
    if verb == "WITH":
        writes = [f"{verb.split()[0]} {table}" for verb, table in WRITE.findall(sql)]
        return writes if len(writes) > 1 else writes[0]
    if "LEFT JOIN (SELECT" in sql:
        return [f"SELECT {table}" for table in re.findall(r'\(SELECT .*? FROM "(\w+)"', sql)]
    table = re.search(r'(?:^UPDATE|FROM|INTO) "(\w+)"(?! "U0")', sql)  # U0: in a subquery
    return f"{verb} {table[1]}" if table else re.match(r"(RELEASE )?\w+( event)?", sql)[0]


ASKED = [
    ["SELECT accounts_user", "SELECT invites_invite"],
    ["INSERT invites_magiclink", "INSERT outbox_outboxmessage"],
]
ANNOUNCED = ["INSERT outbox_outboxevent", "INSERT outbox_webhookdelivery"]


def made(*conditions, events=1):
    """Returns the one statement that makes an account, at whichever door."""
    history = ["INSERT accounts_event"] * events
    rows = ["INSERT accounts_heldname", "INSERT accounts_user", "INSERT account_emailaddress", *history]
    return [*conditions, *rows, "DELETE outbox_suppression", *ANNOUNCED]


# Statements that sign an existing account in on a new device.
CAME_IN = [
    ["UPDATE accounts_user", "INSERT accounts_event", "INSERT outbox_outboxmessage"],  # first of all last_login
    "INSERT accounts_session",
]
PLANNED = {"username": "grace.hopper", "password": PASSWORD}


def resend(browser, address):
    browser.post("/", {"email": address})
    return lambda: browser.post("/invite/sent")


ASKING = {
    "start page": lambda browser, address: lambda: browser.post("/", {"email": address}),
    "reset": lambda browser, address: lambda: browser.post("/reset", {"email": address}),
    "send it again": resend,
}


@pytest.mark.parametrize("signup", ["open", "invited"])
@pytest.mark.parametrize("door", ASKING)
def test_asking_takes_two_statements_for_every_address(address, door, signup, settings):
    settings.SIGNUP = signup
    browser = Client(headers={"User-Agent": FIREFOX})
    press = ASKING[door](browser, address)

    with CaptureQueriesContext(connection) as statements:
        press()

    assert shapes(statements) == ASKED


def test_planning_an_account_takes_two_statements_for_every_address(address):
    with CaptureQueriesContext(connection) as statements:
        Client().post("/signup", {"email": address, **PLANNED})

    assert shapes(statements) == ASKED


@pytest.mark.parametrize("signup", ["open", "invited"])
def test_asking_in_json_takes_two_statements_for_every_address(address, signup, settings):
    settings.SIGNUP = signup
    program = Program()
    program.look()

    with CaptureQueriesContext(connection) as statements:
        program.send("/api/v1/invite", email=address)

    assert shapes(statements) == ASKED


def test_a_members_invitation_takes_the_same_statements_for_every_address(address):
    member = UserFactory(username="maria")

    with CaptureQueriesContext(connection) as statements:
        MemberInvites(member).send(address, note="Hello")

    assert shapes(statements) == [
        "SELECT accounts_user",  # locks the member
        "SELECT invites_invite",  # the quota
        "SELECT invites_invite",  # whether this member has invited the address already
        "SELECT invites_invite",  # mails to this address, which are limited
        "UPDATE invites_invite",  # replaces expired invitations
        "INSERT invites_invite",
        "SELECT invites_invite",
        "INSERT invites_magiclink",
        "UPDATE invites_joinrequest",  # answers who asks to join
        "SELECT accounts_user",
        "INSERT outbox_outboxmessage",
        "INSERT accounts_event",
    ]


def test_opening_a_link_takes_three_statements():
    link = LinkFactory()

    with CaptureQueriesContext(connection) as statements:
        Client().get(tokens.path(purposes.SIGNUP, link.pk))

    assert shapes(statements) == ["SELECT invites_magiclink", "SELECT accounts_user", "SELECT accounts_user"]


def test_opening_a_link_to_sign_in_takes_two_statements():
    link = LinkFactory(email=UserFactory().email, epoch=0)

    with CaptureQueriesContext(connection) as statements:
        Client().get(tokens.path(purposes.CONFIRM, link.pk))

    assert shapes(statements) == ["SELECT invites_magiclink", "SELECT accounts_user"]


def test_signing_in_by_a_link():
    link, browser = LinkFactory(email=UserFactory().email, epoch=0), Client(headers={"User-Agent": FIREFOX})

    with CaptureQueriesContext(connection) as statements:
        browser.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, link.pk)})

    assert shapes(statements) == [
        "SELECT invites_magiclink",
        "SELECT accounts_user",
        "UPDATE invites_magiclink",
        "SELECT mfa_authenticator",  # whether a code is asked for
        *CAME_IN,
    ]


def test_signing_up_by_a_link_takes_three_statements():
    link, browser = LinkFactory(), Client(headers={"User-Agent": FIREFOX})

    with CaptureQueriesContext(connection) as statements:
        browser.post("/signup", {"token": tokens.sign(purposes.SIGNUP, link.pk), **PLANNED})

    assert shapes(statements) == [
        "SELECT invites_magiclink",
        made("UPDATE invites_magiclink", events=2),
        "INSERT accounts_session",
    ]


def test_signing_up_by_an_invitation_takes_no_more_and_three_for_all_its_groups():
    groups = [Group.objects.create(name=name) for name in ("Readers", "Writers")]
    promised, joined = ["SELECT auth_group"], ["INSERT accounts_user_groups", "INSERT accounts_event"]
    for invite, names, more in ((InviteFactory(), [], []), (InviteFactory(groups=groups), promised, joined)):
        browser = Client(headers={"User-Agent": FIREFOX})
        typed = {"username": f"grace{invite.pk.hex[-6:]}", "password": PASSWORD}

        with CaptureQueriesContext(connection) as statements:
            browser.post("/signup", {"token": tokens.sign(purposes.SIGNUP, invite.pk), **typed})

        assert shapes(statements) == [
            "SELECT invites_magiclink",
            *names,
            made("UPDATE invites_invite", "UPDATE invites_magiclink", events=3),
            *more,
            "INSERT accounts_session",
        ]


def test_confirming_a_planned_account_takes_three_statements():
    browser = Client(headers={"User-Agent": FIREFOX})
    browser.post("/signup", {"email": "grace@example.com", **PLANNED})
    token = tokens.sign(purposes.CONFIRM, MagicLink.objects.get().pk)

    with CaptureQueriesContext(connection) as statements:
        browser.post("/confirm", {"token": token})

    assert shapes(statements) == [
        "SELECT invites_magiclink",
        "SELECT accounts_user",  # whether there is an account
        made("UPDATE invites_magiclink"),
    ]


def test_a_password_on_a_new_device_takes_three_statements():
    UserFactory(username="grace")

    with CaptureQueriesContext(connection) as statements:
        Client(headers={"User-Agent": FIREFOX}).post("/login", {"login": "grace", "password": PASSWORD})

    assert shapes(statements) == ["SELECT accounts_user", *CAME_IN]


def test_bulk_takes_eleven_statements_for_many_and_for_leftovers():
    expired = [f"old{n}@example.com" for n in range(20)]
    for email in expired:
        InviteFactory(email=email, expires_at="2020-01-01T00:00Z")
    entries = [Entry(email) for email in [*expired, *(f"new{n}@example.com" for n in range(20))]]

    with CaptureQueriesContext(connection) as statements:
        outcome = Invite.objects.issue_many(entries, source="csv")

    assert len(outcome.done) == 40
    assert shapes(statements) == [
        "SELECT accounts_user",
        "SELECT outbox_suppression",
        "SELECT invites_invite",  # who is invited already
        "SELECT invites_invite",  # who has declined
        "UPDATE invites_invite",  # replaces expired invitations
        "INSERT invites_invite",
        "SELECT invites_invite",  # which of them were stored by this call
        "INSERT invites_magiclink",
        "UPDATE invites_joinrequest",  # answers who asks to join
        "INSERT outbox_outboxmessage",
        "INSERT accounts_event",
    ]


@pytest.mark.parametrize("number", [1, 40])
def test_telling_other_services_takes_one_more(number):
    Webhook.objects.create(url="https://billing.example/")

    with CaptureQueriesContext(connection) as statements:
        Invite.objects.issue_many([Entry(f"new{n}@example.com") for n in range(number)], source="csv")

    assert shapes(statements).count(ANNOUNCED) == 1
    assert len(shapes(statements)) == 12
    assert WebhookDelivery.objects.count() == number
