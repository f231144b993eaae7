"""The page of one invitation at the desk: its timeline, and buttons for the acts that apply."""

import html
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invites import purposes
from invites.models import Invite
from kit import tokens
from outbox.models import OutboxMessage
from tests.tools.desk import LISTS
from tests.tools.desk import invite as send_to
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
LONG_AGO = timezone.now() - timedelta(days=6)


def at(invite):
    return f"/admin/invites/invite/{invite.pk}/change/"


def history(page):
    """Returns the lines of the page's timeline: what happened, and details."""
    body = page.text.partition('id="timeline"')[2].partition("</section>")[0]
    lines = re.findall(r"<b>(.*?)</b><br><span class=\"quiet\"><time.*?</time>(?: · (.*?))?</span>", body)
    return [(html.unescape(what), html.unescape(detail)) for what, detail in lines]


def happened(page):
    return [what for what, _detail in history(page)]


def buttons(page):
    return re.findall(r'name="CHANGE_FORM-action" value="(\w+)"', page.text)


def press(desk, invite, action, **more):
    form = {"CHANGE_FORM-action": action, "_selected_action": str(invite.pk)}
    return desk.post(at(invite), form | more, follow=True)


def waiting(invite):
    Invite.objects.filter(pk=invite.pk).update(sent_at=LONG_AGO)
    return invite


def test_the_page_tells_the_whole_life_of_an_invitation(desk, client, mailbox, admin_user):
    send_to(desk, "grace@example.com")
    invite = waiting(Invite.objects.get())
    mailbox.letters()
    press(desk, invite, "resend", confirmed="1")
    press(desk, invite, "extend")
    path = mailbox.link(invite.email)
    client.get(path)
    form = {"token": path.partition("token=")[2], "username": "grace", "password": PASSWORD}
    assert client.post(path, form, headers={"User-Agent": FIREFOX}).status_code == 302

    told = history(desk.get(at(invite)))

    assert [what for what, _detail in told if "mail" not in what] == [
        "olga made this invitation",
        "olga sent it again",
        "olga extended it",
        "The link was opened",
        "grace accepted it",
    ]
    assert [what for what, _detail in told].count("A mail left: Invitation") == 2
    assert ("grace accepted it", "Firefox on Windows · 127.0.0.1") in told


def test_the_timeline_says_in_words_what_the_mail_server_said(desk):
    invite = Invite.objects.issue("grace@example.com", source="command")
    mail = OutboxMessage.objects.get(about=invite.pk)
    assert ("A mail waits to leave: Invitation", "") in history(desk.get(at(invite)))
    mail.mark_failed("452 4.2.2 Mailbox full")
    assert ("A mail was put off: Invitation", "mailbox full (4.2.2)") in history(desk.get(at(invite)))
    mail.mark_sent("250 2.0.0 Ok: queued as 4F2A")
    assert ("A mail left: Invitation", "accepted for delivery (2.0.0)") in history(desk.get(at(invite)))
    mail.mark_bounced("550 5.1.1 No such user")
    assert ("The mail came back", "mailbox does not exist (5.1.1)") in history(desk.get(at(invite)))


def test_the_timeline_shows_a_refusal_a_withdrawal_and_the_end(desk, admin_user):
    declined = InviteFactory()
    declined.decline(reason="I have left")
    revoked = InviteFactory()
    press(desk, revoked, "revoke", confirmed="1")
    over = InviteFactory(expires_at=LONG_AGO, created_at=LONG_AGO - timedelta(hours=1))

    assert ("It was declined", "“I have left”") in history(desk.get(at(declined)))
    assert ("olga withdrew it", "") in history(desk.get(at(revoked)))
    assert happened(desk.get(at(over))) == ["This invitation was made", "It ended"]


def test_what_is_still_to_come_stands_at_the_end_of_the_timeline(desk):
    invite = InviteFactory()

    page = desk.get(at(invite))

    assert history(page)[-2:] == [("One reminder goes out", "if it is still open"), ("It ends", "")]
    assert page.text.count('<li class="next">') == 2
    Invite.objects.filter(pk=invite.pk).update(remind_at=None)
    assert happened(desk.get(at(invite)))[-2:] == ["This invitation was made", "It ends"]
    invite.decline()
    assert '<li class="next">' not in desk.get(at(invite)).text


STATES = [
    ({}, "Not opened yet"),
    ({"opened_at": LONG_AGO}, "Opened"),
    ({"accepted_at": LONG_AGO}, "Accepted"),
    ({"declined_at": LONG_AGO}, "Declined"),
    ({"revoked_at": LONG_AGO}, "Withdrawn"),
    ({"expires_at": LONG_AGO}, "Expired"),
]


@pytest.mark.parametrize(("fields", "state"), STATES)
def test_the_state_stands_beside_the_address(desk, fields, state):
    page = desk.get(at(InviteFactory(email="grace@example.com", **fields)))

    assert "<h1>grace@example.com</h1>" in page.text
    assert f">{state}</span>" in page.text


def test_the_page_says_whose_it_is_where_it_leads_and_what_it_says(desk, ada):
    group = Group.objects.create(name="Editors")
    said = {"name": "Grace", "note": "Welcome", "language": "ru", "next": "/wiki", "batch": "b_1"}
    page = desk.get(at(InviteFactory(invited_by=ada, groups=[group], source="csv", **said)))

    for fact in ("Name Grace", "Groups Editors", "Leads to /wiki", "From ada", "Language Русский", "Note Welcome"):
        label, _space, value = fact.rpartition(" ")
        assert re.search(rf"<dt>{label}</dt><dd>(<a [^>]*>)?{value}<", page.text), fact


@pytest.mark.parametrize("ended", ["revoked_at", "declined_at", "expires_at"])
def test_whoever_let_it_go_can_be_invited_again(desk, ended):
    invite = InviteFactory(email="kim+1@example.com", **{ended: LONG_AGO})
    there = f"{LISTS}add/?email=kim%2B1%40example.com"

    page = desk.get(at(invite))

    assert "What you can do now" in words(page)
    assert f'href="{there}">Invite again</a>' in page.text
    assert "kim+1@example.com</textarea>" in desk.get(there).text
    Invite.objects.update(replaced_at=timezone.now())
    assert "Invite again" not in words(desk.get(at(invite)))


def test_one_that_waits_was_accepted_or_went_elsewhere_is_not_to_be_made_again(desk, ada):
    over = {"accepted_at": LONG_AGO, "accepted_by": ada}
    moved = {"revoked_at": LONG_AGO, "readdress_to": "kim@example.com"}
    for fields in ({}, over, moved, {"email": "", "revoked_at": LONG_AGO}):
        assert "Invite again" not in words(desk.get(at(InviteFactory(**fields))))


def test_whoever_may_not_invite_is_not_offered_it():
    helper = UserFactory(username="helper", is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(codename="view_invite"))
    client = Client()
    client.post("/login", {"login": "helper", "password": PASSWORD})

    assert "Invite again" not in words(client.get(at(InviteFactory(revoked_at=LONG_AGO))))


def test_that_it_was_opened_is_said_once(desk):
    page = desk.get(at(InviteFactory(opened_at=timezone.now())))

    assert re.search("Opened now ?, not accepted yet", words(page, " "))


def test_it_reads_nothing_twice(desk):
    invite = waiting(InviteFactory(sent_at=LONG_AGO))
    desk.get(at(invite))

    with CaptureQueriesContext(connection) as queries:
        assert len(buttons(desk.get(at(invite)))) == 4

    assert len(queries) == 9
    assert len({query["sql"] for query in queries}) == len(queries)


def test_only_buttons_that_apply_are_offered(desk, ada):
    over = {"accepted_at": LONG_AGO, "accepted_by": ada}

    assert buttons(desk.get(at(InviteFactory(sent_at=LONG_AGO)))) == ["remind", "resend", "extend", "revoke"]
    assert buttons(desk.get(at(InviteFactory(sent_at=timezone.now())))) == ["resend", "extend", "revoke"]
    assert buttons(desk.get(at(InviteFactory(declined_at=LONG_AGO)))) == ["resend"]
    assert buttons(desk.get(at(InviteFactory(email=ada.email)))) == ["revoke"]
    assert buttons(desk.get(at(InviteFactory(**over)))) == []


def test_a_button_acts_and_leads_back_to_the_page(desk, mailbox):
    invite = waiting(InviteFactory())

    page = press(desk, invite, "resend", confirmed="1")

    assert page.redirect_chain == [(at(invite), 302)]
    assert "1 invitation" in words(page)
    assert mailbox.link(invite.email)


def test_a_button_that_renews_the_promise_of_rights_asks_for_proof(desk, mailbox):
    admins = Group.objects.create(name="Admins")
    admins.permissions.add(Permission.objects.get(codename="change_user"))
    invite, plain = waiting(InviteFactory(groups=[admins])), waiting(InviteFactory())
    session = desk.session
    for note in ("signed_in", "proof"):
        session.pop(note, None)
    session.save()

    assert 'name="proof-password"' in press(desk, invite, "extend").text
    assert 'name="proof-password"' not in press(desk, plain, "extend").text
    assert 'name="proof-password"' not in press(desk, invite, "revoke").text


def test_withdrawing_asks_first(desk):
    invite = InviteFactory()

    asked = press(desk, invite, "revoke")
    assert "Withdraw 1 invitation? Its link stops working straight away." in words(asked)
    assert Invite.objects.pending().exists()
    press(desk, invite, "revoke", confirmed="1")

    assert not Invite.objects.pending().exists()


def test_a_long_timeline_costs_no_more_statements_and_shows_no_token(desk):
    invite = Invite.objects.issue("grace@example.com", source="admin")

    def cost():
        with CaptureQueriesContext(connection) as queries:
            page = desk.get(at(invite))
        assert "token" not in page.text.replace("csrfmiddlewaretoken", "")
        assert tokens.sign(purposes.SIGNUP, invite.pk) not in page.text
        return len([query for query in queries if 'FROM "accounts_session"' not in query["sql"]])

    cost()  # the first request of a process also looks up content types
    one = cost()
    for _ in range(9):
        Invite.objects.issue("grace@example.com", source="admin")

    assert cost() == one
