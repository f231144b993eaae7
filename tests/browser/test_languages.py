"""Pages in each language: nothing is cut off, nothing scrolls sideways, and Arabic runs from right to left."""

import pytest
from django.conf import settings

from tests.browser.axe import violations
from tests.browser.test_looks import invitation, sign_in

pytestmark = pytest.mark.usefixtures("db")

WIDTHS = (320, 390, 1280)
# Whatever is pressed or named: cut off if its words need more room than it has. Inline ones have no room of their own.
CUT_OFF = """() => [...document.querySelectorAll('.btn, button, label, summary, legend, h1, nav a, .tag')]
    .filter(one => one.clientWidth && one.scrollWidth > one.clientWidth).map(one => one.outerHTML)"""
SIDEWAYS = "document.documentElement.scrollWidth > innerWidth"


def pages():
    """Returns, by name, the path of each page to look at, and whether one must be signed in."""
    return {
        "start": ("/", False),
        "register": ("/signup", False),
        "sign in": ("/login", False),
        "invitation": (invitation(note="Welcome"), False),
        "account": ("/account", True),
        "settings": ("/account/settings", True),
        "two‑step verification": ("/account/second-factor/app", True),
        "not found": ("/nothing", False),
    }


@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES if code not in {"en", "ru"}])
def test_nothing_is_cut_off_in_any_language(visit, language, subtests):
    page = visit(scripts=True, locale=language)  # axe is a script
    for name, (path, inside) in pages().items():
        with subtests.test(name):
            page.context.clear_cookies()
            if inside:
                sign_in(page, settings={"language": language})
            page.goto(path)
            if (choice := page.locator("footer summary")).count():
                choice.click()
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                assert not page.evaluate(SIDEWAYS), width
                assert page.evaluate(CUT_OFF) == [], width
            root = page.locator("html")
            assert (root.get_attribute("lang"), root.get_attribute("dir")) == (
                language,
                "rtl" if language == "ar" else "ltr",
            )
            assert language != "ar" or violations(page) == []


def test_another_language_is_chosen_with_the_keyboard_alone_and_without_a_script(visit):
    page = visit(locale="de")
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto("/login")
    summary = page.locator("footer summary")

    assert "Deutsch" in summary.inner_text()
    assert not page.get_by_role("button", name="English").is_visible()
    summary.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="English").focus()
    page.keyboard.press("Enter")

    page.wait_for_selector("html[lang=en]")
    assert page.url.endswith("/login")
    assert page.locator("footer button[lang=ar]").get_attribute("dir") == "rtl"


def test_the_desk_speaks_english_to_a_reader_of_german(visit):
    page = visit(locale="de")
    sign_in(page, is_staff=True, is_superuser=True, settings={"language": "de"})

    for path in ("/admin/", "/admin/accounts/user/", "/admin/invites/batch/add/"):
        page.goto(path)
        assert page.locator("html").get_attribute("lang") == "en"
        assert "Speichern" not in page.content()
    page.goto("/account")
    assert page.locator("html").get_attribute("lang") == "de"
