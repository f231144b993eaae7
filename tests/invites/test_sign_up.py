"""The sign-up page behind the link."""

import re

import pytest
from django.test import Client

from accounts.models import Session, User
from invites import purposes
from invites.models import Invite, MagicLink
from invites.sign_up.forms import SignupForm
from kit import tokens
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(db):
    """A link that somebody asked for."""
    return LinkFactory(email="grace@example.com", next="/account?welcome")


@pytest.fixture(params=[LinkFactory, InviteFactory])
def either(request, db):
    """A link that somebody asked for, or an invitation."""
    return request.param(email="grace@example.com", next="/account?welcome")


def path(row):
    return tokens.path(purposes.SIGNUP, row.pk)


def form(row, **typed):
    return {"token": tokens.sign(purposes.SIGNUP, row.pk), "username": "grace", "password": PASSWORD} | typed


def test_one_press_makes_the_account_signs_in_and_leads_on(client, either):
    response = client.post("/signup", form(either))

    assert response.url == "/account?welcome"
    link, grace = MagicLink.objects.get(), User.objects.get()
    assert (link.state, link.used_by) == (MagicLink.State.USED, grace)
    assert Session.objects.get().user == grace
    assert grace.check_password(PASSWORD)


def test_an_invitation_is_accepted_with_the_account(client):
    invite = InviteFactory()

    client.post("/signup", form(invite))

    invite.refresh_from_db()
    assert (invite.state, invite.accepted_by) == (Invite.State.ACCEPTED, User.objects.get())


def test_the_address_comes_from_the_link_whatever_is_posted(client, either):
    client.post("/signup", form(either, email="eve@evil.example"))

    assert User.objects.get().email == "grace@example.com"


def test_the_page_suggests_a_free_name(client, link):
    UserFactory(username="grace", email="other@example.com")

    assert 'value="grace2"' in client.get(path(link)).text


def test_a_taken_name_is_refused_with_a_free_one_and_the_link_stays_unused(client, either):
    UserFactory(username="grace", email="other@example.com")

    page = client.post("/signup", form(either))

    assert page.status_code == 200
    assert "That username is taken. grace2 is free" in words(page)
    assert PASSWORD not in page.text
    assert MagicLink.objects.get().state == MagicLink.State.PENDING


def test_a_name_that_is_taken_between_check_and_insert_is_refused_too(client, either, monkeypatch):
    UserFactory(username="grace", email="other@example.com")
    monkeypatch.setattr("invites.sign_up.forms.SignupForm.clean_username", lambda form: form.cleaned_data["username"])

    page = client.post("/signup", form(either))

    assert "That username is taken. grace2 is free" in words(page)
    assert MagicLink.objects.get().state == MagicLink.State.PENDING


@pytest.mark.parametrize(
    ("typed", "reasons"),
    [
        ({"password": ""}, ["Enter a password"]),
        ({"password": "short"}, ["Password must be 15 characters or more"]),
        ({"password": "grace@example.com!"}, ["Password must not contain your username or email address"]),
        ({"password": "gracegracegracegrace"}, ["Password must not contain your username or email address"]),
        ({"username": ""}, ["Enter a username"]),
        ({"username": "x", "password": "y"}, ["Username must be between 3 and 30", "Password must be 15 characters"]),
        ({"username": "Root"}, ["This one is reserved"]),
        ({"username": "gr@ce"}, ["Username must only include"]),
    ],
)
def test_all_failing_rules_are_said_at_once_and_the_name_is_kept(client, link, typed, reasons):
    page = client.post("/signup", form(link, **typed))

    assert page.status_code == 200
    for reason in reasons:
        assert reason in words(page)
    if typed.get("username"):
        assert f'value="{typed["username"]}"' in page.text
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "password",
    ["passwordpassword", "123456789012345", "987654321098765", "qwertyuiopasdfgh", "a" * 20, "Password1Password1"],
)
def test_a_common_password_is_refused_however_long(client, link, password):
    assert "on lists attackers try first" in words(client.post("/signup", form(link, password=password)))


def test_a_bad_name_is_no_reason_to_refuse_the_password_too(client, link):
    page = words(client.post("/signup", form(link, username="ada lovelace!", password="short")))

    assert "must not contain your username" not in page


def test_a_long_passphrase_may_hold_a_short_name(client, link):
    client.post("/signup", form(link, username="ann", password="annual reports never bore cats"))

    assert User.objects.get().username == "ann"


def test_the_password_can_be_shown_while_typing_without_a_script(client, link):
    page = client.get(path(link)).text
    show = re.search(r'formaction="([^"]*show=1)"', page)[1].replace("&amp;", "&")
    shown = client.post(show, form(link, username="grace.h", password="typed so far") | {"show_again": "1"})

    assert 'name="password"' in page
    assert re.search(r'<input type="text"[^>]*name="password"', shown.text)
    assert 'value="grace.h"' in shown.text
    assert "typed so far" not in shown.text
    assert "There is a problem" not in words(shown)
    assert not User.objects.exists()
    assert re.search(r'<input type="password"[^>]*name="password"', client.post(path(link), {"show_again": "1"}).text)


def test_opening_the_link_a_hundred_times_changes_nothing(client, either, django_assert_max_num_queries):
    before = [list(model.objects.values()) for model in (Invite, MagicLink)]
    for n in range(100):
        assert getattr(Client(), ("get", "head")[n % 2])(path(either)).status_code == 200

    assert [list(model.objects.values()) for model in (Invite, MagicLink)] == before
    assert not User.objects.exists()
    assert not Session.objects.exists()


def test_pressing_twice_in_one_browser_is_fine(either):
    browser = Client()
    browser.get(path(either))
    first_cookies = browser.cookies["frontdoor_csrf"].value
    browser.post("/signup", form(either))
    impatient = Client()  # the second press was sent before the first answer came back
    impatient.cookies["frontdoor_csrf"] = first_cookies

    answer = impatient.post("/signup", form(either))

    assert answer.url == "/account?welcome"
    assert impatient.get("/account").status_code == 200
    assert User.objects.count() == 1


@pytest.mark.parametrize("knows", [True, False], ids=["with the new session", "before the first answer"])
def test_a_second_press_with_another_name_says_which_one_counts(either, knows):
    browser = Client()
    browser.get(path(either))
    first_cookies = browser.cookies["frontdoor_csrf"].value
    browser.post("/signup", form(either))
    if not knows:
        browser = Client()
        browser.cookies["frontdoor_csrf"] = first_cookies

    page = browser.post("/signup", form(either, username="hopper"), follow=True)

    assert "You pressed twice, and the first press counts: your username is grace. Change it" in words(page)
    assert 'href="/account/username"' in page.text
    assert User.objects.get().username == "grace"


def test_a_second_press_with_the_same_name_says_nothing(either):
    browser = Client()
    browser.get(path(either))
    browser.post("/signup", form(either))

    assert "You pressed twice" not in words(browser.post("/signup", form(either, username=" Grace"), follow=True))


def test_too_many_tries_say_nothing_of_an_account_that_nobody_has():
    for _ in range(60):
        Client().post("/signup", {"email": "no", "username": "", "password": ""})

    page = Client().post("/signup", {"email": "no", "username": "", "password": ""})

    assert page.status_code == 429
    assert "Try again after" in words(page)
    assert "not locked" not in words(page)


def test_the_same_press_from_another_browser_finds_the_link_used(client, either):
    browser = Client()
    browser.get(path(either))
    browser.post("/signup", form(either))
    client.get(path(LinkFactory()))

    answer = client.post("/signup", form(either))

    assert answer.status_code == 410
    assert "This link has already been used" in words(answer)
    assert client.get("/account").status_code == 302


@pytest.mark.parametrize("since", ["signed out everywhere", "deactivated"])
def test_a_second_press_signs_in_nobody_whose_sessions_ended_since(either, since):
    browser, impatient = Client(), Client()
    browser.get(path(either))
    impatient.cookies["frontdoor_csrf"] = browser.cookies["frontdoor_csrf"].value
    browser.post("/signup", form(either))
    if since == "deactivated":
        User.objects.update(is_active=False)
    else:
        User.objects.get().end_sessions()

    assert impatient.post("/signup", form(either)).status_code == 410


def test_coming_back_to_the_link_while_signed_in_leads_on(client, either):
    client.post("/signup", form(either))

    assert client.get(path(either)).url == "/account?welcome"


def test_an_address_that_has_an_account_by_now_is_sent_to_the_button(client, either):
    UserFactory(email=either.email)

    response = client.get(path(either))

    assert response.url.startswith("/confirm?token=")
    assert "Sign in to" in words(client.get(response.url))


def test_thirty_people_behind_one_address_accept_within_a_minute(client):
    for n in range(31):
        invite = InviteFactory()
        response = Client().post("/signup", form(invite, username=f"colleague{n}"))
        assert response.status_code == 302, n


def test_an_invitation_names_its_sender(client, ada):
    invite = InviteFactory(invited_by=ada, note="See you <b>Monday</b>!")

    page = client.get(path(invite))

    assert "ada invited you to Frontdoor" in words(page)
    assert "See you &lt;b&gt;Monday&lt;/b&gt;!" in page.text


def test_by_invitation_only_a_proven_address_alone_is_not_enough(client, settings):
    settings.SIGNUP = "invited"
    asked = LinkFactory()
    invited = InviteFactory()

    for press in (client.get(path(asked)), client.post("/signup", form(asked))):
        assert press.status_code == 403
        assert "You need an invitation" in words(press)
    assert not User.objects.exists()
    assert client.post("/signup", form(invited)).status_code == 302


def test_the_account_speaks_the_language_it_was_made_in(link):
    Client(headers={"Accept-Language": "ru"}).post("/signup", form(link))

    assert User.objects.get().settings == {"language": "ru"}


def test_the_owner_link_says_whom_it_signs_out(signed_in):
    owner = LinkFactory(purpose="owner")

    page = signed_in.get("/owner", {"token": tokens.sign(purposes.OWNER, owner.pk)})

    assert "You’re signed in as ada. If you carry on, we’ll sign you out of that account first." in words(page)


def test_a_name_taken_by_the_first_press_of_a_double_click_is_no_mistake(client, monkeypatch):
    link = LinkFactory()
    form = {"token": tokens.sign(purposes.SIGNUP, link.pk), "username": "grace", "password": PASSWORD}
    original = SignupForm.is_valid

    def late(self):
        monkeypatch.undo()
        Client().post("/signup", form)  # after the link was looked at, before the name is
        return original(self)

    monkeypatch.setattr(SignupForm, "is_valid", late)

    page = client.post("/signup", form)

    assert page.status_code == 410
    assert "already been used" in words(page)
