"""Continue with Google: which visitors sign in, which ones join, and which ones are refused."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event, Session, User
from accounts.models.session import stored_key
from accounts.session.notes import GOOGLE_IDENTITY
from invites import purposes
from invites.google.join import new_account
from invites.models import Invite, MagicLink
from kit import tokens
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.google import Person, TokenAnswer
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

GRACE = Person(sub="2001", email="grace@gmail.com")
AT_WORK = Person(sub="2001", email="grace@navy.example")  # where Google gives out no addresses
FAILED = "Google didn’t complete the sign-in. Try again, or use a link from your email."


def back(client, google, **typed):
    """Has the visitor consent at Google. Returns the path by which Google sends them back."""
    return google.consent(client.post("/google", typed).url)


def come(client, google, person=GRACE, *, follow=True, **typed):
    google.person = person
    return client.get(back(client, google, **typed), follow=follow)


def link_token(row):
    """Returns the token of a link, or that of an invitation's own link."""
    return tokens.sign(purposes.SIGNUP, row.pk)


def user_of(client):
    return User.objects.filter(pk=client.session.get(SESSION_KEY)).first()


# Joining


def test_a_new_person_is_in_with_one_press(client, google, mailbox):
    page = come(client, google)

    grace = User.objects.get()
    assert page.redirect_chain[-1] == ("/account", 302)
    assert "Your account is ready." in words(page)
    assert (grace.username, grace.email, grace.has_usable_password()) == ("grace", "grace@gmail.com", False)
    assert EmailAddress.objects.values_list("email", "verified", "primary").get() == ("grace@gmail.com", True, True)
    assert user_of(client) == grace
    assert [event.kind for event in grace.events.order_by("id")] == ["created", "signed_in"]
    assert mailbox.letters() == []


def test_google_is_asked_for_the_address_and_nothing_else(client, google):
    come(client, google)

    visit = google.visits[0].query
    assert set(visit["scope"].split()) == {"openid", "email"}
    assert SocialAccount.objects.get().extra_data == {"email": "grace@gmail.com"}


def test_the_second_time_google_signs_in(client, google):
    come(client, google)
    again = Client()

    page = come(again, google, Person(sub="2001", email="grace.hopper@gmail.com"))

    assert page.redirect_chain[-1] == ("/account", 302)
    assert user_of(again) == User.objects.get()
    assert User.objects.get().email == "grace@gmail.com"
    assert Event.objects.filter(kind="signed_in").latest("id").detail["way"] == "google"


def test_a_connected_account_signs_in_whatever_google_says_of_the_address(client, google):
    come(client, google)
    again = Client()

    come(again, google, Person(sub="2001", email="grace@gmail.com", email_verified=False))

    assert user_of(again) == User.objects.get()


def test_google_leads_on_to_where_the_visitor_wanted_to_go(client, google):
    page = come(client, google, next="/account/settings")

    assert page.redirect_chain[-1][0] == "/account/settings"


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example", "http://testserver/account/export"])
def test_google_leads_to_no_other_site(client, google, next_url):
    page = come(client, google, next=next_url)

    assert page.redirect_chain[-1][0] == "/account"


def test_an_invite_for_the_address_is_accepted_with_the_account(client, google):
    invite = InviteFactory(email="grace@gmail.com", next="/account/settings")

    page = come(client, google, token=link_token(invite))

    invite.refresh_from_db()
    assert google.visits[0].query["login_hint"] == "grace@gmail.com"
    assert (invite.state, invite.accepted_by) == ("accepted", User.objects.get())
    assert page.redirect_chain[-1][0] == "/account/settings"
    assert client.get(f"/signup?token={link_token(invite)}").status_code == 302


def test_an_invite_is_accepted_by_whichever_door(client, google):
    invite = InviteFactory(email="grace@gmail.com")

    come(client, google)

    invite.refresh_from_db()
    assert invite.state == "accepted"
    assert Client().get(f"/signup?token={link_token(invite)}", follow=True).status_code == 410


def test_of_two_invites_the_one_whose_link_was_opened_is_accepted(client, google, ada):
    by_ada = InviteFactory(email="grace@gmail.com", source="member", invited_by=ada, next="/account/settings")
    by_staff = InviteFactory(email="grace@gmail.com", expires_at=by_ada.expires_at + timedelta(days=1))

    page = come(client, google, token=link_token(by_ada))

    for invite in (by_ada, by_staff):
        invite.refresh_from_db()
    assert (by_ada.accepted_by, by_staff.state) == (user_of(client), "pending")
    assert page.redirect_chain[-1][0] == "/account/settings"


def test_where_an_invitation_is_needed_google_makes_no_account_without_one(client, google, settings):
    settings.SIGNUP = "invited"

    page = come(client, google)

    assert page.status_code == 403
    assert "You need an invitation" in words(page)
    assert "Nobody has invited grace@gmail.com" in words(page)
    assert (User.objects.count(), SocialAccount.objects.count(), EmailAddress.objects.count()) == (0, 0, 0)


def test_where_an_invitation_is_needed_google_makes_an_account_with_one(client, google, settings):
    settings.SIGNUP = "invited"
    InviteFactory(email="grace@gmail.com")

    come(client, google)

    assert user_of(client).email == "grace@gmail.com"


def test_an_invitation_that_ran_out_lets_its_address_in_and_is_accepted(client, google, settings):
    settings.SIGNUP = "invited"
    InviteFactory(email="grace@gmail.com", expires_at=timezone.now())

    come(client, google)

    assert Invite.objects.get().accepted_by == user_of(client)


def test_google_is_not_told_the_address_of_a_dead_link(client, google):
    invite = InviteFactory(email="grace@gmail.com", revoked_at=timezone.now())

    assert "login_hint" not in client.post("/google", {"token": link_token(invite)}).url


@pytest.mark.parametrize("over", ["revoked_at", "declined_at"])
def test_a_dead_invitation_lets_nobody_in(client, google, settings, over):
    settings.SIGNUP = "invited"
    InviteFactory(email="grace@gmail.com", **{over: timezone.now()})

    assert come(client, google).status_code == 403
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "person",
    [
        Person(sub="2001", email="grace@gmail.com", email_verified=False),
        Person(sub="2001", email="grace@gmail.com", email_verified="true"),
        Person(sub="2001", email="grâce@gmail.com"),
    ],
)
def test_an_address_that_google_has_not_confirmed_makes_nothing(client, google, person):
    page = come(client, google, person)

    assert page.status_code == 403
    assert f"Google hasn’t confirmed the address {person.email}" in words(page)
    assert not User.objects.exists()


@pytest.mark.parametrize("claims", [{"sub": "a\0b"}, {"email": "a\0b@gmail.com"}, {"email": "\ud800@gmail.com"}])
def test_claims_that_google_never_sends_cause_no_server_error(client, google, claims):
    google.claims = claims

    page = come(client, google)

    assert page.status_code in {200, 403}
    assert not User.objects.exists()


def test_no_answer_of_google_is_written_to_the_log(client, google, caplog):
    google.token_answer = TokenAnswer.LIST

    come(client, google)

    assert "google did not say who it is" in caplog.text
    assert "ya29" not in caplog.text
    assert "id_token" not in caplog.text


def test_google_may_name_no_address(client, google):
    google.claims = {"email": None}

    page = come(client, google)

    assert page.status_code == 403
    assert "Google didn’t name an address" in words(page)


def test_a_name_that_is_taken_is_no_obstacle(client, google):
    UserFactory(username="grace")

    come(client, google)

    assert user_of(client).email == "grace@gmail.com"
    assert user_of(client).username != "grace"


@pytest.mark.django_db(transaction=True)
def test_eight_presses_at_once_make_one_account(google):
    google.person = GRACE
    clients = [Client() for _ in range(8)]
    paths = [back(client, google) for client in clients]

    def press(client, path):
        try:
            return client.get(path).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(press, clients, paths))

    assert set(statuses) == {302}
    assert (User.objects.count(), SocialAccount.objects.count(), EmailAddress.objects.count()) == (1, 1, 1)
    assert {user_of(client) for client in clients} == {User.objects.get()}


def test_an_account_that_another_press_has_made_meanwhile_is_signed_in(client, google, monkeypatch):
    come(Client(), google)
    # As when the account is made between the look for it and its creation here.
    monkeypatch.setattr("accounts.models.manager.UserManager.by_google", lambda *_: None)

    come(client, google)

    assert user_of(client) == User.objects.get()


@pytest.mark.django_db(transaction=True)
def test_eight_people_whose_names_would_be_the_same_all_get_one(google):
    clients, paths = [Client() for _ in range(8)], []
    for number, client in enumerate(clients):
        google.person = Person(sub=f"30{number}", email=f"ada@host{number}.example", hd=f"host{number}.example")
        paths.append(back(client, google))

    def press(client, path):
        try:
            return client.get(path).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(press, clients, paths)) == {302}

    assert len({user_of(client) for client in clients}) == 8


def test_a_user_who_has_signed_in_meanwhile_goes_on_without_google(signed_in, google):
    invite = InviteFactory(email="grace@gmail.com")

    assert signed_in.post("/google").url == "/account"
    assert signed_in.post("/google", {"next": "/account/settings"}).url == "/account/settings"
    assert signed_in.post("/google", {"next": "https://evil.example/"}).url == "/account"
    page = signed_in.post("/google", {"token": link_token(invite)}, follow=True)
    assert "It is for grace@gmail.com, and you’re signed in as ada@example.com." in words(page)
    assert google.visits == []


@pytest.mark.parametrize("person", [GRACE, Person(email_verified=False)])
def test_a_page_that_says_why_not_can_be_loaded_again_and_read_in_another_language(client, google, settings, person):
    settings.SIGNUP = "invited"
    page = come(client, google, person)
    assert page.redirect_chain == [("/google/outcome", 302)]

    again = client.get("/google/outcome", headers={"Accept-Language": "ru"})

    assert again.status_code == 403
    assert "Google" in words(again)
    assert 'lang="ru"' in again.text


def test_without_a_visit_to_google_the_page_about_its_outcome_leads_to_the_start(client):
    assert client.get("/google/outcome").url == "/"


@pytest.mark.parametrize("answer", ["no", "unverified", "error"])
def test_the_invitation_is_not_lost_on_the_way(client, google, settings, answer):
    settings.SIGNUP = "invited"
    token = link_token(InviteFactory(email="grace@example.com"))
    google.token_answer = TokenAnswer.ERROR if answer == "error" else TokenAnswer.NORMAL
    google.person = Person(email="grace@example.com", email_verified=False)
    location = client.post("/google", {"token": token}).url

    page = client.get(google.cancel(location) if answer == "no" else google.consent(location), follow=True)

    assert f'href="/signup?token={token}">Back to your invitation</a>' in page.text


def test_the_page_of_the_owner_link_offers_no_google(client):
    owner = LinkFactory(purpose="owner")

    page = client.get(f"/owner?token={tokens.sign(purposes.OWNER, owner.pk)}")

    assert page.status_code == 200
    assert "Google" not in words(page)


# An address that is not Google's to give


def press(client, link, **typed):
    """Presses the button that a mailed link opens; `typed` goes with it."""
    page, _, token = link.partition("?token=")
    return client.post(page, {"token": token, **typed})


@pytest.mark.parametrize(
    "person",
    [
        AT_WORK,
        Person(sub="2001", email="grace@navy.example", hd="army.example"),
        Person(sub="2001", email="grace@fleet.navy.example", hd="navy.example"),
        Person(sub="2001", email="grace@navy.example", hd="fleet.navy.example"),
        Person(sub="2001", email="grace@notgmail.com"),
        Person(sub="2001", email="grace@gmail.com.example"),
    ],
    ids=lambda person: f"{person.email} {person.hd}",
)
def test_an_address_that_google_does_not_give_out_is_mailed_a_link_and_gets_no_account(client, google, mailbox, person):
    page = come(client, google, person)

    assert page.redirect_chain[-1] == ("/invite/sent", 302)
    assert f"We sent a link to {person.email}" in words(page)
    assert "This address isn’t run by Google" in words(page)
    assert (User.objects.count(), SocialAccount.objects.count(), EmailAddress.objects.count()) == (0, 0, 0)
    assert user_of(client) is None
    assert mailbox.kinds(person.email) == ["link_new"]


def test_the_real_owner_of_such_an_address_shares_the_account_with_nobody(client, google, mailbox):
    """Otherwise a former owner could wait in an account that the present owner takes for theirs (pre-hijacking)."""
    come(client, google, AT_WORK)

    owner = Client()
    press(owner, mailbox.link("grace@navy.example"), username="grace", password=PASSWORD)

    assert user_of(owner).email == "grace@navy.example"
    come(client, google, AT_WORK)
    assert user_of(client) is None
    assert not SocialAccount.objects.exists()


def test_the_mailed_link_makes_the_account_and_connects_google_in_the_same_browser(client, google, mailbox):
    come(client, google, AT_WORK, next="/account/settings")

    page = press(client, mailbox.link("grace@navy.example"), username="grace", password=PASSWORD)

    assert page.url == "/account/settings"
    grace = user_of(client)
    assert (grace.username, grace.google.email) == ("grace", "grace@navy.example")
    assert "google_connected" in mailbox.kinds("grace@navy.example")


def test_such_an_address_gets_no_second_mail_within_a_minute(client, google, mailbox):
    come(client, google, AT_WORK)

    page = come(client, google, AT_WORK)

    assert page.status_code == 429
    assert "We sent an email less than a minute ago." in words(page)
    assert mailbox.kinds("grace@navy.example") == ["link_new"]


@pytest.mark.parametrize("invitation", ["asked for", "by staff"])
def test_the_mailed_link_that_a_visitor_comes_from_proves_the_address(client, google, invitation):
    asked = invitation == "asked for"
    row = LinkFactory(email="grace@navy.example") if asked else InviteFactory(email="grace@navy.example")

    page = come(client, google, AT_WORK, token=link_token(row))

    assert "Your account is ready." in words(page)
    assert (user_of(client).email, user_of(client).google.account.uid) == ("grace@navy.example", "2001")
    link = MagicLink.objects.get(pk=row.pk)
    assert (link.state, link.used_by) == ("used", user_of(client))
    assert Client().get(f"/signup?token={link_token(row)}").status_code == 410


def test_a_link_to_another_address_proves_nothing(client, google, mailbox):
    come(client, google, AT_WORK, token=link_token(LinkFactory(email="ada@navy.example")))

    assert not User.objects.exists()
    assert mailbox.letters() == []


def test_a_link_that_is_used_meanwhile_proves_nothing(client, google, mailbox, monkeypatch):
    link = LinkFactory(email="grace@navy.example")

    def late(*args):
        MagicLink.objects.filter(pk=link.pk).update(used_at=timezone.now())
        return new_account(*args)

    monkeypatch.setattr("invites.google.pages.new_account", late)
    page = come(client, google, AT_WORK, token=link_token(link))

    assert page.redirect_chain[-1] == ("/invite/sent", 302)
    assert not User.objects.exists()


def test_an_invitation_alone_is_no_proof_of_such_an_address(client, google, mailbox, settings):
    settings.SIGNUP = "invited"
    invite = InviteFactory(email="grace@navy.example")

    come(client, google, AT_WORK)

    assert not User.objects.exists()
    invite.refresh_from_db()
    assert invite.state == "pending"
    assert mailbox.kinds("grace@navy.example") == ["invite"]


@pytest.mark.parametrize("signup", ["open", "invited"])
def test_whoever_is_at_google_gets_the_same_answer_for_every_address(google, mailbox, ada, settings, signup):
    settings.SIGNUP = signup
    UserFactory(email="idle@example.com", is_active=False)
    UserFactory(email="google@example.com", password=None).google.adopt("7", "google@example.com")
    InviteFactory(email="invited@example.com")
    Suppression.objects.create(recipient="suppressed@example.com", reason="came back")
    emails = [f"{name}@example.com" for name in ("new", "ada", "idle", "google", "invited", "suppressed")]
    answers, statements, mails = [], [], []
    for email in emails:
        browser, before = Client(), OutboxMessage.objects.count()
        google.person = Person(sub=email, email=email)
        path = back(browser, google)
        with CaptureQueriesContext(connection) as queries:
            answer = browser.get(path)
        page = browser.get(answer.url)
        body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text).replace(email, "ADDRESS")
        answers.append((answer.status_code, answer.url, page.status_code, body, sorted(browser.cookies)))
        statements.append(len(queries))
        mails.append(OutboxMessage.objects.count() - before)

    assert all(answer == answers[0] for answer in answers)
    assert len(set(statements)) == 1
    assert set(mails) == {1}


def test_an_account_that_was_made_by_such_an_identity_is_its_owners_after_a_reset(client, google, mailbox):
    """As one may stand in the database of a site that made them."""
    grace = UserFactory(email="grace@navy.example", password=None)
    grace.google.adopt("2001", "grace@navy.example")
    owner = Client()
    owner.post("/reset", {"email": "grace@navy.example"})
    press(owner, mailbox.link("grace@navy.example", "/reset/password"), password="another horse battery staple")

    come(client, google, AT_WORK)

    assert user_of(client) is None
    assert grace.google.account is None


# An account that exists already


def test_an_account_is_connected_when_the_address_is_googles_own(client, google, mailbox):
    grace = UserFactory(username="hopper", email="grace@gmail.com")

    page = come(client, google)

    assert page.redirect_chain[-1][0] == "/account"
    assert user_of(client) == grace
    assert grace.google.email == "grace@gmail.com"
    assert "google_connected" in mailbox.kinds("grace@gmail.com")
    assert "Google is connected." in words(page)
    assert grace.events.filter(kind="google_connected").exists()


def test_a_workspace_address_is_googles_own_too(client, google):
    grace = UserFactory(email="grace@navy.example")

    come(client, google, Person(sub="2001", email="grace@navy.example", hd="navy.example"))

    assert user_of(client) == grace


def test_any_other_account_is_connected_by_signing_in_once(client, google, mailbox):
    grace = UserFactory(email="grace@navy.example")

    page = come(client, google, AT_WORK, next="/account/settings")

    assert "This address isn’t run by Google" in words(page)
    assert 'href="/login?next=%2Faccount%2Fsettings"' in page.text
    assert user_of(client) is None
    assert grace.google.account is None
    assert 'value="grace@navy.example"' in client.get("/login").text

    page = client.post("/login", {"login": "grace@navy.example", "password": PASSWORD}, follow=True)

    assert "Google is connected." in words(page)
    assert grace.google.email == "grace@navy.example"
    assert "google_connected" in mailbox.kinds("grace@navy.example")


def test_signing_in_by_link_connects_as_well(client, google, mailbox):
    grace = UserFactory(email="grace@navy.example")
    page = come(client, google, AT_WORK, next="/account/settings")
    assert page.redirect_chain[-1] == ("/invite/sent", 302)
    assert "Press the button in it, on any device" in words(page)

    page = press(client, mailbox.link("grace@navy.example", "/confirm"))

    assert page.url == "/account/settings"
    assert user_of(client) == grace
    assert grace.google.account


def test_the_next_person_in_the_same_browser_is_not_connected_to_google(client, google, ada):
    grace = UserFactory(email="grace@navy.example")
    come(client, google, AT_WORK)

    client.post("/login", {"login": "ada", "password": PASSWORD})
    client.post("/logout/here")
    client.post("/login", {"login": "grace@navy.example", "password": PASSWORD})

    assert user_of(client) == grace
    assert SocialAccount.objects.count() == 0


def test_an_account_with_another_google_account_signs_in_and_keeps_it(client, google):
    grace = UserFactory(email="grace@navy.example")
    grace.google.adopt("1999", "grace@gmail.com")
    come(client, google, AT_WORK)

    client.post("/login", {"login": "grace@navy.example", "password": PASSWORD})

    assert user_of(client) == grace
    assert SocialAccount.objects.get().uid == "1999"


def test_connecting_by_signing_in_waits_for_15_minutes(client, google):
    grace = UserFactory(email="grace@navy.example")
    come(client, google, AT_WORK)

    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        client.post("/login", {"login": "grace@navy.example", "password": PASSWORD})

    assert user_of(client) == grace
    assert grace.google.account is None


def test_another_google_account_with_the_same_address_does_not_get_in(client, google):
    """A company may give the address of somebody who has left to somebody new."""
    come(client, google, Person(sub="2001", email="grace@navy.example", hd="navy.example"))
    newcomer = Client()

    page = come(newcomer, google, Person(sub="2002", email="grace@navy.example", hd="navy.example"))

    assert "connected to another Google account" in words(page)
    assert user_of(newcomer) is None
    assert SocialAccount.objects.get().uid == "2001"


def test_another_google_account_with_the_same_address_is_not_connected_later(client, google):
    grace = UserFactory(email="grace@gmail.com")
    grace.google.adopt("1999", "grace@gmail.com")
    come(client, google)
    grace.google.forget()  # in another browser, say

    page = client.post("/login", {"login": "grace@gmail.com", "password": PASSWORD}, follow=True)

    assert user_of(client) == grace
    assert "Google" not in " ".join(str(message) for message in page.context["messages"])
    assert not SocialAccount.objects.exists()


def test_a_note_from_an_earlier_visit_is_not_left_by_one_that_connects_nothing(client, google):
    grace = UserFactory(email="grace@navy.example")
    come(client, google, AT_WORK)
    grace.google.adopt("1999", "grace@gmail.com")
    come(client, google, Person(sub="2001", email="grace@navy.example", hd="navy.example"))

    assert GOOGLE_IDENTITY.key not in client.session


def test_an_account_that_is_deleted_while_google_signs_in_causes_no_server_error(client, google, monkeypatch):
    UserFactory(email="grace@gmail.com")
    EmailAddress.objects.update(verified=False)
    original = User.lock_or_raise

    def late(user):
        User.objects.filter(pk=user.pk).delete()
        return original(user)

    monkeypatch.setattr(User, "lock_or_raise", late)
    page = come(client, google)

    assert page.redirect_chain[-1] == ("/login", 302)
    assert FAILED in words(page)


def test_a_deactivated_account_stays_shut(client, google):
    grace = UserFactory(email="grace@gmail.com", is_active=False)

    page = come(client, google)

    assert page.status_code == 403
    assert user_of(client) is None
    assert grace.google.account is None


def test_a_connected_account_that_was_deactivated_stays_shut(client, google):
    come(client, google)
    User.objects.update(is_active=False)

    page = come(Client(), google)

    assert page.status_code == 403
    assert not Event.objects.filter(kind="signed_in", detail__way="google").exists()


def test_a_planted_account_holds_nothing_of_the_planter_afterwards(client, google):
    """No door makes an account without a proven address; if there is one all the same, its ways in are removed."""
    planter = Client()
    grace = UserFactory(username="planted", email="grace@gmail.com")
    planter.post("/login", {"login": "planted", "password": PASSWORD})
    grace.second_factor.turn_on("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "000000")
    EmailAddress.objects.update(verified=False)

    come(client, google)

    assert user_of(client) == grace
    grace.refresh_from_db()
    assert not grace.has_usable_password()
    assert not grace.second_factor.is_on
    assert planter.get("/account").status_code == 302
    assert EmailAddress.objects.get().verified


def test_a_plan_that_somebody_made_for_the_address_is_never_read_again(client, google, mailbox):
    planter = Client()
    planter.post("/signup", {"email": "grace@gmail.com", "username": "planted", "password": "planted by somebody else"})
    token = mailbox.link("grace@gmail.com", "/confirm").partition("token=")[2]

    come(client, google)
    page = planter.post("/confirm", {"token": token})

    assert user_of(client).username == "grace"
    assert not user_of(client).has_usable_password()
    assert MagicLink.objects.values_list("password", "seal").get() == ("", "")
    assert page.status_code in {302, 410}
    assert User.objects.count() == 1
    for login in ("planted", "grace"):
        form = {"login": login, "password": "planted by somebody else"}
        assert Client().post("/login", form).status_code == 200


# What goes wrong at Google, or on the way


def failed(page):
    return page.redirect_chain[-1] == ("/login", 302) and FAILED in words(page) and not User.objects.exists()


def test_cancelling_at_google_leads_back_with_a_message(client, google):
    page = client.get(google.cancel(client.post("/google").url), follow=True)

    assert page.redirect_chain == [("/login", 302)]
    assert "You cancelled signing in with Google. Nothing has changed." in words(page)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another.apps.googleusercontent.com"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": 7},
        {"sub": None, "id": "2001"},
        {"sub": ""},
        {"sub": "9" * 500},
        {"email": 7},
        {"email": ["grace@gmail.com"]},
    ],
)
def test_a_token_that_is_not_right_makes_nothing(client, google, claims):
    google.claims = claims

    page = come(client, google)

    assert not User.objects.exists()
    assert page.status_code == 403 or failed(page)


@pytest.mark.parametrize(
    "answer", [kind for kind in TokenAnswer if kind.name not in {"NORMAL", "BAD_SIGNATURE", "HANG"}]
)
def test_a_token_endpoint_in_trouble_makes_nothing(client, google, answer):
    google.token_answer = answer

    assert failed(come(client, google))


def test_a_token_endpoint_that_never_answers_is_given_up(client, google, settings):
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 0.3
    google.token_answer = TokenAnswer.HANG

    assert failed(come(client, google))


def test_the_way_back_works_once(client, google):
    google.person = GRACE
    path = back(client, google)
    client.get(path)
    client.post("/logout")

    page = client.get(path, follow=True)

    assert FAILED in words(page)
    assert user_of(client) is None
    assert Event.objects.filter(kind="signed_in").count() == 1


def test_the_way_back_works_in_the_browser_it_began_in(client, google):
    """In any other browser it would sign a victim in to the attacker's account (login CSRF)."""
    google.person = GRACE
    path = back(client, google)
    victim = Client()
    victim.post("/google")

    assert failed(victim.get(path, follow=True))
    assert user_of(victim) is None


def test_a_code_of_another_visit_is_refused(client, google):
    google.person = Person(sub="666", email="mallory@gmail.com")
    mallory = back(Client(), google)
    google.person = GRACE
    mine = back(client, google)
    code = mallory.partition("code=")[2].partition("&")[0]

    page = client.get(f"{mine.partition('code=')[0]}code={code}", follow=True)

    assert failed(page)


def test_the_way_back_is_closed_after_ten_minutes(client, google):
    google.person = GRACE
    path = back(client, google)

    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert failed(client.get(path, follow=True))


@pytest.mark.parametrize(
    "query", ["", "?code=x", "?state=x", "?state=x&code=y", "?error=access_denied&state=x", "?state="]
)
def test_coming_back_from_google_without_having_gone_is_explained(client, google, query):
    assert failed(client.get(f"/api/v1/auth/google/response{query}", follow=True))


def test_a_session_that_ends_while_google_answers_leads_to_sign_in(client, google, monkeypatch):
    google.person = GRACE
    path = back(client, google)
    original = Session.get_session_store_class().load

    def then_gone(self):
        data = original(self)
        Session.objects.filter(session_key=stored_key(self.session_key)).delete()
        return data

    with monkeypatch.context() as patch:
        patch.setattr(Session.get_session_store_class(), "load", then_gone)
        answer = client.get(path)

    assert answer.url == "/login"
    assert not User.objects.exists()


def test_parameters_added_to_the_address_do_not_reach_google(client, google):
    google.person = GRACE
    location = client.post(
        "/google?scope=drive&auth_params=prompt%3Dnone%26redirect_uri%3Dhttps%3A%2F%2Fevil&action=x"
    ).url

    client.get(google.consent(location))

    asked = google.visits[0].query
    assert set(asked["scope"].split()) == {"openid", "email"}
    assert asked["prompt"] == "select_account"
    assert asked["redirect_uri"] == "http://testserver/api/v1/auth/google/response"
    assert set(asked) == {
        *("client_id", "redirect_uri", "scope", "response_type", "state", "nonce", "prompt"),
        *("code_challenge", "code_challenge_method"),
    }


def test_google_sends_people_back_to_the_sites_own_address_whatever_host_was_asked(client, google, settings):
    settings.ALLOWED_HOSTS = ["*"]

    location = client.post("/google", headers={"host": "evil.example"}).url

    assert parse_qs(urlsplit(location).query)["redirect_uri"] == ["http://testserver/api/v1/auth/google/response"]


def test_a_signed_in_user_is_not_sent_to_google(signed_in, google):
    for method in ("get", "post"):
        assert getattr(signed_in, method)("/google").url == "/account"


def test_another_site_cannot_send_people_to_google(client, google):
    page = client.get("/google?next=/account/settings")

    assert page.status_code == 200
    assert "Google tells us your email address, nothing else." in words(page)
    assert 'value="/account/settings"' in page.text
    assert Client(enforce_csrf_checks=True).post("/google").status_code == 403


def test_the_button_is_on_every_way_in_but_only_with_google_configured(client, google, settings):
    pages = ["/", "/login", "/signup", f"/signup?token={link_token(LinkFactory())}"]
    assert all('action="/google"' in client.get(page).text for page in pages)

    settings.GOOGLE_CLIENT_ID = ""

    assert not any("Google" in client.get(page).text for page in pages)
    assert client.get("/google").status_code == 404
    assert client.post("/google").status_code == 404
    assert client.get("/api/v1/auth/google/response?state=x").status_code == 404


def test_no_other_door_of_allauth_is_open(client):
    for path in (
        "/accounts/google/login/",
        "/accounts/google/login/token/",
        "/accounts/3rdparty/signup/",
        "/accounts/login/",
        "/_allauth/",
        *(f"/_allauth/{kind}/v1/{door}" for kind in ("browser", "app") for door in ("config", "auth/session")),
        "/_allauth/browser/v1/auth/provider/redirect",
        "/_allauth/openapi.json",
    ):
        assert client.get(path).status_code == client.post(path).status_code == 404


def test_a_visitor_who_presses_again_and_again_is_told_to_wait(client, google):
    for _ in range(60):
        assert client.post("/google").status_code == 302

    assert client.post("/google").status_code == 429


def test_coming_by_google_changes_the_id_of_the_session(client, google):
    google.person = GRACE
    path = back(client, google)
    planted = client.cookies["frontdoor_session"].value

    client.get(path)

    assert client.cookies["frontdoor_session"].value != planted
    assert not Session.objects.filter(session_key=stored_key(planted)).exists()
