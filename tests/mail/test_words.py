"""Each mail: right words, one link, honest headers; no picture, no foreign host."""

import re

import pytest
from django.utils import translation

from invites.models import Invite
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

FIREFOX = "Firefox/Windows"


def written(mailbox, address):
    """Subject, text and HTML of the newest mail to an address."""
    letter = mailbox.letters(address)[-1]
    return letter, letter.get_body(("plain",)).get_content(), letter.get_body(("html",)).get_content()


@pytest.fixture(params=["en", "ru"])
def language(request):
    return request.param


@pytest.fixture(params=["link_new", "link_known", "invite", "closed"])
def sent(request, mailbox, settings, language):
    """Each kind of mail, in each language."""
    kind, email = request.param, "grace@example.com"
    given = {"language": language, "device": FIREFOX}
    if kind == "link_known":
        UserFactory(email=email, settings={"language": language})
    if kind == "invite":
        inviter = UserFactory(username="maria", email="maria@lab.example")
        given |= {"source": "admin", "invited_by": inviter, "note": "Hi <b>Grace</b>!"}
    if kind == "closed":
        settings.SIGNUP = "invited"
    Invite.objects.issue(email, **given)
    return kind, *written(mailbox, email)


def test_text_and_html_carry_the_same_one_link_the_deadline_and_the_way_out(sent, language):
    kind, letter, text, html = sent
    links = set(re.findall(r"http://testserver[^\s\"<]*", text))

    assert len(links) == 1 + (kind == "link_known")  # which offers a new password too
    assert links == {link.replace("&amp;", "&") for link in re.findall(r"http://testserver[^\s\"<]*", html)}
    assert ("token=" in links.pop()) == (kind != "closed")
    assert letter["Subject"]
    assert len(letter["Subject"]) <= 60
    assert kind == "closed" or re.search(r"(until|by|до) .{10,40}\(UTC\)", text.replace("\n", " "))
    assert len(html) < 8000


def test_no_picture_script_or_foreign_host(sent):
    _kind, _letter, text, html = sent

    assert not re.search(r"<(img|script|link|iframe|object|form)\b", html, re.IGNORECASE)
    assert set(re.findall(r"https?://([^/\s\"<:]+)", text + html)) <= {"testserver"}


def test_the_headers_say_what_it_is(sent, language):
    kind, letter, _text, _html = sent

    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Content-Language"] == language
    assert re.fullmatch(rf"<{kind}\.[0-9a-f]+@testserver>", letter["Message-ID"])
    assert letter["Reply-To"] == ("maria@lab.example" if kind == "invite" else "help@testserver")
    assert letter["List-Unsubscribe"] is None


def test_the_language_is_the_accounts_else_the_pages(sent, language):
    _kind, _letter, text, html = sent

    assert bool(re.search("[а-яё]{4}", text)) == (language == "ru")
    assert f'lang="{language}"' in html
    if language == "ru":
        assert not re.search(r"\b(the|you|press|link|until)\b", text, re.IGNORECASE)


def test_a_note_from_outside_is_text_and_nothing_more(mailbox, ada):
    Invite.objects.issue("grace@example.com", source="admin", invited_by=ada, note="<a href=x>\r\nBcc: eve@example.com")

    letter, text, html = written(mailbox, "grace@example.com")

    assert "<a href=x>" in text
    assert "&lt;a href=x&gt;" in html
    assert letter["Bcc"] is None


def test_what_asked_is_named_when_it_is_known(mailbox):
    Invite.objects.issue("grace@example.com", device=FIREFOX)
    Invite.objects.issue("alan@example.com")

    assert "Firefox on Windows" in written(mailbox, "grace@example.com")[1]
    assert "requested from an unknown device" in " ".join(written(mailbox, "alan@example.com")[1].split())


def test_an_account_reads_its_own_language_whoever_asks(mailbox, client):
    UserFactory(email="ivan@example.com", settings={"language": "ru"})
    with translation.override("en"):
        client.post("/", {"email": "ivan@example.com"}, headers={"Accept-Language": "en"})

    assert mailbox.letters("ivan@example.com")[0]["Content-Language"] == "ru"
