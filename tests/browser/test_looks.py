"""Every page as a person meets it: axe finds nothing in both themes, nothing scrolls sideways, nothing is blocked."""

from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from unittest.mock import patch

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import OperationalError
from django.test import Client, override_settings
from django.utils import timezone

from accounts import notices
from accounts.models import Event
from invites import purposes
from invites.link.readdressing import Readdressing
from invites.members.invitations import MemberInvites
from invites.models import Invite, MagicLink
from kit import own_fields, tokens
from outbox.mail import lateness
from outbox.models import OutboxMessage, Suppression, Webhook
from sso.models import App, LogoutCall
from tests.browser.axe import violations
from tests.browser.keyboard import PHONE
from tests.operations.test_home import fill_home
from tests.tools import phone
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.google import Person, stand_in

pytestmark = pytest.mark.usefixtures("db")

BUTTON = "main form:has(input:visible) button"
AGO = timezone.now() - timedelta(hours=2)
LAPTOP_SIZE, PHONE_SIZE = {"width": 1280, "height": 900}, {"width": 320, "height": 640}


@pytest.fixture(scope="session")
def windows(chromium):
    """A function that returns the browser page of a language, and its list of complaints.

    Each is made once, as making a browser profile takes most of the time of a test.
    """
    with ExitStack() as stack:

        @cache
        def window(locale, site):
            # Scripts are on, as axe is a script.
            profile = stack.enter_context(chromium.new_context(base_url=site, locale=locale))
            profile.set_default_timeout(10_000)
            page, complaints = profile.new_page(), []
            page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            return page, complaints

        yield window


@pytest.fixture
def view(windows, site):
    """A function that returns the page of a language as if just opened, and its list of complaints, which is empty."""

    def view(locale):
        page, complaints = windows(locale, site)
        page.goto("about:blank")
        page.context.clear_cookies()
        page.set_viewport_size(LAPTOP_SIZE)
        page.emulate_media(color_scheme="null")
        complaints.clear()
        return page, complaints

    return view


def link(purpose=purposes.SIGNUP, /, **fields):
    """Returns the path of a new link to the page of this Purpose; `fields` (also `purpose`) are the link's."""
    return tokens.path(purpose, LinkFactory(**fields).pk)


def invitation(purpose=purposes.SIGNUP, /, **fields):
    """Returns the path of the link in a new invitation by maria, to the page of this Purpose."""
    given = {"invited_by": UserFactory(username="maria"), "email": "grace.hopper@navy.example"}
    return tokens.path(purpose, InviteFactory(**(given | fields)).pk)


def submit(page, path, button=BUTTON, **fields):
    page.goto(path)
    for name, value in fields.items():
        page.fill(f"#id_{name}", value)
    page.locator(button).first.click()


def sign_in(page, **fields):
    """Makes a user, signs them in in the page's browser, and returns the user."""
    person, client = UserFactory(**fields), Client(headers={"User-Agent": page.evaluate("navigator.userAgent")})
    client.post("/login", {"login": person.username, "password": PASSWORD})
    cookies = [{"name": cookie.key, "value": cookie.value} for cookie in client.cookies.values()]
    page.context.add_cookies([cookie | {"domain": "localhost", "path": "/"} for cookie in cookies])
    return person


def signed_in(path, **fields):
    def go(page):
        sign_in(page, **fields)
        page.goto(path)

    return go


def signed_in_and(path, **typed):
    """Returns a function that opens the page which a signed-in user sees after sending a form."""

    def go(page):
        sign_in(page)
        submit(page, path, **typed)

    return go


def asking(path):
    """Returns a function that opens a page of a site that asks for agreement to its terms, and for two more fields."""
    fields = own_fields.parse("job,phone:optional:tel")

    def go(page):
        with override_settings(TERMS_URL="https://example.com/", TERMS_VERSION="2026-11-01", PROFILE_FIELDS=fields):
            if path.startswith("/account"):
                sign_in(page, terms=[{"version": "1", "at": "2025-03-03T10:00:00Z"}])
            submit(page, path)

    return go


def asked_for_proof(path, password="", staff=False, **typed):
    """Returns a function that opens the page which asks, a while after sign-in, whether it is still the same person.

    They have sent `typed` to `path`; with a `password` they have answered as well.
    """

    def go(page):
        sign_in(page, is_staff=staff, is_superuser=staff)
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            submit(page, path, "[name=_save]" if staff else BUTTON, **typed)
            if password:
                page.fill("[type=password]", password)
                page.locator("main form button").first.click()

    return go


def at_home(page):
    """Opens an account page with another device and a history."""
    person = sign_in(page)
    client = Client(headers={"User-Agent": PHONE})
    client.post("/login", {"login": person.username, "password": "wrong password"})
    client.post("/login", {"login": person.username, "password": PASSWORD})
    page.goto("/account")


def in_the_last_hour(page):
    sign_in(page)
    with time_machine.travel(timezone.now() + timedelta(hours=11.5)):
        page.goto("/account")


def must_ask_mailbox(path):
    """Returns a function that opens a page that asks for proof, as a user without a password sees it."""

    def go(page):
        person = sign_in(page)
        person.set_unusable_password()
        person.save()
        page.goto(link(purposes.CONFIRM, email=person.email))
        page.locator("main form button").click()
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            page.goto(path)

    return go


def by_link(path):
    """Returns a function that opens a page as a user sees it who has just come in by a mailed link."""

    def go(page):
        page.goto(link(purposes.CONFIRM, email=UserFactory().email))
        page.locator("main form button").click()
        page.goto(path)

    return go


def planned(page):
    submit(page, "/signup", email="grace@gmail.com", username="grace", password=PASSWORD)
    page.goto(tokens.path(purposes.CONFIRM, MagicLink.objects.get().pk))


def planned_name_taken(page):
    planned(page)
    UserFactory(username="grace")
    page.locator("main form button").click()


def not_me(page, *, pressed=0, **fields):
    person = UserFactory(username="ada")
    person.address.change("somebody.else@example.com")
    told = Event.objects.filter(kind=Event.Kind.EMAIL_CHANGED)
    told.update(**fields)
    for _ in range(pressed):
        page.goto(tokens.path(notices.NOT_ME, told.get().pk))
        page.locator("main form button").click()
    if not pressed:
        page.goto(tokens.path(notices.NOT_ME, told.get().pk))


def wrong_code(page):
    sign_in(page)
    submit(page, "/account/email", email="ada@new.example", password=PASSWORD)
    page.fill("#id_code", "1234 5678")
    page.locator("main form:has(input:visible) button").first.click()


def second_step(page, *tries):
    phone.pair(UserFactory(username="ada"))
    submit(page, "/login", login="ada", password=PASSWORD)
    page.locator("summary").first.click()
    for code in tries:
        page.fill("#id_code", code)
        page.locator("main form:has(input:visible) button").first.click()


def set_up(page):
    sign_in(page)
    page.goto("/account/second-factor/app")
    page.fill("#id_code", phone.code(page.locator("ol b").inner_text().replace(" ", "")))
    page.fill("#id_password", PASSWORD)
    page.locator("main form:has(input:visible) button").first.click()


def after_set_up(path):
    def go(page):
        set_up(page)
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            page.goto(path)

    return go


def through_google(path="/login", answer="continue", **who):
    """Returns a function that opens the page that Google leads back to; `who` are fields of the Person there."""

    def go(page):
        stand_in().person = Person(**who)
        page.goto(path() if callable(path) else path)
        page.locator("main form[action='/google'] button").click()
        page.locator(f"button[value={answer}]").click()
        page.wait_for_url("http://localhost:*/**")

    return go


def google_mailed(page):
    longest = UserFactory(email=f"{'w' * 60}@navy.example").email
    through_google(email=longest)(page)


def google_closed(page):
    with override_settings(SIGNUP="invited"):
        through_google(email="grace@gmail.com")(page)


def google_readdress(page):
    through_google(invitation)(page)
    page.locator("form[action='/invite/readdress'] button").click()


def with_google(path):
    """Returns a function that opens a page as a user sees it who has connected Google."""

    def go(page):
        person = sign_in(page)
        person.google.connect("2001", f"{'w' * 60}@gmail.com")
        page.goto(path)

    return go


def without_password(path):
    """Returns a function that opens a page as a user sees it who joined with Google and has no password."""

    def go(page):
        through_google(email="grace@gmail.com")(page)
        page.goto(path)

    return go


def as_another(page, *, asked=False):
    """Opens an invitation for another address than that of the signed-in user."""
    sign_in(page, username="ada", email="ada@example.com")
    page.goto(invitation())
    if asked:
        page.locator("form[action='/invite/readdress'] button").click()


def answer(page, *, pressed=None):
    """Opens the page that asks the sender about another address, and presses one of its two buttons if told to."""
    invite = InviteFactory(invited_by=UserFactory(), email="grace.hopper@navy.example")
    Readdressing(invite).ask("ada@gmail.com")
    page.goto(tokens.path(purposes.READDRESS, invite.pk))
    if pressed is not None:
        page.locator("main form button").nth(pressed).click()


def answered(page):
    answer(page, pressed=1)
    page.goto(tokens.path(purposes.READDRESS, Invite.objects.get().pk))


def google_was_connected(page):
    person = UserFactory(username="ada")
    person.google.connect("2001", "mallory@gmail.com")
    page.goto(tokens.path(notices.NOT_ME, Event.objects.get(kind=Event.Kind.GOOGLE_CONNECTED).pk))


def closed(path):
    def go(page):
        with override_settings(SIGNUP="invited"):
            page.goto(path)

    return go


def desk(path):
    def go(page):
        owner = sign_in(page, is_staff=True, is_superuser=True)
        Invite.objects.issue("grace@example.com", source="admin", invited_by=owner)
        MagicLink.objects.issue("alan@example.com")
        page.goto(path)

    return go


def much_to_do(page):
    """Opens the home of the desk with something in each of its parts."""
    sign_in(page, is_staff=True, is_superuser=True)
    fill_home(UserFactory(username="ada"))
    with patch("outbox.mail.lateness.watch", lateness.Watch()):
        page.goto("/admin/")
    page.locator("summary").click()


def no_rights(page):
    UserFactory()
    signed_in("/admin/", is_staff=True)(page)


def never_again(page):
    page.goto(invitation(purposes.DECLINE, email="grace@example.com"))
    page.check("[name=never]")
    page.locator("main form button").click()


def inviting(page, **typed):
    """Opens the page of invitations of a member who has invited somebody with the longest address."""
    member = sign_in(page)
    MemberInvites(member).send(f"{'w' * 60}@navy.example")
    with override_settings(MEMBERS_INVITE=True):
        if typed:
            submit(page, "/account/invites", **typed)
        else:
            page.goto("/account/invites")


def at_desk(path):
    """Returns a function that opens a page of the desk about an invite; `path` has its {invite} or its {person}."""

    def go(page):
        owner = sign_in(page, is_staff=True, is_superuser=True)
        invite = Invite.objects.issue("grace@example.com", source="admin", invited_by=owner, name="Grace")
        other = UserFactory(username="ada")
        mail = OutboxMessage.objects.get(about=invite.pk)
        page.goto(path.format(invite=invite.pk, person=owner.pk, other=other.pk, mail=mail.pk))

    return go


def came_back(page):
    """Opens the page of an invitation whose mail came back, so that its address is to be mended."""
    at_desk("/admin/")(page)
    mail = OutboxMessage.objects.get(kind="invite")
    mail.mark_sent("250 Ok")
    mail.mark_bounced("550 5.1.1 No such user")
    Suppression.objects.suppress(mail.recipient, mail.last_answer)
    page.goto(f"/admin/invites/invite/{mail.about}/change/")


def telling(page, *, anew=False):
    """Opens the page of a webhook with a failed delivery, or the page of its new secret."""
    sign_in(page, is_staff=True, is_superuser=True)
    webhook = Webhook(url="https://billing.example/hooks/frontdoor?source=door")
    webhook.make_secret()
    webhook.save()
    webhook.announce("webhook.test")
    webhook.deliveries.get().mark_failed("503 Service Unavailable")
    page.goto(f"/admin/outbox/webhook/{webhook.pk}/{'secret' if anew else 'change'}/")
    if anew:
        page.locator("#content form button").click()


def connected(page, path="change"):
    """Opens a page of an app that is used, at the desk."""
    sign_in(page, is_staff=True, is_superuser=True)
    app = App(start_url="https://grafana.example.com/login/generic_oauth", product="grafana", pkce=False)
    app.logout_uri = "https://10.0.0.7/signed-out"
    app.store_new("Grafana", ["https://grafana.example.com/login/generic_oauth"])
    app.groups.set([Group.objects.create(name="Editors")])
    LogoutCall.objects.create(client_id=app.pk, uri=app.logout_uri, attempts=3, last_answer="503 Service Unavailable")
    page.goto(f"/admin/sso/app/{app.pk}/{path}/" if path else "/admin/sso/app/")


def nothing_typed(page):
    sign_in(page, is_staff=True, is_superuser=True)
    page.goto("/admin/sso/app/add/")
    page.locator("#content [type=submit]").click()


def connecting(page):
    """Opens the page of a new app, with its secret."""
    sign_in(page, is_staff=True, is_superuser=True)
    page.goto("/admin/sso/app/add/")
    page.check("[name=product][value=gitea]")
    page.fill("[name=name]", "Forgejo")
    page.fill("[name=start_url]", "https://git.example.com")
    page.check("[name=who][value=everybody]")
    page.locator("#content [type=submit]").click()


def listed(page, *, sent=False, chased=False):
    """Opens the page of a list of people that was checked, or sent; or the page that asks before they are reminded."""
    sign_in(page, is_staff=True, is_superuser=True)
    page.goto("/admin/invites/batch/add/")
    page.fill("[name=pasted]", "grace@example.com\nnobody\nalan@gmial.com")
    page.locator("#content button", has_text="Check").or_(page.locator("#content button", has_text="Провер")).click()
    if sent:
        page.locator("#content [form=send].btn").first.click()
    if chased:
        OutboxMessage.objects.update(sent_at=timezone.now())
        Invite.objects.update(sent_at=timezone.now() - timedelta(days=2))
        page.goto(page.url.replace("/change/", "/remind/unopened/"))


def too_often(page):
    submit(page, "/", email="ada@gmail.com")
    submit(page, "/", email="ada@gmail.com")


def again(page):
    submit(page, "/", email="ada@gmail.com")
    page.locator("form button", has_text="again").or_(page.locator("form button", has_text="ещё")).click()


def too_old(page):
    page.goto("/")
    page.context.clear_cookies()
    page.fill("#id_email", "ada@gmail.com")
    page.locator("main form button").first.click()


def breaks(error):
    """Returns a function that opens a start page which fails with this error."""

    def go(page):
        with patch("invites.ask_for_link.pages.ask.entry_page", side_effect=error):
            page.goto("/")

    return go


PAGES = {
    "start": lambda p: p.goto("/"),
    "start, error": lambda p: submit(p, "/", email="ada@example"),
    "start, typo": lambda p: submit(p, "/", email="ada@gmial.com"),
    "sent": lambda p: submit(p, "/", email="ada@gmail.com"),
    "sent, again too soon": again,
    "too many": too_often,
    "form too old": too_old,
    "bad request": lambda p: submit(p, "/login", login="a\0"),
    "server error": breaks(RuntimeError),
    "database away": breaks(OperationalError),
    "start, closed": closed("/"),
    "register": lambda p: p.goto("/signup"),
    "register, error": lambda p: submit(p, "/signup", email="x", username="y", password="z"),
    "register, closed": closed("/signup"),
    "register, terms and details": asking("/signup"),
    "terms and details": asking("/account"),
    "name": signed_in("/account/profile"),
    "confirm a plan": planned,
    "confirm a plan, name taken": planned_name_taken,
    "sign up": lambda p: p.goto(link(email="grace@example.com")),
    "sign up, invited": lambda p: p.goto(invitation(note="See you Monday!")),
    "sign up, error": lambda p: submit(p, link(), username="x", password="y"),
    "confirm": lambda p: p.goto(link(purposes.CONFIRM, email=UserFactory().email)),
    "owner": lambda p: p.goto(link(purposes.OWNER, purpose="owner")),
    "owner, too late": lambda p: p.goto(link(purposes.OWNER, purpose="owner", expires_at=AGO)),
    "sign in": lambda p: p.goto("/login"),
    "sign in, error": lambda p: submit(p, "/login", login="ada", password="wrong password"),
    "sign in, sent here": lambda p: p.goto("/account/settings"),
    "reset": lambda p: p.goto("/reset"),
    "reset, error": lambda p: submit(p, "/reset", email="ada@example"),
    "new password": lambda p: p.goto(link(purposes.RESET, email=UserFactory().email)),
    "new password, error": lambda p: submit(p, link(purposes.RESET, email=UserFactory().email), password="short"),
    "new password, done": lambda p: submit(p, link(purposes.RESET, email=UserFactory().email), password=PASSWORD),
    "not me": not_me,
    "not me, done": lambda p: not_me(p, pressed=1),
    "not me, reported": lambda p: not_me(p, disowned_at=AGO),
    "not me, too late": lambda p: not_me(p, at=AGO - timedelta(days=4)),
    "decline": lambda p: p.goto(invitation(purposes.DECLINE)),
    "decline, never again": never_again,
    "inviting": inviting,
    "inviting, error": lambda p: inviting(p, email="x", note="www.evil.example"),
    "expired": lambda p: p.goto(link(expires_at=AGO)),
    "expired, invited": lambda p: p.goto(invitation(expires_at=AGO)),
    "used": lambda p: p.goto(link(used_at=AGO)),
    "declined": lambda p: p.goto(invitation(declined_at=AGO)),
    "withdrawn": lambda p: p.goto(invitation(revoked_at=AGO)),
    "broken": lambda p: p.goto("/signup?token=x"),
    "deactivated": lambda p: p.goto(link(purposes.CONFIRM, email=UserFactory(is_active=False).email)),
    "not found": lambda p: p.goto("/nothing"),
    "account": at_home,
    "account, longest": signed_in("/account", username="w" * 30, email=f"{'w' * 60}@{'w' * 60}.example.com"),
    "account, in the last hour": in_the_last_hour,
    "account, no password": must_ask_mailbox("/account"),
    "settings": signed_in("/account/settings"),
    "settings, in the dark": signed_in("/account/settings", settings={"theme": "dark", "time_zone": "Asia/Tokyo"}),
    "settings, saved": signed_in_and("/account/settings"),
    "is it still you": asked_for_proof("/account/username", username="ada_l"),
    "is it still you, error": asked_for_proof("/account/username", "wrong password", username="ada_l"),
    "is it still you, at the desk": asked_for_proof("/admin/auth/group/add/", staff=True, name="helpers"),
    "still you": signed_in("/login/again?next=/account/settings"),
    "still you, error": signed_in_and("/login/again", password="wrong password"),
    "still you, no password": must_ask_mailbox("/login/again"),
    "prolong": signed_in("/account/sessions/prolong"),
    "prolong, error": signed_in_and("/account/sessions/prolong", password="wrong password"),
    "username": signed_in("/account/username"),
    "username, error": signed_in_and("/account/username", username=""),
    "password": signed_in("/account/password"),
    "password, error": signed_in_and("/account/password", password="wrong", chosen="short"),
    "password, by link": by_link("/account/password"),
    "password, no proof": must_ask_mailbox("/account/password"),
    "email": signed_in("/account/email"),
    "email, error": signed_in_and("/account/email", email="x", password="wrong password"),
    "email, no proof": must_ask_mailbox("/account/email"),
    "code": signed_in_and("/account/email", email="ada@new.example", password=PASSWORD),
    "code, error": wrong_code,
    "second step": second_step,
    "second step, error": lambda p: second_step(p, "x"),
    "second step, too many": lambda p: second_step(p, *"123456"),
    "second factor, off": signed_in("/account/second-factor"),
    "second factor": after_set_up("/account/second-factor"),
    "second factor, app": signed_in("/account/second-factor/app"),
    "second factor, app, error": signed_in_and("/account/second-factor/app", code="x", password="wrong password"),
    "second factor, another app": after_set_up("/account/second-factor/app"),
    "second factor, turn off": after_set_up("/account/second-factor/off"),
    "recovery codes": set_up,
    "recovery codes, later": after_set_up("/account/second-factor/codes"),
    "delete": signed_in("/account/delete"),
    "delete, error": signed_in_and("/account/delete", password="wrong password"),
    "delete, no proof": must_ask_mailbox("/account/delete"),
    "deleted": signed_in_and("/account/delete", password=PASSWORD),
    "sign out": signed_in("/logout"),
    "google": lambda p: p.goto("/google?next=/account/settings"),
    "google, joined": through_google(email="grace@gmail.com"),
    "google, cancelled": through_google(answer="cancel"),
    "google, closed": google_closed,
    "google, mailed": google_mailed,
    "google, unverified": through_google(email="grace@navy.example", email_verified=False),
    "google, another address": through_google(invitation),
    "google, another address, asked": google_readdress,
    "invited as another": as_another,
    "invited as another, asked": lambda p: as_another(p, asked=True),
    "invited as another, waiting": lambda p: (as_another(p, asked=True), p.goto("/signup")),
    "to another address?": answer,
    "to another address, yes": lambda p: answer(p, pressed=0),
    "to another address, no": lambda p: answer(p, pressed=1),
    "to another address, over": answered,
    "account, google": with_google("/account"),
    "account, joined by google": without_password("/account"),
    "connect google": signed_in("/account/google"),
    "connect google, error": signed_in_and("/account/google", password="wrong password"),
    "connect google, by link": by_link("/account/google"),
    "connect google, no proof": must_ask_mailbox("/account/google"),
    "disconnect google": with_google("/account/google/off"),
    "disconnect google, no password": without_password("/account/google/off"),
    "not me, google": google_was_connected,
    "start, signed in": signed_in("/"),
    "forbidden": signed_in("/admin/login/"),
    "desk": desk("/admin/"),
    "desk home, much to do": much_to_do,
    "desk home, first day": signed_in("/admin/", is_staff=True, is_superuser=True),
    "desk home, no rights": no_rights,
    "desk, people": desk("/admin/accounts/user/"),
    "desk, invitations": desk("/admin/invites/invite/"),
    "desk, links": desk("/admin/invites/magiclink/"),
    "desk, outbox": desk("/admin/outbox/outboxmessage/"),
    "desk, history": desk("/admin/accounts/event/"),
    "desk, one invite": at_desk("/admin/invites/invite/{invite}/change/"),
    "desk, one invite that came back": came_back,
    "desk, correcting an invite": at_desk("/admin/invites/invite/{invite}/correct/"),
    "desk, oneself": at_desk("/admin/accounts/user/{person}/change/"),
    "desk, one person": at_desk("/admin/accounts/user/{other}/change/"),
    "desk, form of a person": at_desk("/admin/accounts/user/{other}/edit/"),
    "desk, deleting a person": at_desk("/admin/accounts/user/{other}/delete/"),
    "desk, one mail": at_desk("/admin/outbox/outboxmessage/{mail}/change/"),
    "desk, funnel": at_desk("/admin/invites/funnel/"),
    "desk, tree": at_desk("/admin/invites/inviter/{person}/"),
    "desk, batches": desk("/admin/invites/batch/"),
    "desk, list": desk("/admin/invites/batch/add/"),
    "desk, list checked": listed,
    "desk, list sent": lambda p: listed(p, sent=True),
    "desk, reminding": lambda p: listed(p, sent=True, chased=True),
    "desk, webhook": telling,
    "desk, webhook secret": lambda p: telling(p, anew=True),
    "desk, apps": lambda p: connected(p, ""),
    "desk, new app": desk("/admin/sso/app/add/"),
    "desk, new app, without what it needs": nothing_typed,
    "desk, app connected": connecting,
    "desk, app": connected,
    "desk, changing an app": lambda p: connected(p, "edit"),
    "desk, new secret of an app": lambda p: connected(p, "secret"),
    "desk, suppressed": desk("/admin/outbox/suppression/"),
}


def scrolls(name):
    """Returns whether a page may scroll sideways, as the tables of the desk do."""
    return name.startswith("desk") and not name.startswith("desk home")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_right_for_every_eye(view, name, subtests):
    page, complaints = view("ru-RU")  # its words are longer than the English ones; all else is the same
    PAGES[name](page)
    page.wait_for_load_state()  # a click waits for the answer's first byte only

    with subtests.test("axe in the light"):
        page.emulate_media(color_scheme="light")
        assert not violations(page)
    with subtests.test("axe in the dark"):
        page.emulate_media(color_scheme="dark")  # colours are all that a theme changes
        page.evaluate("Promise.all(document.getAnimations().map((fading) => fading.finished))")
        assert not violations(page, runOnly=["color-contrast", "link-in-text-block"])
    if scrolls(name):
        return
    page.set_viewport_size(PHONE_SIZE)
    with subtests.test("nothing scrolls sideways"):
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_SIZE["width"]
    if name.startswith("desk"):  # axe asks for the sheets that the desk's own imports, in vain
        return
    with subtests.test("nothing is blocked"):
        assert complaints == []
