"""The sign-up funnel: how far invited people come, at the desk and by the command invite_report."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client

from invites.funnel import count
from invites.members.invitations import MemberInvites
from invites.models import Invite, MagicLink
from outbox.models import OutboxMessage
from tests.tools.factories import PASSWORD, AppFactory, LinkFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

PAGE = "/admin/invites/funnel/"
FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def friday():
    with time_machine.travel(FRIDAY) as clock:
        yield clock


def looked(by="day", days=14, source=""):
    caches["default"].delete_many(caches["default"].keys("funnel:*"))
    return count.look(by, count.start(by, days), source)


def people(**given):
    return [step.people for step in looked(**given).steps]


def joins(mailbox, email, client):
    token = mailbox.link(email, "/signup").partition("token=")[2]
    name = email.partition("@")[0]
    assert client.post("/signup", {"token": token, "username": name, "password": PASSWORD}).status_code == 302


def test_each_step_counts_the_people_who_came_that_far(mailbox, friday):
    for name in ("asks", "gets", "opens", "joins", "returns"):
        Invite.objects.issue(f"{name}@example.com", source="admin")
        if name == "asks":
            continue
        mailbox.letters()
    Invite.objects.filter(email="asks@example.com").update(source="csv")
    assert people() == [5, 5, 0, 0, 0]
    for name in ("opens", "joins", "returns"):
        Client().get(mailbox.link(f"{name}@example.com", "/signup"))
    assert people() == [5, 5, 3, 0, 0]
    friday.shift(timedelta(hours=3))
    client = Client()
    joins(mailbox, "joins@example.com", Client())
    joins(mailbox, "returns@example.com", client)
    assert people() == [5, 5, 3, 2, 0]
    friday.shift(timedelta(days=1))
    client.post("/login", {"login": "returns", "password": PASSWORD})
    assert people() == [5, 5, 3, 2, 1]

    by_name = {step.name: step for step in looked().steps}
    accepted = by_name["accepted"]
    assert (accepted.of_all, accepted.of_before, accepted.left) == (40, 67, 1)
    assert timedelta(hours=3) <= accepted.median < timedelta(hours=4)
    assert by_name["opened"].median is None
    assert dict(looked().sources) == {"admin": [4, 4, 3, 2, 1], "csv": [1, 1, 0, 0, 0]}
    assert people(source="csv") == [1, 1, 0, 0, 0]


def test_a_waiting_mail_is_not_handed_over_and_accepting_counts_as_opening(mailbox):
    invite = Invite.objects.issue("grace@example.com", source="admin")
    assert people() == [1, 0, 0, 0, 0]

    invite.links.get().sign_up("grace", password=PASSWORD)  # without the page that notes openings
    assert people() == [1, 1, 1, 1, 0]


def test_coming_back_later_than_a_week_is_not_coming_back(mailbox, friday):
    MagicLink.objects.issue("grace@example.com")
    joins(mailbox, "grace@example.com", Client())
    friday.shift(timedelta(days=7, minutes=1))
    Client().post("/login", {"login": "grace", "password": PASSWORD})

    assert people() == [1, 1, 1, 1, 0]


def test_people_who_have_an_account_are_not_counted(mailbox, ada, friday):
    MagicLink.objects.issue(ada.email)
    friday.shift(timedelta(minutes=5))
    confirm = mailbox.link(ada.email, "/confirm").partition("token=")[2]
    assert people() == [0] * 5
    assert Client().post("/confirm", {"token": confirm}).status_code == 302
    assert people() == [0] * 5
    MemberInvites(ada).send("grace@example.com")
    MemberInvites(ada).send(UserFactory().email)

    assert people() == [1, 0, 0, 0, 0]


def test_an_invitation_that_was_replaced_counts_once(friday):
    for _ in range(2):
        Invite.objects.issue("grace@example.com", source="admin")
        friday.shift(timedelta(days=8))

    assert Invite.objects.count() == 2
    assert people(days=31) == [1, 0, 0, 0, 0]


def test_a_person_who_got_one_of_two_mails_counts_as_reached():
    for number in range(8):
        links = [MagicLink.objects.issue(f"guest{number}@example.com") for _ in range(2)]
        OutboxMessage.objects.get(about=links[number % 2].pk).mark_sent("250 taken")

    assert people() == [8, 8, 0, 0, 0]


def test_several_links_of_one_address_count_once_as_the_best_of_them(mailbox, friday):
    for _ in range(2):
        MagicLink.objects.issue("grace@example.com")
    mailbox.letters()
    assert people() == [1, 1, 0, 0, 0]
    Client().get(mailbox.link("grace@example.com", "/signup"))
    assert people() == [1, 1, 1, 0, 0]
    joins(mailbox, "grace@example.com", Client())
    friday.shift(timedelta(hours=2))
    MagicLink.objects.issue("grace@example.com")

    assert MagicLink.objects.count() == 3
    assert people() == [1, 1, 1, 1, 0]


def test_a_person_with_several_ways_in_counts_by_the_one_they_used(mailbox, ada):
    Invite.objects.issue("grace@example.com", source="csv")
    MemberInvites(ada).send("grace@example.com")
    invited = mailbox.link("grace@example.com", "/signup")
    MagicLink.objects.issue("grace@example.com")
    token = invited.partition("token=")[2]
    Client().post("/signup", {"token": token, "username": "grace", "password": PASSWORD})

    assert people() == [1, 1, 1, 1, 0]
    assert dict(looked().sources) == {"member": [1, 1, 1, 1, 0]}


def test_owner_links_and_password_resets_are_not_counted():
    for purpose in ("owner", "reset", "disowned"):
        LinkFactory(purpose=purpose)

    assert people() == [0] * 5


def test_cohorts_are_days_and_weeks_of_the_given_time(friday):
    for days_ago in (0, 4, 5, 20, 90):
        with time_machine.travel(FRIDAY - timedelta(days=days_ago)):
            Invite.objects.issue(f"guest{days_ago}@example.com", source="admin")

    assert [str(day) for day, _ in looked().cohorts] == ["2026-11-15", "2026-11-16", "2026-11-20"]
    weeks = [(str(day), numbers[0]) for day, numbers in looked("week", 84).cohorts]
    assert weeks == [
        ("2026-10-26", 1),
        ("2026-11-09", 1),
        ("2026-11-16", 2),
    ]
    assert count.start("week", 84) == FRIDAY.date() - timedelta(weeks=11, days=4)


def test_counting_takes_one_statement_and_serves_a_minute(desk, friday, django_assert_num_queries):
    Invite.objects.issue("grace@example.com", source="admin")
    with django_assert_num_queries(1):
        count.look("day", count.start("day", 14))
    Invite.objects.issue("alan@example.com", source="admin")
    with django_assert_num_queries(0):
        assert count.look("day", count.start("day", 14)).steps[0].people == 1


def test_the_desk_shows_a_picture_and_the_same_numbers(desk, mailbox):
    Invite.objects.issue("grace@example.com", source="admin")
    Invite.objects.issue("alan@example.com", source="csv")
    joins(mailbox, "alan@example.com", Client())

    page = desk.get(PAGE)

    assert '<svg viewBox="0 0 600 320" role="img"' in page.text
    assert '<title id="funnel-title">Sign-up funnel</title>' in page.text
    assert page.text.count('<rect class="part" x="0"') == 5
    assert 'y="222" width="280"' in page.text  # half of them have an account
    assert "style=" not in page.text
    assert "<td>1</td><td>50</td><td>100</td>" in page.text.replace("\n", "")
    assert re.search(r'<time datetime="\d{4}-\d\d-\d\d">\d{1,2} [A-Z][a-z]{2}</time>', page.text)
    assert "may include mail scanners" in words(page)
    assert "funnel" in desk.get("/admin/").text


def test_invalid_choices_fall_back_to_the_defaults(desk):
    for given, shown in [
        ({}, ("day", 14, "")),
        ({"by": "week", "days": "84", "source": "csv"}, ("week", 84, "csv")),
        ({"by": "day", "days": "84"}, ("day", 31, "")),
        ({"by": "year'", "days": "-1", "source": "owner"}, ("day", 14, "")),
        ({"days": "٣١", "source": "%s"}, ("day", 14, "")),
    ]:
        page = desk.get(PAGE, given)

        assert page.status_code == 200
        assert tuple(page.context[name] for name in ("by", "days", "source")) == shown
        assert "Nobody was invited" in words(page)


def test_the_funnel_takes_the_right_to_see_invites(client):
    UserFactory(username="carl", is_staff=True)
    client.post("/login", {"login": "carl", "password": PASSWORD})

    assert client.get(PAGE).status_code == 403
    assert client.get(f"{PAGE}{Invite().pk}/change/").status_code == 404


def report(**options):
    out = io.StringIO()
    call_command("invite_report", stdout=out, **options)
    return out.getvalue()


def test_desk_and_command_count_those_alone_who_were_invited_to_an_app(desk):
    assert 'name="app"' not in desk.get(PAGE).text
    AppFactory(pk="wiki1", name="Wiki")
    AppFactory(pk="grafana1")
    Invite.objects.issue("grace@example.com", source="admin", app_id="wiki1")
    for name in ("alan", "kim"):
        Invite.objects.issue(f"{name}@example.com", source="admin", app_id="grafana1")
    MagicLink.objects.issue("asks@example.com")
    assert people() == [4, 0, 0, 0, 0]

    assert [step.people for step in desk.get(PAGE, {"app": "grafana1"}).context["funnel"].steps] == [2, 0, 0, 0, 0]
    assert '<option value="grafana1" selected>Grafana</option>' in desk.get(PAGE, {"app": "grafana1"}).text
    assert desk.get(PAGE, {"app": "gone"}).context["funnel"].steps[0].people == 4
    told = json.loads(report(format="json", app="Wiki"))
    assert (told["app"], told["steps"][0]["people"]) == ("Wiki", 1)
    assert "Sign-up funnel since 2026-11-07, app Wiki" in report(app="wiki1", format="text").replace("wiki1", "Wiki")
    with pytest.raises(CommandError, match="There is no app called “Jira”"):
        report(app="Jira")


def test_the_command_reports_the_same_in_three_formats(mailbox):
    Invite.objects.issue("grace@example.com", source="admin")
    mailbox.letters()

    text = report()
    assert "Sign-up funnel since 2026-11-07" in text
    assert "Email handed over" in text
    assert "2026-11-20           1         1         0         0         0" in text
    told = json.loads(report(format="json", by="week", source="admin"))
    assert told["steps"][1] | {"median_seconds": 0} == {
        "step": "handed",
        "people": 1,
        "percent_of_all": 100,
        "percent_of_step_before": 100,
        "left": 0,
        "median_seconds": 0,
    }
    assert told["cohorts"] == [{"from": "2026-11-16", "asked": 1, "handed": 1, "opened": 0, "accepted": 0, "back": 0}]
    rows = list(csv.reader(io.StringIO(report(format="csv"))))
    assert rows == [["from", *count.STEPS], ["2026-11-20", "1", "1", "0", "0", "0"]]


def test_a_day_that_is_too_long_ago_or_invalid_is_a_usage_error():
    for since in ("2026-10-20", "2026-11-21"):
        with pytest.raises(CommandError, match="from 2026-10-21 to today") as error:
            call_command("invite_report", "--since", since)
        assert error.value.returncode == 2
    with pytest.raises(CommandError, match="is no day"):
        call_command("invite_report", "--since", "lately")
    call_command("invite_report", "--since", "2026-10-20", "--by", "week", stdout=io.StringIO())


def test_without_the_database_the_command_says_try_later(monkeypatch):
    def away(*_args):
        raise OperationalError("connection refused")

    monkeypatch.setattr(count, "count", away)
    with pytest.raises(CommandError, match="does not answer") as error:
        report()
    assert error.value.returncode == 4
