"""Invited under a name, and asked to agree to the terms, in a browser with scripts off."""

import pytest

from accounts.models import User
from invites.models import Entry, Invite
from tests.browser.keyboard import heading
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def terms(settings):
    settings.TERMS_URL, settings.TERMS_VERSION = "https://example.com/terms", "2026-11-01"
    return settings


def press(page):
    page.locator("main form button").first.click()
    page.wait_for_load_state()


def test_invited_by_a_list_with_a_name_to_the_account_page(visit, mailbox):
    maria = UserFactory(username="maria", name="Maria Mitchell")
    Invite.objects.issue_many([Entry("grace@example.com", name="Grace Hopper")], source="csv", invited_by=maria)
    page = visit()

    page.goto(mailbox.link("grace@example.com"))
    assert heading(page) == "Maria Mitchell invited you to Frontdoor"
    page.fill("#id_username", "grace")
    page.fill("#id_password", PASSWORD)
    assert not page.is_checked("#id_terms")
    press(page)

    assert "Tick the box to go on" in page.locator("#id_terms_error").inner_text()
    assert page.input_value("#id_username") == "grace"
    page.fill("#id_password", PASSWORD)
    page.check("#id_terms")
    press(page)

    assert heading(page) == "Your account"
    assert "Grace Hopper" in page.locator("main").inner_text()
    assert User.objects.get(username="grace").accepted_terms == "2026-11-01"


def test_changed_terms_are_met_on_the_way_to_where_one_was_going(visit, terms):
    UserFactory(username="grace", terms=[{"version": "2026-11-01", "at": "2026-11-02T10:00:00Z"}])
    terms.TERMS_VERSION = "2026-12-01"
    page = visit()

    page.goto("/account/settings")
    page.fill("#id_login", "grace")
    page.fill("#id_password", PASSWORD)
    press(page)

    assert heading(page) == "Our terms have changed"
    press(page)
    assert "Tick the box to go on" in page.locator("#id_terms_error").inner_text()
    page.locator("label[for=id_terms]").click(position={"x": 5, "y": 5})
    press(page)
    assert page.url.endswith("/account/settings")
    assert heading(page) == "Settings"


def test_whoever_does_not_agree_finds_the_way_out(visit):
    UserFactory(username="grace")
    page = visit()
    page.goto("/login")
    page.fill("#id_login", "grace")
    page.fill("#id_password", PASSWORD)
    press(page)

    page.locator("main summary").click()
    page.get_by_role("link", name="Delete my account").click()

    assert heading(page) == "Delete your account?"
