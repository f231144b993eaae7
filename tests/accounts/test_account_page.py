"""The account page: your name, your ways in and your sessions."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from django.utils.safestring import mark_safe

from accounts.models import Event, Session
from accounts.profile import rows
from accounts.profile.overview import overview
from kit.prepared_html import PreparedHtml
from tests.tools import phone
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_a_stranger_is_sent_to_sign_in_and_told_why(client):
    page = client.get("/account", follow=True)

    assert page.redirect_chain == [("/login?next=/account", 302)]
    assert "Sign in to open that page." in words(page)


@pytest.mark.parametrize("verb", ["get", "post"])
def test_a_stranger_is_sent_to_sign_in_from_its_other_pages_too(verb, subtests):
    for page in ("settings", "username", "password", "delete", "export", "prove"):
        with subtests.test(page):
            assert getattr(Client(), verb)(f"/account/{page}").url == f"/login?next=/account/{page}"


@pytest.mark.parametrize("path", ["/account/sessions/end", "/account/sessions/prolong"])
def test_a_stranger_can_end_or_prolong_no_session(client, path):
    assert client.post(path, {"session": "x"}).url == f"/login?next={path}"


def test_somebody_whose_session_ended_is_told_so(signed_in):
    Session.objects.get().user.end_sessions()

    page = signed_in.get("/account", follow=True)

    assert "Your session has ended, so we signed you out." in words(page)
    assert "frontdoor_session" not in {name for name, morsel in signed_in.cookies.items() if morsel.value}


def test_the_page_lists_this_device_first_and_no_session_of_other_people(signed_in, ada):
    Client(headers={"User-Agent": FIREFOX}).post("/login", {"login": "ada", "password": PASSWORD})
    UserFactory(username="grace")
    Client(REMOTE_ADDR="198.51.100.9").post("/login", {"login": "grace", "password": PASSWORD})

    page = words(signed_in.get("/account"))

    assert page.index("This device") < page.index("Firefox on Windows")
    sessions = page.partition("Recent activity")[0]
    assert sessions.count("127.0.0.1") == 2
    assert "198.51.100.9" not in page


def test_this_device_comes_first_and_the_newest_others_follow(signed_in, ada):
    now = timezone.now()
    Session.objects.bulk_create(
        Session(
            session_key=f"{n:032d}",
            handle=f"{n:032x}",
            session_data="",
            user=ada,
            created_at=now + timedelta(seconds=n),
            expire_date=now + timedelta(hours=11),
        )
        for n in range(1, 151)
    )

    this, *others = signed_in.get("/account").text.partition('<h2 id="events">')[0].split("<li>")[1:]

    assert "This device" in this
    assert [int(re.search(r'name="session" value="(\w+)"', row)[1], 16) for row in others] == list(range(150, 51, -1))


@pytest.mark.parametrize("number", [1, 60])
def test_the_page_reads_each_list_by_one_statement_however_many_sessions_there_are(signed_in, ada, cache_calls, number):
    later = timezone.now() + timedelta(hours=11)
    Session.objects.bulk_create(
        Session(session_key=f"{n:032d}", session_data="", user=ada, expire_date=later, handle=f"{n:032d}")
        for n in range(1, number)
    )
    for _ in range(number):
        ada.record_and_notify(Event.Kind.PASSWORD_CHANGED)
    cache_calls.clear()

    with CaptureQueriesContext(connection) as queries:
        page = signed_in.get("/account").text

    assert page.count('action="/account/sessions/end"') == number - 1
    assert [re.search(r'FROM "(\w+)"', query["sql"])[1] for query in queries] == [
        "sso_app",  # who is asking, and whether there is any app
        "accounts_session",
        "accounts_event",
        "socialaccount_socialaccount",
        "mfa_authenticator",
    ]
    assert cache_calls == ["get"]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_prepared_rows_are_what_django_renders(ada, monkeypatch, language):
    for device in ("Firefox/Windows", "Safari/iOS", "Chrome/Android", "", "<i>%s & 50%/Linux"):
        for ip in (None, "2001:db8::1"):
            Event.objects.record(Event.Kind.RESET_MAILED, ada, device=device, ip=ip, by="staff" if ip else "")
            Session(session_key=device + str(ip), user=ada, device=device, ip=ip, expire_date=timezone.now()).save()
    sessions = [(session, this) for session in Session.objects.all() for this in ("", session.session_key)]

    def render():
        listed = [rows.session_row(session, this, "token") for session, this in sessions]
        return listed + [rows.event_row(event) for event in Event.objects.all()]

    with translation.override(language), timezone.override(ZoneInfo("Europe/Berlin")):
        filled_in = render()
        monkeypatch.setattr(
            PreparedHtml, "fill", lambda self, values, **flags: render_to_string(self._template, values | flags)
        )
        assert filled_in == render()


@pytest.mark.parametrize(
    ("device", "icon"),
    [("Safari/iOS", "phone"), ("Chrome/Android", "phone"), ("Firefox/Windows", "desktop"), ("", "desktop")],
)
def test_a_session_is_shown_with_an_icon_of_its_kind_of_device(device, icon):
    session = Session(device=device, expire_date=timezone.now())

    assert render_to_string(f"icons/{icon}.svg") in rows.session_row(session, "", "token")


@pytest.mark.parametrize("site", [{}, {"GOOGLE_CLIENT_ID": "x", "MEMBERS_INVITE": True}], ids=["bare", "full"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_prepared_page_is_what_django_renders(ada, settings, monkeypatch, language, site):
    for name, value in site.items():
        setattr(settings, name, value)
    new, old = UserFactory(password=None), UserFactory(email="eve@xn--mnchen-3ya.de")
    new.google.adopt("1", "<a>&%s@example.com")
    phone.pair(old)
    old.ways_in.change_password("hedge-fund-otter-9")

    def render():
        row = mark_safe("<li>50 %s</li>")
        given = {"sessions": [row, row], "events": [row], "csrf_token": "token"}
        return [overview(user, moving_to=to, **given) for user in (ada, new, old) for to in ("", "<b>@example.com")]

    with translation.override(language):
        filled_in = render()
        monkeypatch.setattr(
            PreparedHtml, "fill", lambda self, values, **flags: render_to_string(self._template, values | flags)
        )
        assert filled_in == render()


def test_an_account_without_a_password_says_how_it_signs_in(client):
    client.force_login(UserFactory(password=None))

    assert "Not set. You sign in with email links" in words(client.get("/account"))


def test_an_account_with_google_and_no_password_says_how_it_signs_in(client):
    grace = UserFactory(password=None)
    grace.google.adopt("2001", "grace@gmail.com")
    client.force_login(grace)

    assert "Not set. You sign in with Google or email links" in words(client.get("/account"))


def test_the_page_hides_expired_sessions(signed_in, ada):
    Session.objects.create(
        session_key="x" * 32, session_data="", expire_date="2020-01-01T00:00Z", user=ada, ip="192.0.2.99"
    )

    assert "192.0.2.99" not in signed_in.get("/account").text


def test_the_page_says_what_connecting_google_is_good_for(signed_in):
    said = words(signed_in.get("/account/google"))

    assert "Once connected, you can sign in with your Google account too. Google tells us its email address" in said
