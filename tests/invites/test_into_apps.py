"""Inviting people into an app: its name in the mail and on the page, and where they land, whichever way they join."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from invites import mails, purposes
from invites.link import readdressing
from invites.models import Entry, Invite
from kit import tokens
from sso.models import App
from tests.tools import phone
from tests.tools.factories import PASSWORD, AppFactory, UserFactory
from tests.tools.google import Person
from tests.tools.program import Program
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL = "kim@example.com"


@pytest.fixture
def maria(db):
    return UserFactory(username="maria")


@pytest.fixture
def viewers(db):
    return Group.objects.create(name="Viewers")


@pytest.fixture
def grafana(viewers):
    return AppFactory(pk="grafana1", everybody=False, groups=[viewers])


def issue(by, app, *groups, email=EMAIL, **said):
    entry = Entry(email, app=app.pk, groups=tuple(group.pk for group in groups), **said)
    outcome = Invite.objects.issue_many([entry], source="admin", invited_by=by)
    return Invite.objects.get(pk=outcome.done[0])


@pytest.fixture
def invite(maria, grafana, viewers):
    return issue(maria, grafana, viewers, note="Look at the curves")


def join(client, invite, **typed):
    typed = {"token": tokens.sign(purposes.SIGNUP, invite.pk), "username": "kim", "password": PASSWORD} | typed
    return client.post("/signup", typed)


def test_mail_and_page_name_the_app_and_a_newcomer_lands_in_it(client, invite, mailbox):
    link = mailbox.link(EMAIL, "/signup")
    (letter,) = mailbox.letters(EMAIL)
    assert letter["Subject"] == "maria invited you to Grafana at Frontdoor"
    assert "would like you to use Grafana at Frontdoor." in mailbox.text(EMAIL)
    assert "maria invited you to Grafana\n" in mailbox.text(EMAIL)

    page = words(client.get(link))
    assert "maria invited you to Grafana at Frontdoor" in page
    assert "Join and open Grafana" in page
    assert join(client, invite).url == "/apps/grafana1"
    assert [group.name for group in User.objects.get(username="kim").groups.all()] == ["Viewers"]


def test_without_an_inviter_the_site_invites_to_the_app(client, grafana, mailbox):
    invite = issue(None, grafana)
    link = mailbox.link(EMAIL, "/signup")

    assert mailbox.letters(EMAIL)[0]["Subject"] == "You’re invited to Grafana at Frontdoor"
    assert "Someone who runs Frontdoor would like you to use Grafana." in mailbox.text(EMAIL)
    assert "You’re invited to Grafana at Frontdoor" in words(client.get(link))
    assert invite.leads_to == "/apps/grafana1"


@pytest.mark.parametrize("name", ["X" * 60, "grafana.example.com"])
def test_no_name_of_an_app_makes_a_long_subject_or_a_link(client, invite, mailbox, name):
    App.objects.get().client.delete()
    Invite.objects.all().delete()
    issue(None, AppFactory(name=name))
    subject = mailbox.letters(EMAIL)[-1]["Subject"]

    assert len(subject) < 70
    assert "grafana.example.com" not in mailbox.text(EMAIL)


def test_the_owner_of_an_account_gets_the_apps_name_and_one_button(client, maria, ada, grafana, viewers, mailbox):
    invite = issue(maria, grafana, viewers, email=ada.email)
    link = mailbox.link(ada.email, "/confirm")
    assert mailbox.letters(ada.email)[0]["Subject"] == "maria invited you to Grafana"
    assert "Accept, and Grafana opens for it." in " ".join(mailbox.text(ada.email).split())

    page = words(client.get(link))
    assert "maria invited you to Grafana" in page
    assert "Accept and open Grafana" in page
    answer = client.post("/confirm", {"token": link.partition("token=")[2], "here": "on"})
    assert answer.url == "/apps/grafana1"
    assert "Grafana is open to you now." in words(client.get("/account"))
    assert list(ada.groups.all()) == [viewers]
    invite.refresh_from_db()
    assert invite.accepted_by == ada


def test_a_second_factor_comes_before_the_app(client, maria, ada, grafana, viewers):
    phone.pair(ada)
    invite = issue(maria, grafana, viewers, email=ada.email)
    answer = client.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, invite.pk), "here": "on"})
    assert answer.url.startswith("/login/code")
    assert client.post(answer.url, {"code": phone.code()}).url == "/apps/grafana1"


def test_whoever_joins_with_google_lands_in_the_app(client, invite, google):
    google.person = Person(sub="2001", email=EMAIL)
    token = tokens.sign(purposes.SIGNUP, invite.pk)
    answer = client.get(google.consent(client.post("/google", {"token": token}).url))
    assert answer.url == "/apps/grafana1"


def test_a_link_that_was_asked_for_leads_into_the_app_too(client, invite, mailbox):
    client.post("/", {"email": EMAIL})
    link = mailbox.link(EMAIL, "/signup")
    assert link != tokens.path(purposes.SIGNUP, invite.pk)
    assert "Join and open Grafana" in words(client.get(link))
    assert join(client, invite, token=link.partition("token=")[2]).url == "/apps/grafana1"


def test_an_account_that_was_planned_here_leads_into_the_app_after_signing_in(client, invite, mailbox):
    client.post("/signup", {"email": EMAIL, "username": "kim", "password": PASSWORD})
    link = mailbox.link(EMAIL, "/confirm")
    answer = client.post("/confirm", {"token": link.partition("token=")[2]})
    assert answer.url == "/login?next=/apps/grafana1"


def test_an_account_that_was_planned_elsewhere_is_made_in_this_browser_and_leads_into_the_app(client, invite, mailbox):
    client.post("/signup", {"email": EMAIL, "username": "kim", "password": PASSWORD})
    link, other = mailbox.link(EMAIL, "/confirm"), Client()

    page = other.get(link, follow=True)
    assert "You signed up in another browser than this one." in words(page)
    assert "Join and open Grafana" in words(other.get(page.context["here_url"]))
    token = page.redirect_chain[-1][0].partition("token=")[2]
    assert join(other, invite, token=token).url == "/apps/grafana1"
    assert [group.name for group in User.objects.get(username="kim").groups.all()] == ["Viewers"]


@pytest.mark.parametrize("gone", ["turned off", "deleted"])
def test_without_the_app_the_invitation_still_works_and_leads_where_people_land(client, invite, grafana, gone):
    if gone == "deleted":
        grafana.client.delete()
    else:
        App.objects.update(is_active=False)
    page = words(client.get(tokens.path(purposes.SIGNUP, invite.pk)))

    assert "maria invited you to Frontdoor" in page
    assert "Create account" in page
    assert "Grafana" not in page
    assert join(client, invite).url == "/account"


def test_a_program_is_told_where_the_app_is(invite):
    sent = {"token": tokens.sign(purposes.SIGNUP, invite.pk), "username": "kim", "password": PASSWORD}
    answer = Program().send("/api/v1/auth/create", **sent)
    assert (answer.status_code, answer.json()["next"]) == (201, "/apps/grafana1")


def test_declining_names_the_app(client, invite):
    path = tokens.path(purposes.DECLINE, invite.pk)
    assert "Grafana" in words(client.get(path))
    client.post("/invite/decline", {"token": path.partition("token=")[2]})
    invite.refresh_from_db()
    assert invite.state == Invite.State.DECLINED


def test_other_services_are_told_which_app_it_is(client, invite, announced):
    join(client, invite)
    told = dict(announced())
    assert told["invite.accepted"] | {"app": "grafana1", "groups": ["Viewers"]} == told["invite.accepted"]


def test_an_app_that_is_deleted_between_check_and_sending_is_left_out(maria, grafana, viewers):
    invite = issue(maria, AppFactory.build(pk="gone"), viewers)
    assert (invite.app_id, invite.group_ids) == (None, [viewers.pk])


def test_another_address_is_invited_into_the_same_app(invite, maria):
    groups = invite.group_ids
    new = readdressing.correct(invite, by=maria, email="kim@lab.example", groups=groups, name="", note="")
    assert (new.app_id, new.leads_to) == ("grafana1", "/apps/grafana1")


def test_a_reminder_names_the_app(invite, mailbox):
    Invite.objects.update(remind_at=invite.created_at)
    mails.reminder(invite).save()
    assert "maria invited you to Grafana on" in mailbox.text(EMAIL)


def test_a_list_costs_as_many_statements_for_many_people(maria, grafana, viewers):
    def statements(count):
        people = [Entry(f"p{n}of{count}@example.com", app=grafana.pk, groups=(viewers.pk,)) for n in range(count)]
        with CaptureQueriesContext(connection) as asked:
            Invite.objects.issue_many(people, source="csv", invited_by=maria)
        return len(asked)

    assert statements(2) == statements(6)
