"""Staff invite a list from Excel with scripts off, and see the mail and the page before anything is sent."""

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from invites.models import Batch, Invite
from tests.browser.desk import sign_in_staff, workbook
from tests.tools.factories import PASSWORD

# What people have in lists, as long as it usually is at most.
WIDE = """Name\tE-mail\tMessage
Maximiliane Hohenstein-Waldburg\tmaximiliane.hohenstein@engineering.example\tWe saved you a seat beside Grace
Konstantin Konstantinopolsky\tkonstantin.konstantinopolsky@@engineering.example\tWe saved you a seat beside Grace
Alan Turing\talan.mathison.turing@gmial.com
"""

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def page(visit, admin_user):
    """The form for inviting, in the browser of the owner."""
    page = visit(locale="en-GB")
    sign_in_staff(page)
    page.goto("/admin/invites/batch/add/")
    return page


def test_an_excel_file_of_forty_is_sent_with_three_presses(page, mailbox):
    page.set_input_files("[name=file]", workbook())  # the first press
    page.locator("button", has_text="Check the list").click()

    shown = page.locator("#content").inner_text()
    assert "Columns we don’t use: Phone." in shown
    for chip in ("All lines 43", "Will be invited 40", "Can’t be read 3"):
        assert page.locator(".chips a", has_text=chip).is_visible()
    assert page.locator("tr", has_text="guest0@example.com").locator("th").inner_text() == "3"
    assert not Invite.objects.exists()

    page.locator("button", has_text="Send 40 invitations").first.click()
    assert "40 invitations are on their way." in page.locator(".messagelist").inner_text()
    assert Invite.objects.count() == 40
    assert "Hello Guestb Hopper," in mailbox.text("guest1@example.com")


def test_lines_and_reasons_are_seen_without_scrolling_sideways(page):
    page.set_viewport_size({"width": 1280, "height": 900})
    page.fill("[name=pasted]", WIDE)
    page.locator("button", has_text="Check the list").click()

    def too_wide():
        return page.evaluate("(box => box.scrollWidth - box.clientWidth)(document.querySelector('.results'))")

    assert too_wide() == 0
    page.locator(".chips a", has_text="Can’t be read").click()
    row = page.locator("tr", has_text="konstantin")
    assert row.locator("td").nth(1).inner_text() == "konstantin.konstantinopolsky@@engineering.example"
    assert "Enter an email address" in row.inner_text()
    assert too_wide() == 0


def test_the_mail_and_the_page_it_opens_are_seen_in_a_frame_where_nothing_can_be_sent(page):
    blocked = []
    page.on("console", lambda message: blocked.append(message.text))
    page.fill("[name=pasted]", "Nadia <new@example.com>\nalan@example.com")
    page.fill("[name=note]", "We saved you a seat.")
    page.locator("button", has_text="Check the list").click()
    frame = page.frame_locator("iframe[name=mail]")
    assert "We saved you a seat." in frame.locator("body").inner_text()

    frame.locator("a.btna").click()  # the button of the mail
    assert frame.locator("#id_email").input_value() == "new@example.com"
    assert blocked == []
    frame.locator("#id_username").fill("nadia")
    frame.locator("#id_password").fill(PASSWORD)
    with page.expect_console_message(lambda message: "form-action" in message.text):
        frame.locator("main form button").first.click()
    assert frame.locator("#id_username").input_value() == "nadia"

    page.locator("a", has_text="Plain text").click()
    frame.locator("pre", has_text="We saved you a seat.").wait_for()
    page.locator("td a", has_text="alan@example.com").click()
    assert "The invitation is for alan@example.com" in frame.locator("body").inner_text()
    assert not Invite.objects.exists()


def test_change_something_leads_back_to_what_was_typed(page):
    page.fill("[name=pasted]", "new@example.com\nnobody")
    page.fill("[name=other]", "2 weeks")
    page.locator("button", has_text="Check the list").click()
    page.locator("a", has_text="Change something").click()

    assert page.input_value("[name=pasted]") == "new@example.com\nnobody\n"
    page.fill("[name=pasted]", "new@example.com\nalan@example.com")
    page.locator("button", has_text="Check the list").click()
    page.locator("button", has_text="Send 2 invitations").first.click()
    assert Invite.objects.count() == 2
    assert Batch.objects.filter(begun_at=None).count() == 1


def test_long_words_do_not_scroll_sideways_on_a_phone(visit, admin_user):
    Group.objects.create(name="W" * 60)
    batch = Batch.objects.create(begun_at=timezone.now(), created_by=admin_user, name="W" * 90)
    page = visit(viewport={"width": 390, "height": 800})
    sign_in_staff(page)

    for url in ("/admin/invites/batch/add/", f"/admin/invites/batch/{batch.pk.replace('_', '_5F')}/change/"):
        page.goto(url)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, url
