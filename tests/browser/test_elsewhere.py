"""Begun in one browser and finished in another, with scripts off: the code, the frame that waits, and who gets in."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import Event, User
from invites.ask_for_link import waiting
from tests.browser.keyboard import heading
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.usefixtures("db")

EMAIL = "grace@example.com"


@pytest.fixture
def laptop(visit):
    return visit(locale="en-GB")


@pytest.fixture
def other(visit):
    """The page of the browser on the other device."""
    return visit(locale="en-GB")


@pytest.fixture
def grace():
    return UserFactory(username="grace", email=EMAIL)


def ask(page, where="/", **typed):
    page.goto(where)
    for name, text in {"email": EMAIL, **typed}.items():
        page.fill(f"#id_{name}", text)
    page.locator("main form button.btn").first.click()
    assert heading(page) == "Check your email"


def carry_code(other, laptop, link):
    """Opens the mailed link in the other browser, and types the code that it shows into the laptop's."""
    other.goto(link)
    code = other.locator(".code-out").inner_text()
    laptop.get_by_label("Code from your other device").press_sequentially(code.lower())
    laptop.get_by_role("button", name="Continue with the code").click()


def test_a_known_person_comes_in_where_they_asked(laptop, other, mailbox, grace):
    ask(laptop)
    carry_code(other, laptop, mailbox.link(EMAIL))

    expect(laptop).to_have_url(re.compile("/account$"))
    other.goto("/account")
    expect(other).to_have_url(re.compile("/login"))


def test_a_second_step_is_taken_where_they_asked(laptop, other, mailbox, grace):
    phone.pair(grace)
    ask(laptop)
    carry_code(other, laptop, mailbox.link(EMAIL))

    laptop.fill("#id_code", phone.code())
    laptop.locator("main form button.btn").first.click()
    expect(laptop).to_have_url(re.compile("/account$"))


def test_a_newcomer_chooses_name_and_password_where_they_asked(laptop, other, mailbox):
    ask(laptop)
    carry_code(other, laptop, mailbox.link(EMAIL))

    laptop.fill("#id_username", "grace.hopper")
    laptop.fill("#id_password", PASSWORD)
    laptop.get_by_role("button", name="Create account").click()
    expect(laptop).to_have_url(re.compile("/account$"))
    assert User.objects.get().username == "grace.hopper"


def test_a_registration_is_confirmed_where_it_was_typed(laptop, other, mailbox):
    ask(laptop, "/signup", username="grace.hopper", password=PASSWORD)
    carry_code(other, laptop, mailbox.link(EMAIL))

    expect(laptop).to_have_url(re.compile("/login$"))
    laptop.fill("#id_login", "grace.hopper")
    laptop.fill("#id_password", PASSWORD)
    laptop.locator("main form button.btn").first.click()
    expect(laptop).to_have_url(re.compile("/account$"))


def test_a_new_password_is_chosen_where_it_was_asked_for(laptop, other, mailbox, grace):
    ask(laptop, "/reset")
    carry_code(other, laptop, mailbox.link(EMAIL))

    laptop.fill("#id_password", "another horse battery")
    laptop.locator("main form button.btn").first.click()
    expect(laptop).to_have_url(re.compile("/login$"))
    grace.refresh_from_db()
    assert grace.check_password("another horse battery")


def test_what_is_typed_survives_while_the_frame_looks(laptop, mailbox, grace, monkeypatch):
    monkeypatch.setattr(waiting, "PAUSE", 1)
    ask(laptop)
    laptop.get_by_label("Code from your other device").press_sequentially("K7W")
    frame = laptop.frame_locator("iframe.watch")
    expect(frame.get_by_text("This looks by itself")).to_be_visible()
    for _look in range(2):
        with laptop.expect_request(re.compile("/invite/sent/state")):
            pass

    tab = laptop.context.new_page()
    tab.goto(mailbox.link(EMAIL))
    tab.locator("main form button.btn").first.click()
    expect(tab).to_have_url(re.compile("/account$"))

    carry_on = frame.get_by_role("link", name="You’re signed in. Carry on")
    expect(carry_on).to_be_visible()
    expect(laptop.get_by_label("Code from your other device")).to_have_value("K7W")
    carry_on.click()
    expect(laptop).to_have_url(re.compile("/account$"))


def test_looking_can_be_stopped_and_taken_up_again(laptop):
    ask(laptop)
    frame = laptop.frame_locator("iframe.watch")

    frame.get_by_role("link", name="Stop looking").click()
    expect(frame.get_by_text("We’ve stopped looking.")).to_be_visible()
    frame.get_by_role("link", name="Look now").click()
    expect(frame.get_by_text("This looks by itself")).to_be_visible()


def press_everything(page, link, *, ticks=False):
    """Presses each button of the page of a link, and of the pages that its own links open, each on a fresh page.

    With `ticks` it ticks each box before. No field is filled in.
    """
    page.goto(link)
    hrefs = [a.get_attribute("href") for a in page.locator("main a[href]").all()]
    for place in (link, *(href for href in hrefs if href.startswith("/"))):
        page.goto(place)
        for number in range(page.locator("main form button").count()):
            page.goto(place)
            if ticks:
                [box.check() for box in page.locator("main input[type=checkbox]").all()]
            button = page.locator("main form button").nth(number)
            if button.count():  # the page may be another after the last press
                button.click()


ASKED = {
    "sign in": ("/", {}),
    "sign up": ("/", {}),
    "register": ("/signup", {"username": "mallory", "password": PASSWORD}),
    "reset": ("/reset", {}),
}


@pytest.fixture(params=ASKED)
def asked(request, laptop, mailbox):
    """Asks on the laptop for a link of each kind. Returns the links in the mail."""
    if request.param in {"sign in", "reset"}:
        UserFactory(email=EMAIL)
    where, typed = ASKED[request.param]
    ask(laptop, where, **typed)
    links = re.findall(r"https?://[^/]+(/\S+token=\S+)", mailbox.text(EMAIL))
    assert links
    return links


def test_a_scanner_that_presses_every_button_signs_nobody_in(visit, asked):
    accounts = User.objects.count()
    for scripts in (False, True):
        scanner = visit(scripts=scripts)
        for link in asked:
            press_everything(scanner, link)

    assert not Event.objects.filter(kind=Event.Kind.SIGNED_IN).exists()
    assert User.objects.count() == accounts


def test_whoever_asks_for_the_link_of_another_gets_in_by_nothing_that_the_other_presses(visit, laptop, asked):
    victim = visit(locale="en-GB")
    for link in asked:
        press_everything(victim, link, ticks=True)

    for place in ("/account", "/invite/sent"):
        laptop.goto(place)
    assert laptop.get_by_text("You’re signed in").count() == 0
    laptop.goto("/account")
    expect(laptop).to_have_url(re.compile("/login"))
