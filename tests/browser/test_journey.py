"""The whole way in, with scripts off and by keyboard, in both languages."""

import re

import pytest
from playwright.sync_api import expect

from accounts.models import User
from invites import purposes
from invites.models import MagicLink
from kit import tokens
from tests.browser.keyboard import enter, focused, heading, tab_to, write
from tests.tools.factories import PASSWORD, LinkFactory, UserFactory

pytestmark = pytest.mark.usefixtures("db")

WORDS = {
    "en-GB": {
        "check": "Check your email",
        "create": "Create your account",
        "ready": "Your account is ready.",
        "sign out": "Sign out",
        "out everywhere": "Sign out everywhere",
        "everywhere": "You’re signed out on all your devices.",
        "sign in": "Sign in",
        "where": "Where do you want to sign in?",
        "here": "Sign in here",
        "empty": "Enter your email address",
        "problem": "There is a problem",
        "account": "Your account",
    },
    "ru-RU": {
        "check": "Проверьте почту",
        "create": "Новый аккаунт",
        "ready": "Аккаунт готов.",
        "sign out": "Выйти",
        "out everywhere": "Выйти на всех устройствах",
        "everywhere": "Вы вышли из аккаунта на всех устройствах.",
        "sign in": "Войти",
        "where": "Где вы хотите войти?",
        "here": "Войти здесь",
        "empty": "Укажите адрес электронной почты",
        "problem": "Не получилось продолжить",
        "account": "Ваш аккаунт",
    },
}


@pytest.mark.parametrize("locale", WORDS)
def test_an_address_a_mail_a_link_an_account_by_keyboard(visit, mailbox, locale):
    said = WORDS[locale]
    page = visit(locale=locale)
    page.goto("/")
    focused(page, "id_email")
    page.keyboard.type("grace@example.com")
    enter(page)
    assert heading(page) == said["check"]

    page.goto(mailbox.link("grace@example.com"))
    assert heading(page) == said["create"]
    write(page, "id_username", "grace.hopper")
    write(page, "id_password", PASSWORD)
    enter(page)
    assert said["ready"] in page.locator("main").inner_text()
    assert User.objects.get().settings["language"] == locale[:2]

    tab_to(page, said["sign out"])
    enter(page)
    tab_to(page, said["out everywhere"])
    enter(page)
    assert said["everywhere"] in page.locator("main").inner_text()

    write(page, "id_login", "grace.hopper")
    write(page, "id_password", PASSWORD)
    enter(page)
    assert heading(page) == said["account"]


@pytest.mark.parametrize("locale", WORDS)
def test_back_in_by_a_mailed_link_on_another_device(visit, mailbox, settings, locale):
    said = WORDS[locale]
    UserFactory(email="grace@example.com", settings={"language": locale[:2]})
    page = visit(locale=locale)
    page.goto("/")
    focused(page, "id_email")
    page.keyboard.type("grace@example.com")
    enter(page)

    phone = visit(locale=locale, viewport={"width": 390, "height": 844})
    phone.goto(mailbox.link("grace@example.com"))
    assert heading(phone) == said["where"]
    tab_to(phone, "id_here")
    phone.keyboard.press("Space")
    tab_to(phone, said["here"])
    enter(phone)
    assert heading(phone) == said["account"]


@pytest.mark.parametrize("locale", WORDS)
def test_a_mistake_has_the_focus_and_leads_to_its_field(visit, locale):
    said = WORDS[locale]
    page = visit(locale=locale)
    page.goto("/")
    focused(page, "id_email")
    enter(page)
    assert page.title().startswith(("Error: ", "Ошибка: "))
    focused(page, "errors")
    assert said["problem"] in page.locator("#errors").inner_text()

    tab_to(page, said["empty"])
    page.keyboard.press("Enter")
    focused(page, "id_email")
    page.keyboard.type("grace@example.com")
    enter(page)
    assert heading(page) == said["check"]


def test_an_expired_link_heals_with_one_button(visit, mailbox, settings):
    MagicLink.objects.issue("grace@example.com")
    link = mailbox.link("grace@example.com")
    MagicLink.objects.update(expires_at="2020-01-01T00:00Z")
    page = visit(locale="en-GB")
    page.goto(link)
    assert heading(page) == "This link has expired"

    tab_to(page, "Send a new link")
    enter(page)
    assert heading(page) == "Check your email"
    page.goto(mailbox.link("grace@example.com"))
    assert heading(page) == "Create your account"


def test_the_language_switch_works_without_a_script_and_stays(visit):
    page = visit(locale="en-GB")
    page.goto("/login")
    page.locator("footer summary").click()
    page.get_by_role("button", name="Русский").click()
    assert heading(page) == "Вход"
    assert page.url.endswith("/login")
    page.goto("/")
    assert heading(page) == "Вход или новый аккаунт"


def test_showing_the_password_keeps_the_name_and_enter_still_sends(visit):
    page = visit(locale="en-GB")
    page.goto(tokens.path(purposes.SIGNUP, LinkFactory().pk))
    page.fill("#id_username", "grace.hopper")
    page.get_by_role("button", name="Show password as I type").click()
    assert page.input_value("#id_username") == "grace.hopper"
    assert page.get_attribute("#id_password", "type") == "text"
    page.get_by_role("button", name="Hide password as I type").click()
    assert page.input_value("#id_username") == "grace.hopper"

    page.fill("#id_password", PASSWORD)
    page.focus("#id_username")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/account"))
    assert User.objects.get().username == "grace.hopper"


def test_a_double_click_is_fine(visit, settings):
    link = LinkFactory()
    page = visit(locale="en-GB")
    page.goto(tokens.path(purposes.SIGNUP, link.pk))
    page.fill("#id_username", "grace.hopper")
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Create account").dblclick()
    # The browser drops the first press for the second, which must be no error.
    expect(page).to_have_url(re.compile("/account$"))

    assert heading(page) == "Your account"
    assert User.objects.count() == 1


def test_a_scanner_that_runs_scripts_uses_nothing_up(visit):
    link = LinkFactory(email=UserFactory().email)
    for _ in range(5):
        scanner = visit(scripts=True)
        scanner.goto(tokens.path(purposes.CONFIRM, link.pk))
        scanner.wait_for_load_state("networkidle")

    link.refresh_from_db()
    assert link.state == MagicLink.State.PENDING
