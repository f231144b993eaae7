"""Where people land once they are signed in: at the product, at the desk, at their account."""

import pytest
from django.test import Client

from invites import purposes
from kit import plain_page, tokens
from tests.tools.factories import PASSWORD, LinkFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db
PRODUCT = "https://app.example.com/start"


@pytest.fixture
def product(settings):
    settings.PRODUCT_URL, settings.PRODUCT_NAME = PRODUCT, "Example App"
    plain_page.forget()
    yield
    plain_page.forget()


def buttons(answer):
    """Returns the addresses of the buttons of the start page, the main one first."""
    html = answer.content.decode()
    parts = html.split('<a class="btn')[1:]
    return [part.partition('href="')[2].partition('"')[0] for part in parts]


def sign_in(**fields):
    browser, person = Client(), UserFactory(**fields)
    answer = browser.post("/login", {"login": person.username, "password": PASSWORD})
    return browser, answer


def test_without_a_product_people_land_on_their_account_page():
    browser, answer = sign_in()

    assert answer.url == "/account"
    assert buttons(browser.get("/")) == ["/account", "/logout"]


def test_with_a_product_people_land_before_the_button_that_leads_to_it(product):
    browser, answer = sign_in()

    assert answer.url == "/"
    assert buttons(browser.get("/")) == [PRODUCT, "/account", "/logout"]
    assert "Continue to Example App" in browser.get("/").content.decode()
    assert browser.get("/login").url == "/"


def test_people_go_to_a_page_of_this_host(settings):
    settings.SIGNED_IN_URL = "/notes/"

    browser, answer = sign_in()

    assert answer.url == "/notes/"
    assert browser.get("/onward").status_code == 404


def test_people_go_on_to_another_host_by_a_page_between(settings):
    settings.SIGNED_IN_URL, settings.PRODUCT_NAME = "https://app.example.com/in?a=1&b=2", "Example App"

    browser, answer = sign_in()
    page = browser.get(answer.url)

    assert answer.url == "/onward"
    assert page["Refresh"] == "0; url=https://app.example.com/in?a=1&b=2"
    assert '<a class="btn wide" href="https://app.example.com/in?a=1&amp;b=2">Continue to Example App</a>' in (
        page.content.decode()
    )
    assert "https://app" not in page["Content-Security-Policy"]


def test_no_message_waits_until_somebody_comes_back_from_another_host(settings, client):
    settings.SIGNED_IN_URL = "https://app.example.com/"
    form = {"token": tokens.sign(purposes.SIGNUP, LinkFactory(email="new@example.com").pk)}

    answer = client.post("/signup", form | {"username": "newcomer", "password": PASSWORD})
    between = client.get(answer.url)

    assert answer.url == "/onward"
    assert between["Refresh"] == "0; url=https://app.example.com/"
    for page in (between, client.get("/account")):
        assert "Your account is ready" not in words(page)


def test_the_account_page_leads_back_to_the_product(settings, subtests):
    settings.PRODUCT_NAME = "Example App"
    for product, landing, there in (
        (PRODUCT, "/notes/", PRODUCT),
        ("", "https://app.example.com/in", "https://app.example.com/in"),
        ("", "/notes/", "/notes/"),
        ("", "/account", None),
        ("", "/", None),
        ("", "", None),
    ):
        with subtests.test(product=product, landing=landing):
            settings.PRODUCT_URL, settings.SIGNED_IN_URL = product, landing
            plain_page.forget()
            browser, _ = sign_in()
            link = f'<p><a class="btn alt tight" href="{there}">Continue to Example App</a></p>'
            account, home = browser.get("/account").text, browser.get("/")
            assert (link in account) == bool(there)
            assert account.count("Continue to") == bool(there)
            assert (there in buttons(home)) == bool(there)
    plain_page.forget()


def test_the_page_between_is_for_whoever_is_signed_in(settings, client):
    settings.SIGNED_IN_URL = "https://app.example.com/"

    assert client.get("/onward").url == "/login?next=/onward"


def test_who_was_going_somewhere_goes_on_there(product):
    browser, person = Client(), UserFactory()
    form = {"login": person.username, "password": PASSWORD, "next": "/account/settings"}

    assert browser.post("/login", form).url == "/account/settings"
    assert buttons(browser.get("/?next=/account/settings"))[0] == "/account/settings"


def test_a_mailed_link_lands_there_too(product):
    link = LinkFactory(email=UserFactory().email)

    answer = Client().post("/confirm", {"token": tokens.sign(purposes.CONFIRM, link.pk)})

    assert answer.url == "/"


def test_staff_land_before_the_desk_and_have_the_product_below_it(product):
    browser, _ = sign_in(is_staff=True)

    assert buttons(browser.get("/")) == ["/admin/", PRODUCT, "/account", "/logout"]


def test_one_page_for_staff_and_another_for_all_others(product):
    staff, _ = sign_in(is_staff=True)
    other, _ = sign_in()

    assert "/admin/" in buttons(staff.get("/"))
    assert "/admin/" not in buttons(other.get("/"))
    assert "/admin/" in buttons(staff.get("/"))


@pytest.mark.parametrize("is_staff", [True, False])
def test_staff_alone_have_a_tab_that_leads_to_the_desk(is_staff):
    browser, _ = sign_in(is_staff=is_staff)

    for path in ("/account", "/account/settings", "/account/password", "/account/second-factor"):
        assert ('<a href="/admin/">Desk</a>' in browser.get(path).content.decode()) == is_staff
