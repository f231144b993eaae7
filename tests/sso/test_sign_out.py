"""Signing out that begins in an app: people are asked whether here, too, and nothing else ends."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.test import Client

from accounts.session.notes import HANDLE
from sso import keys
from sso.models import Login
from tests.sso.test_authorize import asking, leads_to
from tests.tools.factories import AppFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

LOGOUT, ANSWER = "/identity/o/logout", "/identity/o/logout/answer"
AFTER = "https://app.example/bye"


@pytest.fixture
def app(db):
    return AppFactory(post_logout_uris=f"{AFTER}\nhttps://app.example/bye?x=1")


def enter(app, person):
    """Signs somebody in here, in a browser of their own, and then in the app. Returns the browser."""
    browser = Client()
    browser.force_login(person)
    assert browser.get("/identity/o/authorize", asking(app)).status_code == 302
    return browser


@pytest.fixture
def browser(app, ada):
    return enter(app, ada)


def wish(app, **more):
    return {"client_id": app.pk, "post_logout_redirect_uri": AFTER, "state": "xyz", **more}


def sent(browser, query, **form):
    return browser.post(f"{ANSWER}?{urlencode(query)}", form)


def token_of(person, app, settings):
    return keys.sign({"iss": settings.SITE_URL, "sub": str(person.pk), "aud": app.pk, "exp": 1, "iat": 0})


def test_whoever_is_signed_in_is_always_asked(browser, app):
    for query in ({}, {"client_id": app.pk}, wish(app)):
        page = browser.get(LOGOUT, query)
        assert page.status_code == 200
        assert "Sign out of" in words(page)
        assert ("You’re leaving Grafana." in words(page)) is bool(query)
    assert browser.get("/account").status_code == 200


def test_signing_out_here_ends_this_session_and_what_hangs_on_it_and_no_other(browser, app, ada):
    elsewhere, grace = enter(app, ada), enter(app, UserFactory(username="grace"))
    assert Login.objects.alive().count() == 3

    page = sent(browser, wish(app))

    assert leads_to(page) == f"{AFTER}?state=xyz"
    assert browser.get("/account").status_code == 302
    alive = Login.objects.alive()
    assert {login.handle for login in alive} == {one.session[HANDLE] for one in (elsewhere, grace)}


def test_staying_ends_the_login_in_that_app_alone(browser, app, ada):
    other = AppFactory()
    assert browser.get("/identity/o/authorize", asking(other)).status_code == 302
    enter(app, ada)

    page = sent(browser, wish(app), stay="1")

    assert leads_to(page) == f"{AFTER}?state=xyz"
    assert browser.get("/account").status_code == 200
    handle = browser.session[HANDLE]
    assert [login.app for login in Login.objects.alive().filter(handle=handle)] == [other]
    assert Login.objects.alive().filter(app=app).count() == 1


STRANGE = ("https://evil.example/", f"{AFTER}/", f"{AFTER}?x=2", AFTER.upper(), "/account", "javascript:alert(1)")


def test_nobody_is_led_to_an_address_that_the_app_has_not_registered(browser, app, subtests):
    for there in STRANGE:
        with subtests.test(there):
            query = wish(app, post_logout_redirect_uri=there)
            assert "isn’t one of its own, so you’ll stay here" in words(browser.get(LOGOUT, query))
            assert Client().get(LOGOUT, query)["Location"] == "/login"
            assert sent(browser, query, stay="1")["Location"] == "/"
    assert sent(browser, wish(app, post_logout_redirect_uri=STRANGE[0]))["Location"] == "/login"


def test_a_form_that_no_address_can_hold_gets_a_page(browser, app):
    assert browser.post(LOGOUT, wish(app, state="s" * 3000)).status_code == 302
    assert browser.post(LOGOUT, wish(app, state="s" * 7000)).status_code == 400


def test_an_address_needs_an_app(browser, app, settings, ada, subtests):
    other = AppFactory(post_logout_uris="https://other.example/bye")
    adas, others = token_of(ada, app, settings), token_of(ada, other, settings)
    third = AppFactory(post_logout_uris=AFTER)
    hint = {"post_logout_redirect_uri": AFTER, "id_token_hint": adas}
    cases = {
        "expired token": (hint, True),
        "token and id": (hint | {"client_id": app.pk}, True),
        "id alone": ({"post_logout_redirect_uri": AFTER, "client_id": app.pk}, True),
        "neither": ({"post_logout_redirect_uri": AFTER}, False),
        "another's token": (hint | {"id_token_hint": others}, False),
        "token and another's id": (hint | {"client_id": third.pk}, False),
        "forged token": (hint | {"id_token_hint": adas[:-9] + "A" * 9}, False),
        "unknown id": (hint | {"client_id": "x", "id_token_hint": ""}, False),
        "odd id": (hint | {"client_id": "\0", "id_token_hint": ""}, False),
    }
    for name, (query, leads_there) in cases.items():
        with subtests.test(name):
            assert Client().get(LOGOUT, query)["Location"] == (AFTER if leads_there else "/login")


def test_an_address_with_a_query_keeps_it(app):
    page = Client().get(LOGOUT, wish(app, post_logout_redirect_uri=f"{AFTER}?x=1", state="a b"))

    assert page["Location"] == f"{AFTER}?x=1&state=a+b"


def test_a_form_of_an_app_becomes_a_query_even_with_fields_that_ours_have(browser, app):
    browser.handler.enforce_csrf_checks = True

    page = browser.post(LOGOUT, wish(app, action="stay"), headers={"Origin": "https://app.example"})

    assert page.status_code == 302
    assert page["Location"].startswith(f"{LOGOUT}?")
    assert dict(parse_qsl(urlsplit(page["Location"]).query)) == wish(app)
    assert browser.get("/account").status_code == 200


def test_nobody_is_signed_out_by_a_form_of_another_site_or_without_a_token(browser, app, subtests):
    browser.handler.enforce_csrf_checks = True
    page = browser.get(LOGOUT, wish(app))
    token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    with subtests.test("no token"):
        page = sent(browser, wish(app))
        assert (page.status_code, "Sign out of" in words(page)) == (403, True)
    with subtests.test("another site"):
        address = f"{ANSWER}?{urlencode(wish(app))}"
        page = browser.post(address, {"csrfmiddlewaretoken": token}, headers={"Origin": "https://evil.example"})
        assert page.status_code == 403
    assert browser.get("/account").status_code == 200

    assert leads_to(sent(browser, wish(app), csrfmiddlewaretoken=token)) == f"{AFTER}?state=xyz"


def test_what_is_given_twice_is_read_by_nobody(browser, app):
    address = f"{LOGOUT}?{urlencode(wish(app))}&state=again"

    assert browser.get(address).status_code == 400
    assert browser.post(f"{ANSWER}?{urlencode(wish(app))}&state=again").status_code == 400
    assert browser.get("/account").status_code == 200
