"""No answer to a form is a redirect that leads off this site or to an app: a page leads on."""

import pytest
from django.conf import settings as site_settings
from django.contrib import messages
from django.test import Client, RequestFactory

from config.edge.openid_paths import AUTHORIZE
from kit.onward import refresh_answer
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db
APP = "https://app.example.com/cb?code=a&state=b"
QUERY = "?client_id=grafana&state=x"


@pytest.fixture(autouse=True)
def apps(settings):
    settings.ROOT_URLCONF = "tests.tools.app_behind"


def press(to, browser=None, **query):
    return (browser or Client()).post("/consent", query_params={"to": to, **query})


@pytest.mark.parametrize("status", [302, 303])
def test_a_form_leads_to_an_app_by_a_page(status):
    page = press(APP, name="Grafana", status=status)

    assert page.status_code == 200
    assert page["Refresh"] == f"0; url={APP}"
    assert "Location" not in page
    assert (
        '<a class="btn wide" href="https://app.example.com/cb?code=a&amp;state=b">Continue to Grafana</a>' in page.text
    )
    assert "<title>Continue to Grafana – Frontdoor</title>" in page.text
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert "app.example.com" not in page["Content-Security-Policy"]


def test_cookies_and_headers_of_the_redirect_stay():
    page = press(APP)

    assert page.cookies["kept"].value == "yes"
    assert page["X-Kept"] == "yes"
    assert page["Cache-Control"] == "no-store"


def test_a_page_to_an_app_is_never_compressed_for_a_code_may_stand_in_it():
    page = press(APP, Client(headers={"Accept-Encoding": "gzip"}), name="x" * 1000)

    assert "Content-Encoding" not in page


LEAD_AWAY = [
    "http://testserver.evil.example/",
    "https://testserver/cb",
    "http://testserver:8001/cb",
    "//app.example.com/cb",
    "com.example.app:/cb?code=a",
    AUTHORIZE,
    AUTHORIZE + QUERY,
    f"http://testserver{AUTHORIZE}{QUERY}",
    "identity/o/authorize?a",
]


@pytest.mark.parametrize("to", LEAD_AWAY)
def test_what_browsers_would_not_follow_is_a_page(to):
    page = press(to)

    assert page["Refresh"] == f"0; url={to}"
    assert "Continue" in words(page)


@pytest.mark.parametrize(
    "to", ["/account", "?a=1", "http://testserver/account", "/login?next=/identity/o/authorize", f"{AUTHORIZE}d"]
)
def test_what_stays_on_this_site_stays_a_redirect(to):
    answer = press(to)

    assert (answer.status_code, answer["Location"]) == (302, to)


def test_the_way_to_google_stays_a_redirect_because_the_policy_names_it(settings):
    assert site_settings.SECURE_CSP["form-action"][1:], "the tests have a stand-in for Google"
    google = settings.SECURE_CSP["form-action"][1]

    assert press(f"{google}/o/oauth2/v2/auth").status_code == 302
    settings.SECURE_CSP = settings.SECURE_CSP | {"form-action": settings.SECURE_CSP["form-action"][:1]}
    assert press(f"{google}/o/oauth2/v2/auth").status_code == 200


def test_a_link_may_lead_anywhere():
    assert Client().get(AUTHORIZE, {"to": APP}).url == APP


def test_a_form_of_another_site_comes_to_authorize_as_a_get():
    page = Client(enforce_csrf_checks=True).post(AUTHORIZE, {"to": APP}, headers={"Origin": "https://app.example.com"})

    assert page["Refresh"] == f"0; url={AUTHORIZE}?to=https%3A%2F%2Fapp.example.com%2Fcb%3Fcode%3Da%26state%3Db"


def test_signing_in_leads_to_authorize_by_a_page():
    person, browser = UserFactory(), Client()

    page = browser.post("/login", {"login": person.username, "password": PASSWORD, "next": AUTHORIZE + QUERY})

    assert page["Refresh"] == f"0; url={AUTHORIZE}{QUERY}"
    assert page.cookies[site_settings.SESSION_COOKIE_NAME].value
    assert browser.get("/account").status_code == 200


def test_who_comes_from_google_came_with_a_form(google):
    browser = Client()
    back = google.consent(browser.post("/google", {"next": AUTHORIZE + QUERY}).url)

    assert browser.get(back)["Refresh"] == f"0; url={AUTHORIZE}{QUERY}"


def test_the_page_is_in_the_language_of_the_person():
    page = press(APP, Client(headers={"Accept-Language": "ru"}), name="Grafana")

    assert "Продолжить в Grafana" in page.text


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example.com/cb?a='x'&b=\"y\";c,d=e f",
        "https://app.example.com/\r\nSet-Cookie: a=b",
        "https://app.example.com/привет?q=\u2028",
    ],
)
def test_the_header_holds_nothing_but_printable_ascii(url):
    request = RequestFactory().get("/")
    request.session = {}

    refresh = refresh_answer(request, url)["Refresh"]

    assert refresh.isascii()
    assert refresh.isprintable()
    assert " " not in refresh.removeprefix("0; url=")


@pytest.mark.parametrize("to", ["javascript:alert(1)", "JavaScript:alert(1)"])
def test_nothing_leads_into_a_script(to):
    assert press(to).status_code == 400


def test_a_warning_is_read_before_people_are_led_on():
    page = warned(messages.WARNING)

    assert "Refresh" not in page
    assert "Beware" in words(page)


def test_any_other_message_is_dropped():
    page = warned(messages.SUCCESS)

    assert page["Refresh"] == f"0; url={APP}"
    assert "Beware" not in words(page)


class Told(list):
    """Messages that wait for the next page."""

    used = False


def warned(level):
    request = RequestFactory().get("/")
    request.session = {}
    request._messages = Told([messages.storage.base.Message(level, "Beware")])
    return refresh_answer(request, APP, "Grafana")
