"""Where apps send people: what is asked is checked, nobody is led astray, and who may go on gets a code."""

import re
import time
from datetime import timedelta
from html import unescape
from itertools import product
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event
from accounts.session.notes import AUTH_TIME, FACTOR
from kit import own_fields
from kit.rate_limit import Limit
from sso import codes, keys
from sso.authorize import pages
from sso.models import App, Consent, Login
from tests.tools import phone
from tests.tools.factories import PASSWORD, AppFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

AUTHORIZE, CONSENT = "/identity/o/authorize", "/identity/o/consent"
CALLBACK = "https://app.example/callback"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # of RFC 7636, appendix B


@pytest.fixture
def signed_in(client, ada):
    client.force_login(ada)
    return client


def asking(app, **more):
    """Returns the parameters of a good request by the app; what is None in `more` is left out."""
    usual = {
        "client_id": app.pk,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid email",
        "state": "the-state",
        "nonce": "the-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: text for name, text in (usual | more).items() if text is not None}


def ask(client, app, **more):
    return client.get(AUTHORIZE, asking(app, **more))


def leads_to(response):
    """Returns where an answer leads: by a redirect, or after a form by a page (config/edge/onward.py)."""
    if response.status_code == 302:
        return response["Location"]
    assert response.status_code == 200
    return response["Refresh"].removeprefix("0; url=")


def answer(response):
    """Returns what an app is told."""
    there = leads_to(response)
    assert there.startswith(CALLBACK), there
    return dict(parse_qsl(urlsplit(there).query))


def error(response):
    return answer(response)["error"]


def test_whoever_may_use_the_app_is_led_back_with_a_code_the_state_and_the_issuer(signed_in, app, ada, settings):
    told = answer(ask(signed_in, app, state="s" * 2000))

    assert told == {"code": told["code"], "state": "s" * 2000, "iss": settings.SITE_URL}
    login = Login.objects.get()
    assert (login.app, login.person, login.scopes) == (app, ada, ["openid", "email"])


def test_a_code_costs_at_most_four_statements_the_first_one_in_a_session_too(signed_in, app):
    for _ in range(2):
        with CaptureQueriesContext(connection) as statements:
            answer(ask(signed_in, app))

        assert len(statements) <= 4, [query["sql"][:90] for query in statements]


def test_the_first_way_into_an_app_in_a_session_goes_into_the_history_and_no_later_one(signed_in, app, ada):
    for _ in range(3):
        answer(ask(signed_in, app))

    event = ada.events.get(kind=Event.Kind.APP_SIGNED_IN)
    assert event.detail == {"app": "Grafana"}
    assert event.ip == "127.0.0.1"


# Who asks, and where the answer would go

STRANGE = [
    f"{CALLBACK}?x=1",
    f"{CALLBACK}/",
    f"{CALLBACK};x",
    f"{CALLBACK}/../evil",
    f"{CALLBACK}#f",
    CALLBACK.upper(),
    "https://APP.example/callback",
    "HTTPS://app.example/callback",
    "https://app.example:443/callback",
    "https://app.example:8443/callback",
    "https://user@app.example/callback",
    "https://app.example@evil.example/callback",
    "https://app.example\\@evil.example/callback",
    "https://app.example.evil.example/callback",
    "http://app.example/callback",
    "//app.example/callback",
    "/callback",
    "",
    "\0",
    f"{CALLBACK}\n",
    "javascript:alert(1)",
]


def test_an_address_that_is_not_the_very_same_gets_a_page_and_no_redirect(signed_in, app, subtests):
    # What else is wrong, which an app would be told, leads nowhere either.
    wrong = ({"response_type": "token"}, {"prompt": "none"}, {"code_challenge": None})
    for uri, more in [(uri, {}) for uri in STRANGE] + list(product((STRANGE[0], "//app.example/callback"), wrong)):
        with subtests.test(uri, more=more):
            page = ask(signed_in, app, redirect_uri=uri, **more)

            assert page.status_code == 400
            assert "Location" not in page.headers
    assert not Login.objects.exists()


def test_staff_who_see_apps_also_read_what_is_amiss_with_an_app_that_they_set_up(desk, client, app, ada):
    near = f"{CALLBACK}/<b>"
    page = ask(desk, app, redirect_uri=near)
    assert page.status_code == 400
    assert f"The app asked to have you led back to {near} It is set up with {CALLBACK}" in words(page, " ")
    assert f"/admin/sso/app/{app.pk}/change/" in page.text
    for client_id in ("nobody", "a\0", "ü", "x" * 9000):
        page = ask(desk, app, client_id=client_id)
        assert page.status_code == 400
        assert "No app has the client ID that was sent" in words(page), client_id
    assert "amiss" not in desk.get(f"{AUTHORIZE}?client_id=a&client_id=b").text

    ada.is_staff = True
    ada.save()
    client.force_login(ada)
    assert "amiss" not in ask(client, app, redirect_uri=near).text


def test_whoever_asks_for_an_unknown_app_a_strange_address_or_twice_reads_the_same(client, app, ada, subtests):
    known = asking(app)
    twice = f"{AUTHORIZE}?{urlencode(known)}&state=again"
    for is_ada in (False, True):
        if is_ada:
            client.force_login(ada)
        pages = {
            "unknown": ask(client, app, client_id="a" * 24),
            "long": ask(client, app, client_id="a" * 4000),
            "odd": ask(client, app, client_id="\0"),
            "none": ask(client, app, client_id=None),
            "address": ask(client, app, redirect_uri="https://evil.example/"),
            "no address": ask(client, app, redirect_uri=None),
            "twice": client.get(twice),
        }
        for name, page in pages.items():
            with subtests.test(name, signed_in=is_ada):
                assert (page.status_code, words(page)) == (400, words(pages["unknown"]))
        assert "We can’t lead you on to the app" in words(pages["unknown"])


def test_a_public_app_may_listen_on_any_port_of_this_machine_and_no_other_app_may(signed_in, subtests):
    uris = ["http://127.0.0.1/cb", "http://[::1]:1/cb?x", "http://localhost/cb"]
    public, other = AppFactory(public=True, redirect_uris=uris), AppFactory(redirect_uris=uris)
    for uri in ("http://127.0.0.1:49152/cb", "http://[::1]:8000/cb?x", "http://[::1]/cb?x"):
        with subtests.test(uri):
            assert leads_to(ask(signed_in, public, redirect_uri=uri)).startswith(uri)
            assert ask(signed_in, other, redirect_uri=uri).status_code == 400
    for uri in (
        "http://127.0.0.1:1@evil.example/cb",
        "http://127.0.0.1:1/other",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.2:1/cb",
        "https://127.0.0.1:1/cb",
        "http://localhost:1/cb",
        "http://[::1]:1/cb",
        "http://127.0.0.1:999999/cb",
    ):
        with subtests.test(uri):
            assert ask(signed_in, public, redirect_uri=uri).status_code == 400


def test_a_program_may_have_a_scheme_of_its_own_and_none_that_a_browser_would_run(signed_in):
    app = AppFactory(public=True, redirect_uris=["com.example.app:/cb", "javascript:alert(1)//"])

    there = leads_to(ask(signed_in, app, redirect_uri="com.example.app:/cb"))

    assert there.startswith("com.example.app:/cb?code=")
    assert ask(signed_in, app, redirect_uri="javascript:alert(1)//").status_code == 400


# What is asked

REFUSED = {
    "request": ({"request": "e30.e30."}, "request_not_supported"),
    "request_uri": ({"request_uri": "https://app.example/r"}, "request_uri_not_supported"),
    "registration": ({"registration": "{}"}, "registration_not_supported"),
    "form_post": ({"response_mode": "form_post"}, "invalid_request"),
    "fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "no type": ({"response_type": None}, "invalid_request"),
    "token": ({"response_type": "token"}, "unsupported_response_type"),
    "hybrid": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "no challenge": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "method alone": ({"code_challenge": None}, "invalid_request"),
    "no method": ({"code_challenge_method": None}, "invalid_request"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "short challenge": ({"code_challenge": "x"}, "invalid_request"),
    "no scope": ({"scope": None}, "invalid_scope"),
    "without openid": ({"scope": "email profile"}, "invalid_scope"),
    "none and login": ({"prompt": "none login"}, "invalid_request"),
    "unknown prompt": ({"prompt": "create"}, "invalid_request"),
    "max_age": ({"max_age": "-1"}, "invalid_request"),
    "max_age in words": ({"max_age": "²"}, "invalid_request"),
    "long state": ({"state": "s" * 2001}, "invalid_request"),
    "long nonce": ({"nonce": "n" * 2001}, "invalid_request"),
    "odd state": ({"state": "a\r\nSet-Cookie: x"}, "invalid_request"),
    "odd nonce": ({"nonce": "\0"}, "invalid_request"),
    "long together": ({"state": "é" * 500, "nonce": "n" * 2000}, "invalid_request"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("is_ada", [True, False], ids=["signed in", "stranger"])
def test_what_we_do_not_do_is_told_to_the_app_with_state_and_issuer(client, app, ada, settings, case, is_ada):
    if is_ada:
        client.force_login(ada)
    more, expected = REFUSED[case]

    told = answer(ask(client, app, **more))

    assert (told["error"], told["iss"]) == (expected, settings.SITE_URL)
    assert told.get("state") == (None if case in {"long state", "odd state"} else more.get("state", "the-state"))
    assert not Login.objects.exists()


def test_an_app_without_pkce_must_bring_a_nonce_and_a_public_one_always_pkce(signed_in):
    without = {"code_challenge": None, "code_challenge_method": None}
    app, public = AppFactory(pkce=False), AppFactory(pkce=False, public=True)

    assert "code" in answer(ask(signed_in, app, **without))
    assert error(ask(signed_in, app, nonce=None, **without)) == "invalid_request"
    App.objects.filter(pk=app.pk).update(product=App.Product.GITEA)  # which can do neither
    assert "code" in answer(ask(signed_in, app, nonce=None, **without))
    App.objects.filter(pk=app.pk).update(product=App.Product.OTHER)
    assert error(ask(signed_in, public, **without)) == "invalid_request"
    assert error(ask(signed_in, app, code_challenge_method="plain")) == "invalid_request"


def test_scopes_that_the_app_may_not_have_and_claims_and_the_like_are_left_out(signed_in, app):
    odd = {"claims": "{not json", "acr_values": "urn:x", "ui_locales": "de", "display": "popup", "resource": "x"}

    answer(ask(signed_in, app, scope="openid groups offline_access phone x", **odd))

    assert Login.objects.get().scopes == ["openid", "groups"]


def test_a_form_that_an_app_sends_becomes_a_query_and_needs_no_token(app, ada):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)

    page = browser.post(AUTHORIZE, asking(app, unknown="x"), headers={"Origin": "https://app.example"})

    path, _mark, query = leads_to(page).partition("?")
    assert (path, dict(parse_qsl(query))) == (AUTHORIZE, asking(app))
    assert "code" in answer(browser.get(AUTHORIZE, asking(app)))
    assert browser.post(AUTHORIZE, asking(app, state="s" * 9000)).status_code == 400


# Who comes


def test_a_stranger_signs_in_first_and_comes_back_to_the_same_request(client, app):
    page = ask(client, app, login_hint="ada@example.com", claims="x")

    assert page.status_code == 302
    address = urlsplit(page["Location"])
    query = {name: text for name, (text,) in parse_qs(address.query).items()}
    assert address.path == "/login"
    path, _mark, asked = query.pop("next").partition("?")
    assert (path, dict(parse_qsl(asked))) == (AUTHORIZE, asking(app, login_hint="ada@example.com"))
    assert query == {"login_hint": "ada@example.com", "mailed_next": f"/apps/{app.pk}"}
    assert "frontdoor_session" not in client.cookies
    shown = client.get(page["Location"]).text
    for way in ("/", "/signup"):
        assert f'href="{way}?next=%2Fapps%2F{app.pk}"' in shown
    assert 'value="ada@example.com"' in shown


def test_what_only_helps_is_left_behind_if_the_way_back_would_be_too_long(client, app):
    page = ask(client, app, state="s" * 2000, id_token_hint="h" * 1500, login_hint="ada@example.com")

    query = dict(parse_qsl(urlsplit(page["Location"]).query))
    assert dict(parse_qsl(urlsplit(query["next"]).query)) == asking(app, state="s" * 2000)
    assert query["login_hint"] == "ada@example.com"


def test_a_stranger_never_learns_whether_the_app_is_on_or_for_whom(client, subtests):
    usual = urlsplit(ask(client, AppFactory())["Location"]).path
    for app in (AppFactory(is_active=False), AppFactory(everybody=False), AppFactory(second_factor=True)):
        assert urlsplit(ask(client, app)["Location"]).path == usual


def test_whoever_must_answer_something_first_does_that_and_comes_back(signed_in, app):
    with override_settings(TERMS_URL="https://example.com/", TERMS_VERSION="2"):
        page = ask(signed_in, app)

        assert page.status_code == 302
        assert page["Location"].startswith(f"/account/complete?next={AUTHORIZE.replace('/', '%2F')}%3Fclient_id")
        assert error(ask(signed_in, app, prompt="none")) == "interaction_required"


NOBODYS = {
    "off": ({"is_active": False}, "Grafana is turned off"),
    "nobody": ({"everybody": False}, "Nobody has opened Grafana to you yet."),
    "staff": ({"staff_only": True}, "Grafana is for those who run"),
}


@pytest.mark.parametrize("case", NOBODYS)
def test_whoever_may_not_use_the_app_reads_it_here_and_the_app_only_when_it_asks_silently(signed_in, case):
    fields, said = NOBODYS[case]
    app = AppFactory(**fields)

    page = ask(signed_in, app)

    assert page.status_code == 403
    assert said in words(page)
    assert "ada@example.com" in words(page)
    assert error(ask(signed_in, app, prompt="none")) == "access_denied"
    assert not Login.objects.exists()


def test_an_app_for_a_group_lets_its_members_in_until_they_leave(signed_in, ada):
    editors = Group.objects.create(name="Editors")
    app = AppFactory(everybody=False, groups=[editors])
    assert "Grafana is for the group Editors, which you’re not in." in words(ask(signed_in, app))

    ada.groups.add(editors)
    assert "code" in answer(ask(signed_in, app))

    ada.groups.clear()
    assert ask(signed_in, app).status_code == 403


def test_an_app_may_want_a_code_in_this_session(signed_in, ada):
    app = AppFactory(second_factor=True)
    page = ask(signed_in, app)
    assert (page.status_code, "Grafana wants a second step" in words(page)) == (403, True)
    assert 'href="/account/second-factor/app?next=' in page.text

    phone.pair(ada)
    signed_in.force_login(ada)
    page = ask(signed_in, app)
    assert page.status_code == 403
    assert 'href="/login/again?next=/identity/o/authorize%3Fclient_id' in page.text
    assert error(ask(signed_in, app, prompt="none")) == "interaction_required"

    for factor, passes in (("trusted_browser", False), ("app", True), ("recovery_code", True)):
        session = signed_in.session
        session[FACTOR] = factor
        session.save()
        assert (ask(signed_in, app).status_code == 302) is passes


def test_setting_up_two_steps_on_the_way_leads_back_into_the_app(signed_in, ada):
    app = AppFactory(second_factor=True)
    there = unescape(re.search(r'href="(/account/second-factor/app[^"]*)"', ask(signed_in, app).text)[1])

    key = signed_in.get(there).context["key"].replace(" ", "")
    form = {"code": phone.code(key), "proof-asked": "1", "proof-password": PASSWORD, "password": PASSWORD}
    codes = signed_in.post(there, form, follow=True)
    back = unescape(re.search(r'<a class="btn wide" href="([^"]*)"', codes.text)[1])

    assert back.startswith("/identity/o/authorize?client_id=")
    assert answer(signed_in.get(back))["code"]


# Consent


@pytest.fixture
def foreign(db):
    """An app that is not of the house."""
    return AppFactory(asks_consent=True)


def agree(client, app, /, cancel=None, **more):
    form = {"cancel": "1"} if cancel else {}
    return client.post(f"{CONSENT}?{urlencode(asking(app, **more))}", form)


def test_people_are_asked_once_and_again_for_more(signed_in, foreign, ada):
    page = ask(signed_in, foreign, scope="openid email")
    assert page.status_code == 200
    assert "Sign in to Grafana app.example asks who you are." in words(page)
    assert "your email address" in words(page)
    assert "your name and username" not in words(page)
    assert not Login.objects.exists()

    assert "code" in answer(agree(signed_in, foreign, scope="openid email"))
    assert Consent.objects.get().scopes == ["email", "openid"]
    assert ada.events.get(kind=Event.Kind.APP_AGREED).detail == {"app": "Grafana"}
    assert "code" in answer(ask(signed_in, foreign, scope="openid"))

    assert ask(signed_in, foreign, scope="openid profile").status_code == 200
    assert "code" in answer(agree(signed_in, foreign, scope="openid profile"))
    assert Consent.objects.get().scopes == ["email", "openid", "profile"]
    assert "code" in answer(ask(signed_in, foreign, scope="openid profile email"))


def test_the_page_names_the_groups_that_the_app_will_learn_and_no_others(signed_in, ada):
    mine, other, foreign = (Group.objects.create(name=name) for name in ("Editors", "Secret", "Admins"))
    ada.groups.set([mine, other])
    app = AppFactory(asks_consent=True, groups=[mine, foreign])

    page = words(ask(signed_in, app, scope="openid groups"))

    assert "that you are in Editors" in page
    assert "Secret" not in page
    assert "Admins" not in page


def test_the_page_names_what_people_were_asked_about_themselves_and_have_said(signed_in, ada, foreign):
    with override_settings(PROFILE_FIELDS=own_fields.parse("x_job:optional,x_phone:optional:tel")):
        ada.fill_in({"x_job": "Engineer"})
        page, without = (words(ask(signed_in, foreign, scope=scope)) for scope in ("openid profile", "openid email"))

    job = "X job"
    assert f"your name and username {job} It never" in page
    assert job not in without


def test_whoever_cancels_is_led_back_without_a_code(signed_in, foreign):
    assert error(agree(signed_in, foreign, cancel=True)) == "access_denied"
    assert not Consent.objects.exists()
    assert not Login.objects.exists()


@pytest.mark.parametrize("prompt", ["consent", "select_account"])
def test_an_app_may_want_people_to_be_asked_again_even_one_of_the_house(signed_in, app, prompt):
    assert ask(signed_in, app, prompt=prompt).status_code == 200
    assert "code" in answer(agree(signed_in, app, prompt=prompt))
    assert ask(signed_in, app, prompt=prompt).status_code == 200


@pytest.mark.parametrize("uri", ["http://127.0.0.1/cb", "com.example.app:/cb"])
def test_where_any_program_could_pass_for_the_app_people_are_asked_each_time(signed_in, ada, uri):
    """RFC 8252 §8.6: a program without a secret must not get a code that nobody sees."""
    app = AppFactory(public=True, redirect_uris=[uri, CALLBACK], asks_consent=True)
    for _ in range(2):
        assert "Sign in to Grafana" in words(ask(signed_in, app, redirect_uri=uri))
        assert leads_to(agree(signed_in, app, redirect_uri=uri)).startswith(f"{uri}?code=")
    told = ask(signed_in, app, redirect_uri=uri, prompt="none")["Location"]
    assert parse_qs(urlsplit(told).query)["error"] == ["consent_required"]

    assert "code" in answer(ask(signed_in, app))  # nobody else has the address of a site


def test_whoever_is_sent_round_in_a_circle_is_stopped(signed_in, app, foreign, monkeypatch):
    monkeypatch.setattr("sso.authorize.pages.SENT_BY_APP_PER_PERSON", Limit("sent", "2/10m"))
    for _ in range(2):
        answer(ask(signed_in, app))

    page = ask(signed_in, app)

    assert page.status_code == 429
    assert error(ask(signed_in, app, prompt="none")) == "temporarily_unavailable"
    assert ask(signed_in, foreign).status_code == 200  # a page costs nothing
    assert Login.objects.count() == 2


def test_an_app_that_asks_silently_gets_nothing_that_nobody_agreed_to(client, ada, foreign, app):
    assert error(ask(client, foreign, prompt="none")) == "login_required"
    client.force_login(ada)
    Consent.objects.create(person=ada, app=app, scopes=["openid", "email"])  # another app's
    assert error(ask(client, foreign, prompt="none")) == "consent_required"

    agree(client, foreign)

    assert "code" in answer(ask(client, foreign, prompt="none"))
    assert error(ask(client, foreign, prompt="none", scope="openid profile")) == "consent_required"


def test_nobody_agrees_by_a_form_of_another_site_or_without_a_token(ada, foreign, subtests):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ada)
    address = f"{CONSENT}?{urlencode(asking(foreign))}"
    with subtests.test("no token"):
        page = browser.post(address)
        assert page.status_code == 403
        assert "Continue to Grafana" in words(page)
    with subtests.test("another site"):
        token = browser.cookies["frontdoor_csrf"].value
        page = browser.post(address, {"csrfmiddlewaretoken": token}, headers={"Origin": "https://evil.example"})
        assert page.status_code == 403
    assert not Login.objects.exists()
    assert not Consent.objects.exists()

    page = browser.post(address, {"csrfmiddlewaretoken": token}, headers={"Origin": "http://testserver"})
    assert "code" in answer(page)


def test_whoever_signs_out_or_is_shut_out_before_agreeing_gets_no_code(client, foreign, ada):
    assert agree(client, foreign)["Location"].startswith("/login?next=")
    client.force_login(ada)
    App.objects.update(everybody=False)
    assert agree(client, foreign).status_code == 403
    assert not Consent.objects.exists()


def test_the_pages_are_in_no_frame_and_in_no_cache(signed_in, foreign):
    for page in (ask(signed_in, foreign), ask(signed_in, foreign, redirect_uri="x")):
        assert page["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
        assert "no-store" in page["Cache-Control"]


# Showing anew who you are


def show_again(client):
    """Has Ada show now who she is, as the page "Is it still you?" does."""
    session = client.session
    session[AUTH_TIME] = time.time()
    session.save()


@pytest.fixture
def hour_old(signed_in):
    """A browser in which Ada has shown an hour ago who she is."""
    session = signed_in.session
    session[AUTH_TIME] = time.time() - 3600
    session.save()
    return signed_in


@pytest.mark.parametrize("more", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "60"}], ids=str)
def test_people_show_anew_who_they_are_and_once_for_each_request(hour_old, app, more):
    page = ask(hour_old, app, **more)
    assert urlsplit(page["Location"]).path == "/login/again"
    (back,) = parse_qs(urlsplit(page["Location"]).query)["next"]
    assert hour_old.get(back)["Location"] == page["Location"]  # nothing was shown meanwhile

    show_again(hour_old)
    assert "code" in answer(hour_old.get(back))

    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        assert urlsplit(ask(hour_old, app, **more)["Location"]).path == "/login/again"


def test_strangers_are_sent_to_show_it_a_limited_number_of_times(client, app, monkeypatch):
    """Each of these requests writes a session, and no other request of a stranger does."""
    monkeypatch.setattr(pages, "SENT_BY_APP_PER_NETWORK", Limit("few", "2/10m"))

    assert [ask(client, app, prompt="login").status_code for _ in range(3)] == [302, 302, 429]
    assert ask(client, app).status_code == 302


def test_the_page_that_asks_leads_back_and_its_proof_counts(hour_old, app):
    page = ask(hour_old, app, prompt="login")
    (back,) = parse_qs(urlsplit(page["Location"]).query)["next"]

    shown = hour_old.post(page["Location"], {"password": PASSWORD, "next": back})

    assert leads_to(shown) == back
    assert "code" in answer(hour_old.get(back))


def test_the_code_that_an_app_wants_can_be_shown_now(signed_in, ada):
    app = AppFactory(second_factor=True)
    phone.pair(ada)
    signed_in.force_login(ada)
    page = ask(signed_in, app)
    address = page.text.partition('href="/login/again')[2].partition('"')[0]

    shown = signed_in.post(f"/login/again{address}", {"password": PASSWORD, "code": phone.code()})

    assert "code" in answer(signed_in.get(leads_to(shown)))


def test_what_was_shown_for_one_request_does_not_count_for_another(hour_old, app):
    ask(hour_old, app, prompt="login", state="one")
    show_again(hour_old)

    page = ask(hour_old, app, prompt="login", state="two")

    assert urlsplit(page["Location"]).path == "/login/again"


def test_a_proof_from_before_the_request_does_not_count(signed_in, app):
    show_again(signed_in)
    assert urlsplit(ask(signed_in, app, prompt="login")["Location"]).path == "/login/again"
    assert "code" in answer(ask(signed_in, app, max_age="60"))


def test_a_sign_in_after_the_request_counts(client, app, ada):
    ask(client, app, prompt="login", max_age="0")
    page = client.post("/login", {"login": "ada", "password": PASSWORD, "next": "/account"})
    assert page.status_code == 302

    assert "code" in answer(ask(client, app, prompt="login", max_age="0"))


def test_an_app_that_asks_silently_and_wants_it_fresh_is_told(hour_old, app):
    assert error(ask(hour_old, app, prompt="none", max_age="60")) == "login_required"


# Whom the app means


def token_of(person, app, settings, **more):
    claims = {"iss": settings.SITE_URL, "sub": str(person.pk), "aud": app.pk, "exp": 1, "iat": 0}
    return keys.sign(claims | more)


def test_an_app_that_means_somebody_else_is_told_so_however_old_its_token(signed_in, app, ada, settings):
    grace = UserFactory(username="grace")
    hers, adas = token_of(grace, app, settings), token_of(ada, app, settings)

    assert "code" in answer(ask(signed_in, app, id_token_hint=adas))
    assert "code" in answer(ask(signed_in, app, id_token_hint=adas, prompt="none"))
    assert error(ask(signed_in, app, id_token_hint=hers, prompt="none")) == "login_required"
    page = ask(signed_in, app, id_token_hint=hers)
    assert (page.status_code, "Grafana knows you by another account" in words(page)) == (403, True)


def test_a_hint_that_we_have_not_signed_for_this_app_says_nothing(signed_in, app, settings, subtests):
    grace = UserFactory(username="grace")
    hers = token_of(grace, app, settings)
    forged = f"{hers[:-20]}{'A' * 20}"
    others = (forged, "x", "é.é.é", "a.b.c", token_of(grace, AppFactory(), settings), hers.rpartition(".")[0] + ".")
    for hint in (*others, token_of(grace, app, settings, iss="https://evil.example")):
        with subtests.test(hint):
            assert "code" in answer(ask(signed_in, app, id_token_hint=hint))


def test_our_request_is_what_the_codes_are_made_of(signed_in, app, monkeypatch):
    seen = []
    monkeypatch.setattr(codes, "issue", lambda _request, _app, asked, *_also: seen.append(asked) or CALLBACK)

    ask(signed_in, app)

    assert seen == [codes.Asked(app.pk, CALLBACK, ("openid", "email"), "the-state", "the-nonce", CHALLENGE)]
