"""People manage their accounts with scripts off and by keyboard, in both languages."""

import json
import re
import zipfile
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.models import User
from invites import purposes
from kit import tokens
from tests.browser.keyboard import LAPTOP, PHONE, enter, focused, heading, press, sign_in, tab_to, words, write
from tests.tools.factories import PASSWORD, LinkFactory, UserFactory

pytestmark = pytest.mark.usefixtures("db")

OTHER = "another horse battery staple"

WORDS = {
    "en-GB": {
        "account": "Your account",
        "check": "Check your email",
        "problem": "There is a problem",
        "create": "Create your account",
        "confirm": "Confirm account",
        "confirmed": "Email address confirmed. Sign in to carry on.",
        "forgot": "Forgot your password?",
        "new password": "Choose a new password",
        "password changed": "Password changed. Sign in with the new one.",
        "change email": "Change your email address",
        "code": "Enter the code",
        "email now": "Your email address is now ada@new.example.",
        "not me": "This was not me",
        "locked": "Everyone is signed out of your account",
        "download": "Download my data",
        "delete": "Delete my account",
        "delete?": "Delete your account?",
        "create here": "Create your account here",
        "left": "Until then you can come back",
        "keep?": "Keep your account?",
        "keep": "Keep my account",
        "stays": "Your account stays. Sign in to carry on.",
        "deleted": "Your account has been deleted and you’re signed out everywhere.",
        "email me": "Email me a link",
        "sign in": "Sign in",
        "it is me": "Confirm",
        "this device": "This device",
        "end": "End session",
        "ended": "Session ended: Firefox on Android.",
        "out everywhere": "Sign out everywhere",
        "everywhere": "You’re signed out on all your devices.",
        "settings": "Settings",
        "saved": "Settings saved.",
        "until": r"You’ll be signed out at \d\d:\d\d \(UTC\)\.",
        "stay": "Stay signed in (in a new tab)",
        "stayed": "You stay signed in for 12 more hours.",
        "over": "Your session has ended, so we signed you out. Sign in to carry on.",
    },
    "ru-RU": {
        "account": "Ваш аккаунт",
        "check": "Проверьте почту",
        "problem": "Не получилось продолжить",
        "create": "Новый аккаунт",
        "confirm": "Подтвердить аккаунт",
        "confirmed": "Адрес подтверждён. Войдите, чтобы продолжить.",
        "forgot": "Забыли пароль?",
        "new password": "Новый пароль",
        "password changed": "Пароль изменён. Войдите с новым.",
        "change email": "Изменить адрес почты",
        "code": "Введите код",
        "email now": "Теперь ваш адрес — ada@new.example.",
        "not me": "Это был не я",
        "locked": "Все сеансы вашего аккаунта завершены",
        "download": "Скачать данные",
        "delete": "Удалить аккаунт",
        "delete?": "Удалить аккаунт?",
        "create here": "Создать аккаунт здесь",
        "left": "До этого можно вернуться",
        "keep?": "Сохранить аккаунт?",
        "keep": "Не удалять",
        "stays": "Аккаунт остаётся. Войдите, чтобы продолжить.",
        "deleted": "Аккаунт удалён, вы вышли на всех устройствах.",
        "email me": "Прислать ссылку",
        "sign in": "Войти",
        "it is me": "Подтвердить",
        "this device": "Это устройство",
        "end": "Завершить",
        "ended": "Сеанс завершён: Firefox, Android.",
        "out everywhere": "Выйти на всех устройствах",
        "everywhere": "Вы вышли из аккаунта на всех устройствах.",
        "settings": "Настройки",
        "saved": "Настройки сохранены.",
        "until": r"В \d\d:\d\d \(UTC\) вы выйдете из аккаунта\.",
        "stay": "Остаться (в новой вкладке)",
        "stayed": "Вход действует ещё 12 часов.",
        "over": "Сеанс завершён, и мы вышли из аккаунта. Войдите, чтобы продолжить.",
    },
}
in_both_languages = pytest.mark.parametrize("locale", WORDS)


@pytest.fixture
def said(locale):
    return WORDS[locale]


@pytest.fixture
def ada(db, locale):
    return UserFactory(username="ada", email="ada@example.com", settings={"language": locale[:2]})


@pytest.fixture
def device(visit, locale):
    """A function that opens a page in a new browser; `device(PHONE)` sets its user agent."""
    return lambda agent=LAPTOP: visit(locale=locale, user_agent=agent)


def later(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


def choose_now(page):
    """Chooses on the page that deletes an account, whose first choice is to wait, that it be deleted now."""
    tab_to(page, "id_when_0")
    page.keyboard.press("ArrowDown")


def is_signed_out(page):
    page.goto("/account")
    return "/login" in page.url


def is_refused(page, name, password):
    """Tries to sign in, waits for the error, and returns whether the page is still the sign-in page."""
    sign_in(page, name, password)
    focused(page, "errors")
    return page.url.endswith("/login")


def register(page, said):
    page.goto("/signup")
    write(page, "id_email", "grace@example.com")
    write(page, "id_username", "grace.hopper")
    write(page, "id_password", PASSWORD)
    enter(page)
    assert heading(page) == said["check"]


@in_both_languages
def test_one_form_a_mail_and_a_button_in_the_same_browser_make_an_account(device, mailbox, said):
    page = device()
    register(page, said)
    assert not User.objects.exists()

    page.goto(mailbox.link("grace@example.com"))
    assert "grace.hopper" in words(page)
    press(page, said["confirm"])
    assert said["confirmed"] in words(page)

    sign_in(page, "grace.hopper", PASSWORD)
    assert heading(page) == said["account"]
    assert User.objects.get().email == "grace@example.com"


@in_both_languages
def test_in_another_browser_the_mail_leads_to_the_form_and_the_first_password_fails(device, mailbox, said):
    register(device(), said)

    phone = device(PHONE)
    phone.goto(mailbox.link("grace@example.com"))
    press(phone, said["create here"])
    assert heading(phone) == said["create"]
    assert phone.input_value("#id_username") == "grace.hopper"
    write(phone, "id_password", OTHER)
    enter(phone)
    assert heading(phone) == said["account"]

    page = device()
    assert is_refused(page, "grace.hopper", PASSWORD)
    assert said["problem"] in words(page)


@in_both_languages
def test_a_forgotten_password_is_replaced_by_a_mailed_link(device, mailbox, ada, said):
    thief = device(PHONE)
    sign_in(thief, "ada", PASSWORD)
    page = device()
    page.goto("/login")
    press(page, said["forgot"])
    focused(page, "id_email")
    page.keyboard.type("ada@example.com")
    enter(page)
    assert heading(page) == said["check"]

    page.goto(mailbox.link("ada@example.com", "/reset/password"))
    assert heading(page) == said["new password"]
    write(page, "id_password", OTHER)
    enter(page)
    assert said["password changed"] in words(page)
    assert is_signed_out(thief)
    assert is_refused(thief, "ada", PASSWORD)

    sign_in(page, "ada", OTHER)
    assert heading(page) == said["account"]
    assert "password_changed" in mailbox.kinds("ada@example.com")


@in_both_languages
def test_an_address_is_changed_by_a_code_and_comes_back_from_the_old_mailbox(device, mailbox, ada, said):
    thief = device(PHONE)
    sign_in(thief, "ada", PASSWORD)
    press(thief, said["change email"])
    write(thief, "id_email", "ada@new.example")
    write(thief, "id_password", PASSWORD)
    enter(thief)
    assert heading(thief) == said["code"]
    code = re.search(r"^ {4}(\d{4} \d{4})$", mailbox.text("ada@new.example"), re.MULTILINE)[1]
    write(thief, "id_code", code)
    enter(thief)
    assert said["email now"] in words(thief)
    assert mailbox.kinds("ada@example.com")[-1] == "email_changed"

    page = device()
    page.goto(mailbox.link("ada@example.com", "/not-me"))
    assert "ada@example.com" in words(page)
    press(page, said["not me"])
    assert heading(page) == said["locked"]
    ada.refresh_from_db()
    assert ada.email == "ada@example.com"
    assert is_signed_out(thief)
    assert mailbox.kinds("ada@example.com")[-1] == "disowned"
    assert "reset" not in mailbox.kinds("ada@new.example")


@in_both_languages
def test_who_signed_in_elsewhere_is_thrown_out_from_the_mail_about_it(device, mailbox, ada, said):
    thief = device(PHONE)
    sign_in(thief, "ada", PASSWORD)
    assert mailbox.kinds("ada@example.com") == ["new_device"]

    page = device()
    page.goto(mailbox.link("ada@example.com", "/not-me"))
    assert "Android" in words(page)
    assert not is_signed_out(thief)
    press(page, said["not me"])
    assert heading(page) == said["locked"]
    assert is_signed_out(thief)
    assert is_refused(thief, "ada", PASSWORD)

    page.goto(mailbox.link("ada@example.com", "/reset/password"))
    write(page, "id_password", OTHER)
    enter(page)
    sign_in(page, "ada", OTHER)
    assert heading(page) == said["account"]


@in_both_languages
def test_data_is_taken_along_and_the_account_deleted(device, mailbox, ada, said):
    page = device()
    sign_in(page, "ada", PASSWORD)
    tab_to(page, said["download"])
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "ada.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert {"account.json", "sessions.json", "events.json", "mails.json"} <= set(archive.namelist())
        (about,) = json.loads(archive.read("account.json"))
    assert (about["username"], about["email"]) == ("ada", "ada@example.com")

    press(page, said["delete"])
    assert heading(page) == said["delete?"]
    choose_now(page)
    write(page, "id_password", "not the password")
    enter(page)
    focused(page, "errors")
    write(page, "id_password", PASSWORD)
    enter(page)
    assert said["deleted"] in words(page)
    assert not User.objects.exists()
    assert mailbox.kinds("ada@example.com")[-1] == "deleted"
    assert is_signed_out(page)


@in_both_languages
def test_somebody_leaves_and_comes_back_by_the_mail_and_by_signing_in(device, mailbox, ada, said):
    page, phone = device(), device(PHONE)
    for one in (page, phone):
        sign_in(one, "ada", PASSWORD)
    leave(page, said)
    assert said["left"] in words(page)
    assert is_signed_out(phone)

    phone.goto(mailbox.link("ada@example.com", "/keep"))
    assert heading(phone) == said["keep?"]
    press(phone, said["keep"])
    assert said["stays"] in words(phone)
    sign_in(phone, "ada", PASSWORD)
    assert heading(phone) == said["account"]

    leave(phone, said)
    sign_in(page, "ada", PASSWORD)
    assert heading(page) == said["keep?"]
    press(page, "leave")
    assert is_signed_out(page)
    sign_in(page, "ada", PASSWORD)
    press(page, said["keep"])
    assert heading(page) == said["account"]
    assert User.objects.get().leaves_at is None


def leave(page, said):
    """Deletes the account of whoever is signed in, by the first choice: in 14 days."""
    page.goto("/account/delete")
    write(page, "id_password", PASSWORD)
    press(page, said["delete"])


@in_both_languages
def test_without_a_password_a_mailed_link_lets_somebody_delete_the_account(device, mailbox, ada, said):
    ada.set_unusable_password()
    ada.save()
    page = device()
    page.goto(tokens.path(purposes.CONFIRM, LinkFactory(email=ada.email).pk))
    press(page, said["sign in"])
    with later(minutes=20):  # the link's proof of the mailbox is too old for this page
        page.goto("/account/delete")
        assert not page.get_by_role("button", name=said["delete"]).count()
        press(page, said["email me"])
        assert heading(page) == said["check"]

        page.goto(mailbox.link(ada.email))
        press(page, said["it is me"])
        assert heading(page) == said["delete?"]
        choose_now(page)
        press(page, said["delete"])
    assert said["deleted"] in words(page)
    assert not User.objects.exists()


@in_both_languages
def test_one_device_ends_another_and_then_all(device, ada, said):
    phone, tablet, laptop = device(PHONE), device(), device()
    for page in (tablet, phone, laptop):
        sign_in(page, "ada", PASSWORD)
    assert words(laptop).count(said["this device"]) == 1
    press(laptop, said["end"])
    assert said["ended"] in words(laptop)
    assert is_signed_out(phone)
    assert not is_signed_out(tablet)

    press(laptop, said["out everywhere"])
    assert said["everywhere"] in words(laptop)
    assert is_signed_out(tablet)


@in_both_languages
def test_pages_follow_what_is_chosen_in_the_settings(device, ada, said, locale):
    page = device()
    sign_in(page, "ada", PASSWORD)
    assert "(UTC)" in words(page)
    press(page, said["settings"])
    page.select_option("#id_time_zone", "Asia/Tokyo")
    tab_to(page, "id_theme_0")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    enter(page)
    assert said["saved"] in words(page)
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(9, 15, 13)"
    page.goto("/account")
    assert "(JST)" in words(page)
    assert "(UTC)" not in words(page)

    (other,) = WORDS.keys() - {locale}
    page.goto("/account/settings")
    page.select_option("#id_language", other[:2])
    tab_to(page, "id_notices")
    enter(page)
    assert WORDS[other]["saved"] in words(page)
    page.goto("/account")
    press(page, WORDS[other]["out everywhere"])
    assert WORDS[other]["everywhere"] in words(page)


@in_both_languages
def test_in_the_last_hour_a_button_lets_one_stay(device, ada, said):
    page, idle = device(), device(PHONE)
    for each in (page, idle):
        sign_in(each, "ada", PASSWORD)
        assert not each.locator(".bar").count()
    with later(hours=11.5):
        page.goto("/account/settings")
        assert re.search(said["until"], page.locator(".bar").inner_text())
        tab_to(page, said["stay"])
        with page.expect_popup() as opened:  # what is typed on this page must not be lost
            page.keyboard.press("Enter")
        tab_to(opened.value, "id_password")
        opened.value.keyboard.type(PASSWORD)
        enter(opened.value)
        assert said["stayed"] in words(opened.value)
        page.reload()
        assert heading(page) == said["settings"]
        assert not page.locator(".bar").count()
    with later(hours=12.1):
        assert not is_signed_out(page)
        assert is_signed_out(idle)
        assert said["over"] in words(idle)


def test_a_second_mistake_has_the_focus_like_the_first(visit):
    page = visit(locale="en-GB")
    page.goto("/login")
    focused(page, "id_login")
    enter(page)
    focused(page, "errors")
    tab_to(page, "Enter your email or username")
    page.keyboard.press("Enter")
    focused(page, "id_login")
    page.keyboard.type("ada")

    enter(page)

    focused(page, "errors")
    assert "Enter your password" in page.locator("#errors").inner_text()
    assert "#" not in page.url
