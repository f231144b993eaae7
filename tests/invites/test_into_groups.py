"""Inviting somebody who has an account into groups: one mail, one page, one button."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event, Session, User
from invites import digest, purposes
from invites.members.invitations import MemberInvites
from invites.models import Entry, Invite, InviteGroup, MagicLink, Reason
from kit import tokens
from outbox.models import OutboxEvent, OutboxMessage, Suppression
from tests.tools import phone
from tests.tools.factories import PASSWORD, InviteFactory, UserFactory
from tests.tools.program import Program, codes
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

EMAIL = "ada@example.com"


@pytest.fixture
def maria(db):
    return UserFactory(username="maria")


@pytest.fixture
def editors(db):
    return Group.objects.create(name="Editors")


@pytest.fixture
def writers(db):
    return Group.objects.create(name="Writers")


@pytest.fixture
def invite(ada, maria, editors, writers):
    return issue(maria, editors, writers, note="Come and edit", next="/account/settings")


def issue(by, *groups, email=EMAIL, **said):
    entry = Entry(email, groups=tuple(group.pk for group in groups), **said)
    outcome = Invite.objects.issue_many([entry], source="admin", invited_by=by)
    return Invite.objects.get(pk=outcome.done[0])


def press(client, invite):
    return client.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, invite.pk), "here": "on"})


def later(**span):
    return time_machine.travel(timezone.now() + timedelta(**span))


def groups(person):
    return sorted(person.groups.values_list("name", flat=True))


def test_the_mail_names_the_groups_and_one_press_within_the_hour_signs_in_and_joins(client, invite, ada, mailbox):
    link = mailbox.link(EMAIL, "/confirm")
    (letter,) = mailbox.letters(EMAIL)
    assert letter["Subject"] == "maria invited you to Editors, Writers"
    assert "You already have an account at Frontdoor, ada." in mailbox.text(EMAIL)
    assert "Come and edit" in mailbox.text(EMAIL)

    page = client.get(link)
    assert "maria invited you to Editors, Writers" in words(page)
    assert "Accept and join Editors, Writers" in words(page)
    assert not groups(ada)
    assert not Session.objects.exists()
    answer = client.post("/confirm", {"token": link.partition("token=")[2], "here": "on"})

    assert answer.url == "/account/settings"
    assert "You are in Editors, Writers now." in words(client.get(answer.url))
    assert groups(ada) == ["Editors", "Writers"]
    invite.refresh_from_db()
    assert (invite.state, invite.accepted_by) == (Invite.State.ACCEPTED, ada)
    assert Session.objects.get().user == ada


def test_a_scanner_that_presses_the_button_neither_signs_in_nor_accepts(client, invite, ada):
    pressed = {"token": tokens.sign(purposes.CONFIRM, invite.pk)}

    assert "Tick the box to sign in on this device" in words(client.post("/confirm", pressed))
    assert not Session.objects.exists()
    assert not groups(ada)


def test_a_browser_that_the_account_knows_needs_one_press(client, invite, ada):
    client.post("/login", {"login": "ada", "password": PASSWORD})
    client.post("/logout/here")
    pressed = {"token": tokens.sign(purposes.CONFIRM, invite.pk)}

    assert "sign in on this device" not in words(client.get("/confirm", pressed))
    assert client.post("/confirm", pressed).url == "/account/settings"
    assert groups(ada) == ["Editors", "Writers"]


@pytest.mark.parametrize("days", [0, 6])
def test_whoever_is_signed_in_presses_once_at_any_time(signed_in, invite, ada, days, settings):
    settings.SESSION_COOKIE_AGE = timedelta(days=30).total_seconds()
    browser = Client()
    browser.post("/login", {"login": "ada", "password": PASSWORD})
    with later(days=days):
        assert "Accept and join" in words(browser.get(tokens.path(purposes.CONFIRM, invite.pk)))
        before = Session.objects.count()
        answer = press(browser, invite)

        assert answer.url == "/account/settings"
        assert "You are in Editors, Writers now." in words(browser.get(answer.url))
    assert groups(ada) == ["Editors", "Writers"]
    assert Session.objects.count() == before


def test_later_the_page_asks_to_sign_in_by_one_mail_and_comes_back_to_its_button(client, invite, ada, mailbox):
    with later(hours=2):
        page = client.get(tokens.path(purposes.CONFIRM, invite.pk))
        assert "Accept and join" not in words(page)
        assert "Email me a link to sign in" in words(page)
        token = tokens.sign(purposes.CONFIRM, invite.pk)
        assert "Email me a link to sign in" in words(press(client, invite))
        assert not groups(ada)
        assert not Session.objects.exists()

        client.post("/invite/sent", {"token": token})
        link = mailbox.link(EMAIL, "/confirm")
        assert mailbox.kinds(EMAIL) == ["invite_group", "link_known"]
        answer = client.post("/confirm", {"token": link.partition("token=")[2]})

        assert answer.url == f"/invite/groups/{invite.pk}"
        assert not groups(ada)  # signing in accepts nothing
        assert "Accept and join Editors, Writers" in words(client.get(answer.url))
        assert client.post(answer.url).url == "/account/settings"
        assert client.post(answer.url).url == "/account/settings"  # a double press
    assert groups(ada) == ["Editors", "Writers"]


def test_the_password_leads_back_to_the_button_too(client, invite):
    with later(hours=2):
        page = client.get(tokens.path(purposes.CONFIRM, invite.pk))
        assert f'href="/login?next=/invite/groups/{invite.pk}"' in page.text
        answer = client.post("/login", {"login": "ada", "password": PASSWORD, "next": f"/invite/groups/{invite.pk}"})
        assert "Accept and join" in words(client.get(answer.url))


def test_an_old_link_signs_nobody_in_by_a_second_press(invite):
    browser = Client()
    with later(hours=2):
        browser.post("/login", {"login": "ada", "password": PASSWORD})
        browser.get(tokens.path(purposes.CONFIRM, invite.pk))  # sets the cookie by which a second press is known
        assert press(browser, invite).url == "/account/settings"
        browser.post("/logout/here")
        assert press(browser, invite).status_code == 410
        assert browser.get("/api/v1/auth/session").status_code == 401


def test_no_new_sign_out_everywhere_is_passed_by_a_link(client, invite, ada):
    ada.end_sessions()
    assert "Email me a link to sign in" in words(press(client, invite))
    assert not groups(ada)


def test_a_second_factor_is_asked_for_as_ever(client, maria, editors, ada):
    phone.pair(ada)
    invite = issue(maria, editors)
    assert press(client, invite).url.startswith("/login/code")
    assert not client.get("/api/v1/auth/session").json().get("user")


def test_somebody_else_reads_whose_invitation_it_is_and_changes_nothing(invite, ada):
    other = UserFactory(username="grace")
    client = Client()
    client.post("/login", {"login": "grace", "password": PASSWORD})

    for page in (client.get(tokens.path(purposes.CONFIRM, invite.pk)), press(client, invite)):
        assert "This invitation is for another address" in words(page)
    assert client.get(f"/invite/groups/{invite.pk}").status_code == 404
    assert client.post(f"/invite/groups/{invite.pk}").status_code == 404
    assert not groups(ada)
    assert not groups(other)


def test_the_page_without_a_token_is_for_those_who_are_signed_in(client, invite, signed_in):
    assert client.get(f"/invite/groups/{invite.pk}").url == f"/login?next=/invite/groups/{invite.pk}"
    assert client.post(f"/invite/groups/{invite.pk}").url.startswith("/login")
    unknown = "019aa8e1-6c1f-7d10-8a53-2f1f0a6b9c44"
    assert signed_in.get(f"/invite/groups/{unknown}").status_code == 404
    asked = MagicLink.objects.issue(EMAIL)
    assert signed_in.get(f"/invite/groups/{asked.pk}").status_code == 404


def test_an_account_that_is_turned_off_is_not_invited_and_joins_nothing(client, maria, editors, ada):
    invite = issue(maria, editors)
    ada.turn_off()
    assert press(client, invite).status_code == 403
    assert not groups(ada)
    UserFactory(username="off", email="off@example.com", is_active=False)
    outcome = Invite.objects.issue_many([Entry("off@example.com", groups=(editors.pk,))], source="admin")
    assert outcome.skipped == [("off@example.com", Reason.HAS_ACCOUNT)]


def test_declining_works_and_is_told_to_the_inviter(client, invite, ada, mailbox, maria):
    page = client.get(tokens.path(purposes.CONFIRM, invite.pk))
    assert "No, thank you" in words(page)
    client.post("/invite/decline", {"token": tokens.sign(purposes.DECLINE, invite.pk)})
    assert press(client, invite).status_code == 410
    assert not groups(ada)
    assert digest.tell(maria.pk)
    assert mailbox.kinds(maria.email) == ["inviter_digest"]


def test_the_promise_ends_with_the_invitation(client, invite, ada, signed_in):
    with later(days=8):
        client.post("/login", {"login": "ada", "password": PASSWORD})
        assert press(client, invite).status_code == 410
        assert client.post(f"/invite/groups/{invite.pk}").status_code == 410
    assert not groups(ada)


def test_who_joins_is_who_lacks_a_group(maria, editors, writers, ada, mailbox):
    ada.groups.add(editors)
    UserFactory(username="grace", email="grace@example.com")
    Suppression.objects.suppress("grace@example.com", "550 5.1.1 No such user")
    everybody = [
        Entry(EMAIL, groups=(editors.pk, writers.pk)),
        Entry("maria@example.com", groups=(editors.pk,)),
        Entry("grace@example.com", groups=(editors.pk,)),
        Entry("new@example.com", groups=(editors.pk,)),
    ]
    maria.groups.add(editors)

    sifted = Invite.objects.sift(everybody)
    assert sifted.outcome.skipped == [
        ("maria@example.com", Reason.HAS_ACCOUNT),
        ("grace@example.com", Reason.SUPPRESSED),
    ]
    assert list(sifted.joining) == [EMAIL]
    outcome = Invite.objects.issue_many(everybody, source="csv")
    assert len(outcome.done) == 2
    assert mailbox.kinds(EMAIL) == ["invite_group"]
    assert mailbox.kinds("new@example.com") == ["invite"]
    again = Invite.objects.issue_many(everybody, source="csv")
    assert (EMAIL, Reason.INVITED) in again.skipped


def test_groups_cost_two_statements_more_however_many_they_are(maria):
    made = [Group.objects.create(name=f"group-{n}").pk for n in range(3)]
    for n in range(20):
        UserFactory(username=f"joiner{n}", email=f"joiner{n}@example.com")
    people = [Entry(f"{who}{n}@example.com", groups=tuple(made)) for who in ("joiner", "new") for n in range(20)]

    with CaptureQueriesContext(connection) as queries:
        assert len(Invite.objects.issue_many(people, source="csv").done) == 40

    made_by = [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN"))]
    assert len(made_by) == 13  # one stores all groups, one reads their names for the mails
    assert InviteGroup.objects.count() == 120


def test_a_group_that_is_deleted_meanwhile_is_left_out(maria, editors, writers):
    entry = Entry("new@example.com", groups=(editors.pk, writers.pk))
    editors.delete()
    outcome = Invite.objects.issue_many([entry], source="csv")
    assert list(Invite.objects.get(pk=outcome.done[0]).groups.all()) == [writers]
    writers.delete()
    assert not InviteGroup.objects.exists()
    assert Invite.objects.count() == 1


def test_invitations_into_a_group_are_found(maria, editors, writers):
    one, two = issue(maria, editors, email="a@example.com"), issue(maria, editors, writers, email="b@example.com")
    issue(maria, email="c@example.com")
    assert list(Invite.objects.into(editors.pk)) == [two, one]
    assert list(Invite.objects.into(writers.pk)) == [two]


def test_accepting_is_in_the_history_and_announced_but_not_mailed(client, announced, invite, ada, mailbox, maria):
    OutboxEvent.objects.all().delete()
    mailbox.letters()
    press(client, invite)

    (event,) = ada.events.filter(kind=Event.Kind.RIGHTS_CHANGED)
    assert event.detail["changed"] == {"groups": [[], ["Editors", "Writers"]]}
    assert (event.detail["by"], event.detail["staff"], event.about) == ("staff", "maria", invite.pk)
    told = {name: payload for name, payload in announced() if name != "session.revoked"}
    assert told["user.updated"]["groups"] == ["Editors", "Writers"]
    assert told["user.updated"]["changed"] == ["groups"]
    assert told["invite.accepted"]["groups"] == ["Editors", "Writers"]
    assert "rights_changed" not in mailbox.kinds(EMAIL)


def test_the_account_page_says_which_groups_were_joined_and_who_invited(client, invite, ada):
    press(client, invite)

    page = words(client.get("/account"))

    assert re.search(r"Joined Editors, Writers [^·]+ · invited by maria", page)
    assert "Rights changed" not in page
    assert "by someone who runs" not in page


def test_a_newcomer_is_announced_with_the_groups_that_they_join(announced, maria, editors, writers):
    invite = issue(maria, writers, editors, email="new@example.com")
    sent = next(payload for name, payload in announced() if name == "invite.sent")
    assert sent["groups"] == ["Editors", "Writers"]
    typed = {"token": tokens.sign(purposes.SIGNUP, invite.pk), "username": "newcomer", "password": PASSWORD}
    page = Client().get("/signup", {"token": typed["token"]})
    assert "<dt>Groups</dt><dd>Editors, Writers</dd>" in page.text
    Client().post("/signup", typed)

    created = [payload for name, payload in announced() if name == "user.created"][-1]
    assert created["groups"] == ["Editors", "Writers"]
    assert groups(User.objects.get(username="newcomer")) == ["Editors", "Writers"]


def test_sent_again_and_extended_it_goes_on_without_lengthening_who_signs_in(client, invite, ada, mailbox):
    mailbox.letters()
    with later(hours=2):
        assert not Invite.objects.all().resend().skipped
        assert mailbox.kinds(EMAIL) == ["invite_group"] * 2
        assert not Invite.objects.all().extend().skipped
        assert "Email me a link to sign in" in words(press(client, invite))  # the same token as in the older mail
    link = invite.links.get()
    invite.refresh_from_db()
    assert link.expires_at == invite.expires_at > timezone.now() + timedelta(days=13)
    ada.groups.set(invite.groups.all())
    with later(hours=4):
        assert Invite.objects.all().resend().skipped == [(EMAIL, Reason.HAS_ACCOUNT)]
        assert Invite.objects.all().extend().skipped == [(EMAIL, Reason.HAS_ACCOUNT)]


def test_a_reminder_is_the_mail_once_more(invite, mailbox):
    with later(days=5, hours=1):
        assert Invite.objects.remindable().remind().done == [invite.pk]
        assert mailbox.kinds(EMAIL) == ["invite_group"] * 2


def test_a_members_invitation_never_tells_of_an_account_nor_carries_groups(maria, ada, mailbox):
    invite = MemberInvites(maria).send(EMAIL)
    link = invite.links.get()
    assert (link.account, link.epoch) == (None, None)
    assert mailbox.kinds(EMAIL) == ["invite_known"]


def test_a_program_that_is_signed_in_joins_and_any_other_is_refused(invite, ada):
    UserFactory(username="grace")
    token = tokens.sign(purposes.CONFIRM, invite.pk)
    with later(hours=2):
        assert codes(Program().send("/api/v1/auth/confirm", token=token)) == ["expired"]
        other = Program()
        other.sign_in("grace", PASSWORD)
        assert codes(other.send("/api/v1/auth/confirm", token=token)) == ["wrong_account"]
        program = Program()
        program.sign_in("ada", PASSWORD)
        for _twice in range(2):
            answer = program.send("/api/v1/auth/confirm", token=token)
            assert (answer.status_code, answer.json()["next"]) == (200, "/account/settings")
        assert program.look().json()["user"]["groups"] == ["Editors", "Writers"]
    assert groups(ada) == ["Editors", "Writers"]


def test_issue_lasts_its_days_for_an_account_only_with_groups(ada, editors, mailbox):
    plain = Invite.objects.issue(EMAIL, source="admin")
    assert plain.expires_at < timezone.now() + timedelta(hours=2)
    Invite.objects.all().delete()
    OutboxMessage.objects.all().delete()
    into = Invite.objects.issue(EMAIL, source="admin", groups=[editors.pk], lifetime=timedelta(days=30))
    assert into.expires_at > timezone.now() + timedelta(days=29)
    assert mailbox.kinds(EMAIL) == ["invite_group"]


def test_pressing_at_once_joins_once(invite, ada):
    first, second = Client(), Client()
    assert press(first, invite).status_code == 302
    assert press(second, invite).status_code == 410
    assert ada.events.filter(kind=Event.Kind.ACCEPTED).count() == 1


def test_an_invitation_without_groups_is_as_ever(client, ada):
    invite = InviteFactory(email=EMAIL)
    assert "Accept and join" not in words(client.get(tokens.path(purposes.CONFIRM, invite.pk)))
