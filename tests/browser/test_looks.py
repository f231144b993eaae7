"""Every page as a person meets it: axe finds nothing in both themes, nothing scrolls sideways, nothing is blocked."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import OperationalError
from django.utils import timezone

from accounts import tokens
from invites.models import Invite
from tests.factories import PASSWORD, InviteFactory, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

AGO = timezone.now() - timedelta(hours=2)


def link(purpose=tokens.SIGNUP, **fields):
    return tokens.path(purpose, InviteFactory(**fields).pk)


def submit(page, path, **fields):
    page.goto(path)
    for name, value in fields.items():
        page.fill(f"#id_{name}", value)
    page.locator("main form:has(input:visible) button").first.click()


def sign_in(page):
    person = UserFactory()
    submit(page, "/login", login=person.username, password=PASSWORD)


def signed_in(path):
    def go(page):
        sign_in(page)
        page.goto(path)

    return go


def desk(path):
    def go(page):
        owner = UserFactory(is_staff=True, is_superuser=True)
        Invite.objects.issue("grace@example.com", source="admin", invited_by=owner)
        submit(page, "/login", login=owner.username, password=PASSWORD)
        page.goto(path)

    return go


def too_often(page):
    submit(page, "/", email="ada@gmail.com")
    submit(page, "/", email="ada@gmail.com")


def again(page):
    submit(page, "/", email="ada@gmail.com")
    page.locator("form button", has_text="again").or_(page.locator("form button", has_text="ещё")).click()


def too_old(page):
    page.goto("/")
    page.context.clear_cookies()
    page.fill("#id_email", "ada@gmail.com")
    page.locator("main form button").first.click()


def breaks(error):
    """A start page that fails as if something behind it did."""

    def go(page):
        with patch("invites.views.entry_page", side_effect=error):
            page.goto("/")

    return go


PAGES = {
    "start": lambda p: p.goto("/"),
    "start, error": lambda p: submit(p, "/", email="ada@example"),
    "start, typo": lambda p: submit(p, "/", email="ada@gmial.com"),
    "sent": lambda p: submit(p, "/", email="ada@gmail.com"),
    "sent, again too soon": again,
    "too many": too_often,
    "form too old": too_old,
    "bad request": lambda p: submit(p, "/", email="a" * 5000),
    "server error": breaks(RuntimeError),
    "database away": breaks(OperationalError),
    "sign up": lambda p: p.goto(link(email="grace@example.com")),
    "sign up, invited": lambda p: p.goto(link(invited_by=UserFactory(), note="See you Monday!", source="admin")),
    "sign up, error": lambda p: submit(p, link(), username="x", password="y"),
    "confirm": lambda p: p.goto(link(tokens.CONFIRM, email=UserFactory().email)),
    "owner": lambda p: p.goto(link(tokens.OWNER, source="owner")),
    "owner, too late": lambda p: p.goto(link(tokens.OWNER, source="owner", expires_at=AGO)),
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
    "desk": desk("/admin/"),
    "desk, people": desk("/admin/accounts/user/"),
    "desk, invitations": desk("/admin/invites/invite/"),
    "desk, invite": desk("/admin/invites/invite/add/"),
    "desk, outbox": desk("/admin/mail/outboxmessage/"),
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
        page.evaluate("Promise.all(document.getAnimations().map((fading) => fading.finished))")
        found = Axe().run(page)
        assert not found.response["violations"], f"{theme}: {found.generate_report()}"
    page.set_viewport_size({"width": 320, "height": 640})
    if name.startswith("desk"):  # tables of the desk may scroll
        return
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert complaints == []
