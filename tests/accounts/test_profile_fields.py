"""What a site asks about people by PROFILE_FIELDS: at sign-up, on the account page, once after sign-in, at the desk."""

import io
import json
import re
import zipfile

import pytest
from django.test import Client

from accounts.models import Event, User
from invites import purposes
from invites.models import Invite, MagicLink
from kit import own_fields, tokens
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program, codes, fields
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

GATE = "/account/complete"


@pytest.fixture(autouse=True)
def asked(settings):
    """A site that asks for a job, and, if people like, for a phone."""
    settings.PROFILE_FIELDS = own_fields.parse("job,phone:optional:tel")


@pytest.fixture
def grace():
    """A user who has given all that is required."""
    return UserFactory(username="grace", email="grace@example.com", settings={"profile": {"job": "Admiral"}})


def signup(**typed):
    """Returns what a newcomer posts to /signup with the link of an invitation, and the path."""
    invite = Invite.objects.filter(email="new@example.com").first() or InviteFactory(email="new@example.com")
    return {"token": tokens.sign(purposes.SIGNUP, invite.pk), "username": "newcomer", "password": PASSWORD} | typed


def sign_in(name, **more):
    browser = Client()
    return browser, browser.post("/login", {"login": name, "password": PASSWORD} | more)


def test_sign_up_by_a_link_asks_and_stores(client):
    page = client.get("/signup", {"token": signup()["token"]})
    assert "Job" in words(page)
    assert "Phone (optional)" in words(page)

    refused = client.post("/signup", signup(profile_phone="nonsense"))
    assert "Fill in “Job”" in words(refused)
    assert "Enter a phone number" in words(refused)
    assert 'value="nonsense"' in refused.text
    assert not User.objects.filter(username="newcomer").exists()

    assert client.post("/signup", signup(profile_job="Pilot")).url == "/account"
    user = User.objects.get(username="newcomer")
    assert user.settings == {"language": "en", "profile": {"job": "Pilot"}}
    assert "Pilot" in words(client.get("/account"))


AGAIN = "Enter it again: we never send passwords back"
KEPT = "Everything else is kept. Only passwords must be entered again: we never send them back"


def test_a_password_beside_another_error_must_be_entered_again_and_the_page_says_so(client):
    page = client.post("/signup", signup(profile_job=""))

    assert words(page).count(AGAIN) == words(page).count(KEPT) == 1
    assert f'<a href="#id_password">{KEPT}</a>' in page.text
    assert re.search(r'<input type="password".* aria-describedby="id_password_helptext id_password_again"', page.text)
    assert PASSWORD not in page.text
    assert 'value="newcomer"' in page.text


def test_a_password_that_is_wrong_itself_has_its_own_error_alone(client):
    page = client.post("/signup", signup(password="short"))

    assert "Fill in “Job”" in words(page)
    assert AGAIN not in words(page)
    assert KEPT not in words(page)
    assert AGAIN not in words(client.get("/signup", {"token": signup()["token"]}))


def test_what_is_typed_is_kept_when_the_password_is_shown(client):
    page = client.post("/signup", signup(profile_job="Pilot", show_again="1"))

    assert 'value="Pilot"' in page.text


def test_an_account_planned_in_one_form_has_it_when_confirmed(client, mailbox):
    typed = {"email": "new@example.com", "username": "newcomer", "password": PASSWORD, "profile_job": "Pilot"}
    assert "Fill in “Job”" in words(client.post("/signup", typed | {"profile_job": " "}))

    client.post("/signup", typed)
    path, _, token = mailbox.link("new@example.com").partition("?token=")
    client.post(path, {"token": token})

    assert User.objects.get(username="newcomer").settings["profile"] == {"job": "Pilot"}
    assert MagicLink.objects.get(email="new@example.com").details == ""


def test_a_name_can_be_asked_for_at_sign_up(client, settings):
    settings.PROFILE_FIELDS = own_fields.parse("name")
    InviteFactory(email="new@example.com", name="Grace Hopper")

    assert 'value="Grace Hopper"' in client.get("/signup", {"token": signup()["token"]}).text
    assert "Enter your name" in words(client.post("/signup", signup(name="")))
    client.post("/signup", signup(name="Amazing Grace"))

    assert User.objects.get(username="newcomer").name == "Amazing Grace"


def test_an_optional_name_that_is_emptied_stays_empty(client, settings):
    settings.PROFILE_FIELDS = own_fields.parse("name:optional")
    InviteFactory(email="new@example.com", name="Grace Hopper")

    client.post("/signup", signup(name=""))

    assert User.objects.get(username="newcomer").name == ""


def test_whoever_lacks_it_is_asked_once_after_signing_in_and_led_on(ada):
    browser, answer = sign_in("ada", next="/account/settings?a=b")
    assert answer.url == f"{GATE}?next=%2Faccount%2Fsettings%3Fa%3Db"

    page = browser.get(answer.url)
    assert "needs to know this about you" in words(page)
    assert "profile_phone" not in page.text
    refused = browser.post(GATE, {"next": "/account/settings?a=b", "profile_job": ""})
    assert "Fill in “Job”" in words(refused)
    assert browser.post(GATE, {"next": "/account/settings?a=b", "profile_job": "Poet"}).url == "/account/settings?a=b"

    assert User.objects.get(pk=ada.pk).settings["profile"] == {"job": "Poet"}
    assert sign_in("ada")[1].url == "/account"


def test_the_gate_leads_nowhere_else(ada):
    browser, _answer = sign_in("ada")

    answer = browser.post(GATE, {"next": "https://evil.example/", "profile_job": "Poet"})

    assert answer.url == "/account"


def test_whoever_has_answered_is_led_past_the_gate(grace):
    browser, answer = sign_in("grace", next="/account/settings")
    assert answer.url == "/account/settings"

    assert browser.get(f"{GATE}?next=/account/settings").url == "/account/settings"
    assert browser.post(GATE, {"next": "/account/settings"}).url == "/account/settings"


def test_account_pages_ask_and_the_ways_out_do_not(ada):
    browser, _answer = sign_in("ada")

    for path in ("/account", "/account/settings", "/account/profile", "/account/email", "/account/second-factor"):
        assert browser.get(path).url == f"{GATE}?next={path.replace('/', '%2F')}"
    assert browser.get("/account/delete").status_code == 200
    assert browser.get("/logout").status_code == 200
    assert browser.post("/account/export").status_code == 200
    assert browser.post("/account/delete", {"when": "now", "password": PASSWORD}).url == "/"
    assert not User.objects.filter(pk=ada.pk).exists()


def test_a_post_under_way_is_not_lost(ada, settings):
    settings.PROFILE_FIELDS = []
    browser, _answer = sign_in("ada")
    settings.PROFILE_FIELDS = own_fields.parse("job")

    browser.post("/account/profile", {"name": "Ada", "profile_job": "Poet"})

    assert User.objects.get(pk=ada.pk).name == "Ada"


def test_services_know_a_user_once_they_have_answered(ada):
    browser, _answer = sign_in("ada")
    assert browser.get("/auth/verify").status_code == 401

    browser.post(GATE, {"profile_job": "Poet"})

    assert browser.get("/auth/verify").status_code == 204


def test_answering_on_one_device_counts_on_all(ada):
    first, _answer = sign_in("ada")
    second, _answer = sign_in("ada")

    first.post(GATE, {"profile_job": "Poet"})

    assert second.get("/auth/verify").status_code == 204


def test_sessions_that_began_before_go_on_at_services(ada, settings):
    settings.PROFILE_FIELDS = []
    browser, _answer = sign_in("ada")

    settings.PROFILE_FIELDS = own_fields.parse("job")

    assert browser.get("/auth/verify").status_code == 204
    assert browser.get("/account").url.startswith(GATE)


def test_verify_takes_no_statement_more(ada, django_assert_num_queries):
    browser, _answer = sign_in("ada")
    with django_assert_num_queries(1):
        browser.get("/auth/verify")
    browser.post(GATE, {"profile_job": "Poet"})
    with django_assert_num_queries(1):
        browser.get("/auth/verify")


def test_whoever_joins_with_google_is_asked_next(client, google):
    google.person = Person(email="new@gmail.com")

    answer = client.get(google.consent(client.post("/google").url))

    assert answer.url.startswith(GATE)
    assert client.post(GATE, {"profile_job": "Pilot"}).url == "/account"


def test_the_desk_asks_too(admin_user):
    browser, answer = sign_in("olga", next="/admin/")
    assert answer.url.startswith(GATE)

    assert browser.get("/admin/accounts/user/").url == f"{GATE}?next=%2Fadmin%2Faccounts%2Fuser%2F"
    assert browser.post(GATE, {"next": "/admin/", "profile_job": "Owner"}).url == "/admin/"
    assert browser.get("/admin/").status_code == 200


def test_pages_show_a_date_in_the_readers_language_and_programs_get_it_as_it_is(desk, admin_user, grace, settings):
    settings.PROFILE_FIELDS = own_fields.parse("born:date")
    grace.fill_in({"born": "1991-01-31"})
    program = Program()
    program.sign_in("grace", PASSWORD)
    browser, _ = sign_in("grace")

    assert "31 January 1991" in words(browser.get("/account"))
    assert 'value="1991-01-31"' in browser.get("/account/profile").text
    grace.save_preferences(language="de")
    assert "31. Januar 1991" in words(browser.get("/account"))
    admin_user.settings = {"profile": {"born": "1906-12-09"}}
    admin_user.save()
    assert "31 January 1991" in words(desk.get(f"/admin/accounts/user/{grace.pk}/change/"))
    assert program.get("/api/v1/account").json()["user"]["profile"] == {"born": "1991-01-31"}
    with zipfile.ZipFile(io.BytesIO(b"".join(browser.post("/account/export").streaming_content))) as archive:
        assert json.loads(archive.read("account.json"))[0]["settings"]["profile"]["born"] == "1991-01-31"


def test_the_account_page_changes_it_and_the_history_tells_what(grace, announced):
    browser, _answer = sign_in("grace")

    browser.post("/account/profile", {"name": "", "profile_job": "Admiral", "profile_phone": "+1 555 0100"})

    page = words(browser.get("/account"))
    assert "+1 555 0100" in page
    assert "Details changed" in page
    assert Event.objects.get(kind=Event.Kind.PROFILE_CHANGED).detail == {"fields": ["phone"]}
    (told,) = [payload for name, payload in announced() if name == "user.updated"]
    assert told["changed"] == ["profile"]
    assert "0100" not in json.dumps(told)
    refused = browser.post("/account/profile", {"name": "", "profile_job": "", "profile_phone": ""})
    assert "Fill in “Job”" in words(refused)
    assert User.objects.get(pk=grace.pk).settings["profile"] == {"job": "Admiral", "phone": "+1 555 0100"}


def test_other_settings_stay_as_they_are(grace):
    grace.save_preferences(theme="dark")

    grace.fill_in({"job": "", "phone": "1234"})

    assert User.objects.get(pk=grace.pk).settings == {"theme": "dark", "profile": {"phone": "1234"}}


def test_programs_send_and_read_it(grace):
    program = Program()
    program.sign_in("grace", PASSWORD)

    answer = program.send("/api/v1/account", "PATCH", profile={"phone": "+1 555 0100", "unknown": "x"})
    assert (answer.status_code, answer.json()["user"]["profile"]) == (200, {"job": "Admiral", "phone": "+1 555 0100"})
    assert "profile" not in answer.json()["user"]["settings"]

    refused = program.send("/api/v1/account", "PATCH", profile={"job": "", "phone": "x"})
    assert (refused.status_code, fields(refused)) == (400, ["profile.job", "profile.phone"])
    assert codes(refused) == ["required", "invalid"]
    for strange in ("text", ["a"], {"job": 7}, {"job": {}}):
        assert program.send("/api/v1/account", "PATCH", profile=strange).status_code == 400
    assert program.send("/api/v1/account", "PATCH", profile={"phone": None}).status_code == 200
    config = program.get("/api/v1/config").json()
    assert config["profile_fields"][0] == {"name": "job", "required": True, "kind": "text"}


def test_programs_are_told_what_is_still_asked(ada, settings):
    settings.PROFILE_FIELDS = own_fields.parse("name,job,phone:optional:tel")
    settings.TERMS_VERSION, settings.TERMS_URL = "2026-11-01", "https://example.com/terms"
    program = Program()

    assert program.sign_in("ada", PASSWORD).json()["asked"] == ["terms", "name", "profile.job"]
    program.send("/api/v1/account", "PATCH", terms="2026-11-01", name="Ada Lovelace")
    assert program.look().json()["asked"] == ["profile.job"]
    program.send("/api/v1/account", "PATCH", profile={"job": "Countess"})
    assert program.look().json()["asked"] == []


@pytest.mark.parametrize("planned", [True, False])
def test_programs_sign_up_with_it(planned, mailbox):
    program = Program()
    typed = {"username": "newcomer", "password": PASSWORD}
    typed |= {"email": "new@example.com"} if planned else {"token": tokens.sign(purposes.SIGNUP, LinkFactory().pk)}
    refused = program.send("/api/v1/auth/create", **typed)
    assert (refused.status_code, fields(refused)) == (400, ["profile.job"])

    assert program.send("/api/v1/auth/create", **typed, profile={"job": "Pilot"}).status_code == (
        202 if planned else 201
    )

    if planned:
        token = mailbox.link("new@example.com").partition("?token=")[2]
        assert program.send("/api/v1/auth/confirm", token=token).status_code == 201
    assert User.objects.get(username="newcomer").settings["profile"] == {"job": "Pilot"}


def test_staff_see_and_change_it_and_the_person_is_told(desk, admin_user, grace, mailbox):
    admin_user.fill_in({"job": "Owner"})
    page = f"/admin/accounts/user/{grace.pk}/"
    assert "JobAdmiral" in words(desk.get(f"{page}change/"))
    assert 'value="Admiral"' in desk.get(f"{page}edit/").text

    form = {"username": "grace", "email": grace.email, "is_active": "on", "profile_job": "Captain"}
    refused = desk.post(f"{page}change/", form | {"profile_phone": "x"})
    assert "Enter a phone number" in words(refused)
    desk.post(f"{page}change/", form)

    assert User.objects.get(pk=grace.pk).settings["profile"] == {"job": "Captain"}
    assert "Job: Admiral → Captain" in mailbox.text(grace.email)
    event = Event.objects.get(kind=Event.Kind.PROFILE_CHANGED, user=grace)
    assert event.detail == {"fields": ["job"], "by": "staff", "staff": "olga"}


def test_the_mail_about_a_changed_date_has_it_in_words(desk, admin_user, grace, settings, mailbox):
    settings.PROFILE_FIELDS = own_fields.parse("born:date:optional")
    grace.fill_in({"born": "1991-01-31"})

    form = {"username": "grace", "email": grace.email, "is_active": "on", "profile_born": "1991-02-01"}
    desk.post(f"/admin/accounts/user/{grace.pk}/change/", form)

    assert "Born: 31 January 1991 → 1 February 1991" in mailbox.text(grace.email)


def test_staff_need_not_fill_in_what_they_do_not_know(desk, admin_user):
    admin_user.fill_in({"job": "Owner"})

    desk.post("/admin/accounts/user/add/", {"username": "alan", "email": "alan@example.com", "is_active": "on"})

    assert User.objects.get(username="alan").settings == {}


def test_it_is_in_both_exports(desk, admin_user, grace):
    admin_user.fill_in({"job": "Owner"})
    browser, _answer = sign_in("grace")

    mine = b"".join(browser.post("/account/export", {"password": PASSWORD}).streaming_content)
    with zipfile.ZipFile(io.BytesIO(mine)) as archive:
        assert json.loads(archive.read("account.json"))[0]["settings"]["profile"] == {"job": "Admiral"}
    people = desk.post("/admin/accounts/user/", {"action": "export", "_selected_action": grace.pk, "index": 0})
    header, row = b"".join(people.streaming_content).decode().splitlines()
    assert header.endswith(",terms,job,phone")
    assert row.endswith(",Admiral,")
