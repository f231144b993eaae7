"""The first week of a site at its desk, scripts off, in both languages and themes, on a laptop and on a phone.

It goes by links and buttons alone, and counts the presses that somebody needs.
"""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone

from invites.models import Invite
from outbox.models import OutboxMessage
from tests.browser.axe import violations
from tests.browser.desk import workbook
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.usefixtures("db")

PLACES = [
    pytest.param({"locale": locale, "color_scheme": scheme, "viewport": {"width": width, "height": 900}}, id=name)
    for name, locale, scheme, width in [
        ("english laptop light", "en-GB", "light", 1280),
        ("english phone dark", "en-GB", "dark", 390),
        ("russian laptop dark", "ru", "dark", 1280),
        ("russian phone light", "ru", "light", 390),
    ]
]


class Walker:
    """Somebody who presses links and buttons, and looks at each page on the way.

    `eyes` is a page with scripts on, as axe is a script. It sees what the GET of each URL shows to the same session.
    """

    def __init__(self, page, eyes):
        self.page, self.eyes, self.presses = page, eyes, 0

    def look(self):
        """Sees that nothing scrolls sideways, and that axe finds nothing."""
        page, eyes = self.page, self.eyes
        page.wait_for_load_state()  # a click waits for the answer's first byte only
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url
        eyes.context.clear_cookies()
        eyes.context.add_cookies(page.context.cookies())
        eyes.goto(page.url)
        assert not violations(eyes), page.url

    def press(self, what):
        """Presses the first link or button that this CSS selector finds."""
        self.page.locator(what).first.click()
        self.presses += 1
        self.look()

    def counted(self):
        """Returns how often something was pressed since this was last asked."""
        presses, self.presses = self.presses, 0
        return presses


@pytest.mark.parametrize("place", PLACES)
def test_the_first_week_of_a_site(visit, mailbox, settings, place):
    page = visit(**place)
    walker = Walker(page, visit(scripts=True, **place))

    # The owner opens the link that the console printed, and finds the first day.
    settings.SITE_HOST, printed = "localhost", StringIO()
    call_command("owner_link", stdout=printed)
    page.goto(printed.getvalue().strip())
    page.fill("#id_email", "olga@example.com")
    page.fill("#id_username", "olga")
    page.fill("#id_password", PASSWORD)
    page.locator("main form button").first.click()
    walker.look()
    assert page.url.endswith("/admin/")
    assert page.locator("ol.line > li").count() == 3

    # An Excel file of forty leaves in four presses, the file's own included.
    walker.press("ol.line a[href='/admin/invites/batch/add/']")
    page.set_input_files("[name=file]", workbook())
    walker.presses += 1
    walker.press("#content form button")
    assert page.locator(".chips b").all_inner_texts() == ["43", "40", "3"]
    assert not Invite.objects.exists()
    walker.press("button[form=send]")
    assert walker.counted() == 4
    assert Invite.objects.count() == 40
    assert len(mailbox.letters()) == 40

    # Three days later two presses remind those who have not opened it.
    ago = timezone.now() - timedelta(days=3)
    Invite.objects.update(created_at=ago, sent_at=ago)
    Invite.objects.filter(email="guest1@example.com").update(opened_at=ago)
    OutboxMessage.objects.update(sent_at=ago, parts={})
    page.goto("/admin/")
    walker.press("a[href='/admin/invites/batch/']")
    walker.press("table th a")
    walker.counted()
    walker.press("a[href*='remind']")
    walker.press("#content form .btn:not(.alt)")
    assert walker.counted() == 2
    assert OutboxMessage.objects.filter(kind="invite_reminder").count() == 39

    # One person is found by the first letters of a name.
    page.goto("/admin/")
    page.fill("#q", "guestc")
    walker.press("search button")
    assert page.locator("#content .list a").all_inner_texts() == ["guest28@example.com", "guest2@example.com"]

    # A member is invited into a group, presses one button, and is in it wherever the product asks.
    Group.objects.create(name="Editors")
    UserFactory(username="grace", email="grace@example.com")
    page.goto("/admin/invites/batch/add/")
    page.fill("[name=pasted]", "grace@example.com")
    page.locator("[name=groups]").first.check()
    walker.press("#content form button")
    walker.press("button[form=send]")
    guest = visit(**place)
    guest.goto(mailbox.link("grace@example.com"))
    guest.get_by_role("checkbox").check()
    Walker(guest, walker.eyes).press("main form button")
    assert guest.request.get("/auth/verify").headers["x-auth-groups"] == "Editors"
