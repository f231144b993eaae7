"""The code of a mailed link typed many times at once, and beside the button of its page."""

import re
from functools import partial

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client

from accounts.models import Event, Session, User
from tests.faults.test_races import at_once, nearly_at_once
from tests.tools.factories import PASSWORD

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def unlimited(settings):
    settings.RATELIMIT_ENABLE = False


def asked(mailbox, email, path="/", **typed):
    """Asks for a link. Returns the browser that asked, the token of the mail, and its code."""
    laptop, other = Client(), Client()
    laptop.get("/")
    laptop.post(path, {"email": email, **typed})
    link = mailbox.link(email)
    code = re.search(r'class="code-out"[^>]*>([^<]+)<', other.get(link, follow=True).text)[1]
    return laptop, link.partition("token=")[2], code


def same(browser):
    """Returns another tab of this browser."""
    tab = Client()
    tab.cookies = browser.cookies.copy()
    return tab


def test_a_code_typed_eight_times_at_once_signs_in_one_browser(mailbox, ada):
    laptop, _token, code = asked(mailbox, ada.email)
    tabs = [same(laptop) for _ in range(8)]

    answers = at_once(lambda n: tabs[n].post("/invite/sent/code", {"code": code}), len(tabs))

    assert {answer.status_code for answer in answers} <= {200, 302}
    assert any(answer.status_code == 302 for answer in answers)
    assert Event.objects.filter(kind=Event.Kind.SIGNED_IN).count() == Session.objects.exclude(user=None).count()


def test_code_and_button_at_once_let_one_browser_in(mailbox, ada):
    for _ in range(5):
        laptop, token, code = asked(mailbox, ada.email)
        other = Client()
        presses = [
            partial(laptop.post, "/invite/sent/code", {"code": code}),
            partial(other.post, "/confirm", {"token": token, "here": "on"}),
        ]

        typed, pressed = nearly_at_once(*presses)

        assert sorted([SESSION_KEY in laptop.session, SESSION_KEY in other.session]) == [False, True]
        assert {typed.status_code, pressed.status_code} <= {200, 302, 410}


def test_a_planned_account_is_made_once_by_code_and_button(mailbox):
    laptop, token, code = asked(mailbox, "grace@example.com", "/signup", username="grace", password=PASSWORD)
    tab = same(laptop)

    answers = nearly_at_once(
        lambda: laptop.post("/invite/sent/code", {"code": code}),
        lambda: tab.post("/confirm", {"token": token}),
    )

    assert User.objects.count() == 1
    assert all(answer.status_code < 500 for answer in answers)
