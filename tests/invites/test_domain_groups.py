"""Groups by domain: whoever joins is in them from the first moment, and none of them opens the desk."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import sentences
from accounts.models import Event, User
from invites import purposes
from kit import tokens
from outbox.models import OutboxEvent
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.google import Person
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def students(settings, announced):
    """The group of everybody at a university."""
    settings.DOMAIN_GROUPS = {"*.edu": ("Students",), "mit.edu": ("Engineers", "Nobody’s")}
    return Group.objects.create(name="Students")


def join(client, row):
    typed = {"token": tokens.sign(purposes.SIGNUP, row.pk), "username": "grace", "password": PASSWORD}
    assert client.post("/signup", typed).status_code == 302
    return User.objects.get(username="grace")


def groups_of(person):
    return sorted(person.groups.values_list("name", flat=True))


def test_whoever_proves_an_address_of_the_domain_joins_its_groups(client, students):
    Group.objects.create(name="Engineers")

    grace = join(client, LinkFactory(email="grace@mit.edu"))

    assert groups_of(grace) == ["Engineers", "Students"]
    assert OutboxEvent.objects.filter(name="user.created").latest("id").payload["groups"] == ["Engineers", "Students"]
    event = grace.events.get(kind=Event.Kind.RIGHTS_CHANGED)
    assert sentences.sentence(event) == "grace joined Engineers, Students"
    assert "Joined Engineers, Students" in words(client.get("/account"))


def test_nobody_else_joins_them(client, students):
    with CaptureQueriesContext(connection) as statements:
        grace = join(client, LinkFactory(email="grace@edu.example"))

    assert groups_of(grace) == []
    assert not grace.events.filter(kind=Event.Kind.RIGHTS_CHANGED).exists()
    assert not [query for query in statements.captured_queries if '"auth_group" WHERE name' in query["sql"]]


def test_an_account_that_is_there_already_stays_as_it_is(client, students):
    ada = UserFactory(email="ada@mit.edu")

    client.post("/confirm", {"token": tokens.sign(purposes.CONFIRM, LinkFactory(email=ada.email).pk)})

    assert groups_of(ada) == []


def test_the_groups_of_an_invitation_come_first_and_none_is_joined_twice(client, students, admin_user):
    invite = InviteFactory(email="grace@cs.mit.edu", invited_by=admin_user, groups=[students])

    grace = join(client, invite)

    assert groups_of(grace) == ["Students"]
    event = grace.events.get(kind=Event.Kind.RIGHTS_CHANGED)
    assert sentences.sentence(event) == f"grace joined Students, invited by {admin_user.username}"


def test_they_are_joined_beside_the_groups_of_an_invitation(client, students, admin_user):
    invite = InviteFactory(email="grace@cs.mit.edu", invited_by=admin_user, groups=[Group.objects.create(name="Choir")])

    grace = join(client, invite)

    assert groups_of(grace) == ["Choir", "Students"]
    assert OutboxEvent.objects.filter(name="user.created").latest("id").payload["groups"] == ["Choir", "Students"]
    said = [sentences.sentence(event) for event in grace.events.filter(kind=Event.Kind.RIGHTS_CHANGED).order_by("id")]
    assert said == [f"grace joined Choir, invited by {admin_user.username}", "grace joined Students"]


def test_a_group_that_grants_permissions_is_joined_by_no_mailbox(client, students):
    students.permissions.add(Permission.objects.get(codename="change_user"))

    assert groups_of(join(client, LinkFactory(email="grace@mit.edu"))) == []


def test_google_proves_an_address_as_well_as_a_mail(client, google, students):
    google.person = Person(sub="1", email="grace@mit.edu", hd="mit.edu")

    client.get(google.consent(client.post("/google").url), follow=True)

    assert groups_of(User.objects.get()) == ["Students"]


def test_the_first_owner_has_typed_an_address_and_proven_none(client, students):
    link = LinkFactory(email="grace@mit.edu", purpose="owner")
    typed = {"token": tokens.sign(purposes.OWNER, link.pk), "username": "grace", "password": PASSWORD}

    assert client.post("/owner", typed).status_code == 302
    assert groups_of(User.objects.get()) == []
