"""The page that asks before people are reminded or sent their invitation again."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invites.members.invitations import MemberInvites
from invites.models import Entry, Invite
from invites.models.reminders import LONGER
from kit import long_list
from kit.tokens import TOKEN
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

LIST = "/admin/invites/invite/"
NAMES = ("grace", "alan", "kim")


@pytest.fixture
def people(ada):
    """Three invitations whose mail left yesterday, by name."""
    Invite.objects.issue_many([Entry(f"{name}@example.com") for name in NAMES], source="csv", invited_by=ada)
    yesterday = timezone.now() - timedelta(days=1)
    Invite.objects.update(sent_at=yesterday)
    OutboxMessage.objects.update(sent_at=yesterday)
    return {invite.email.partition("@")[0]: invite for invite in Invite.objects.all()}


def press(desk, action, *invites, **fields):
    """Presses the button of the list for ticked rows, or for all that is found."""
    chosen = {"_selected_action": [str(invite.pk) for invite in invites]} if invites else {"select_across": "on"}
    return desk.post(fields.pop("url", LIST), {"action": action} | chosen | fields, follow=True)


def confirm(desk, page, **typed):
    """Presses the button of the page that asks, which posts its hidden fields to where its form leads."""
    action = re.search(r'<form method="post" action="([^"]+)" novalidate', page.text)[1].replace("&amp;", "&")
    hidden = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w[\w-]*)" value="([^"]*)">', page.text):
        hidden.setdefault(name, []).append(value)
    hidden.pop("csrfmiddlewaretoken", None)
    return desk.post(action, hidden | {"confirmed": "1"} | typed, follow=True)


def mailed(kind):
    return sorted(OutboxMessage.objects.filter(kind=kind, sent_at=None).values_list("recipient", flat=True))


def test_it_names_them_says_who_is_left_out_and_shows_the_mail(desk, people):
    Invite.objects.filter(pk=people["grace"].pk).update(opened_at=timezone.now() - timedelta(hours=3))
    Invite.objects.filter(pk=people["alan"].pk).update(reminded_at=timezone.now(), reminders=1)

    page = press(desk, "remind", *people.values())

    said = words(page, " ")
    assert "Remind 2 people" in said
    assert "2 of the 3 chosen. Left out: 1 reminded less than a day ago." in said
    assert "grace@example.com opened " in said
    assert "kim@example.com not opened, ends " in said
    assert "Your invitation to Frontdoor is still open" in said
    assert "Send 2 reminders" in said
    assert not re.search(TOKEN, page.text)
    assert not mailed("invite_reminder"), "it only asks"
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize("action", ["remind", "resend"])
def test_asking_locks_no_invitation(desk, people, action):
    with CaptureQueriesContext(connection) as queries:
        press(desk, action, *people.values())

    assert not [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]


@pytest.mark.parametrize("chosen", [("grace", "kim"), ()])
def test_its_button_reminds_those_ticked_or_all_found(desk, people, chosen):
    page = press(desk, "remind", *(people[name] for name in chosen))

    done = confirm(desk, page, note="There is\na seat for you")

    names = chosen or NAMES
    assert f"{len(names)} reminders are on their way." in words(done)
    assert mailed("invite_reminder") == sorted(f"{name}@example.com" for name in names)
    notes = {mail.parts["context"]["note"] for mail in OutboxMessage.objects.filter(kind="invite_reminder")}
    assert notes == {"There is a seat for you"}


def test_all_found_are_those_of_the_filter(desk, people):
    Invite.objects.filter(pk=people["kim"].pk).update(language="ru")

    confirm(desk, press(desk, "remind", url=f"{LIST}?language=ru"))

    assert mailed("invite_reminder") == ["kim@example.com"]


def test_seven_more_days_if_ticked_and_the_mail_is_shown_with_what_was_typed(desk, people):
    page = press(desk, "remind", people["kim"], note="See you on Thursday", longer="on", show_again="1")

    end = people["kim"].expires_at + LONGER
    assert "“See you on Thursday”" in words(page)
    assert f"It works until {end:%A %-d %B}" in words(page)
    assert not mailed("invite_reminder")
    confirm(desk, page, longer="on")
    assert Invite.objects.get(pk=people["kim"].pk).expires_at == end


def test_a_line_with_a_link_is_pointed_out_and_nothing_is_sent(desk, people):
    page = confirm(desk, press(desk, "remind", *people.values()), note="See www.evil.example", longer="on")

    assert "The note has a link in it" in words(page)
    assert "See www.evil.example" in page.text
    assert 'name="longer" id="id_longer" checked' in page.text
    assert not mailed("invite_reminder")
    confirm(desk, page)
    assert len(mailed("invite_reminder")) == 3


def test_those_who_do_not_fit_any_more_are_left_out_when_it_is_pressed(desk, people):
    page = press(desk, "remind", *people.values())
    people["grace"].accept(UserFactory())
    Suppression.objects.opt_out("kim@example.com")

    done = confirm(desk, page)

    assert "1 reminder is on its way. 2 skipped: " in words(done)
    assert mailed("invite_reminder") == ["alan@example.com"]
    assert "Nothing was sent. 3 skipped: " in words(confirm(desk, page))


def test_without_anybody_to_remind_it_has_no_button(desk, people):
    Invite.objects.update(reminders=3)

    page = press(desk, "remind", *people.values())

    assert "0 of the 3 chosen. Left out: 3 reminded three times already." in words(page)
    assert 'name="confirmed"' not in page.text
    assert "No, take me back" in words(page)


def test_sending_again_asks_in_the_same_way(desk, people):
    Invite.objects.filter(pk=people["grace"].pk).revoke()

    page = press(desk, "resend", *people.values())

    assert "Send again to 2 people" in words(page)
    assert "2 of the 3 chosen. Left out: 1 withdrawn." in words(page)
    assert "ada invited you to Frontdoor" in words(page)
    assert 'name="note"' not in page.text
    assert not mailed("invite")
    assert "2 invitations are on their way." in words(confirm(desk, page))
    assert mailed("invite") == ["alan@example.com", "kim@example.com"]


@pytest.mark.parametrize(("action", "kind"), [("remind", "invite_reminder"), ("resend", "invite")])
def test_the_page_of_one_invitation_asks_too_and_leads_back(desk, people, action, kind):
    here = f"{LIST}{people['kim'].pk}/change/"
    assert f'value="{action}"' in desk.get(here).text

    page = desk.post(here, {"CHANGE_FORM-action": action, "_selected_action": str(people["kim"].pk)})
    done = confirm(desk, page)

    assert mailed(kind) == ["kim@example.com"]
    assert done.redirect_chain[-1][0] == here


def test_the_page_of_one_invitation_offers_no_reminder_that_is_refused(desk, people):
    Invite.objects.update(reminded_at=timezone.now())

    assert 'value="remind"' not in desk.get(f"{LIST}{people['kim'].pk}/change/").text


def test_that_members_see_their_ends_is_said(desk, people):
    assert "keep their end" not in words(press(desk, "remind"))
    MemberInvites(UserFactory()).send("guest@example.com")
    OutboxMessage.objects.update(sent_at=timezone.now())
    Invite.objects.update(sent_at=timezone.now() - timedelta(days=1))

    assert "Invitations from members keep their end." in words(press(desk, "remind"))


def test_a_name_of_markup_is_text(desk, people):
    Invite.objects.update(name="<b>Kim</b>")

    assert "<b>Kim" not in press(desk, "remind").text


def test_more_than_a_press_may_mail_are_refused(desk, people, monkeypatch):
    monkeypatch.setattr(long_list, "AT_ONCE", 2)

    assert "More than 2 were found. Nothing was done." in words(press(desk, "remind"))


def test_whoever_may_only_look_finds_no_button_and_reminds_nobody(people):
    helper = UserFactory(username="helper", is_staff=True)
    helper.user_permissions.set(Permission.objects.filter(codename="view_invite"))
    client = Client()
    client.post("/login", {"login": "helper", "password": PASSWORD})

    assert 'value="remind"' not in client.get(LIST).text
    press(client, "remind", *people.values(), confirmed="1")

    assert not mailed("invite_reminder")
