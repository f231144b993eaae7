"""The page of one invitation at the desk: its timeline, and buttons for the acts that apply."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invites import purposes
from invites.models import Invite
from kit import tokens
from outbox.models import OutboxMessage
from tests.tools.factories import PASSWORD, InviteFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
LONG_AGO = timezone.now() - timedelta(days=6)


def at(invite):
    return f"/admin/invites/invite/{invite.pk}/change/"


def history(page):
    """Returns the rows of the page's timeline: what happened, who did it, and details."""
    body = page.text.partition('id="timeline"')[2].partition("</section>")[0]
    rows = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in body.split("<tr>")]
    return [tuple(cells[1:]) for cells in rows if cells]


def buttons(page):
    return re.findall(r'name="CHANGE_FORM-action" value="(\w+)"', page.text)


def press(desk, invite, action, **more):
    form = {"CHANGE_FORM-action": action, "_selected_action": str(invite.pk)}
    return desk.post(at(invite), form | more, follow=True)


def waiting(invite):
    Invite.objects.filter(pk=invite.pk).update(sent_at=LONG_AGO)
    return invite


def test_the_page_tells_the_whole_life_of_an_invitation(desk, client, mailbox, admin_user):
    desk.post("/admin/invites/invite/add/", {"email": "grace@example.com"})
    invite = waiting(Invite.objects.get())
    mailbox.letters()
    press(desk, invite, "resend")
    press(desk, invite, "extend")
    path = mailbox.link(invite.email)
    client.get(path)
    form = {"token": path.partition("token=")[2], "username": "grace", "password": PASSWORD}
    assert client.post(path, form, headers={"User-Agent": FIREFOX}).status_code == 302

    told = history(desk.get(at(invite)))

    assert [what for what, _who, _detail in told if what not in {"Queued", "Handed over"}] == [
        "Invited",
        "Sent again",
        "Extended",
        "Link opened",
        "Accepted",
    ]
    assert {("Invited", "olga", "–"), ("Sent again", "olga", "–"), ("Extended", "olga", "–")} < set(told)
    assert [what for what, _who, _detail in told].count("Handed over") == 2
    assert ("Accepted", "grace", "Firefox on Windows · 127.0.0.1") in told


def test_the_timeline_shows_each_answer_of_the_mail_server(desk):
    invite = Invite.objects.issue("grace@example.com", source="command")
    mail = OutboxMessage.objects.get(about=invite.pk)
    mail.mark_failed("450 4.2.0 Greylisted")
    assert ("Queued", "–", "invitation · tries: 1 · 450 4.2.0 Greylisted") in history(desk.get(at(invite)))
    mail.mark_sent("250 2.0.0 Ok: queued as 4F2A")
    assert ("Handed over", "–", "250 2.0.0 Ok: queued as 4F2A") in history(desk.get(at(invite)))
    mail.mark_bounced("550 5.1.1 No such user")
    assert ("Came back", "–", "550 5.1.1 No such user") in history(desk.get(at(invite)))


def test_the_timeline_shows_a_refusal_a_withdrawal_and_the_end(desk, admin_user):
    declined = InviteFactory()
    declined.decline()
    revoked = InviteFactory()
    press(desk, revoked, "revoke", confirmed="1")
    over = InviteFactory(expires_at=LONG_AGO, created_at=LONG_AGO - timedelta(hours=1))

    assert ("Declined", "–", "–") in history(desk.get(at(declined)))
    assert ("Withdrawn", "olga", "–") in history(desk.get(at(revoked)))
    assert [what for what, _who, _detail in history(desk.get(at(over)))] == ["Invited", "Expired"]


def test_only_buttons_that_apply_are_offered(desk, ada):
    over = {"accepted_at": LONG_AGO, "accepted_by": ada}

    assert buttons(desk.get(at(InviteFactory()))) == ["resend", "extend", "revoke"]
    assert buttons(desk.get(at(InviteFactory(declined_at=LONG_AGO)))) == ["resend"]
    assert buttons(desk.get(at(InviteFactory(email=ada.email)))) == ["revoke"]
    assert buttons(desk.get(at(InviteFactory(**over)))) == []


def test_a_button_acts_and_leads_back_to_the_page(desk, mailbox):
    invite = waiting(InviteFactory())

    page = press(desk, invite, "resend")

    assert page.redirect_chain == [(at(invite), 302)]
    assert "1 queued." in words(page)
    assert mailbox.link(invite.email)


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
