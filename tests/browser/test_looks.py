"""Every page as a person meets it: axe finds nothing in both themes, nothing scrolls sideways, nothing is blocked."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from invites import mails, tokens
from tests.factories import PASSWORD, InviteFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

AGO = timezone.now() - timedelta(hours=2)


def link(purpose=tokens.SIGNUP, **fields):
    return mails.path(purpose, InviteFactory(**fields))


def submit(page, path, **fields):
    page.goto(path)
    for name, value in fields.items():
        page.fill(f"#id_{name}", value)
    page.locator("main form button").first.click()


def sign_in(page):
    person = UserFactory()
    submit(page, "/login", login=person.username, password=PASSWORD)


def signed_in(path):
    def go(page):
        sign_in(page)
        page.goto(path)

    return go


PAGES = {
    "start": lambda p: p.goto("/"),
    "start, error": lambda p: submit(p, "/", email="ada@example"),
    "start, typo": lambda p: submit(p, "/", email="ada@gmial.com"),
    "sent": lambda p: submit(p, "/", email="ada@gmail.com"),
    "sign up": lambda p: p.goto(link(email="grace@example.com")),
    "sign up, invited": lambda p: p.goto(link(invited_by=UserFactory(), note="See you Monday!", source="admin")),
    "sign up, error": lambda p: submit(p, link(), username="x", password="y"),
    "confirm": lambda p: p.goto(link(tokens.CONFIRM, email=UserFactory().email)),
    "owner": lambda p: p.goto(link(tokens.OWNER)),
    "sign in": lambda p: p.goto("/login"),
    "sign in, error": lambda p: submit(p, "/login", login="ada", password="wrong password"),
    "expired": lambda p: p.goto(link(expires_at=AGO)),
    "used": lambda p: p.goto(link(claimed_at=AGO)),
    "declined": lambda p: p.goto(link(declined_at=AGO)),
    "withdrawn": lambda p: p.goto(link(revoked_at=AGO)),
    "broken": lambda p: p.goto("/signup?token=x"),
    "deactivated": lambda p: p.goto(link(tokens.CONFIRM, email=UserFactory(is_active=False).email)),
    "not found": lambda p: p.goto("/nothing"),
    "account": signed_in("/account"),
    "sign out": signed_in("/logout"),
    "start, signed in": signed_in("/"),
    "forbidden": signed_in("/admin/login/"),
}


@pytest.mark.parametrize("locale", ["en-GB", "ru-RU"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_right_for_every_eye(visit, name, locale):
    page = visit(scripts=True, locale=locale, viewport={"width": 1280, "height": 900})  # axe needs them on
    complaints = []
    page.on("console", lambda message: complaints.append(message.text) if "Content Security" in message.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    PAGES[name](page)

    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        found = Axe().run(page)
        assert not found.response["violations"], f"{theme}: {found.generate_report()}"
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert complaints == []
