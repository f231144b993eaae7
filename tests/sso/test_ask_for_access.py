"""Whoever an app does not let in may ask for it: staff invite them or decline, and the answer is mailed."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.sentences import sentence
from invites.models import Invite
from invites.models.queryset import Entry
from outbox.models import OutboxMessage
from sso.access import MOST_TOLD
from sso.models import AccessRequest
from sso.models.access_request import ANSWERED_KEPT, WAITING_KEPT
from tests.tools.factories import PASSWORD, AppFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

SAID = "We’ve asked for you. The answer comes by email."


@pytest.fixture
def editors(db):
    return Group.objects.create(name="Editors")


@pytest.fixture
def wiki(editors):
    return AppFactory(name="Wiki", groups=[editors])


def page_of(app):
    return f"/apps/{app.pk}"


def ask(browser, app, said=""):
    return browser.post(f"{page_of(app)}/ask", {"words": said})


def kinds():
    return sorted(OutboxMessage.objects.filter(kind__startswith="access").values_list("kind", "recipient"))


def at_desk(app):
    return f"/admin/sso/app/{app.pk}/change/"


def test_whoever_asks_reads_that_it_was_asked_and_superusers_are_mailed(signed_in, ada, wiki, desk):
    page = signed_in.get(page_of(wiki))
    assert "You have no access to Wiki yet" in words(page)
    assert f'action="{page_of(wiki)}/ask"' in page.text

    led = ask(signed_in, wiki, "For the handbook")

    assert (led.status_code, led.url) == (302, page_of(wiki))
    page = signed_in.get(page_of(wiki))
    assert (page.status_code, SAID in words(page)) == (403, True)
    assert "/ask" not in page.text
    assert [kind for kind, _recipient in kinds()] == ["access_asked"]
    said = words(desk.get(at_desk(wiki)))
    assert "Who asks for access" in said
    assert f"{ada.shown_name} {ada.email}" in said
    assert "For the handbook" in said


def test_asking_again_changes_nothing_and_mails_nobody(signed_in, wiki, desk):
    ask(signed_in, wiki, "One")
    ask(signed_in, wiki, "Two")

    assert AccessRequest.objects.get().words == "One"
    assert len(kinds()) == 1


def test_superusers_are_mailed_once_a_day_about_an_app(wiki, desk, signed_in):
    ask(signed_in, wiki)
    for hours, mails in ((1, 1), (25, 2)):
        with time_machine.travel(timezone.now() + timedelta(hours=hours)):
            other = UserFactory()
            browser = Client()
            browser.force_login(other)
            ask(browser, wiki)
            assert len(kinds()) == mails
    assert AccessRequest.objects.waiting().count() == 3


def test_no_more_superusers_are_mailed_than_whoever_asks_can_wait_for(signed_in, wiki):
    for _ in range(MOST_TOLD + 1):
        UserFactory(is_superuser=True)

    ask(signed_in, wiki)

    assert len(kinds()) == MOST_TOLD


@pytest.mark.parametrize("typed", ["see www.example.com", "x" * 201, "two\nlines"])
def test_a_line_that_mails_cannot_hold_is_answered_beside_its_field_and_kept(signed_in, wiki, typed):
    page = ask(signed_in, wiki, typed)

    assert page.status_code == 403
    assert 'aria-invalid="true"' in page.text
    assert typed.split("\n")[0] in page.text
    assert not AccessRequest.objects.exists()


NOTHING_TO_ASK = {
    "everybody": {},
    "turned off": {"is_active": False, "everybody": False},
    "for staff": {"everybody": False, "staff_only": True},
    "a second step": {"second_factor": True},
}


@pytest.mark.parametrize("fields", NOTHING_TO_ASK.values(), ids=NOTHING_TO_ASK)
def test_nobody_asks_for_what_no_group_would_give(signed_in, fields):
    app = AppFactory(**fields)

    page = signed_in.get(page_of(app)).text
    assert "/ask" not in page
    assert ("mailto:" in page.partition("<footer")[0]) == (fields.get("is_active") is False or "staff_only" in fields)
    assert ask(signed_in, app).url == page_of(app)
    assert not AccessRequest.objects.exists()


def test_there_must_be_such_an_app_and_somebody_who_asks(signed_in, wiki):
    for pk in ("none", "%00", "é"):
        assert signed_in.post(f"/apps/{pk}/ask").status_code == 404
    assert Client().post(f"{page_of(wiki)}/ask").url.startswith("/login?")
    assert signed_in.get(f"{page_of(wiki)}/ask").url == page_of(wiki)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in.cookies
    strict.post(f"{page_of(wiki)}/ask")
    assert not AccessRequest.objects.exists()


def test_a_group_is_the_answer_and_the_request_is_gone_from_the_desk(signed_in, ada, wiki, editors, desk):
    ask(signed_in, wiki)
    said = desk.get(at_desk(wiki))
    link = f"/admin/invites/batch/add/?app={wiki.pk}&amp;email={ada.email.replace('@', '%40')}"
    assert link in said.text
    form = desk.get(link.replace("&amp;", "&")).text
    assert ada.email in form

    ada.groups.add(editors)

    assert "Who asks for access" not in words(desk.get(at_desk(wiki)))
    assert signed_in.get(page_of(wiki)).status_code == 200


def decline(desk, app, pk):
    return desk.post(f"/admin/sso/app/{app.pk}/decline/", {"request": pk}, follow=True)


def test_a_no_is_mailed_and_stands_for_a_week(signed_in, ada, wiki, desk):
    ask(signed_in, wiki, "Please")
    row = AccessRequest.objects.get()

    assert "is told by email." in words(decline(desk, wiki, row.pk))
    assert "Somebody has answered that already" in words(decline(desk, wiki, row.pk))

    assert ("access_declined", ada.email) in kinds()
    assert len(kinds()) == 2
    assert "Who asks for access" not in words(desk.get(at_desk(wiki)))
    ask(signed_in, wiki)
    assert SAID in words(signed_in.get(page_of(wiki)))  # as if it still waited
    assert AccessRequest.objects.waiting().count() == 0
    with time_machine.travel(timezone.now() + ANSWERED_KEPT):
        later = Client()
        later.force_login(ada)
        ask(later, wiki, "Again")
        assert AccessRequest.objects.waiting().get().words == "Again"


def test_whoever_came_in_meanwhile_is_told_no_no(signed_in, ada, wiki, editors, desk):
    ask(signed_in, wiki)
    row = AccessRequest.objects.get()
    ada.groups.add(editors)  # while the page with "Decline" is open

    assert "Somebody has answered that already" in words(decline(desk, wiki, row.pk))

    assert [kind for kind, _recipient in kinds()] == ["access_asked"]


def test_an_invitation_is_the_answer_and_nobody_is_asked_for_another(signed_in, ada, wiki, editors, desk):
    kim = UserFactory()
    for person in (ada, kim):
        AccessRequest.objects.ask(wiki, person, "")
    AccessRequest.objects.ask(AppFactory(everybody=False, groups=[editors]), ada, "")
    led = {"app": wiki.pk, "groups": (editors.pk,)}
    entries = [Entry(email=ada.email, **led), Entry(email="new@example.com", **led)]

    Invite.objects.issue_many(entries, source=Invite.Source.ADMIN)

    waiting = AccessRequest.objects.waiting()
    assert {(row.app == wiki, row.person) for row in waiting} == {(True, kim), (False, ada)}
    assert SAID in words(signed_in.get(page_of(wiki)))
    with time_machine.travel(timezone.now() + ANSWERED_KEPT):
        assert AccessRequest.objects.ask(wiki, ada, "The mail is lost")


def test_nobody_waits_for_what_has_become_for_staff(signed_in, wiki):
    ask(signed_in, wiki)
    type(wiki).objects.update(staff_only=True)

    assert not AccessRequest.objects.waiting().exists()


def test_both_are_in_the_history_of_whoever_asked(signed_in, ada, wiki, desk):
    ask(signed_in, wiki)
    ask(signed_in, wiki)
    decline(desk, wiki, AccessRequest.objects.get().pk)

    asked, declined = ada.events.filter(kind__startswith="app").order_by("id")

    assert sentence(asked) == "ada asked for access to Wiki"
    assert asked.ip
    assert sentence(declined) == "olga declined access to Wiki to ada"


@pytest.mark.parametrize("sent", ["", "x", "-1", "9" * 30, "\u0661", "1\x00"])
def test_what_is_no_request_is_declined_by_nobody(desk, wiki, sent):
    page = decline(desk, wiki, sent)

    assert page.status_code in {200, 400}
    assert kinds() == []


def test_a_request_of_another_app_is_not_declined_here(signed_in, wiki, editors, desk):
    other = AppFactory(groups=[editors])
    ask(signed_in, wiki)

    decline(desk, other, AccessRequest.objects.get().pk)

    assert AccessRequest.objects.waiting().count() == 1


def test_staff_who_may_only_look_decline_nothing(signed_in, wiki):
    ask(signed_in, wiki)
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename="view_app"))
    staff = Client()
    staff.post("/login", {"login": person.username, "password": PASSWORD})

    page = staff.get(at_desk(wiki))

    assert "Who asks for access" in words(page)
    assert "/decline/" not in page.text
    assert "/batch/add/" not in page.text
    assert staff.post(f"/admin/sso/app/{wiki.pk}/decline/", {"request": "1"}).status_code == 403


def test_the_home_of_the_desk_says_how_many_ask(signed_in, wiki, desk):
    ask(signed_in, wiki)

    said = desk.get("/admin/")

    assert "1 person asks for access to an app" in words(said)
    assert at_desk(wiki) in said.text


def test_programs_ask_by_a_json_door(signed_in, wiki, desk):
    path = f"/api/v1/apps/{wiki.pk}/request"

    answer = signed_in.post(path, json.dumps({"words": "For the handbook"}), "application/json")

    assert (answer.status_code, answer.json()) == (200, {"message": SAID})
    assert signed_in.post(path, "{}", "application/json").json() == {"message": SAID}
    assert AccessRequest.objects.get().words == "For the handbook"
    bad = signed_in.post(path, json.dumps({"words": "www.example.com"}), "application/json")
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (400, "words")
    assert signed_in.post(f"/api/v1/apps/{AppFactory().pk}/request", "{}", "application/json").status_code == 404
    assert Client().post(path, "{}", "application/json").status_code == 401


def test_the_export_has_it_and_deletion_and_prune_take_it(signed_in, ada, wiki, capsys):
    ask(signed_in, wiki, "Please")
    declined = AccessRequest.objects.create(app=AppFactory(), person=ada, answered_at=timezone.now() - ANSWERED_KEPT)
    old = timezone.now() - WAITING_KEPT
    AccessRequest.objects.create(app=AppFactory(), person=ada, asked_at=old)
    AccessRequest.objects.create(app=AppFactory(), person=ada, answered_at=timezone.now())

    call_command("export_user", "ada")
    rows = json.loads(capsys.readouterr().out)["app_requests"]
    assert [row["words"] for row in rows if row["name"] == "Wiki"] == ["Please"]

    call_command("prune", "--format", "json")
    assert json.loads(capsys.readouterr().out)["app_requests"] == 2
    assert not AccessRequest.objects.filter(pk=declined.pk).exists()
    assert AccessRequest.objects.count() == 2

    ada.delete()
    assert not AccessRequest.objects.exists()
