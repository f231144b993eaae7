"""The delivery of an invitation's mail: at the desk, and when it would be mailed again."""

import json
import re
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from invites import purposes
from invites.link.readdressing import Readdressing
from invites.models import Invite, MagicLink
from kit import tokens
from outbox import verp
from outbox.bounces.receive import Outcome, receive
from outbox.mail.deliver import deliver_due
from outbox.models import OutboxMessage, Suppression
from tests.outbox.reports import report
from tests.tools.desk import check
from tests.tools.factories import InviteFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL = "grace@example.com"
LIST = "/admin/invites/invite/"


@pytest.fixture
def suppressed():
    Suppression.objects.suppress(EMAIL, "550 5.1.1 No such user.")
    Suppression.objects.update(created_at=datetime(2026, 11, 3, 10, tzinfo=UTC))


def issue(email=EMAIL, **given):
    return Invite.objects.issue(email, source="admin", **given)


LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def newest(mailed):
    return OutboxMessage.objects.filter(about=mailed.pk).order_by("id").last()


def cell(page, email):
    row = next(row for row in page.text.split("<tr>") if email in row)
    said = re.search(r'field-delivery"><span class="lbl">Delivery: </span>(.*?)</td>', row)
    return re.sub("<.*?>", "", said[1]) if said else ""


def shown(desk, **query):
    return sorted(set(re.findall(r"\w+@example\.com", " ".join(desk.get(LIST, query).text.split("<tr>")[2:]))))


def test_the_list_says_what_became_of_each_mail(desk, mailbox, settings):
    settings.BOUNCE_ADDRESS = "bounces@site.example"
    sent, bounced = issue("sent@example.com"), issue("bounced@example.com")
    deliver_due()
    mail = newest(bounced)
    assert receive(report(verp.return_path(mail), mail.recipient)) == Outcome.BOUNCED
    newest(issue("refused@example.com")).give_up("554 5.7.1 Go away")
    late = newest(issue("late@example.com"))
    for _ in range(4):
        late.mark_failed("450 4.2.0 Greylisted")
    newest(issue("once@example.com")).mark_failed("450 4.2.0 Greylisted")
    issue("queued@example.com")
    InviteFactory(email="unmailed@example.com")

    page = desk.get(LIST)

    assert cell(page, "sent@") == "Sent now"
    assert cell(page, "bounced@") == "Came back: mailbox does not exist"
    assert cell(page, "refused@") == "Refused: the server doesn’t take our mail"
    assert cell(page, "late@") == "Put off: the server wants to see it again later, tried 4 times"
    assert cell(page, "once@") == "Put off: the server wants to see it again later, tried once"
    assert cell(page, "queued@") == "Waiting to leave"
    assert cell(page, "unmailed@") == "–"
    assert (sent.delivery, bounced.delivery) == ("sent", "bounced")
    assert shown(desk, state="undelivered") == ["bounced@example.com", "refused@example.com"]
    assert len(shown(desk)) == 7


def test_only_the_newest_mail_of_an_invite_counts(desk):
    newest(issue()).give_up("550 5.2.2 Mailbox full")
    assert shown(desk, state="undelivered") == [EMAIL]
    issue()

    assert cell(desk.get(LIST), EMAIL) == "Waiting to leave"
    assert shown(desk, state="undelivered") == []


@pytest.mark.parametrize("query", [{}, {"state": "undelivered"}])
def test_a_page_of_fifty_costs_as_many_statements_as_one_of_one(desk, query):
    def cost():
        with CaptureQueriesContext(connection) as statements:
            assert desk.get(LIST, query).status_code == 200
        # When Redis is too slow, the session is read from PostgreSQL: that statement is not the list's.
        return len([query for query in statements if 'FROM "accounts_session"' not in query["sql"]])

    newest(issue("first@example.com")).give_up("no")
    desk.get(LIST, query)
    one = cost()
    for n in range(49):
        newest(issue(f"guest{n}@example.com")).give_up("no")

    assert cost() == one


def test_trouble_is_found_by_indexes_not_by_reading_the_outbox():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = OutboxMessage.objects.in_trouble().order_by("-id")[:50].explain()

    assert "outbox_trouble" in plan
    assert "Seq Scan" not in plan


def test_the_page_of_an_invite_lists_its_mails_without_a_link(desk, mailbox):
    invite = issue()
    newest(invite).mark_failed("450 4.2.0 see http://testserver/signup?token=secret.signature")
    issue()
    OutboxMessage.objects.filter(pk=newest(invite).pk).update(last_answer="<b>550</b> no such user")

    page = desk.get(f"{LIST}{invite.pk}/change/")

    assert "Put offWhat the server said: the server says: not now (4.2.0)" in words(page)
    assert "see http://testserver/signup?token=…" in page.text  # in the tooltip
    assert "<b>550</b>" not in page.text
    assert "secret" not in page.text
    assert tokens.sign(purposes.SIGNUP, invite.pk) not in page.text
    assert desk.post(f"{LIST}{invite.pk}/change/", {"email": "other@example.com"}).status_code == 403


def test_inviting_a_suppressed_address_says_why_not_and_what_to_do(desk, suppressed):
    page = check(desk, "Grace@Example.com")

    assert (
        "Mail came back With: mail to this address came back on 3 Nov 2026: 550 5.1.1 No such user. "
        "Lift it under “Addresses we don’t write to”, then invite again" in words(page)
    )
    assert not Invite.objects.exists()


@pytest.mark.parametrize("command", ["send_invites", "resend_invites"])
def test_commands_name_the_suppressed_and_go_on(command, suppressed):
    addresses = [EMAIL, "alan@example.com"]
    if command == "resend_invites":
        for email in addresses:
            InviteFactory(email=email, sent_at=LONG_AGO)
        addresses = []
    out = StringIO()

    with pytest.raises(CommandError) as stopped:
        call_command(command, *addresses, "--format", "json", "--verbosity", "2", stdout=out)

    done = json.loads(out.getvalue())
    assert (done["queued"], stopped.value.returncode) == (1, 3)
    assert done["failed"] == [{"input": EMAIL, "reason": "suppressed after a bounce on 3 Nov 2026"}]
    assert [row.recipient for row in OutboxMessage.objects.all()] == ["alan@example.com"]


def test_a_stranger_is_not_told_which_addresses_are_suppressed(suppressed, mailbox):
    def ask(email):
        with CaptureQueriesContext(connection) as statements:
            page = Client().post("/", {"email": email}, follow=True)
        statements = [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in statements]
        said = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text).replace(email, "EMAIL")
        return page.status_code, page.redirect_chain, said, statements

    assert ask(EMAIL) == ask("alan@example.com")
    assert mailbox.letters(EMAIL) == []
    assert len(mailbox.letters("alan@example.com")) == 1
    assert newest(MagicLink.objects.get(email=EMAIL)).status == "given_up"


def test_a_member_who_sends_an_invite_on_learns_of_no_bounce(suppressed, mailbox):
    maria = UserFactory(username="maria")
    invite = issue("guest@example.com", invited_by=maria)
    Readdressing(invite).ask(EMAIL)
    question = {"token": tokens.sign(purposes.READDRESS, invite.pk)}

    page = Client().post("/invite/readdress/answer", question)

    assert f"A new one is on its way to {EMAIL}" in words(page)
    assert mailbox.letters(EMAIL) == []
    assert Invite.objects.get(email=EMAIL).delivery == "given_up"
