"""Staff chase the people of a list with scripts off: they see what became of it, and remind in two presses."""

from datetime import timedelta

import pytest
from django.utils import timezone

from invites.models import Batch, Entry, Invite, in_step
from outbox.models import OutboxMessage
from tests.browser.desk import said, sign_in_staff
from tests.tools.factories import UserFactory

pytestmark = pytest.mark.usefixtures("db")

AGO = timezone.now() - timedelta(days=3)
UNOPENED = [f"quiet{n}@example.com" for n in range(12)]


def a_list(by):
    """Returns a list of sixteen people that was sent three days ago: one has accepted, two opened, one is lost."""
    batch = Batch.objects.create(created_by=by, begun_at=AGO, sent_at=AGO, name="Autumn cohort")
    people = [*UNOPENED, "in@example.com", "a@example.com", "b@example.com", "lost@example.com"]
    batch.invite_some([Entry(email) for email in people], "csv", in_step())
    batch.save()
    Invite.objects.update(created_at=AGO, sent_at=AGO)
    OutboxMessage.objects.update(sent_at=AGO, parts={})
    Invite.objects.filter(email__in=["a@example.com", "b@example.com"]).update(opened_at=AGO)
    Invite.objects.get(email="in@example.com").accept(UserFactory())
    OutboxMessage.objects.get(recipient="lost@example.com").mark_bounced("550 5.1.1 No such user")
    return batch


@pytest.fixture
def page(visit, admin_user):
    page = visit(locale="en-GB")
    sign_in_staff(page)
    return page


def reminded():
    return set(OutboxMessage.objects.filter(kind="invite_reminder").values_list("recipient", flat=True))


def test_two_presses_on_the_page_of_a_list_remind_those_who_have_not_opened_it(page, admin_user, mailbox):
    a_list(admin_user)
    page.goto("/admin/invites/batch/")
    row = page.locator("tr", has_text="Autumn cohort").inner_text()
    assert "1 did not arrive" in row
    page.locator("a", has_text="Autumn cohort").click()

    page.locator("a", has_text="Remind the 12").click()
    assert "Remind 12 people" in page.locator("h1").inner_text()
    assert "Your invitation is still open" in page.locator("pre").inner_text()
    assert not reminded()
    page.fill("[name=note]", "We start on Thursday")
    page.locator("button", has_text="Send 12 reminders").click()

    assert "12 reminders are on their way." in said(page)
    assert page.locator("h1").inner_text() == "Autumn cohort"
    assert reminded() == set(UNOPENED)
    assert "“We start on Thursday”" in mailbox.text("quiet0@example.com")


def test_two_presses_in_the_list_of_invitations_remind_all_that_a_chip_finds(page, admin_user):
    a_list(admin_user)
    page.goto("/admin/invites/invite/")
    page.locator(".chips a", has_text="Not opened").click()
    page.locator("[name=select_across]").check()

    page.locator("#changelist-form button", has_text="Remind").click()
    page.locator("button", has_text="Send 12 reminders").click()

    assert "12 reminders are on their way." in said(page)
    assert reminded() == set(UNOPENED)


def test_the_numbers_and_offers_of_a_list_lead_to_those_they_count(page, admin_user):
    batch = a_list(admin_user)
    here = f"/admin/invites/batch/{batch.pk.replace('_', '_5F')}/change/"
    for place, count in enumerate([16, 1, 2, 12, 1]):  # invited, accepted, opened, not opened, not delivered
        page.goto(here)
        tile = page.locator(".tiles a").nth(place)
        assert tile.locator("b").inner_text() == str(count)
        tile.click()
        assert page.locator("#result_list tbody tr").count() == count, place
    page.goto(here)
    page.locator("a", has_text="Send again to 1").click()
    assert "lost@example.com\nCame back: mailbox does not exist" in page.locator("#content .list").inner_text()
