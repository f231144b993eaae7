"""Requests to join at the desk: the queue, and what becomes of those who are invited or declined."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import Event
from accounts.sentences import sentence
from invites.models import Entry, Invite, JoinRequest
from outbox.models import OutboxMessage
from sso.models import AccessRequest
from tests.tools.factories import PASSWORD, AppFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

QUEUE = "/admin/invites/joinrequest/"
KAY, ALAN, WIN = "kay@parc.example", "alan@bletchley.example", "win@prizes.example"


@pytest.fixture(autouse=True)
def by_request(settings):
    settings.SIGNUP = "request"


def asked(email=KAY, **said):
    return JoinRequest.objects.create(email=email, **said)


def staff(*codenames):
    """The browser of a member of staff with these permissions on invitations."""
    person = UserFactory(is_staff=True)
    rights = Permission.objects.filter(content_type__app_label="invites", codename__in=codenames)
    person.user_permissions.set(rights)
    browser = Client()
    browser.post("/login", {"login": person.username, "password": PASSWORD})
    return browser


def press(browser, **sent):
    return words(browser.post(QUEUE, sent, follow=True))


def kinds(email):
    return list(OutboxMessage.objects.filter(recipient=email).order_by("id").values_list("kind", flat=True))


def test_the_queue_shows_who_asks_and_what_speaks_for_them(desk):
    for n in range(2):
        UserFactory(email=f"person{n}@bletchley.example")
    UserFactory(email="other@bletchley.example.org")
    asked(ALAN, name="Alan Turing", words="I look after the dashboards in hut 8.", network="192.0.2.1")
    for n in range(3):
        asked(f"win{n}@prizes.example", words="hello dear friend", network="198.51.100.7")
    asked("grace@gmail.com")

    said = words(desk.get(QUEUE))

    assert "5 people have proved their address and wait for an answer." in said
    assert f"Alan Turing {ALAN} 2 people @bletchley.example are in" in said
    assert "“I look after the dashboards in hut 8.”" in said
    assert said.count("3 requests from this network today") == 3
    assert "@gmail.com are in" not in said


def test_the_queue_is_for_whoever_may_invite():
    asked()

    assert staff("view_invite").get(QUEUE).status_code == 403
    assert staff("view_invite").post(QUEUE, {"yes": "ticked"}).status_code == 403
    assert KAY in words(staff("add_invite").get(QUEUE))
    assert "Requests" in words(staff("add_invite").get("/admin/"))
    assert "Requests" not in words(staff("view_invite").get("/admin/"))


def test_the_home_counts_requests_and_says_since_when_they_wait(desk, ada):
    asked(proven_at=timezone.now() - timedelta(hours=3))
    asked(WIN)
    cache.clear()

    said = words(desk.get("/admin/"))

    assert "2 requests to join" in said
    assert "2 people ask to join The oldest has waited since" in said
    JoinRequest.objects.all().delete()
    cache.clear()
    assert "ask to join" not in words(desk.get("/admin/"))


def test_an_invited_one_gets_a_yes_and_comes_in(desk, mailbox, admin_user):
    row = asked(name="Kay", language="en")
    asked(WIN)

    said = press(desk, yes=row.pk)

    assert "1 invitation is on its way." in said
    row.refresh_from_db()
    assert row.state == JoinRequest.State.INVITED
    assert row.answered_by == row.invite.invited_by == admin_user
    assert mailbox.kinds(KAY) == ["request_yes"]
    assert "You asked to join Frontdoor on" in mailbox.text(KAY)
    form = {"token": mailbox.link(KAY, "/signup").partition("token=")[2], "username": "kay", "password": PASSWORD}
    assert Client().post("/signup", form).status_code == 302
    assert Invite.objects.get().accepted_by.name == "Kay"
    assert JoinRequest.objects.filter(email=WIN).waiting().exists()


def test_later_mails_of_the_invitation_are_the_usual_ones(desk):
    press(desk, yes=asked().pk)
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=False):
        Client().post("/", {"email": KAY})

    assert kinds(KAY) == ["request_yes", "invite"]


def test_a_declined_one_gets_a_no_with_the_line_and_can_be_invited_after_all(desk, mailbox, admin_user):
    row = asked(language="en")

    said = press(desk, no=row.pk, reason="We are full this year")

    assert "1 request was declined." in said
    assert "Invite after all" in said
    assert mailbox.kinds(KAY) == ["request_no"]
    assert "We are full this year" in mailbox.text(KAY)
    event = Event.objects.get(kind=Event.Kind.JOIN_DECLINED)
    assert sentence(event) == f"{admin_user.username} declined a request to join"

    assert "1 invitation is on its way." in press(desk, yes=row.pk)
    assert mailbox.kinds(KAY) == ["request_no", "request_yes"]
    assert "Invite after all" not in words(desk.get(QUEUE))


def test_after_a_week_a_declined_one_can_be_invited_no_more(desk, admin_user):
    row = asked()
    JoinRequest.objects.waiting().decline(admin_user)
    JoinRequest.objects.update(answered_at=timezone.now() - timedelta(days=7, minutes=1))

    assert "Invite after all" not in words(desk.get(QUEUE))
    assert "1 skipped: 1 answered already or taken back." in press(desk, yes=row.pk)
    assert not Invite.objects.exists()


def test_the_ticked_are_invited_into_groups_or_declined_together(desk):
    readers = Group.objects.create(name="Readers")
    rows = [asked(email) for email in (KAY, ALAN, WIN)]

    said = press(desk, yes="ticked", one=[rows[0].pk, rows[1].pk], groups=[readers.pk])

    assert "2 invitations are on their way." in said
    assert [list(invite.groups.all()) for invite in Invite.objects.all()] == [[readers], [readers]]
    assert "1 request was declined." in press(desk, no="ticked", one=[rows[2].pk])


def test_what_is_wrong_with_the_answer_is_said_and_the_ticks_are_kept(desk):
    row = asked()

    page = desk.post(QUEUE, {"no": "ticked", "one": row.pk, "reason": "see http://example.com"})

    assert "has a link in it" in words(page)
    assert f'value="{row.pk}" checked' in page.text
    assert row.pk in JoinRequest.objects.waiting().values_list("pk", flat=True)
    assert "Tick at least one request first. Nothing was changed." in press(desk, yes="ticked")


@pytest.mark.parametrize(
    "sent",
    [{}, {"yes": "x"}, {"no": "\0"}, {"yes": "ticked", "one": ["1", "ticked"]}, {"yes": "ticked", "groups": "x"}],
)
def test_nothing_that_is_sent_is_a_fault(desk, sent):
    asked()

    assert desk.post(QUEUE, sent).status_code in {200, 400}
    assert JoinRequest.objects.waiting().count() == 1


def test_what_is_gone_is_passed_over(desk):
    assert "1 skipped: 1 answered already or taken back." in press(desk, yes=uuid4())
    assert "1 skipped: 1 answered already or taken back." in press(desk, no=uuid4())


def test_who_is_paused_invites_nobody(admin_user, desk):
    row = asked()
    type(admin_user).objects.filter(pk=admin_user.pk).update(invites_paused_at=timezone.now())

    assert "Your invitations are paused" in press(desk, yes=row.pk)
    assert not Invite.objects.exists()


def test_groups_that_give_rights_are_for_superusers_who_prove_it(desk, mailbox):
    powerful = Group.objects.create(name="Operators")
    powerful.permissions.add(Permission.objects.first())
    other = UserFactory(is_superuser=True, is_staff=True)
    row = asked()

    page = staff("add_invite").post(QUEUE, {"yes": row.pk, "groups": powerful.pk})
    assert "isn’t yours to give" in words(page)
    with time_machine.travel(timezone.now() + timedelta(minutes=30), tick=False):
        assert "Is it still you?" in words(desk.post(QUEUE, {"yes": row.pk, "groups": powerful.pk}, follow=True))
    assert not Invite.objects.exists()
    press(desk, yes=row.pk, groups=powerful.pk)
    assert Invite.objects.get().groups.get() == powerful
    assert "power_used" in mailbox.kinds(other.email)


@pytest.mark.parametrize("way", ["one", "list"])
def test_an_invitation_sent_otherwise_answers_the_request(admin_user, way):
    row, other = asked(), asked(WIN)
    if way == "one":
        invite = Invite.objects.issue(KAY, source=Invite.Source.COMMAND, invited_by=admin_user)
    else:
        Invite.objects.issue_many([Entry(KAY)], source=Invite.Source.CSV, invited_by=admin_user)
        invite = Invite.objects.get()

    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.state, row.invite, row.answered_by) == (JoinRequest.State.INVITED, invite, admin_user)
    assert other.state == JoinRequest.State.WAITING
    assert kinds(KAY) == ["invite"]


def test_who_can_come_in_meanwhile_is_no_longer_in_the_queue(desk):
    row = asked()
    UserFactory(email=KAY)

    assert KAY not in words(desk.get(QUEUE))
    assert "1 skipped" in press(desk, yes=row.pk)


def test_the_queue_leads_to_requests_for_apps(desk, ada):
    app = AppFactory(name="Grafana", groups=[Group.objects.create(name="Editors")])
    AccessRequest.objects.ask(app, ada, "")

    page = desk.get(QUEUE)

    assert "Asking for an app" in words(page)
    assert f'href="/admin/sso/app/{app.pk}/change/"' in page.text
    assert "Asking for an app" not in words(staff("add_invite").get(QUEUE))


def test_the_queue_takes_as_many_statements_for_fifty_as_for_one(desk, django_assert_max_num_queries):
    for n in range(60):
        asked(f"person{n}@site{n}.example", network=f"192.0.2.{n}")

    with django_assert_max_num_queries(14):
        page = desk.get(QUEUE)

    assert page.text.count('name="one"') == 50
    assert "The others follow when these are answered." in words(page)
