"""TERMS_VERSION: people agree when they join, and once more when the terms have changed; all of it is kept."""

import io
import json
import zipfile
from datetime import UTC, datetime

import pytest
from django.test import Client

from accounts import terms
from accounts.models import Event, User
from invites import purposes
from invites.models import MagicLink
from kit import own_fields, tokens
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program, codes, fields
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

GATE = "/account/complete"
NOW, BEFORE = "2026-11-01", "2025-03-03"


@pytest.fixture(autouse=True)
def site(settings):
    """A site whose people must agree to the terms of 1 November 2026."""
    settings.TERMS_URL, settings.TERMS_VERSION, settings.TERMS_CHANGES = "https://example.com/terms", NOW, ""
    return settings


@pytest.fixture
def grace():
    """A user who has agreed to the terms of before."""
    agreed = [{"version": BEFORE, "at": "2025-03-03T10:00:00Z"}]
    return UserFactory(username="grace", email="grace@example.com", terms=agreed)


def signup(**typed):
    return {"token": tokens.sign(purposes.SIGNUP, LinkFactory(email="new@example.com").pk)} | typed


NAMED = {"username": "newcomer", "password": PASSWORD}


def sign_in(name, **more):
    browser = Client()
    return browser, browser.post("/login", {"login": name, "password": PASSWORD} | more)


def is_recent(moment):
    return abs((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()) < 600


def test_sign_up_asks_and_stores_version_and_time(client):
    page = client.get("/signup", signup())
    assert "I agree to the terms of 1 November 2026" in words(page)
    assert 'value="2026-11-01"' in page.text
    assert "checked" not in page.text

    refused = client.post("/signup", signup(**NAMED))
    assert "Tick the box to go on" in words(refused)
    assert 'value="newcomer"' in refused.text
    assert not User.objects.filter(username="newcomer").exists()

    assert client.post("/signup", signup(**NAMED, terms=NOW)).url == "/account"
    (agreed,) = User.objects.get(username="newcomer").terms
    assert agreed["version"] == NOW
    assert is_recent(agreed["at"])


def test_a_tick_on_a_page_of_before_is_no_agreement(client):
    refused = client.post("/signup", signup(**NAMED, terms=BEFORE))

    assert "The terms have changed" in words(refused)
    assert "checked" not in refused.text
    assert not User.objects.filter(username="newcomer").exists()


def test_a_tick_is_kept_beside_another_error(client):
    refused = client.post("/signup", signup(username="x", password=PASSWORD, terms=NOW))

    assert "checked" in refused.text


@pytest.mark.parametrize(("version", "said"), [("v7", "I agree to the terms, version v7"), ("", "")])
def test_other_versions_and_none(client, site, version, said):
    site.TERMS_VERSION = version

    page = client.get("/signup", signup())

    assert said in words(page)
    assert ('name="terms"' in page.text) == bool(version)


def test_an_account_planned_in_one_form_has_agreed_when_it_planned(client, mailbox, site):
    typed = {"email": "new@example.com", **NAMED}
    assert "Tick the box" in words(client.post("/signup", typed))

    client.post("/signup", typed | {"terms": NOW})
    site.TERMS_VERSION = "2026-12-01"
    path, _, token = mailbox.link("new@example.com").partition("?token=")
    client.post(path, {"token": token})

    user = User.objects.get(username="newcomer")
    assert user.accepted_terms == NOW
    assert terms.are_asked(user)
    assert MagicLink.objects.get(email="new@example.com").details == ""


def test_whoever_joins_with_google_is_asked_next(client, google):
    google.person = Person(email="new@gmail.com")

    answer = client.get(google.consent(client.post("/google").url))

    assert answer.url.startswith(GATE)
    assert "Our terms I agree" in " ".join(words(client.get(answer.url)).split())
    assert client.get("/auth/verify").status_code == 401
    assert client.post(GATE, {"terms": NOW}).url == "/account"
    assert client.get("/auth/verify").status_code == 204


def test_changed_terms_are_asked_once_after_signing_in(grace, site):
    browser, answer = sign_in("grace", next="/account/settings")
    assert answer.url == f"{GATE}?next=%2Faccount%2Fsettings"

    page = browser.get(answer.url)
    assert "Our terms have changed" in words(page)
    assert "In short" not in words(page)
    refused = browser.post(GATE, {"next": "/account/settings"})
    assert "Tick the box to go on, or download your data and leave" in words(refused)
    assert browser.post(GATE, {"next": "/account/settings", "terms": BEFORE}).status_code == 200
    assert browser.post(GATE, {"next": "/account/settings", "terms": NOW}).url == "/account/settings"

    held = User.objects.get(pk=grace.pk).terms
    assert [one["version"] for one in held] == [BEFORE, NOW]
    assert is_recent(held[1]["at"])
    assert Event.objects.get(kind=Event.Kind.TERMS_ACCEPTED).detail == {"version": NOW}
    assert "Terms accepted" in words(browser.get("/account"))
    assert sign_in("grace")[1].url == "/account"


def test_a_second_press_stores_nothing_more(grace):
    browser, _answer = sign_in("grace")

    answers = [browser.post(GATE, {"terms": NOW}).url for _ in range(2)]

    assert answers == ["/account", "/account"]
    assert len(User.objects.get(pk=grace.pk).terms) == 2


def test_two_tabs_agree_once(grace):
    stale = User.objects.get(pk=grace.pk)

    grace.accept_terms(NOW)
    stale.accept_terms(NOW)

    assert len(User.objects.get(pk=grace.pk).terms) == len(stale.terms) == 2


CHANGES = [
    ("changes.html", "<ul><li>Backups <b>stay</b></li></ul>", "<li>Backups <b>stay</b></li>"),
    ("changes.txt", "Backups stay <here>", "<p>Backups stay &lt;here&gt;</p>"),
]


@pytest.mark.parametrize(("name", "text", "shown"), CHANGES, ids=lambda value: value[:12])
def test_what_has_changed_stands_on_the_page(grace, site, tmp_path, name, text, shown):
    (tmp_path / name).write_text(text)
    templates = [{**site.TEMPLATES[0], "DIRS": [tmp_path, *site.TEMPLATES[0]["DIRS"]]}]
    site.TEMPLATES, site.TERMS_CHANGES = templates, name
    browser, answer = sign_in("grace")

    page = browser.get(answer.url)

    assert "In short, since you last agreed on 3 March 2025:" in words(page)
    assert shown in page.text


def test_one_page_asks_for_terms_and_details(grace, site):
    site.PROFILE_FIELDS = own_fields.parse("job")
    browser, answer = sign_in("grace")
    page = browser.get(answer.url)
    assert page.text.index('name="terms"') < page.text.index('name="profile_job"')

    assert "Fill in “Job”" in words(browser.post(GATE, {"terms": NOW}))
    assert len(User.objects.get(pk=grace.pk).terms) == 1
    assert browser.post(GATE, {"terms": NOW, "profile_job": "Admiral"}).url == "/account"


def test_the_ways_out_stay_open(grace):
    browser, _answer = sign_in("grace")
    assert "Download my data or leave" in words(browser.get(GATE))

    assert browser.post("/account/export").status_code == 200
    assert browser.get("/account/delete").status_code == 200
    assert browser.post("/logout/here").url == "/login"


def test_work_under_way_goes_on(grace, site):
    site.TERMS_VERSION = BEFORE
    browser, _answer = sign_in("grace")

    site.TERMS_VERSION = NOW

    assert browser.get("/auth/verify").status_code == 204
    assert browser.get("/account").url.startswith(GATE)
    assert browser.post("/account/profile", {"name": "Grace"}).url == "/account"
    assert User.objects.get(pk=grace.pk).name == "Grace"


def test_a_session_that_began_unasked_is_nobody_to_services_until_they_agree(grace, django_assert_num_queries):
    browser, _answer = sign_in("grace")
    with django_assert_num_queries(1):
        assert browser.get("/auth/verify").status_code == 401
    assert browser.get("/auth/verify?sign-in", headers={"X-Forwarded-Uri": "/app/7"}).url == "/login?next=/app/7"
    assert browser.get("/login?next=/app/7").url == f"{GATE}?next=%2Fapp%2F7"

    assert browser.post(GATE, {"next": "/app/7", "terms": NOW}).url == "/app/7"

    with django_assert_num_queries(1):
        assert browser.get("/auth/verify").status_code == 204


def test_staff_and_superusers_are_asked_at_the_desk(admin_user):
    browser, _answer = sign_in("olga")

    assert browser.get("/admin/").url == f"{GATE}?next=%2Fadmin%2F"
    assert browser.post(GATE, {"next": "/admin/", "terms": NOW}).url == "/admin/"
    assert browser.get("/admin/").status_code == 200


def test_programs_are_told_the_version_and_send_it(grace):
    program = Program()
    assert program.get("/api/v1/config").json()["terms"] == {"version": NOW, "url": "https://example.com/terms"}
    token = tokens.sign(purposes.SIGNUP, InviteFactory(email="new@example.com").pk)
    for sent, code in (({}, "required"), ({"terms": BEFORE}, "outdated")):
        refused = program.send("/api/v1/auth/create", token=token, **NAMED, **sent)
        assert (refused.status_code, fields(refused), codes(refused)) == (400, ["terms"], [code])
        assert refused.json()["terms_version"] == NOW

    assert program.send("/api/v1/auth/create", token=token, **NAMED, terms=NOW).status_code == 201
    assert User.objects.get(username="newcomer").accepted_terms == NOW


def test_programs_agree_to_changed_terms(grace):
    program = Program()
    program.sign_in("grace", PASSWORD)
    assert [one["version"] for one in program.get("/api/v1/account").json()["user"]["terms"]] == [BEFORE]
    assert program.get("/auth/verify").status_code == 401
    refused = program.send("/api/v1/account", "PATCH", terms=BEFORE)
    assert (refused.status_code, refused.json()["terms_version"]) == (400, NOW)

    answer = program.send("/api/v1/account", "PATCH", terms=NOW)

    assert [one["version"] for one in answer.json()["user"]["terms"]] == [BEFORE, NOW]
    assert program.get("/auth/verify").status_code == 204


def test_it_is_exported_and_shown_at_the_desk(desk, admin_user, grace):
    admin_user.accept_terms(NOW)
    grace.accept_terms(NOW)
    browser, _answer = sign_in("grace")

    mine = b"".join(browser.post("/account/export", {"password": PASSWORD}).streaming_content)
    with zipfile.ZipFile(io.BytesIO(mine)) as archive:
        assert [one["version"] for one in json.loads(archive.read("account.json"))[0]["terms"]] == [BEFORE, NOW]
    people = desk.post("/admin/accounts/user/", {"action": "export", "_selected_action": grace.pk, "index": 0})
    assert b"".join(people.streaming_content).decode().splitlines()[1].endswith(f",{NOW}")
    assert "Termsversion 2026-11-01, agreed to on" in words(desk.get(f"/admin/accounts/user/{grace.pk}/change/"))


def verified(browser):
    return browser.get("/auth/verify").status_code


def test_a_name_that_is_reserved_by_now_locks_nobody_out(site):
    UserFactory(username="grace", name="Acme")
    site.SITE_NAME = "Acme"
    browser, _answer = sign_in("grace")

    assert browser.post(GATE, {"terms": NOW}).status_code == 302
    assert verified(browser) == 204
    assert User.objects.get().name == "Acme"


def test_programs_agree_with_a_name_that_is_reserved_by_now(site):
    UserFactory(username="grace", name="Acme")
    site.SITE_NAME = "Acme"
    program = Program()
    program.sign_in("grace", PASSWORD)

    assert program.send("/api/v1/account", "PATCH", terms=NOW).status_code == 200


def test_agreeing_brings_no_former_name_back(site, grace):
    browser, _answer = sign_in("grace")
    form = browser.get(GATE)
    assert form.status_code == 200
    grace.call("Grace Hopper")

    browser.post(GATE, {"terms": NOW})

    assert User.objects.get().name == "Grace Hopper"
    assert Event.objects.filter(kind=Event.Kind.NAME_CHANGED).count() == 1


def test_a_session_of_before_that_gets_more_time_is_asked_first(site, subtests):
    site.TERMS_VERSION = ""
    UserFactory(username="grace", email="grace@example.com")

    def link():
        return tokens.sign(purposes.CONFIRM, LinkFactory(email="grace@example.com").pk)

    ways = {
        "by a mailed link": lambda browser: browser.post("/confirm", {"token": link()}),
        "prolonged": lambda browser: browser.post("/account/sessions/prolong", {"password": PASSWORD}),
    }
    for name, prove in ways.items():
        with subtests.test(way=name):
            site.TERMS_VERSION = ""
            browser, _answer = sign_in("grace")
            site.TERMS_VERSION = NOW
            assert verified(browser) == 204

            assert prove(browser).status_code == 302

            assert verified(browser) == 401


def test_who_agreed_by_a_program_is_let_on_in_that_session_for_good(site, grace):
    browser, _answer = sign_in("grace")
    assert verified(browser) == 401
    answer = browser.patch("/api/v1/account", json.dumps({"terms": NOW}), content_type="application/json")
    assert answer.status_code == 200
    assert verified(browser) == 204

    site.TERMS_VERSION = "2027-01-01"

    assert verified(browser) == 204  # until the next sign-in, as after the page


def test_while_servers_have_two_versions_nobody_is_asked_back_and_forth(site, grace):
    grace.accept_terms(NOW)
    grace.accept_terms("2027-01-01")

    for version in (NOW, "2027-01-01"):
        site.TERMS_VERSION = version
        assert not terms.are_asked(User.objects.get())
