"""An invitation is accepted by somebody who uses another address: by a code that is mailed to the invited one."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from accounts.models import Event, User
from invites import digest, purposes
from invites.models import Invite
from kit import tokens
from outbox.models import Suppression
from tests.tools.factories import InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

INVITED = "grace@work.example"


@pytest.fixture
def maria(db):
    return UserFactory(username="maria", email="maria@lab.example", is_superuser=True, is_staff=True)


@pytest.fixture
def editors(db):
    return Group.objects.create(name="Editors")


@pytest.fixture
def invite(maria, editors):
    return InviteFactory(email=INVITED, invited_by=maria, next="/account/settings", groups=[editors])


def token(row, purpose=purposes.SIGNUP):
    return {"token": tokens.sign(purpose, row.pk)}


def mailed_code(mailbox):
    return re.search(r"\b\w{4}-\w{4}\b", mailbox.text(INVITED))[0]


def ask(browser, row):
    answer = browser.post("/invite/as-me", token(row))
    assert answer.url.startswith("/invite/as-me/code?token=")
    return answer.url


def type_in(browser, row, code):
    return browser.post("/invite/as-me/code", token(row) | {"code": code})


def test_three_ways_stand_in_this_order(signed_in, invite):
    page = words(signed_in.get("/signup", token(invite)))

    ways = ("Accept as ada@example.com", f"Sign out and continue as {INVITED}", "Ask maria to send it to")
    assert sorted(ways, key=page.index) == list(ways)


def test_the_code_accepts_it_for_the_account_which_keeps_its_address(signed_in, ada, invite, editors, mailbox):
    assert "Type the code we sent" in words(signed_in.get(ask(signed_in, invite)))
    assert mailbox.kinds(INVITED) == ["prove_other"]

    answer = type_in(signed_in, invite, mailed_code(mailbox).lower())

    assert answer.url == "/account/settings"
    assert "You’re in, as ada@example.com." in words(signed_in.get("/account"))
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"
    assert list(ada.groups.all()) == [editors]
    invite.refresh_from_db()
    assert (invite.accepted_by, invite.accepted_as) == (ada, "ada@example.com")
    assert not User.objects.filter(email=INVITED).exists()
    assert Event.objects.filter(kind=Event.Kind.ACCEPTED, user=ada, about=invite.pk).exists()


def test_who_invited_is_told_under_which_address(signed_in, maria, invite, mailbox, client):
    ask(signed_in, invite)
    type_in(signed_in, invite, mailed_code(mailbox))

    assert digest.tell(maria.pk)
    assert f"{INVITED}, as ada@example.com" in mailbox.text(maria.email)
    desk = Client()
    desk.force_login(maria)
    page = desk.get(f"/admin/invites/invite/{invite.pk}/change/")
    assert "ada accepted it as ada@example.com" in words(page)


def test_to_look_at_the_pages_mails_nothing_and_accepts_nothing(signed_in, invite, mailbox):
    signed_in.get("/invite/as-me", token(invite))
    signed_in.get("/invite/as-me/code", token(invite))

    assert mailbox.letters(INVITED) == []
    invite.refresh_from_db()
    assert invite.accepted_at is None


def test_a_second_press_leads_on(signed_in, invite, mailbox):
    ask(signed_in, invite)
    code = mailed_code(mailbox)
    type_in(signed_in, invite, code)

    assert type_in(signed_in, invite, code).url == "/account/settings"


@pytest.mark.parametrize("own", ["account", "invitation"])
def test_a_code_is_of_one_account_and_one_invitation(signed_in, maria, invite, mailbox, own):
    ask(signed_in, invite)
    code = mailed_code(mailbox)
    if own == "account":
        other = Client()
        other.force_login(UserFactory())
        page = type_in(other, invite, code)
    else:
        page = type_in(signed_in, InviteFactory(email="other@work.example", invited_by=maria), code)

    assert "That is not the code" in words(page)
    assert not Invite.objects.filter(accepted_at__isnull=False).exists()


def test_it_works_for_fifteen_minutes_and_until_everybody_is_signed_out(signed_in, ada, invite, mailbox):
    ask(signed_in, invite)
    code = mailed_code(mailbox)

    with time_machine.travel(timezone.now() + timedelta(minutes=15)):
        assert "That is not the code" in words(type_in(signed_in, invite, code))
    ada.end_sessions()
    again = Client()
    again.force_login(User.objects.get(pk=ada.pk))
    assert "That is not the code" in words(type_in(again, invite, code))


def test_five_wrong_codes_are_enough(signed_in, invite, mailbox):
    ask(signed_in, invite)
    code = mailed_code(mailbox)
    for _ in range(5):
        assert "That is not the code" in words(type_in(signed_in, invite, "K7WQ-3MTD"))

    assert "Too many wrong codes. You can enter one again after" in words(type_in(signed_in, invite, code))
    invite.refresh_from_db()
    assert invite.accepted_at is None


def test_a_second_mail_within_a_minute_is_refused(signed_in, invite, mailbox):
    ask(signed_in, invite)

    assert signed_in.post("/invite/as-me", token(invite)).status_code == 429
    assert len(mailbox.letters(INVITED)) == 1


def test_rights_stay_with_the_address_they_were_given_to(signed_in, invite, editors, mailbox):
    editors.permissions.add(Permission.objects.get(codename="view_user"))

    assert "Accept as" not in words(signed_in.get("/signup", token(invite)))
    assert signed_in.post("/invite/as-me", token(invite)).url.startswith("/signup?token=")
    assert type_in(signed_in, invite, "K7WQ-3MTD").url.startswith("/signup?token=")
    assert mailbox.letters(INVITED) == []


def test_an_invitation_that_is_over_says_so(signed_in, invite, mailbox):
    ask(signed_in, invite)
    code = mailed_code(mailbox)
    Invite.objects.filter(pk=invite.pk).revoke()

    assert type_in(signed_in, invite, code).status_code == 410
    assert signed_in.post("/invite/as-me", token(invite)).status_code == 410


def test_a_stranger_is_asked_to_sign_in(client, invite, mailbox):
    for path in ("/invite/as-me", "/invite/as-me/code"):
        assert client.post(path, token(invite)).url.startswith("/login")
    assert mailbox.letters(INVITED) == []


def test_where_the_invited_address_has_an_account_too_its_mailbox_decides(signed_in, ada, invite, mailbox):
    UserFactory(email=INVITED)
    page = signed_in.get("/confirm", token(invite, purposes.CONFIRM))
    assert "Accept as ada@example.com" in words(page)

    ask(signed_in, invite)
    assert type_in(signed_in, invite, mailed_code(mailbox)).url == "/account/settings"
    invite.refresh_from_db()
    assert invite.accepted_by == ada


def test_a_suppressed_address_gets_no_mail_and_the_page_is_the_same(signed_in, invite, mailbox):
    Suppression.objects.suppress(INVITED, "550 5.1.1 No such user")

    assert "Type the code we sent" in words(signed_in.get(ask(signed_in, invite)))
    assert mailbox.letters(INVITED) == []


def test_what_was_accepted_is_forgotten_with_the_account(signed_in, ada, invite, mailbox):
    ask(signed_in, invite)
    type_in(signed_in, invite, mailed_code(mailbox))

    ada.erase()
    invite.refresh_from_db()
    assert (invite.email, invite.accepted_as) == ("", "")


def test_programs_do_the_same_in_json(signed_in, ada, invite, mailbox):
    def post(path, **sent):
        return signed_in.post(f"/api/v1/invite/as-me{path}", token(invite) | sent, "application/json")

    assert post("").status_code == 202
    assert post("/code", code="K7WQ-3MTD").json()["errors"][0]["code"] == "wrong"
    answer = post("/code", code=mailed_code(mailbox))

    assert (answer.status_code, answer.json()["next"]) == (200, "/account/settings")
    assert post("/code", code="K7WQ-3MTD").status_code == 410
    invite.refresh_from_db()
    assert invite.accepted_by == ada
