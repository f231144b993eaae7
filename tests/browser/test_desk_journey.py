"""Staff use the desk with scripts off, by its own links and buttons alone."""

import pytest
from django.test import Client

from accounts.models import User
from invites.models import Invite
from outbox.mail.deliver import deliver_due
from outbox.models import Suppression
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.usefixtures("db")


def choose(page, action, *addresses):
    """Ticks the invitations of these addresses on the list, and runs the action with this label."""
    for address in addresses:
        page.locator("tr", has_text=address).locator("input[type=checkbox]").check()
    page.select_option("select[name=action]", label=action)
    page.locator("#changelist-form button[type=submit]").first.click()


def said(page):
    return page.locator(".messagelist").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_admin_invites_many_watches_steers_and_looks_after_people(visit, mailbox, admin_user, scheme):
    page = visit(color_scheme=scheme)
    page.goto("/admin/")
    page.fill("#id_login", "olga")
    page.fill("#id_password", PASSWORD)
    page.locator("main form button", has_text="Sign in").first.click()

    # A list with mistakes is checked, then sent.
    page.goto("/admin/")
    page.locator("a[href='/admin/invites/batch/add/']").first.click()
    page.fill("[name=pasted]", "grace@example.com\nalan@example.com\nnobody\ngrace@example.com\nada@example.org")
    page.locator("#content button", has_text="Check the list").click()
    shown = page.locator("#content").inner_text()
    assert "nobody" in shown
    assert not Invite.objects.exists()
    page.locator("button", has_text="Send 3 invitations").first.click()
    assert Invite.objects.count() == 3
    Invite.objects.update(sent_at="2026-01-01T00:00Z")

    # One accepts by the mailed link.
    guest = visit()
    guest.goto(mailbox.link("grace@example.com", "/signup"))
    guest.fill("#id_username", "grace")
    guest.fill("#id_password", PASSWORD)
    guest.locator("main form button").first.click()
    assert User.objects.filter(username="grace").exists()

    # The list says so, and what does not apply is skipped with a reason.
    page.goto("/admin/invites/invite/")
    assert "Accepted" in page.locator("tr", has_text="grace@example.com").inner_text()
    choose(page, "Send again", "grace@example.com", "alan@example.com")
    assert "1 queued. 1 skipped: 1 accepted already." in said(page)
    choose(page, "Withdraw", "ada@example.org")
    assert "ada@example.org" in page.locator("#content").inner_text()
    page.locator("#content button", has_text="Withdraw").click()
    assert "1 withdrawn. Their links no longer work." in said(page)
    with page.expect_download() as download:
        choose(page, "Export as CSV", "alan@example.com")
    assert "alan@example.com" in download.value.path().read_text()

    # The page of one tells its life and offers what can be done.
    page.locator("a", has_text="alan@example.com").click()
    page.locator("#content button", has_text="Extend").click()
    assert "1 extended, each by as long as it was to last." in said(page)

    # People: their sessions end.
    Client().post("/login", {"login": "grace", "password": PASSWORD})
    page.goto("/admin/accounts/user/?q=grace")
    page.locator("tr", has_text="grace@example.com").locator("input[type=checkbox]").check()
    page.select_option("select[name=action]", label="End all sessions")
    page.locator("#changelist-form button[type=submit]").first.click()
    assert "2 sessions ended for 1 people." in said(page)
    guest.goto("/account")
    assert guest.url.endswith("/login?next=/account")


def test_somebody_says_no_for_good(visit, mailbox):
    Invite.objects.issue("grace@example.com", source="admin", invited_by=UserFactory(username="maria"))
    page = visit()
    page.goto(mailbox.link("grace@example.com", "/invite/decline"))
    page.check("[name=never]")
    page.locator("main form button").click()
    assert "write to this address again" in page.locator("main").inner_text()

    Invite.objects.issue("grace@example.com", source="admin")
    deliver_due()
    assert len(mailbox.letters("grace@example.com")) == 1


def test_on_a_phone_the_actions_and_the_reasons_of_suppressed_addresses_can_be_read(visit, admin_user):
    Suppression.objects.suppress("a.rather.long.address@department.example.com", "550 5.1.1 No such user here")
    page = visit(viewport={"width": 390, "height": 800})
    page.goto("/admin/outbox/suppression/")
    page.fill("#id_login", "olga")
    page.fill("#id_password", PASSWORD)
    page.locator("main form button", has_text="Sign in").first.click()
    page.goto("/admin/outbox/suppression/")

    select = page.locator("select[name=action]").bounding_box()
    assert select["width"] > 160
    reason = page.locator("td.field-why").bounding_box()
    assert reason["x"] + reason["width"] <= 390
