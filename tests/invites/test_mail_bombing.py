"""Nobody can bury a mailbox in mail: all doors count together, however its address is spelt and wherever one asks."""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from invites import limits, purposes
from invites.models import Entry, Invite
from kit import mailbox as mailboxes
from kit import tokens
from outbox import limits as mail_limits
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

ADA = "ada@example.com"
JSON = "application/json"
PLANNED = {"username": "grace.hopper", "password": PASSWORD}
START = timezone.now().replace(microsecond=0)
numbers = count()


team = []  # members who take turns: their browsers and their accounts


@pytest.fixture(autouse=True)
def members_invite(settings):
    settings.MEMBERS_INVITE, settings.MEMBERS_INVITE_QUOTA = True, 10_000
    team.clear()


def sign_in(**given):
    """Returns the browser and the account of somebody who is signed in there. The browser has no cookie of devices."""
    browser, user = Client(), UserFactory(username=f"member{next(numbers)}", **given)
    browser.force_login(user)
    return browser, user


def member():
    """Returns the browser and the account of one of ten members."""
    team.append(team.pop(0) if len(team) == 10 else sign_in())
    return team[-1]


def post(path, **fields):
    return lambda email, **network: Client().post(path, {"email": email, **fields}, **network)


def post_json(path, **fields):
    return lambda email, **network: Client().post(path, {"email": email, **fields}, JSON, **network)


def send_it_again(email, **network):
    browser = Client()
    browser.post("/reset", {"email": email}, **network)
    return browser.post("/invite/sent", **network)


def heal(email, **network):
    link = LinkFactory(email=email, expires_at=timezone.now() - timedelta(minutes=1))
    return Client().post("/invite/sent", {"token": tokens.sign(purposes.CONFIRM, link.pk)}, **network)


def prove(email, **network):
    return sign_in(email=email, password=None)[0].post("/account/prove", **network)


def prove_in_json(email, **network):
    return sign_in(email=email, password=None)[0].post("/api/v1/auth/proof/link", {}, JSON, **network)


def change_address(email, **network):
    return member()[0].post("/account/email", {"email": email, "password": PASSWORD}, **network)


def change_address_in_json(email, **network):
    sent = {"email": email, "password": PASSWORD}
    return member()[0].post("/api/v1/account/email-change", sent, JSON, **network)


def another_code(email, **network):
    browser, _user = member()
    first = browser.post("/account/email", {"email": email, "password": PASSWORD}, **network)
    again = browser.post("/account/email/code", {"action": "resend"}, **network)
    return first if first.status_code == 429 else again


def invite(email, **network):
    return member()[0].post("/account/invites", {"email": email, "sure": email}, **network)


def invite_again(email, **network):
    browser, user = member()
    ago = {"created_at": timezone.now() - timedelta(hours=1)}
    invited = InviteFactory(email=email, source=Invite.Source.MEMBER, invited_by=user, **ago)
    return browser.post("/account/invites/resend", {"invite": invited.pk}, **network)


# Every door at which a stranger or a member can have a mail sent to an address of their choice.
DOORS = {
    "start page": post("/"),
    "reset": post("/reset"),
    "sign-up form": post("/signup", **PLANNED),
    "send it again": send_it_again,
    "dead link": heal,
    "proof": prove,
    "new address": change_address,
    "another code": another_code,
    "member's invitation": invite,
    "member's invitation, again": invite_again,
    "start page in JSON": post_json("/api/v1/invite"),
    "reset in JSON": post_json("/api/v1/auth/reset"),
    "sign-up in JSON": post_json("/api/v1/auth/create", **PLANNED),
    "proof in JSON": prove_in_json,
    "new address in JSON": change_address_in_json,
}


def mails(email=ADA):
    """Returns how many mails have been written to this mailbox, except those about visits of its owner."""
    recipients = OutboxMessage.objects.exclude(kind="new_device").values_list("recipient", flat=True)
    return sum(mailboxes.of(recipient) == mailboxes.of(email) for recipient in recipients)


def use_up(email=ADA):
    """Has strangers ask for all mails that a mailbox gets in a day. They ask within two hours from START."""
    name, _at, domain = email.partition("@")
    for n in range(mail_limits.MAILBOX_A_DAY.most):
        with time_machine.travel(START + timedelta(minutes=11 * n)):
            assert Client().post("/", {"email": f"{name}+{n}@{domain}"}).status_code == 302


@pytest.fixture
def used_up(ada):
    """Two hours in which strangers have used up the mails to Ada, for a day."""
    use_up()
    OutboxMessage.objects.all().delete()
    with time_machine.travel(START + timedelta(hours=2)):
        yield


@pytest.mark.slow
@pytest.mark.parametrize(("networks", "requests"), [(1, 200), (200, 400)])
def test_hundreds_of_requests_at_all_doors_bring_ten_mails_a_day(networks, requests):
    doors = list(DOORS.values())
    for n in range(requests):
        with time_machine.travel(START + timedelta(seconds=40 * n)):
            doors[n % len(doors)](f"ada+{n}@example.com", REMOTE_ADDR=f"198.51.100.{n % networks}")

    assert mails() == mail_limits.MAILBOX_A_DAY.most == 10


@pytest.mark.parametrize("door", DOORS)
def test_each_door_mails_until_the_mailbox_has_had_its_ten(door):
    DOORS[door]("grace@example.com")
    assert mails("grace@example.com")
    use_up()

    with time_machine.travel(START + timedelta(hours=2)):
        answer = DOORS[door]("ada+more@example.com")

    assert mails() == 10
    assert answer.status_code in {429, 302, 200}
    assert "within a day" in told(answer)


def told(answer):
    """Returns what an answer says, or else the page that it leads to."""
    if answer.status_code != 302:
        return words(answer)
    browser = Client()
    browser.cookies = answer.client.cookies
    return words(browser.get(answer.url))


def test_six_mails_an_hour_leave_four_for_later():
    statuses = [Client().post("/", {"email": f"ada+{n}@example.com"}).status_code for n in range(8)]

    assert statuses == [302] * 6 + [429] * 2
    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=1)):
        assert Client().post("/", {"email": ADA}).status_code == 302


def test_a_day_later_the_mailbox_is_open_again():
    use_up()

    with time_machine.travel(START + timedelta(hours=23, minutes=59)):
        assert Client().post("/", {"email": ADA}).status_code == 429
    with time_machine.travel(START + timedelta(hours=24, seconds=1)):
        assert Client().post("/", {"email": ADA}).status_code == 302
        assert Client().post("/", {"email": "ada+x@example.com"}).status_code == 429  # the second is a day old soon


def test_what_is_refused_does_not_count():
    for _ in range(20):
        Client().post("/", {"email": ADA})  # nineteen are refused by the minute

    for n in range(5):
        assert Client().post("/", {"email": f"ada+{n}@example.com"}).status_code == 302


def test_the_page_says_when_and_what_is_open_until_then(used_up):
    page = Client().post("/", {"email": "ada+11@example.com"})

    said = words(page)
    assert page.status_code == 429
    assert int(page["Retry-After"]) == 22 * 60 * 60
    assert re.search(r"You can send another one after \w+day \d+ \w+, \d\d:\d\d \(UTC\)", said)
    assert "No email was sent to ada+11@example.com just now." in said
    assert "sign in with a password, or ask for a link in a browser where you’ve signed in before" in said
    assert 'href="/login"' in page.text


KINDS = ["unknown", "known", "deactivated", "google-only", "invited", "suppressed"]


@pytest.fixture
def everyone(monkeypatch):
    """Addresses of all kinds, whose mailboxes have had all mails that they get in a day; that is one here."""
    monkeypatch.setattr(mail_limits, "MAILBOX_A_DAY", replace(mail_limits.MAILBOX_A_DAY, most=1))
    UserFactory(username="known", email="known@example.com")
    UserFactory(username="idle", email="deactivated@example.com", is_active=False)
    UserFactory(username="google", email="google-only@example.com", password=None)
    InviteFactory(email="invited@example.com")
    Suppression.objects.suppress("suppressed@example.com", "550 5.1.1 No such user")
    for kind in KINDS:
        use_up(f"{kind}@example.com")


def seen(browser, path, email, **fields):
    before = OutboxMessage.objects.count()
    sent = JSON if path.startswith("/api/") else {}
    with CaptureQueriesContext(connection) as statements:
        answer = browser.post(path, {"email": email, **fields}, *([sent] if sent else []))
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.text).replace(email, "ADDRESS")
    headers = sorted(answer.headers)
    cookies = sorted((name, morsel["max-age"]) for name, morsel in browser.cookies.items())
    return answer.status_code, body, headers, cookies, len(statements), OutboxMessage.objects.count() - before


@pytest.mark.parametrize(
    "path", ["/", "/reset", "/signup", "/api/v1/invite", "/api/v1/auth/reset", "/api/v1/auth/create"]
)
@pytest.mark.parametrize("knows", ["nobody", "a device of somebody else"])
def test_at_the_limit_every_address_gets_the_same_answer(everyone, ada, path, knows):
    fields = PLANNED if path.endswith(("signup", "create")) else {}
    answers = []
    for kind in KINDS:
        browser = Client()
        if knows != "nobody":
            browser = device_of("ada")
        with time_machine.travel(START + timedelta(hours=2), tick=False):
            answers.append(seen(browser, path, f"{kind}@example.com", **fields))

    assert answers == [answers[0]] * len(KINDS)
    status, _body, _headers, _cookies, statements, mailed = answers[0]
    assert (status, mailed, statements) == (429, 0, 0 if knows == "nobody" else 1)


def device_of(username):
    """The browser of a user who has signed in there, and out again."""
    browser = Client()
    assert browser.post("/login", {"login": username, "password": PASSWORD}).status_code == 302
    browser.post("/logout/here")
    return browser


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/", {}),
        ("/reset", {}),
        ("/signup", PLANNED),
        ("/api/v1/invite", {}),
        ("/api/v1/auth/reset", {}),
        ("/api/v1/auth/create", PLANNED),
    ],
)
def test_a_device_of_the_owner_still_gets_the_link(used_up, path, fields):
    mine, hers = device_of("ada"), (UserFactory(username="grace"), device_of("grace"))[1]
    OutboxMessage.objects.all().delete()

    assert seen(hers, path, ADA, **fields)[0] == 429
    assert seen(Client(), path, ADA, **fields)[0] == 429
    assert seen(mine, path, ADA, **fields)[0] in {302, 202}
    assert mails() == 1


def test_a_user_who_is_signed_in_still_gets_the_link_that_proves_it(used_up, signed_in):
    assert signed_in.post("/account/prove").url == "/invite/sent"
    assert "within a day" not in told(signed_in.post("/account/prove"))


def test_the_owner_gets_ten_more_on_all_known_devices_together(used_up):
    devices = [device_of("ada") for _ in range(3)]
    OutboxMessage.objects.all().delete()

    for n in range(30):
        with time_machine.travel(START + timedelta(hours=3, minutes=15 * n)):
            answer = devices[n % 3].post("/", {"email": ADA})

    assert answer.status_code == 429
    assert mails() == limits.ASK_PER_OWNER_A_DAY.most


def test_a_device_that_the_owner_had_forgotten_is_a_stranger(used_up, ada):
    lost = device_of("ada")
    User.objects.filter(pk=ada.pk).update(devices_forgotten_at=timezone.now() + timedelta(seconds=1))

    assert lost.post("/", {"email": ADA}).status_code == 429


def test_a_device_of_the_owner_asks_once_a_minute_too(ada):
    mine = device_of("ada")

    assert [mine.post("/", {"email": ADA}).status_code for _ in range(2)] == [302, 429]


def test_invitations_by_staff_are_not_limited(used_up):
    outcome = Invite.objects.issue_many([Entry(f"ada+{n}@example.com") for n in range(20)], source=Invite.Source.ADMIN)

    assert len(outcome.done) == 20


@pytest.fixture
def three_a_day(monkeypatch):
    """Networks that may have three mails sent in a day."""
    monkeypatch.setattr(mail_limits, "NETWORK_A_DAY", replace(mail_limits.NETWORK_A_DAY, most=3))


@pytest.mark.parametrize("door", DOORS)
def test_mails_are_counted_by_network_and_day(three_a_day, door):
    """Members' invitations have a quota of their own, by person and week."""
    for n in range(3):
        Client().post("/", {"email": f"guest{n}@example.com"})
    invited = door.startswith("member")

    answer = DOORS[door]("grace@example.com")

    assert mails("grace@example.com") == int(invited)
    if answer.status_code != 302:
        assert "Your network has asked for very many emails within a day." in words(answer)
    Client().post("/", {"email": "alan@example.com"}, REMOTE_ADDR="198.51.100.1")
    assert mails("alan@example.com") == 1


def test_a_limit_by_network_shows_no_page_that_says_to_look_for_mail(three_a_day):
    for n in range(3):
        Client().post("/", {"email": f"guest{n}@example.com"})

    page = Client().post("/", {"email": "grace@example.com"})

    assert page.status_code == 429
    assert "Check your email" not in words(page)


def test_a_48_of_ipv6_counts_as_one_network_of_a_day(three_a_day):
    statuses = [
        Client().post("/", {"email": f"guest{n}@example.com"}, REMOTE_ADDR=f"2001:db8:0:{n:x}::1").status_code
        for n in range(4)
    ]

    assert statuses == [302] * 3 + [429]
    elsewhere = Client().post("/", {"email": "grace@example.com"}, REMOTE_ADDR="2001:db8:1::1")
    assert elsewhere.status_code == 302


def test_a_device_of_the_owner_is_not_held_up_by_its_network(three_a_day, ada):
    mine = device_of("ada")
    for n in range(3):
        Client().post("/", {"email": f"guest{n}@example.com"})

    assert mine.post("/", {"email": ADA}).status_code == 302
