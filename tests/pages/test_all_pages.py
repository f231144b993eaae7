"""Rules for every page, in both languages, with and without errors (promise 8, and the guide's checklist)."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from unittest.mock import patch

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import DatabaseError
from django.test import Client, override_settings
from django.utils import timezone

from accounts import notices
from accounts.models import Event, User
from invites import purposes
from invites.link.readdressing import Readdressing
from invites.models import Invite, JoinRequest, MagicLink, Plea
from kit import own_fields, short_code, tokens
from outbox.mail import lateness
from outbox.models import OutboxMessage
from sso.models.app import OFFLINE, SCOPES
from tests.tools import catalogues, phone
from tests.tools.factories import PASSWORD, AppFactory, InviteFactory, LinkFactory, UserFactory
from tests.tools.google import Person, stand_in
from tests.tools.questions import Questions

pytestmark = pytest.mark.django_db

CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    f"form-action 'self' {stand_in().url}; base-uri 'none'; frame-ancestors 'none'"
)
ROOT = Path(__file__).parent.parent.parent
AUTOCOMPLETE = {"email", "username", "nickname", "current-password", "new-password", "one-time-code", "off"}
AUTOCOMPLETE |= {"name", "tel"}
AGO = timezone.now() - timedelta(hours=2)


class Page(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def all(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]


def token(purpose=purposes.SIGNUP, /, **fields):
    """Makes a link that somebody asked for. Returns its query.

    The first argument is the purpose of the token, which says what page it opens; `fields` are those of the row.
    """
    return {"token": tokens.sign(purpose, LinkFactory(**fields).pk)}


def elsewhere(purpose=purposes.CONFIRM, /, **fields):
    """Makes a link to somebody with an account, which another browser has asked for. Returns its query."""
    return token(purpose, email=UserFactory().email, epoch=0, asked_in="another", device="Firefox/Windows", **fields)


def invited_elsewhere(client):
    """Signs somebody in, and invites another address. Returns the query of that invitation's link."""
    client.force_login(UserFactory())
    return invitation()


def as_me(client):
    sent = invited_elsewhere(client)
    client.post("/invite/as-me", sent)
    invite, person = Invite.objects.get(), User.objects.get(username=client.get("/account").wsgi_request.user.username)
    code = short_code.show("as-me", f"{invite.pk} {person.pk} {person.session_epoch}", timezone.now())
    return client.post("/invite/as-me/code", sent | {"code": code}, follow=True)


def declining(purpose=purposes.DECLINE, **fields):
    """Returns the query of the link in an invitation that declines it."""
    invite = Invite.objects.first() or InviteFactory(invited_by=UserFactory(), email="g@example.com", **fields)
    return {"token": tokens.sign(purpose, invite.pk)}


def into_groups(app=None, **link):
    """Invites somebody with an account into groups, perhaps for an app. Returns the query of its link.

    `link` are columns of that.
    """
    groups = [Group.objects.create(name=name) for name in ("Editors", "Writers")]
    inviter = UserFactory(username="maria", email="maria@lab.example")
    invite = InviteFactory(email=UserFactory().email, groups=groups, app=app, invited_by=inviter, note="Hello")
    invite.links.update(**{"sent_at": timezone.now(), **link})
    return {"token": tokens.sign(purposes.CONFIRM, invite.pk)}


def signed_in_since(client):
    person = UserFactory()
    link = token(purposes.RESET, email=person.email, purpose="reset", epoch=0)
    User.objects.filter(pk=person.pk).update(last_login=timezone.now())
    return client.get("/reset/password", link)


def after(client, path, form):
    client.post(path, form)
    return client


def came_in(client):
    page = after(client, "/", {"email": "a@gmail.com"})
    client.force_login(UserFactory())
    return page.get("/invite/sent")


def later(**time):
    return time_machine.travel(timezone.now() + timedelta(**time))


def asked(client, method, path, form=None, answered=False, **to):
    """Returns a page of a site that asks for two more fields; with `answered` the user has filled them in."""
    with override_settings(PROFILE_FIELDS=own_fields.parse("x_ada,x_new:optional:tel")):
        if answered:
            User.objects.get().fill_in({"x_ada": "new", "x_new": "+1 555 0100"})
        return getattr(client, method)(path, form or {}, **to)


def with_terms(client, method, path, form=None, version="2026-11-01", **to):
    """Returns a page of a site whose people must agree to its terms; Ada had agreed to those of before."""
    User.objects.filter(username="ada").update(terms=[{"version": "1", "at": "2025-03-03T10:00:00Z"}])
    with override_settings(TERMS_URL="https://example.com/", TERMS_VERSION=version):
        return getattr(client, method)(path, form or {}, **to)


def invited_only(client, path):
    with override_settings(SIGNUP="invited"):
        return client.get(path)


def asking(client, method="get", path="/ask", form=None):
    """Returns a page of a site where strangers ask to join."""
    with override_settings(SIGNUP="request"):
        return getattr(client, method)(path, form or {})


def plea(**fields):
    """Makes a link that asks to join. Returns its query."""
    said = Plea("maria", "Hello").pack()
    return token(purposes.REQUEST, purpose="request", details=said, **fields)


def asked_twice(client):
    JoinRequest.objects.create(email="grace@example.com")
    return client.post("/ask/confirm", plea(email="grace@example.com"))


def taken_back(client):
    return client.post("/ask/take-back", plea(), follow=True)


def while_mail_is_late(client, path):
    OutboxMessage.objects.create(recipient="a@example.com", kind="invite", message_id="<x>", created_at=AGO)
    with patch("outbox.mail.lateness.watch", lateness.Watch()):
        return client.get(path)


REGISTER = {"email": "grace@gmail.com", "username": "grace", "password": PASSWORD}


def planned(client):
    """Registers in one form. Returns the query of the mailed link that confirms it."""
    client.post("/signup", REGISTER)
    return {"token": tokens.sign(purposes.CONFIRM, MagicLink.objects.get().pk)}


def planned_name_taken(client):
    link = planned(client)
    UserFactory(username="grace")
    return client.post("/confirm", link, follow=True)


def planned_while_the_database_fails(client):
    link = planned(client)
    with patch.object(MagicLink, "sign_up", side_effect=DatabaseError):
        return client.post("/confirm", link)


def reset():
    return token(purposes.RESET, email=UserFactory().email)


def not_me(*, moved=False, **fields):
    """Returns the token of a mail about Ada's sign-in, or about a changed address if `moved`."""
    ada = UserFactory(username="ada", email="ada@example.com")
    if moved:
        ada.address.change("eve@example.com")
        event = Event.objects.get(kind=Event.Kind.EMAIL_CHANGED)
    else:
        event = Event.objects.record(Event.Kind.SIGNED_IN, ada, told=ada.email)
    Event.objects.filter(pk=event.pk).update(**fields)
    return {"token": tokens.sign(notices.NOT_ME, event.pk)}


def not_me_but_the_address_is_gone(client):
    link = not_me(moved=True)
    UserFactory(username="eve", email="ada@example.com")
    return client.post("/not-me", link)


GOOGLE = "/api/v1/auth/google/response"


def by_google(client, person=None, **typed):
    """Continues with Google as `person`, by default a newcomer. Returns the last page."""
    google = stand_in()
    google.reset()
    google.person = person or Person()
    return client.get(google.consent(client.post("/google", typed).url), follow=True)


def google_cancelled(client):
    stand_in().reset()
    return client.get(stand_in().cancel(client.post("/google").url), follow=True)


def google_mailed(client):
    return by_google(client, Person(email=UserFactory().email))


def google_invited_only(client):
    with override_settings(SIGNUP="invited"):
        return by_google(client)


def of_a_domain(visit):
    """Returns the page that `visit` comes to where other domains than ours need an invitation."""
    with override_settings(SIGNUP="domains", SIGNUP_DOMAINS=("xn--e1afmkfd.xn--p1ai", "*.xn--p1ai")):
        return visit()


def invited(**fields):
    return InviteFactory(**({"invited_by": UserFactory(username="maria")} | fields))


def invitation(**fields):
    return {"token": tokens.sign(purposes.SIGNUP, invited(**fields).pk)}


def another_google_account(client, **fields):
    return by_google(client, **invitation(**fields))


def readdressing():
    """Returns the token of the mail that asks the sender of an invite to send it to another address."""
    invite = invited()
    Readdressing(invite).ask("hopper@example.com")
    return {"token": tokens.sign(purposes.READDRESS, invite.pk)}


def readdressed(client):
    link = readdressing()
    return after(client, "/invite/readdress/answer", link).get("/invite/readdress/answer", link)


# How a visitor comes to see each page: a function of the browser that returns the response.
PAGES = {
    "start": lambda c: c.get("/"),
    "start, error": lambda c: c.post("/", {"email": "ada@example"}),
    "start, typo": lambda c: c.post("/", {"email": "ada@gmial.com"}),
    "start, closed": lambda c: invited_only(c, "/"),
    "start, asking": lambda c: asking(c, path="/"),
    "ask": asking,
    "ask, error": lambda c: asking(c, "post", form={"email": "x", "name": "www.evil.example", "why": "–" * 301}),
    "ask, typo": lambda c: asking(c, "post", form={"email": "a@gmial.com"}),
    "ask, confirm": lambda c: c.get("/ask/confirm", plea()),
    "ask, done": lambda c: c.post("/ask/confirm", plea()),
    "ask, asked already": asked_twice,
    "ask, in already": lambda c: c.post("/ask/confirm", plea(email=UserFactory().email)),
    "ask, expired": lambda c: c.get("/ask/confirm", plea(expires_at=AGO)),
    "ask, taken back": taken_back,
    "start, of a domain": lambda c: of_a_domain(lambda: c.get("/")),
    "start, mail is late": lambda c: while_mail_is_late(c, "/"),
    "sent, mail is late": lambda c: while_mail_is_late(c, "/invite/sent"),
    "sent": lambda c: after(c, "/", {"email": "a@gmail.com"}).get("/invite/sent"),
    "sent, another domain": lambda c: of_a_domain(lambda: c.post("/", {"email": "a@example.com"}, follow=True)),
    "sent, again too soon": lambda c: after(c, "/", {"email": "a@gmail.com"}).post("/invite/sent"),
    "sent, wrong code": lambda c: after(c, "/", {"email": "a@gmail.com"}).post("/invite/sent/code", {"code": "K7WQ"}),
    "sent, not looking": lambda c: after(c, "/", {"email": "a@gmail.com"}).get("/invite/sent?still"),
    "sent, came in": came_in,
    "elsewhere": lambda c: c.get("/confirm", elsewhere()),
    "elsewhere, no box": lambda c: c.post("/confirm", elsewhere()),
    "elsewhere, somebody new": lambda c: c.get("/signup", token(asked_in="x", device="Firefox/Windows")),
    "elsewhere, new password": lambda c: c.get("/reset/password", elsewhere(purposes.RESET, purpose="reset")),
    "as me": lambda c: c.get("/invite/as-me/code", invited_elsewhere(c)),
    "as me, wrong code": lambda c: c.post("/invite/as-me/code", invited_elsewhere(c) | {"code": "K7WQ"}),
    "as me, accepted": as_me,
    "not asked": lambda c: c.get("/invite/not-asked", elsewhere()),
    "not asked, done": lambda c: c.post("/invite/not-asked", elsewhere()),
    "sent, no cookie": lambda c: c.get("/invite/sent"),
    "too many": lambda c: after(c, "/", {"email": "a@gmail.com"}).post("/", {"email": "a@gmail.com"}),
    "register": lambda c: c.get("/signup"),
    "register, shown": lambda c: c.get("/signup", {"show": 1}),
    "register, error": lambda c: c.post("/signup", {"email": "x", "username": "y", "password": "z"}),
    "register, empty": lambda c: c.post("/signup", {}),
    "register, sent": lambda c: after(c, "/signup", REGISTER).get("/invite/sent"),
    "register, of a domain": lambda c: of_a_domain(lambda: c.get("/signup")),
    "register, another domain": lambda c: of_a_domain(lambda: c.post("/signup", REGISTER)),
    "register, closed": lambda c: invited_only(c, "/signup"),
    "confirm a plan": lambda c: c.get("/confirm", planned(c)),
    "confirm a plan, done": lambda c: c.post("/confirm", planned(c), follow=True),
    "confirm a plan, name taken": planned_name_taken,
    "confirm a plan, failed": planned_while_the_database_fails,
    "confirm a plan, elsewhere": lambda c: c.get("/confirm", planned(Client()), follow=True),
    "sign up": lambda c: c.get("/signup", token()),
    "sign up, shown": lambda c: c.get("/signup", token() | {"show": 1}),
    "sign up, error": lambda c: c.post("/signup", token() | {"username": "x", "password": "y"}),
    "sign up, asked more": lambda c: asked(c, "get", "/signup", token()),
    "sign up, asked more, error": lambda c: asked(c, "post", "/signup", token() | {"profile_x_new": "x"}),
    "register, asked more": lambda c: asked(c, "get", "/signup"),
    "sign up, terms": lambda c: with_terms(c, "get", "/signup", token()),
    "sign up, terms, error": lambda c: with_terms(c, "post", "/signup", token()),
    "register, terms": lambda c: with_terms(c, "get", "/signup", version="7"),
    "sign up, invited": lambda c: c.get("/signup", invitation(note="Hello")),
    "owner": lambda c: c.get("/owner", token(purposes.OWNER, purpose="owner")),
    "owner, too late": lambda c: c.get("/owner", token(purposes.OWNER, purpose="owner", expires_at=AGO)),
    "confirm": lambda c: c.get("/confirm", token(purposes.CONFIRM, email=UserFactory().email)),
    "into groups": lambda c: c.get("/confirm", into_groups()),
    "into groups, too old": lambda c: c.get("/confirm", into_groups(sent_at=AGO)),
    "into groups, joined": lambda c: c.post("/confirm", into_groups() | {"here": "on"}, follow=True),
    "into groups, no box": lambda c: c.post("/confirm", into_groups()),
    "sign up, into groups": lambda c: c.get("/signup", invitation(groups=[Group.objects.create(name="Editors")])),
    "sign up, to an app": lambda c: c.get("/signup", invitation(app=AppFactory(), note="Hello")),
    "into an app": lambda c: c.get("/confirm", into_groups(app=AppFactory())),
    "into an app, declined": lambda c: c.get("/invite/decline", declining(app=AppFactory())),
    "sign in": lambda c: c.get("/login"),
    "sign in, sent here": lambda c: c.get("/account", follow=True),
    "sign in, closed": lambda c: invited_only(c, "/login"),
    "sign in, error": lambda c: c.post("/login", {"login": "ada", "password": "wrong password"}),
    "sign in, empty": lambda c: c.post("/login", {}),
    "reset": lambda c: c.get("/reset"),
    "reset, error": lambda c: c.post("/reset", {"email": "ada@example"}),
    "reset, typo": lambda c: c.post("/reset", {"email": "ada@gmial.com"}),
    "reset, sent": lambda c: after(c, "/reset", {"email": "a@gmail.com"}).get("/invite/sent"),
    "new password": lambda c: c.get("/reset/password", reset()),
    "new password, shown": lambda c: c.get("/reset/password", reset() | {"show": 1}),
    "new password, error": lambda c: c.post("/reset/password", reset() | {"password": "short"}),
    "new password, done": lambda c: c.post("/reset/password", reset() | {"password": PASSWORD}, follow=True),
    "new password, expired": lambda c: c.get("/reset/password", token(purposes.RESET, expires_at=AGO)),
    "not me": lambda c: c.get("/not-me", not_me()),
    "not me, moved": lambda c: c.get("/not-me", not_me(moved=True)),
    "not me, done": lambda c: c.post("/not-me", not_me()),
    "not me, reported": lambda c: c.get("/not-me", not_me(disowned_at=AGO)),
    "not me, too late": lambda c: c.get("/not-me", not_me(at=AGO - timedelta(days=4))),
    "not me, failed": not_me_but_the_address_is_gone,
    "not me, broken": lambda c: c.get("/not-me", {"token": "x"}),
    "google": lambda c: c.get("/google", {"next": "/account/settings"}),
    "google, joined": by_google,
    "google, cancelled": google_cancelled,
    "google, failed": lambda c: c.get(GOOGLE, follow=True),
    "google, unverified": lambda c: by_google(c, Person(email_verified=False)),
    "google, no address": lambda c: by_google(c, Person(email="")),
    "google, mailed": google_mailed,
    "google, closed": google_invited_only,
    "google, another domain": lambda c: of_a_domain(lambda: by_google(c)),
    "google, another address": another_google_account,
    "google, nobody to ask": lambda c: another_google_account(c, invited_by=None),
    "readdress": lambda c: c.get("/invite/readdress/answer", readdressing()),
    "readdress, approved": lambda c: c.post("/invite/readdress/answer", readdressing()),
    "readdress, declined": lambda c: c.post("/invite/readdress/decline", readdressing()),
    "readdress, over": readdressed,
    "decline": lambda c: c.get("/invite/decline", declining()),
    "decline, a link in the reason": lambda c: c.post("/invite/decline", declining() | {"reason": "www.evil.example"}),
    "decline, by a mail program": lambda c: c.get("/invite/decline/now", declining(purposes.ONE_CLICK)),
    "decline, done": lambda c: c.post("/invite/decline", declining()),
    "decline, never again": lambda c: c.post("/invite/decline", declining() | {"never": 1}),
    "declined, never again": lambda c: after(c, "/invite/decline", declining() | {"never": 1}).get(
        DECLINE, declining()
    ),
    "write again": lambda c: c.get("/invite/decline/undo", declining()),
    "write again, done": lambda c: c.post("/invite/decline/undo", declining()),
    "expired": lambda c: c.get("/signup", token(expires_at=AGO)),
    "expired, invited": lambda c: c.get("/signup", invitation(expires_at=AGO)),
    "used": lambda c: c.get("/signup", token(used_at=AGO)),
    "accepted": lambda c: c.get("/signup", invitation(accepted_at=AGO)),
    "declined": lambda c: c.get("/signup", invitation(declined_at=AGO)),
    "withdrawn": lambda c: c.get("/signup", invitation(revoked_at=AGO)),
    "withdrawn, by nobody we know": lambda c: c.get("/signup", invitation(revoked_at=AGO, invited_by=None)),
    "withdrawn, asked for": lambda c: c.get("/signup", token(revoked_at=AGO)),
    "signed in since": signed_in_since,
    "broken": lambda c: c.get("/signup", {"token": "x"}),
    "deactivated": lambda c: c.get("/confirm", token(purposes.CONFIRM, email=UserFactory(is_active=False).email)),
    "app, unknown": lambda c: c.get("/identity/o/authorize"),
    "not found": lambda c: c.get("/nothing"),
    "bad request": lambda c: c.post("/", {"email": "\x00"}),
    "too large": lambda c: c.post("/", {"email": "x" * 3 * 1024 * 1024}),
    "form too old": lambda c: Client(enforce_csrf_checks=True, headers=c.headers).post("/"),
}

DECLINE = "/invite/decline"
CODE = "/account/email/code"
NEW_EMAIL = {"email": "ada@new.example", "password": PASSWORD}


def inviting(client, **posted):
    """Opens Ada's page "Invite people", or sends its form. Returns the response."""
    with override_settings(MEMBERS_INVITE=True):
        return client.post("/account/invites", posted, follow=True) if posted else client.get("/account/invites")


def by_link(client):
    """Has Ada sign in by a mailed link, which then stands for her password. Returns the browser."""
    return after(client, "/confirm", token(purposes.CONFIRM, email="ada@example.com"))


def by_another_google_account(client):
    stand_in().person = Person(sub="8", email="eve@gmail.com")
    User.objects.update(password="!")
    way = connected(by_link(client)).post("/login/again/google").url
    return client.get(stand_in().consent(way), follow=True)


def must_ask_mailbox(client, path):
    """Opens a page as Ada, who has no password, 16 minutes after she came in by a mailed link. Returns the response."""
    ada = User.objects.get()
    ada.set_unusable_password()
    ada.save()
    by_link(client)
    with later(minutes=16):
        return client.get(path)


def two_devices(client):
    Client().post("/login", {"login": "ada", "password": PASSWORD})
    return client.get("/account")


def in_the_last_hour(client, path):
    with later(hours=11.5):
        return client.get(path)


def prolonged(client):
    with later(hours=11.5):
        return client.post(
            "/account/sessions/prolong", {"next": "/account/settings", "password": PASSWORD}, follow=True
        )


def without_password(client):
    User.objects.update(password="!")
    client.force_login(User.objects.get())
    return client


def asked_again(client, **proof):
    with later(minutes=16):
        return client.post("/account/username", {"username": "hopper"} | proof)


def themed(client):
    User.objects.get().save_preferences(theme="dark")
    return client.get("/account")


def onward(client):
    with override_settings(SIGNED_IN_URL="https://app.example.com/"):
        return client.get("/onward")


def delete_while_the_database_fails(client):
    with patch.object(User, "erase", side_effect=DatabaseError):
        return client.post("/account/delete", {"when": "now", "password": PASSWORD})


def having_invited(client):
    """Returns Ada's browser; she has sent an invitation that nobody has answered."""
    InviteFactory(invited_by=User.objects.get())
    return client


def as_last_superuser(client):
    User.objects.update(is_superuser=True)
    return client.post("/account/delete", {"password": PASSWORD})


def coming_back(client):
    """Has Ada leave, and enter her password again. Returns the browser, which is to be asked whether she stays."""
    User.objects.get().leaving.begin()
    OutboxMessage.objects.all().delete()
    return after(client, "/login", {"login": "ada", "password": PASSWORD})


def kept(client):
    """Has Ada's account stay, which she has left before."""
    if not User.objects.get().leaves_at:
        User.objects.get().leaving.begin()
    User.objects.get().leaving.come_back()
    OutboxMessage.objects.all().delete()
    return client


def keep_token(*, again=True):
    """Returns the query of the link in the mail to Ada, who is leaving; with `again` she has left just now."""
    if again:
        User.objects.get().leaving.begin()
        OutboxMessage.objects.all().delete()
    return {"token": tokens.sign(notices.KEEP, User.objects.get().events.filter(kind="leaving").latest("id").pk)}


FACTOR = "/account/second-factor"


def at_the_code(client):
    """Turns Ada's two-step verification on and enters her password. Returns the browser, which waits for a code."""
    phone.pair(User.objects.get())
    OutboxMessage.objects.all().delete()
    client.post("/logout/here")
    return after(client, "/login", {"login": "ada", "password": PASSWORD})


def too_many_codes(client):
    at_the_code(client).cookies["frontdoor_device"] = ""
    for _ in range(5):
        client.post("/login/code", {"code": "x"})
    return client.post("/login/code", {"code": "x"})


def paired(client):
    at_the_code(client).post("/login/code", {"code": phone.code()})
    return client


def must_have_it(client, path, **posted):
    with override_settings(REQUIRE_STAFF_2FA=True):
        User.objects.update(is_staff=True)
        return client.post(path, posted, follow=True) if posted else client.get(path, follow=True)


def renewed(client):
    return client.post(f"{FACTOR}/codes", {"password": PASSWORD, "code": phone.code(steps=1)}, follow=True)


def few_codes(client):
    ada = User.objects.get()
    for code in ada.second_factor.recovery_codes[:7]:
        ada.second_factor.check(code)
    OutboxMessage.objects.all().delete()
    at = after(client, "/logout/here", {})
    after(at, "/login", {"login": "ada", "password": PASSWORD})
    return at.post("/login/code", {"code": ada.second_factor.recovery_codes[0]}, follow=True)


def settings_of(client):
    return client.get("/account/settings").context["form"].initial


def connected(client):
    """Connects a Google account to Ada's. Returns the browser."""
    User.objects.get(username="ada").google.connect("1", "ada@gmail.com")
    return client


def only_google(client):
    User.objects.update(password="!")
    return connected(by_link(client)).get("/account/google/off")


def trusted(client):
    """Has Ada's session go on as if its browser had been trusted, without a code. Returns the browser."""
    session = client.session
    session["factor"] = "trusted_browser"
    session.save()
    return client


def at_an_app(client, **fields):
    """Returns the page that an app with these fields sends Ada to."""
    uri = "com.example.app:/cb" if fields.get("public") else "https://example.com/callback"
    app = AppFactory(**fields, redirect_uris=[uri])
    asked = {"client_id": app.pk, "redirect_uri": uri, "response_type": "code", "scope": " ".join([*SCOPES, OFFLINE])}
    return client.get("/identity/o/authorize", asked | {"code_challenge": "x" * 43, "code_challenge_method": "S256"})


SIGNED_IN = {
    "start, signed in": lambda c: c.get("/"),
    "account": lambda c: c.get("/account"),
    "account, two devices": two_devices,
    "account, in the last hour": lambda c: in_the_last_hour(c, "/account"),
    "account, prolonged": prolonged,
    "stay signed in": lambda c: c.get("/account/sessions/prolong?next=/account/settings"),
    "stay signed in, error": lambda c: c.post("/account/sessions/prolong", {"password": "wrong"}),
    "stay signed in, no password": lambda c: must_ask_mailbox(c, "/account/sessions/prolong"),
    "still you": lambda c: c.get("/login/again?next=/account/settings"),
    "still you, error": lambda c: c.post("/login/again", {"password": "wrong"}),
    "still you, with a code": lambda c: paired(c).get("/login/again"),
    "still you, no password": lambda c: must_ask_mailbox(c, "/login/again"),
    "still you, by Google": lambda c: connected(by_link(c)).get("/login/again"),
    "still you, another Google account": by_another_google_account,
    "proof again": asked_again,
    "proof again, error": lambda c: asked_again(c, **{"proof-asked": "1", "proof-password": "wrong"}),
    "proof again, no password": lambda c: asked_again(without_password(c)),
    "proof again, with a code": lambda c: asked_again(paired(c)),
    "account, in the dark": themed,
    "account, no password": lambda c: must_ask_mailbox(c, "/account"),
    "account, session over": lambda c: c.post("/account/sessions/end", {"session": "x"}, follow=True),
    "settings": lambda c: c.get("/account/settings"),
    "settings, saved": lambda c: c.post("/account/settings", settings_of(c) | {"theme": "light"}, follow=True),
    "settings, error": lambda c: c.post("/account/settings", {"theme": "7", "time_zone": "7"}),
    "settings, in the last hour": lambda c: in_the_last_hour(c, "/account/settings"),
    "name": lambda c: c.get("/account/profile"),
    "name, error": lambda c: c.post("/account/profile", {"name": "www.evil.example"}),
    "name, changed": lambda c: c.post("/account/profile", {"name": "Грейс"}, follow=True),
    "name, and details": lambda c: asked(c, "get", "/account/profile", answered=True),
    "account, and details": lambda c: asked(c, "get", "/account", answered=True),
    "terms": lambda c: with_terms(c, "get", "/account", follow=True),
    "terms, error": lambda c: with_terms(c, "post", "/account/complete"),
    "terms, agreed": lambda c: with_terms(c, "post", "/account/complete", {"terms": "2026-11-01"}, follow=True),
    "asked first": lambda c: asked(c, "get", "/account", follow=True),
    "asked first, error": lambda c: asked(c, "post", "/account/complete", {"next": "/account"}),
    "username": lambda c: c.get("/account/username"),
    "username, error": lambda c: c.post("/account/username", {}),
    "username, taken": lambda c: c.post("/account/username", {"username": UserFactory(username="bob").username}),
    "username, changed": lambda c: c.post("/account/username", {"username": "ada.example"}, follow=True),
    "password": lambda c: c.get("/account/password"),
    "password, shown": lambda c: c.get("/account/password", {"show": 1}),
    "password, error": lambda c: c.post("/account/password", {"password": "wrong", "chosen": "short"}),
    "password, changed": lambda c: c.post("/account/password", {"password": PASSWORD, "chosen": PASSWORD}, follow=True),
    "password, by link": lambda c: by_link(c).get("/account/password"),
    "password, no proof": lambda c: must_ask_mailbox(c, "/account/password"),
    "email": lambda c: c.get("/account/email"),
    "email, error": lambda c: c.post("/account/email", {"email": "ada@example.com", "password": "wrong"}),
    "email, by link": lambda c: by_link(c).get("/account/email"),
    "email, no proof": lambda c: must_ask_mailbox(c, "/account/email"),
    "code": lambda c: after(c, "/account/email", NEW_EMAIL).get(CODE),
    "code, error": lambda c: after(c, "/account/email", NEW_EMAIL).post(CODE, {"code": "1234 5678"}),
    "code, empty": lambda c: after(c, "/account/email", NEW_EMAIL).post(CODE, {"action": "verify"}),
    "inviting": inviting,
    "inviting, error": lambda c: inviting(c, email="x", note="www.evil.example"),
    "inviting, done": lambda c: inviting(c, email="grace@example.com", note="Hello"),
    "another account": lambda c: c.get("/signup", invitation()),
    "another account, asked": lambda c: c.post(
        "/invite/readdress", {"token": tokens.sign(purposes.SIGNUP, invited().pk)}
    ),
    "another account, nobody to ask": lambda c: c.get("/signup", token()),
    "connect google": lambda c: c.get("/account/google"),
    "connect google, error": lambda c: c.post("/account/google", {"password": "wrong"}),
    "connect google, no proof": lambda c: must_ask_mailbox(c, "/account/google"),
    "connect google, connected": lambda c: connected(c).get("/account"),
    "disconnect google": lambda c: connected(c).get("/account/google/off"),
    "disconnect google, last": only_google,
    "code at sign-in": lambda c: at_the_code(c).get("/login/code"),
    "code at sign-in, error": lambda c: at_the_code(c).post("/login/code", {"code": "x"}),
    "code at sign-in, empty": lambda c: at_the_code(c).post("/login/code", {}),
    "code at sign-in, too many": too_many_codes,
    "code at sign-in, gone back": lambda c: at_the_code(c).post("/login/code/abandon", follow=True),
    "code at sign-in, no first step": lambda c: after(c, "/logout/here", {}).get("/login/code", follow=True),
    "code at sign-in, few left": lambda c: few_codes(paired(c)),
    "second factor, off": lambda c: c.get(FACTOR),
    "second factor": lambda c: paired(c).get(FACTOR),
    "second factor, staff": lambda c: must_have_it(paired(c), FACTOR),
    "second factor, app": lambda c: c.get(f"{FACTOR}/app"),
    "second factor, app, error": lambda c: c.post(f"{FACTOR}/app", {"code": "x", "password": "wrong password"}),
    "second factor, app, by link": lambda c: by_link(c).get(f"{FACTOR}/app"),
    "second factor, app, no proof": lambda c: must_ask_mailbox(c, f"{FACTOR}/app"),
    "second factor, app, for the desk": lambda c: must_have_it(c, "/admin/"),
    "second factor, another app": lambda c: paired(c).get(f"{FACTOR}/app"),
    "second factor, another app, empty": lambda c: paired(c).post(f"{FACTOR}/app", {}),
    "second factor, browsers": lambda c: paired(c).post(f"{FACTOR}/browsers", follow=True),
    "second factor, turn off": lambda c: paired(c).get(f"{FACTOR}/off"),
    "second factor, turn off, error": lambda c: paired(c).post(f"{FACTOR}/off", {}),
    "recovery codes": lambda c: paired(c).get(f"{FACTOR}/codes"),
    "recovery codes, error": lambda c: paired(c).post(f"{FACTOR}/codes", {"password": PASSWORD, "code": "x"}),
    "recovery codes, new": lambda c: renewed(paired(c)),
    "account, second factor": lambda c: paired(c).get("/account"),
    "delete": lambda c: c.get("/account/delete"),
    "delete, error": lambda c: c.post("/account/delete", {"password": "wrong password"}),
    "delete, no choice": lambda c: c.post("/account/delete", {"when": "never", "password": PASSWORD}),
    "delete, invitations": lambda c: having_invited(c).get("/account/delete"),
    "delete, no colleague": lambda c: having_invited(c).post(
        "/account/delete", {"password": PASSWORD, "hand_to": "nobody"}
    ),
    "delete, last superuser": as_last_superuser,
    "left": lambda c: c.post("/account/delete", {"password": PASSWORD}, follow=True),
    "keep": lambda c: coming_back(c).get("/login/keep"),
    "keep, kept meanwhile": lambda c: kept(coming_back(c)).get("/login/keep"),
    "keep, left at that": lambda c: coming_back(c).post("/login/keep", {"leave": "yes"}, follow=True),
    "keep, nobody waits": lambda c: after(c, "/logout/here", {}).get("/login/keep", follow=True),
    "keep by link": lambda c: c.get("/keep", keep_token()),
    "keep by link, kept": lambda c: kept(c).get("/keep", keep_token(again=False)),
    "keep by link, done": lambda c: c.post("/keep", keep_token(), follow=True),
    "keep by link, broken": lambda c: c.get("/keep", {"token": "broken"}),
    "delete, by link": lambda c: by_link(c).get("/account/delete"),
    "delete, no proof": lambda c: must_ask_mailbox(c, "/account/delete"),
    "delete, failed": delete_while_the_database_fails,
    "deleted": lambda c: c.post("/account/delete", {"when": "now", "password": PASSWORD}, follow=True),
    "on to another host": onward,
    "on to an app": lambda c: c.post("/language", {"language": "", "next": "/identity/o/authorize?client_id=a"}),
    "sign out": lambda c: c.get("/logout"),
    "signed out": lambda c: c.post("/logout", follow=True),
    "confirm as another": lambda c: c.get("/confirm", token(purposes.CONFIRM, email=UserFactory().email)),
    "not for everybody": lambda c: c.get("/admin/login/"),
}


APP_PAGES = {
    "app, agree": lambda c: at_an_app(c, asks_consent=True),
    "app, agree to more": lambda c: at_an_app(c, asks_consent=True, offline=True, public=True),
    "app, off": lambda c: at_an_app(c, is_active=False),
    "app, no access": lambda c: at_an_app(c, everybody=False),
    "app, no access, a group": lambda c: at_an_app(c, everybody=False, groups=[Group.objects.create(name="Editors")]),
    "app, no access, staff": lambda c: at_an_app(c, staff_only=True),
    "app, no access, groups": lambda c: at_an_app(
        c, everybody=False, groups=[Group.objects.create(name=name) for name in ("Editors", "Writers")]
    ),
    "app, second step, none": lambda c: at_an_app(c, second_factor=True),
    "app, second step": lambda c: at_an_app(trusted(paired(c)), second_factor=True),
    "app, sign out": lambda c: c.get("/identity/o/logout", {"client_id": AppFactory().pk}),
    "app, sign out, nowhere": lambda c: c.get("/identity/o/logout", {"post_logout_redirect_uri": "https://x.example"}),
}
SIGNED_IN |= APP_PAGES


@pytest.fixture(params=["en", "ru"])
def language(request):
    return request.param


def show(name, language):
    """Returns a page as a response, with its language, the strings looked up and the kinds of mail sent for it."""
    browser = Client(headers={"Accept-Language": language})
    browser.headers = {"Accept-Language": language}
    with catalogues.looked_up() as strings:
        if name in PAGES:
            page = PAGES[name](browser)
        else:
            UserFactory(username="ada", settings={"language": language})
            page = SIGNED_IN[name](after(browser, "/login", {"login": "ada", "password": PASSWORD}))
    page.language, page.strings = language, strings
    page.mailed = list(OutboxMessage.objects.values_list("kind", flat=True))
    return page


@pytest.fixture(params=[*PAGES, *SIGNED_IN])
def page(request, language):
    """Every page, in each of two languages, as show() returns it."""
    return show(request.param, language)


# Some pages of each kind. What all pages look up is asked below, and .ci/check-messages looks whether it is all there.
SOME = (
    *("start", "start, typo", "sent", "too many", "register, error", "sign in, error", "sign up, invited", "expired"),
    *("not me", "decline", "not found", "account, two devices", "settings", "username, taken", "password, error"),
    *("second factor", "recovery codes, new", "inviting, done", "delete, error"),
)
OTHERS = [code for code, _name in settings.LANGUAGES if code not in {"en", "ru"}]


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("name", SOME)
def test_a_page_is_whole_in_every_other_language(name, code):
    page = show(name, code)

    assert not page.strings.missing
    assert f'<html lang="{code}" dir="{"rtl" if code == "ar" else "ltr"}"' in page.text
    assert "%(" not in page.text


question = Questions()


def test_each_page_answers_all_questions(page, subtests):
    question.ask(subtests, page)


@question
def no_script_no_inline_style_and_the_strict_policy(page):
    tags = Page(page.text)

    # One page waits in a frame for a sign-in in another tab.
    waits = page.request["PATH_INFO"].startswith("/invite/sent") and page.status_code == 200
    assert page["Content-Security-Policy"] == f"{CSP}; frame-src 'self'" if waits else CSP
    assert not tags.all("script", "style", "object", *([] if waits else ["iframe"]))
    assert not [name for _, a in tags.tags for name in a if name == "style" or name.startswith("on")]
    assert page["Referrer-Policy"] == ("strict-origin" if "token=" in page.request["QUERY_STRING"] else "same-origin")
    assert page["X-Frame-Options"] == "DENY"
    assert page["X-Content-Type-Options"] == "nosniff"


@question
def one_heading_a_language_a_title_and_a_way_past_the_top(page):
    tags = Page(page.text)

    assert len(tags.all("h1")) == 1
    (html,) = tags.all("html")
    assert html.pop("data-theme", "dark") in {"light", "dark"}
    assert html == {"lang": page.language, "dir": "ltr"}
    assert re.search(r"<title>\s*[^<]{4,} [–—] Frontdoor\s*</title>", page.text)
    assert ("<title>Error: " in page.text or "<title>Ошибка: " in page.text) == ('id="errors"' in page.text)
    assert 'href="#main"' in page.text
    assert 'id="main"' in page.text


@question
def fields_are_named_complete_and_nobodys_typing_is_lost(page):
    tags = Page(page.text)
    labelled = {label.get("for") for label in tags.all("label")}
    ids = {a["id"] for _, a in tags.tags if "id" in a}

    for field in tags.all("input", "select", "textarea"):
        assert not {"placeholder", "maxlength", "required"} & set(field)
        if field.get("type") != "hidden":
            assert field["id"] in labelled
            if field.get("type") not in {"radio", "checkbox"} and field not in tags.all("select"):
                assert field["autocomplete"] in AUTOCOMPLETE
        if field.get("type") == "password":
            assert not field.get("value")
        if field.get("aria-invalid") and field.get("type") != "radio":  # radio buttons are described by their group
            assert set(field["aria-describedby"].split()) <= ids
    for group in tags.all("fieldset"):
        assert set(group.get("aria-describedby", "").split()) <= ids
    assert sum("autofocus" in a for _, a in tags.tags) <= 1


@question
def an_error_summary_takes_the_focus_and_leads_to_the_fields(page):
    tags = Page(page.text)
    if 'id="errors"' not in page.text:
        return
    (summary,) = [a for _, a in tags.tags if a.get("id") == "errors"]
    ids = {a["id"] for _, a in tags.tags if "id" in a}

    assert summary["tabindex"] == "-1"
    assert "autofocus" in summary
    links = re.findall(r'<li><a href="#([^"]*)"', page.text)
    assert links
    assert set(links) <= ids


@question
def every_form_that_posts_is_safe_from_other_sites(page):
    for form in re.findall(r'<form[^>]*method="post".*?</form>', page.text, re.DOTALL):
        assert 'name="csrfmiddlewaretoken"' in form


@question
def pages_are_not_kept_by_caches(page):
    assert "no-store" in page["Cache-Control"]


@question
def help_comes_first_at_the_foot(page):
    foot = page.text.partition("<footer")[2]
    assert "help@testserver" in foot
    assert "mailto:" in foot
    assert foot.index("mailto:") < (foot.index("<button") if "<button" in foot else len(foot))


@question
def nothing_english_is_left_in_russian(page):
    if page.language == "en":
        return
    body = page.text.partition("<body")[2]
    spoken = " ".join(re.findall(r'aria-label="([^"]*)"', body))
    body = re.sub(r"<button[^>]* lang=.*?</button>", " ", body)  # each language by its own name
    body = re.sub(r"<(svg|style|option)\b.*?</\1>|<[^>]+>", " ", body, flags=re.DOTALL)  # time zones have English names
    # A command, the reference of a failure, the code of a report, the key for an authenticator app, a code to type.
    body = re.sub(r"\w{4}-\w{4}|manage\.py owner_link|\b[0-9a-f]{10}\b|\b[0-9a-f]{12}\b|([A-Z2-7]{4} ?){8}", "", body)
    english = set(re.findall(r"[A-Za-z]{3,}", body + spoken)) - {
        "Frontdoor",
        "Gmail",
        "Google",
        "Grafana",
        "UTC",
        "maria",
        "hopper",
        "JSON",
        "ZIP",
        "Hello",
        "Editors",  # groups
        "lab",
        "Writers",
        "name",
        "cookie",
        "Firefox",
        "Windows",
    }
    assert not {
        word
        for word in english
        if not re.search(r"(example|testserver|help|person\d*|guest\d*|gmail|gmial|com|new|ada|eve|grace|bob)", word)
    }


@question
def no_string_is_needed_that_catalogues_have_for_the_desk_only(page):
    assert page.strings
    assert not page.strings & catalogues.of_the_desk()


@question
def no_page_of_this_list_sent_a_mail_it_should_not(page):
    assert len([kind for kind in page.mailed if kind not in {"new_device", "readdress"}]) <= 1


def test_the_stylesheet_is_small():
    # More than a page needs, so that every page needs only one.
    assert (ROOT / "static" / "frontdoor.css").stat().st_size < 12_000
