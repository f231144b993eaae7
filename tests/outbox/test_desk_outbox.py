"""The outbox at the desk: each mail with its status, and a button to try it again."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invites.models import MagicLink
from kit import paging
from outbox import desk as outbox_admin
from outbox import kinds
from outbox.desk import message as outbox_messages
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

OUTBOX = "/admin/outbox/outboxmessage/"
NOW = timezone.now()


@pytest.fixture
def desk(desk):
    OutboxMessage.objects.all().delete()  # the notice of the sign-in
    return desk


def mail(email="grace@example.com", **fields):
    MagicLink.objects.issue(email)
    row = OutboxMessage.objects.get(recipient=email)
    OutboxMessage.objects.filter(pk=row.pk).update(**fields)
    row.refresh_from_db()
    return row


@pytest.fixture
def one_of_each():
    mail("queued@example.com")
    mail("tried@example.com").mark_failed("450 4.2.0 Greylisted")
    mail("sent@example.com").mark_sent("250 taken")
    mail("bounced@example.com", sent_at=NOW, bounced_at=NOW)
    mail("given_up@example.com").give_up("550 5.7.1 No")


def press(desk, rows, **more):
    form = {"action": "retry_now", "_selected_action": [row.pk for row in rows]}
    return desk.post(OUTBOX, form | more, follow=True)


def test_mails_are_found_by_their_status(desk, one_of_each, subtests):
    for status in OutboxMessage.Status.values:
        with subtests.test(status):
            page = desk.get(OUTBOX, {"status": status})

            assert [row.recipient for row in page.context["cl"].result_list] == [f"{status}@example.com"]
            assert [row.status for row in page.context["cl"].result_list] == [status]


def test_every_mail_shows_its_status_and_only_what_waits_its_next_try(desk, one_of_each):
    page = desk.get(OUTBOX)

    for word in ("Waiting", "Put off", "Sent", "Came back", "Given up"):
        assert f">{word}</span>" in page.text
    for said in ("the server wants to see it again later (4.2.0)", "accepted for delivery (250)"):
        assert f">{said}</td>" in page.text
    states = re.findall(r"field-state[^>]*>(.*?)</td>", page.text)
    assert ["next try: " in state for state in states] == [False, False, False, True, True]


def test_mails_are_found_by_their_kind_and_address(desk, one_of_each):
    UserFactory(email="known@example.com")
    mail("known@example.com")

    page = desk.get(OUTBOX, {"kind": "link_known"})
    assert [row.recipient for row in page.context["cl"].result_list] == ["known@example.com"]
    assert '"?kind=link_new">Link to create an account</a>' in page.text  # uncounted: that would read too much
    page = desk.get(OUTBOX, {"q": "Sent@Example.com"})
    assert [row.recipient for row in page.context["cl"].result_list] == ["sent@example.com"]


def test_a_kind_is_known_as_long_as_any_mail_has_it(desk, monkeypatch):
    monkeypatch.setattr(outbox_messages, "NEWEST", 1)
    mail("old@example.com", kind="of_former_days")
    mail("new@example.com")

    assert "of_former_days" not in desk.get(OUTBOX).context["cl"].filter_specs[1].lookup_choices[0]
    page = desk.get(OUTBOX, {"kind": "of_former_days"})
    assert [row.recipient for row in page.context["cl"].result_list] == ["old@example.com"]
    assert desk.get(OUTBOX, {"kind": "of_no_days"}).url.endswith("?e=1")


QUERIES = [
    "status=nonsense",
    "kind=nonsense",
    "parts__body__contains=token",
    "status__contains=x",
    "kind__startswith=l",
]
QUERIES += ["message_id__startswith=x", "parts=1"]


def test_nothing_else_can_be_asked_of_the_outbox(desk, subtests):
    mail()

    for query in QUERIES:
        with subtests.test(query):
            assert desk.get(f"{OUTBOX}?{query}").status_code in {302, 400}


def test_no_statement_reads_more_than_it_shows(desk, one_of_each, monkeypatch):
    monkeypatch.setattr(paging, "SHOWN", 2)
    monkeypatch.setattr(outbox_admin.OutboxAdmin, "list_per_page", 1)
    with CaptureQueriesContext(connection) as queries:
        page = desk.get(OUTBOX)

    assert page.context["cl"].result_count == 2
    ours = [query["sql"] for query in queries if "outbox_outboxmessage" in query["sql"]]
    assert ours
    assert [sql for sql in ours if " LIMIT " not in sql or "DISTINCT" in sql] == []


def test_a_failing_and_a_given_up_mail_are_tried_again_by_one_press(desk, mailbox):
    rows = [mail("tried@example.com"), mail("given_up@example.com")]
    rows[0].mark_failed("450 4.2.0 Greylisted")
    rows[1].give_up("550 5.7.1 No")

    page = press(desk, rows)

    assert "2 queued." in words(page)
    assert "skipped" not in words(page)
    assert mailbox.link("tried@example.com")
    assert mailbox.link("given_up@example.com")


def test_what_cannot_be_tried_again_is_counted_with_the_reason(desk, one_of_each):
    OutboxMessage.objects.filter(recipient="bounced@example.com").delete()
    mail("old@example.com", parts={}, given_up_at=NOW - timedelta(days=8))
    mail("dead@example.com").give_up("550 5.1.1 No such user")
    Suppression.objects.suppress("dead@example.com", "550 5.1.1 No such user")

    page = press(desk, OutboxMessage.objects.all())

    assert "3 queued. 3 skipped: " in words(page)
    for reason in ("1 handed over already", "1 too old: send it again", "1 to a suppressed address"):
        assert reason in words(page)


def test_who_may_only_look_has_no_such_button():
    UserFactory(username="helper", is_staff=True).user_permissions.set(
        Permission.objects.filter(codename="view_outboxmessage")
    )
    client = Client()
    client.post("/login", {"login": "helper", "password": PASSWORD})
    OutboxMessage.objects.all().delete()
    row = mail()
    row.mark_failed("450 4.2.0 Greylisted")

    assert "Try now" not in client.get(OUTBOX).text
    press(client, [row])
    assert not OutboxMessage.objects.due().exists()


def test_the_page_of_a_mail_says_what_became_of_it_and_tries_it_again(desk, one_of_each, mailbox):
    tried = OutboxMessage.objects.get(recipient="tried@example.com")
    at = f"{OUTBOX}{tried.pk}/change/"
    page = desk.get(at)

    assert "<h1>Link to create an account</h1>" in page.text
    for told in ("tried@example.com · Put off next try: ", "later (4.2.0)", "450 4.2.0 Greylisted", tried.message_id):
        assert told in words(page)
    form = {"CHANGE_FORM-action": "retry_now", "_selected_action": str(tried.pk)}
    assert 'name="CHANGE_FORM-action" value="retry_now"' in page.text
    assert "1 queued." in words(desk.post(at, form, follow=True))
    assert mailbox.link("tried@example.com")


@pytest.mark.parametrize(
    ("status", "offered"), [("queued", True), ("given_up", True), ("sent", False), ("bounced", False)]
)
def test_only_a_mail_that_can_be_tried_has_the_button(desk, one_of_each, status, offered):
    mail = OutboxMessage.objects.get(recipient=f"{status}@example.com")

    assert ("Try now" in desk.get(f"{OUTBOX}{mail.pk}/change/").text) == offered


def test_no_kind_of_mail_has_a_raw_name():
    mails = {path.stem for path in (settings.BASE_DIR / "templates/mail").glob("*.html")} - {"base", "notice"}

    assert mails - kinds.WORDS.keys() == set()


def test_no_token_or_link_is_shown(desk):
    row = mail()

    for path in (OUTBOX, f"{OUTBOX}{row.pk}/change/"):
        page = desk.get(path)
        assert page.status_code == 200
        assert "token" not in page.text.replace("csrfmiddlewaretoken", "")
