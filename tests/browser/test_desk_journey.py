"""Staff use the desk with scripts off, by its own links and buttons alone."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import User
from invites.models import Invite, MagicLink
from outbox.mail.deliver import deliver_due
from outbox.models import Suppression
from tests.browser.desk import said, sign_in_staff
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.usefixtures("db")


def choose(page, action, *addresses):
    """Ticks the rows of these addresses on a list, and presses the button of the action."""
    for address in addresses:
        page.locator("tr", has_text=address).locator("input[type=checkbox]").check()
    page.locator(".actions button", has_text=action).click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_admin_invites_many_watches_steers_and_looks_after_people(visit, mailbox, admin_user, scheme):
    page = visit(color_scheme=scheme)
    sign_in_staff(page)

    # A list with mistakes is checked, then sent.
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
    page.locator("button", has_text="Send 1 invitation again").click()
    assert "1 invitation is on its way. 1 skipped: 1 accepted already." in said(page)
    choose(page, "Withdraw", "ada@example.org")
    assert "ada@example.org" in page.locator("#content").inner_text()
    page.locator("#content button", has_text="Withdraw").click()
    assert "1 withdrawn. Their links no longer work." in said(page)
    with page.expect_download() as download:
        choose(page, "Export", "alan@example.com")
    assert "alan@example.com" in download.value.path().read_text()

    # The page of one tells its life and offers what can be done.
    page.locator("a", has_text="alan@example.com").click()
    page.locator("#content button", has_text="Extend").click()
    assert "1 invitation extended by as long as it was to last." in said(page)

    # People: their sessions end.
    Client().post("/login", {"login": "grace", "password": PASSWORD})
    page.goto("/admin/accounts/user/?q=grace")
    choose(page, "End sessions", "grace@example.com")
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
    sign_in_staff(page)
    page.goto("/admin/outbox/suppression/")

    for part in (".actions button", "td.field-why"):
        box = page.locator(part).first.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_staff_find_sort_and_act_on_a_phone_by_chips_heads_and_buttons(visit, mailbox, admin_user):
    for number in range(60):
        Invite.objects.issue(f"guest{number:02}@example.com", source="admin", invited_by=admin_user, name="Guest")
    Invite.objects.issue("grace@example.com", source="admin", invited_by=admin_user, name="Grace Hopper")
    page = visit(viewport={"width": 320, "height": 800})
    sign_in_staff(page)

    page.goto("/admin/invites/invite/")
    page.locator(".chips a", has_text="Not opened").first.click()
    assert page.locator(".chips [aria-current]").inner_text() == "Not opened 61"
    assert "1–50 of 61 invitations" in page.locator(".paginator").inner_text()
    page.locator(".paginator a", has_text="Older").click()
    assert "guest00@example.com" in page.locator("#result_list").inner_text()

    page.fill("[name=q]", "hopp")
    page.locator(".find button", has_text="Find").click()
    assert page.locator("#result_list tbody tr").count() == 1
    assert "Name: Grace Hopper" in page.locator("#result_list").inner_text()
    assert page.locator(".chips [aria-current]").inner_text() == "Not opened"

    page.locator(".actions button", has_text="Extend").click()
    assert "Nothing is ticked" in said(page)
    page.locator(".actions input[type=checkbox]").check()
    page.locator(".actions button", has_text="Extend").click()
    assert "1 invitation extended" in said(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator("thead a", has_text="Ends").click()
    assert page.locator("th[aria-sort]").inner_text().startswith("Ends")

    page.goto("/admin/search/?q=gra")
    assert "1 invitation" in page.locator("#content").inner_text()
    page.locator("#content a", has_text="grace@example.com").click()
    assert "grace@example.com" in page.locator("h1").inner_text()


LISTS = ["invites/invite", "accounts/user", "invites/magiclink", "accounts/event", "auth/group", "outbox/outboxmessage"]


@pytest.mark.parametrize("path", LISTS)
def test_no_list_scrolls_sideways_on_the_smallest_phone(visit, mailbox, admin_user, path):
    Invite.objects.issue("a.rather.long.address@department.of.a.company.example", source="admin", invited_by=admin_user)
    MagicLink.objects.issue("another.rather.long.address@department.of.a.company.example")
    UserFactory(username="a-rather-long-name-of-30-letters"[:30], email="a.rather.long.address@department.example.com")
    Group.objects.create(name="A group with a name that is as long as names of groups can be")
    page = visit(viewport={"width": 320, "height": 640})
    sign_in_staff(page)
    page.goto(f"/admin/{path}/")

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    results = page.locator(".results")
    assert results.evaluate("box => box.scrollWidth <= box.clientWidth")
