"""The page of a list that was sent: what became of it, who needs somebody, what can be done. And the list of lists."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invites.desk import sent_list
from invites.link.readdressing import correct
from invites.models import Batch, Entry, Invite
from invites.models import batch as batches
from outbox.models import OutboxMessage, Suppression
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

DESK = "/admin/invites/batch/"
NAMES = ("in", "opened", "quiet", "still", "lost", "no", "old")
YESTERDAY = timezone.now() - timedelta(days=1)


def page_of(batch, page="change"):
    return f"{DESK}{batch.pk.replace('_', '_5F')}/{page}/"


def sent(by, *names, **fields):
    """Returns a list that was sent to these people, whose mails have left."""
    batch = Batch.objects.create(created_by=by, begun_at=YESTERDAY, **fields)
    batch.invite_some([Entry(f"{name}@example.com") for name in names], "csv", batches.in_step())
    batch.sent_at = YESTERDAY
    batch.save()
    OutboxMessage.objects.filter(sent_at=None).update(sent_at=YESTERDAY)
    Invite.objects.filter(batch=batch.pk).update(sent_at=YESTERDAY)
    return batch


def of(name):
    return Invite.objects.filter(email=f"{name}@example.com")


@pytest.fixture
def batch(desk, admin_user):
    """A list of seven people who have done seven things."""
    batch = sent(admin_user, *NAMES, name="Autumn cohort")
    of("in")[0].accept(UserFactory())
    of("opened").update(opened_at=YESTERDAY)
    OutboxMessage.objects.get(recipient="lost@example.com").mark_bounced("550 5.1.1 No such user")
    of("no")[0].decline()
    of("old").update(expires_at=YESTERDAY)
    return batch


def buttons(page):
    """Returns the words of the links that are buttons, with where they lead."""
    found = re.findall(r'<a class="btn[^"]*" href="([^"]*)">([^<]*)</a>', page.text.partition("<main")[2])
    return {said: href.replace("&amp;", "&") for href, said in found}


def test_it_says_what_became_of_everybody_and_what_to_do(desk, batch):
    page = desk.get(page_of(batch))

    said = words(page, " ")
    assert "<h1>Autumn cohort</h1>" in page.text
    assert "7 invited 1 accepted 1 opened, not accepted 2 have not opened it 1 not delivered" in said
    assert "2 have not opened it Sent yesterday" in said
    assert "1 opened it and stopped Perhaps they need a word from you." in said
    assert "1 did not arrive Mend the addresses first, then send again." in said
    assert buttons(page).keys() >= {"Remind the 2", "Write to the 1", "Send again to 1", "Rename", "Withdraw 5"}
    assert "Declined 1 Expired 1" in said
    assert "Refresh" not in page


def test_those_who_need_something_stand_first(desk, batch):
    page = desk.get(page_of(batch))

    shown = re.findall(r"/admin/invites/invite/[\w-]+/change/\">(\w+)@example.com", page.text)
    assert shown == ["lost", "opened", "still", "quiet", "old", "no", "in"]
    assert "lost@example.com State: Not delivered Delivery: Came back: mailbox does not exist" in words(page, " ")


def test_what_nobody_needs_is_not_offered(desk, admin_user):
    batch = sent(admin_user, "in")
    of("in")[0].accept(UserFactory())

    page = desk.get(page_of(batch))

    assert "What you can do now" not in words(page, " ")
    assert "Take it back" not in words(page, " ")


@pytest.mark.parametrize(
    ("button", "reminded"),
    [("Remind the 2", ["quiet@example.com", "still@example.com"]), ("Write to the 1", ["opened@example.com"])],
)
def test_two_presses_remind_them(desk, batch, button, reminded):
    asked = desk.get(buttons(desk.get(page_of(batch)))[button])
    assert f"{len(reminded)} of the {len(reminded)} chosen." in words(asked)
    assert not OutboxMessage.objects.filter(kind="invite_reminder").exists()

    done = desk.post(asked.wsgi_request.path, {"confirmed": "1", "note": "One word"}, follow=True)

    assert "on their way." in words(done) or "is on its way." in words(done)
    assert done.redirect_chain[-1][0] == page_of(batch)
    mails = OutboxMessage.objects.filter(kind="invite_reminder")
    assert sorted(mails.values_list("recipient", flat=True)) == reminded
    assert button not in buttons(done)  # their mails are on the way
    mails.update(sent_at=timezone.now())
    again = desk.get(page_of(batch))
    assert button not in buttons(again)
    assert "Reminded now" in words(again, " ")
    Invite.objects.update(reminded_at=YESTERDAY)
    assert button in buttons(desk.get(page_of(batch)))
    Invite.objects.update(reminders=3)
    assert button not in buttons(desk.get(page_of(batch)))


def test_sending_again_to_the_lost_asks_and_says_why_no_mail_reached_them(desk, admin_user):
    batch = sent(admin_user, "full", "dead", "fine")
    OutboxMessage.objects.get(recipient="full@example.com").mark_bounced("452 4.2.2 Mailbox full")
    OutboxMessage.objects.get(recipient="dead@example.com").mark_bounced("550 5.1.1 No such user")
    Suppression.objects.suppress("dead@example.com", "550 5.1.1 No such user")

    asked = desk.get(buttons(desk.get(page_of(batch)))["Send again to 2"])

    said = words(asked, " ")
    assert (
        "1 of the 2 chosen. Left out: 1 no mail goes to the address. full@example.com Came back: mailbox full" in said
    )
    assert "Who is left out dead@example.com Came back: mailbox does not exist" in said
    assert f"/admin/invites/invite/{of('dead').get().pk}/change/" in asked.text, "where the address is mended"
    assert not OutboxMessage.objects.waiting().exclude(about=None)
    done = desk.post(asked.wsgi_request.path, {"confirmed": "1"}, follow=True)
    assert "1 invitation is on its way." in words(done)
    assert done.redirect_chain[-1][0] == page_of(batch)
    assert OutboxMessage.objects.waiting().exclude(about=None).get().recipient == "full@example.com"


def test_sending_again_into_a_group_with_rights_asks_for_proof(desk, admin_user):
    powerful = Group.objects.create(name="Editors")
    powerful.permissions.add(Permission.objects.get(codename="view_invite"))
    batch = sent(admin_user, "one")
    of("one")[0].groups.set([powerful])
    OutboxMessage.objects.get(recipient="one@example.com").mark_bounced("452 4.2.2 Mailbox full")
    with time_machine.travel(timezone.now() + timedelta(minutes=50)):
        assert "Is it still you?" in desk.post(page_of(batch, "resend/lost"), {"confirmed": "1"}).text
    assert not OutboxMessage.objects.waiting().exclude(about=None)


def test_a_mail_that_has_not_left_is_not_followed_by_a_reminder(desk, batch):
    OutboxMessage.objects.filter(recipient="quiet@example.com").update(sent_at=None)

    assert buttons(desk.get(page_of(batch))).keys() >= {"Remind the 1", "Write to the 1"}


@pytest.mark.parametrize(("lifetime", "after"), [(timedelta(days=7), 24), (timedelta(hours=12), 3)])
def test_nobody_is_offered_a_reminder_soon_after_a_mail(desk, batch, lifetime, after):
    hours = timezone.now() - timedelta(hours=after)
    Invite.objects.update(lifetime=lifetime, sent_at=hours + timedelta(minutes=1))
    assert not {"Remind the 2", "Write to the 1"} & buttons(desk.get(page_of(batch))).keys()

    Invite.objects.update(sent_at=hours - timedelta(minutes=1))
    assert {"Remind the 2", "Write to the 1"} <= buttons(desk.get(page_of(batch))).keys()


def test_whoever_has_an_account_by_now_is_not_counted_among_those_to_remind(desk, batch):
    quiet = UserFactory(email="quiet@example.com")
    assert "Remind the 1" in buttons(desk.get(page_of(batch)))

    group = Group.objects.create(name="Editors")
    of("quiet")[0].groups.set([group])
    assert "Remind the 2" in buttons(desk.get(page_of(batch)))
    assert "Remind 2 people" in words(desk.get(page_of(batch, "remind/unopened")))
    quiet.groups.add(group)
    assert "Remind the 1" in buttons(desk.get(page_of(batch)))
    assert "Remind 1 person" in words(desk.get(page_of(batch, "remind/unopened")))


def test_more_days_for_a_group_with_rights_ask_for_proof_and_a_plain_reminder_does_not(desk, admin_user, settings):
    powerful = Group.objects.create(name="Editors")
    powerful.permissions.add(Permission.objects.get(codename="view_invite"))
    batch = sent(admin_user, "one")
    invite = of("one")[0]
    invite.groups.set([powerful])
    before = invite.expires_at
    with time_machine.travel(timezone.now() + timedelta(minutes=50)):
        asked = desk.post(page_of(batch, "remind/unopened"), {"confirmed": "1", "longer": "on"})
        assert "Is it still you?" in asked.text
        assert of("one").get().expires_at == before
        assert not OutboxMessage.objects.filter(kind="invite_reminder").exists()
        desk.post(page_of(batch, "remind/unopened"), {"confirmed": "1"})
        assert OutboxMessage.objects.filter(kind="invite_reminder").exists()


def test_only_people_of_this_list_are_reminded(desk, batch, admin_user):
    sent(admin_user, "stranger")

    desk.post(page_of(batch, "remind/unopened"), {"confirmed": "1"})

    assert not OutboxMessage.objects.filter(kind="invite_reminder", recipient="stranger@example.com").exists()


def test_it_looks_again_while_mails_wait_and_stops_when_asked(desk, batch):
    OutboxMessage.objects.filter(recipient="quiet@example.com").update(sent_at=None)

    page = desk.get(page_of(batch))

    assert "1 mail still to leave. This page looks again every 10 seconds. Stop that" in words(page, " ")
    assert page["Refresh"] == "10; url=?by_itself"
    still = desk.get(page_of(batch), {"still": ""})
    assert "Refresh" not in still
    assert "This page looks again" not in words(still)
    assert "Stop the mail (1)" in words(still)


def test_it_says_where_the_list_leads_and_who_was_skipped(desk, admin_user):
    group = Group.objects.create(name="Editors")
    batch = sent(admin_user, "one", common={"groups": [group.pk], "next": "/welcome"})
    batch.counts.skipped = {"invited": 2}
    batch.save()

    said = words(desk.get(page_of(batch)), " ")

    assert "Leads to Editors, /welcome" in said
    assert "Skipped 2 invited already" in said
    assert f"Sent by {admin_user.username}, yesterday" in said


def test_it_is_renamed(desk, batch):
    assert 'value="Autumn cohort"' in desk.get(page_of(batch, "rename")).text
    assert "The name is longer than 100 characters" in words(desk.post(page_of(batch, "rename"), {"name": "x" * 101}))

    page = desk.post(page_of(batch, "rename"), {"name": "<Winter>"}, follow=True)

    assert "<h1>&lt;Winter&gt;</h1>" in page.text
    desk.post(page_of(batch, "rename"), {"name": ""})
    assert "<h1>List of " in desk.get(page_of(batch)).text


def test_its_people_are_exported(desk, batch, admin_user):
    sent(admin_user, "stranger")
    url = re.search(r'action="([^"]+)">.{0,300}value="export"', desk.get(page_of(batch)).text)[1]

    answer = desk.post(url.replace("&amp;", "&"), {"select_across": "on", "action": "export"})

    lines = b"".join(answer.streaming_content).decode()
    assert lines.count("@example.com") == len(NAMES)
    assert "stranger" not in lines


def test_thousands_take_no_more_statements_than_a_few(desk, batch, admin_user):
    many = sent(admin_user, *(f"g{number}" for number in range(60)))
    desk.get(page_of(batch))

    def statements(page):
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(page).status_code == 200
        return len(queries)

    assert statements(page_of(many)) <= statements(page_of(batch))
    assert len(sent_list.rows(many)) == sent_list.SHOWN


def test_of_a_very_long_list_the_newest_are_counted_and_that_is_said(desk, batch, monkeypatch):
    for module in (batches, sent_list):
        monkeypatch.setattr(module, "AT_ONCE", 3)

    page = desk.get(page_of(batch))

    assert "These are the newest 3." in words(page, " ")
    assert "3 invited" in words(page, " ")
    assert "Take it back" not in words(page, " ")


@pytest.fixture
def helper(db):
    """The browser of one who may only invite."""
    person = UserFactory(username="helper", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="add_invite"))
    client = Client()
    client.post("/login", {"login": "helper", "password": PASSWORD})
    client.person = person
    return client


def test_whoever_may_only_invite_reminds_their_own_and_sees_no_other(helper, batch):
    own = sent(helper.person, "mine")

    page = helper.get(page_of(own))

    assert "Remind the 1" in words(page, " ")
    assert "/admin/invites/invite/" not in page.text, "a link that leads nowhere"
    helper.post(page_of(own, "remind/unopened"), {"confirmed": "1"})
    assert OutboxMessage.objects.get(kind="invite_reminder").recipient == "mine@example.com"
    for name in ("change", "remind/unopened", "remind/opened", "resend/lost", "rename", "undo", "withdraw"):
        assert helper.get(page_of(batch, name)).status_code == 404


def test_whoever_may_look_at_all_but_not_change_them_may_not_steer_others(helper, batch):
    helper.person.user_permissions.add(Permission.objects.get(codename="view_invite"))

    page = helper.get(page_of(batch))

    assert not buttons(page)
    assert helper.post(page_of(batch, "remind/unopened"), {"confirmed": "1"}).status_code == 403
    assert helper.post(page_of(batch, "rename"), {"name": "mine"}).status_code == 403
    assert not OutboxMessage.objects.filter(kind="invite_reminder").exists()


def test_the_list_of_lists_counts_each(desk, batch, admin_user):
    sent(admin_user, "one", "two")
    Batch.objects.create(name="Draft")

    page = desk.get(DESK)

    said = words(page, " ")
    assert "Sent together" in said
    counted = r" Sent: {} Sent by: olga People: {} Accepted: {} Waiting: {} Trouble: {}"
    when = r"yesterday, \d\d:\d\d"
    assert re.search("Autumn cohort" + counted.format(when, 7, 1, 4, "1 did not arrive"), said)
    assert re.search(r"List of [\w ,:]+" + counted.format(when, 2, 0, 2, "–"), said)
    assert "Draft" not in said
    assert "1 checked, not sent" in said
    drafts = words(desk.get(DESK, {"drafts": "1"}))
    assert "Draft" in drafts
    assert "Autumn cohort" not in drafts


def test_both_pages_count_neither_who_was_only_mailed_again_nor_a_corrected_address(desk, admin_user):
    earlier = sent(admin_user, "one")
    Invite.objects.update(sent_at=YESTERDAY - timedelta(days=1))
    batch = sent(admin_user, "one", "two", again=True)
    assert batch.counts.done == 2
    correct(of("two")[0], by=admin_user, email="second@example.com", groups=[], name="", note="")

    assert "1 invited 0 accepted" in words(desk.get(page_of(batch)), " ")
    assert "1 invited 0 accepted" in words(desk.get(page_of(earlier)), " ")
    assert words(desk.get(DESK), " ").count("People: 1 Accepted: 0 Waiting: 1") == 2


def test_the_list_of_lists_takes_the_same_statements_for_one_and_for_many(desk, batch, admin_user):
    def statements():
        with CaptureQueriesContext(connection) as queries:
            desk.get(DESK)
        return len(queries)

    desk.get(DESK)
    before = statements()
    for number in range(5):
        sent(admin_user, f"a{number}", f"b{number}")
    assert statements() == before
