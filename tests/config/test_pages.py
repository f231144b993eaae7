"""What holds for every page, in both languages, with and without errors (promise 8, and the guide's checklist)."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from invites import tokens
from mail.models import OutboxMessage
from tests.factories import PASSWORD, InviteFactory, UserFactory

pytestmark = pytest.mark.django_db

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self' https://accounts.google.com; base-uri 'none'; frame-ancestors 'none'"
)
ROOT = Path(__file__).parent.parent.parent
AGO = timezone.now() - timedelta(hours=2)


class Page(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def all(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]


def token(purpose=tokens.SIGNUP, **fields):
    return {"token": tokens.sign(purpose, InviteFactory(**fields).pk)}


def after(client, path, form):
    client.post(path, form)
    return client


# Each page by what a visitor did to see it: (browser, is it signed in?) -> response.
PAGES = {
    "start": lambda c: c.get("/"),
    "start, error": lambda c: c.post("/", {"email": "ada@example"}),
    "start, typo": lambda c: c.post("/", {"email": "ada@gmial.com"}),
    "sent": lambda c: after(c, "/", {"email": "a@gmail.com"}).get("/invite/sent"),
    "sent, again too soon": lambda c: after(c, "/", {"email": "a@gmail.com"}).post("/invite/sent"),
    "sent, no cookie": lambda c: c.get("/invite/sent"),
    "sign up": lambda c: c.get("/signup", token()),
    "sign up, shown": lambda c: c.get("/signup", token() | {"show": 1}),
    "sign up, error": lambda c: c.post("/signup", token() | {"username": "x", "password": "y"}),
    "sign up, invited": lambda c: c.get("/signup", token(invited_by=UserFactory(), note="Hello", source="admin")),
    "owner": lambda c: c.get("/owner", token(tokens.OWNER, source="owner")),
    "owner, too late": lambda c: c.get("/owner", token(tokens.OWNER, source="owner", expires_at=AGO)),
    "confirm": lambda c: c.get("/confirm", token(tokens.CONFIRM, email=UserFactory().email)),
    "sign in": lambda c: c.get("/login"),
    "sign in, error": lambda c: c.post("/login", {"login": "ada", "password": "wrong password"}),
    "sign in, empty": lambda c: c.post("/login", {}),
    "expired": lambda c: c.get("/signup", token(expires_at=AGO)),
    "used": lambda c: c.get("/signup", token(claimed_at=AGO)),
    "declined": lambda c: c.get("/signup", token(declined_at=AGO)),
    "withdrawn": lambda c: c.get("/signup", token(revoked_at=AGO)),
    "broken": lambda c: c.get("/signup", {"token": "x"}),
    "deactivated": lambda c: c.get("/confirm", token(tokens.CONFIRM, email=UserFactory(is_active=False).email)),
    "not found": lambda c: c.get("/nothing"),
    "bad request": lambda c: c.post("/", {"email": "\x00"}),
    "too large": lambda c: c.post("/", {"email": "x" * 3 * 1024 * 1024}),
    "form too old": lambda c: Client(enforce_csrf_checks=True, headers=c.headers).post("/"),
}
SIGNED_IN = {
    "start, signed in": lambda c: c.get("/"),
    "account": lambda c: c.get("/account"),
    "sign out": lambda c: c.get("/logout"),
    "confirm as another": lambda c: c.get("/confirm", token(tokens.CONFIRM, email=UserFactory().email)),
    "not for everybody": lambda c: c.get("/admin/login/"),
}


@pytest.fixture(params=["en", "ru"])
def language(request):
    return request.param


@pytest.fixture(params=[*PAGES, *SIGNED_IN])
def page(request, language):
    """Every page, as a response."""
    browser = Client(headers={"Accept-Language": language})
    browser.headers = {"Accept-Language": language}
    if request.param in PAGES:
        return PAGES[request.param](browser)
    UserFactory(username="ada", settings={"language": language})
    return SIGNED_IN[request.param](after(browser, "/login", {"login": "ada", "password": PASSWORD}))


def test_no_script_no_inline_style_and_the_strict_policy(page):
    tags = Page(page.text)

    assert page["Content-Security-Policy"] == CSP
    assert not tags.all("script", "style", "iframe", "object")
    assert not [name for _, a in tags.tags for name in a if name == "style" or name.startswith("on")]
    assert page["Referrer-Policy"] == "same-origin"
    assert page["X-Frame-Options"] == "DENY"
    assert page["X-Content-Type-Options"] == "nosniff"


def test_one_heading_a_language_a_title_and_a_way_past_the_top(page, language):
    tags = Page(page.text)

    assert len(tags.all("h1")) == 1
    assert tags.all("html") == [{"lang": language, "dir": "ltr"}]
    assert re.search(r"<title>\s*[^<]{4,} [–—] Frontdoor\s*</title>", page.text)
    assert ("<title>Error: " in page.text or "<title>Ошибка: " in page.text) == ('id="errors"' in page.text)
    assert 'href="#main"' in page.text
    assert 'id="main"' in page.text


def test_fields_are_named_complete_and_nobodys_typing_is_lost(page):
    tags = Page(page.text)
    labelled = {label.get("for") for label in tags.all("label")}
    ids = {a["id"] for _, a in tags.tags if "id" in a}

    for field in tags.all("input", "select", "textarea"):
        assert not {"placeholder", "maxlength", "required"} & set(field)
        if field.get("type") != "hidden":
            assert field["id"] in labelled
            assert field["autocomplete"] in {"email", "username", "current-password", "new-password", "nickname", "off"}
        if field.get("type") == "password":
            assert not field.get("value")
        if field.get("aria-invalid"):
            assert set(field["aria-describedby"].split()) <= ids
    assert sum("autofocus" in a for _, a in tags.tags) <= 1


def test_an_error_summary_takes_the_focus_and_leads_to_the_fields(page):
    tags = Page(page.text)
    if 'id="errors"' not in page.text:
        return
    (summary,) = [a for _, a in tags.tags if a.get("id") == "errors"]
    ids = {a["id"] for _, a in tags.tags if "id" in a}

    assert summary["tabindex"] == "-1"
    assert "autofocus" in summary
    links = re.findall(r'<li><a href="#([^"]+)"', page.text)
    assert links
    assert set(links) <= ids


def test_every_form_that_posts_is_safe_from_other_sites(page):
    for form in re.findall(r'<form[^>]*method="post".*?</form>', page.text, re.DOTALL):
        assert 'name="csrfmiddlewaretoken"' in form


def test_pages_are_not_kept_by_caches(page):
    assert "no-store" in page["Cache-Control"]


def test_help_comes_first_at_the_foot(page):
    foot = page.text.partition("<footer")[2]
    assert "help@testserver" in foot
    assert "mailto:" in foot
    assert foot.index("mailto:") < (foot.index("<button") if "<button" in foot else len(foot))


def test_nothing_english_is_left_in_russian(page, language):
    if language == "en":
        return
    body = re.sub(r"<(svg|style)\b.*?</\1>|<[^>]+>", " ", page.text.partition("<body")[2], flags=re.DOTALL)
    body = body.replace("manage.py owner_link", "")
    english = set(re.findall(r"[A-Za-z]{3,}", body)) - {
        "Frontdoor",
        "Gmail",
        "English",
        "UTC",
        "Hello",
        "name",
        "cookie",
    }
    assert not {
        word
        for word in english
        if not re.search(r"(example|testserver|help|person\d*|guest\d*|gmail|gmial|com|ada)", word)
    }


def test_the_stylesheet_is_small():
    assert (ROOT / "static" / "frontdoor.css").stat().st_size < 10_000


def test_no_page_of_this_list_sent_a_mail_it_should_not(page):
    assert OutboxMessage.objects.count() <= 1
