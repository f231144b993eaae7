"""The end of logins: with the sessions they came from, their tokens are gone, and each app has a call waiting."""

from datetime import timedelta

import pytest
import time_machine
from allauth.idp.oidc.models import Token
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from accounts.models.session import stored_key
from sso.back_channel.sweep import end_dead_logins
from sso.models import Login, LogoutCall
from tests.sso.logins import LOGOUT, AppFactory, signed_in
from tests.tools.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

NEW = "another horse battery staple"


def calls():
    return list(LogoutCall.objects.order_by("pk"))


def test_the_login_ends_with_its_tokens_and_the_app_is_called(ada):
    app = AppFactory()
    login, other = signed_in(ada, app), signed_in(ada, app, "b")

    assert Login.objects.filter(pk=login.pk).end() == 1

    login.refresh_from_db()
    assert login.ended_at is not None
    assert list(Login.objects.open()) == [other]
    assert list(Token.objects.all()) == [other.bound.get().token]
    [call] = calls()
    assert (call.client_id, call.uri, call.sub, call.sid) == (app.pk, LOGOUT, str(ada.pk), login.sid)
    assert call.next_try_at <= timezone.now() < call.give_up_at
    assert (call.status, call.attempts, call.last_answer) == ("queued", 0, "")


def test_an_app_without_the_address_or_in_which_the_code_was_never_spent_is_not_called(ada):
    signed_in(ada, AppFactory(logout_uri=""))
    signed_in(ada, AppFactory(), used_at=None)

    assert Login.objects.all().end() == 2
    assert calls() == []


def test_what_has_ended_ends_once(ada):
    signed_in(ada, AppFactory(), ended_at=timezone.now() - timedelta(hours=1))

    assert Login.objects.all().end() == Login.objects.none().end() == 0
    assert calls() == []


def test_one_session_signed_in_again_and_again_is_one_call(ada):
    grace, app = UserFactory(), AppFactory()
    for person, handle in [(ada, "a"), (ada, "a"), (ada, "b"), (grace, "c")]:
        signed_in(person, app, handle)

    assert Login.objects.all().end() == 4
    assert sorted((call.sub, call.sid) for call in calls()) == sorted(
        (str(person.pk), Login.sid_of(handle, app.pk)) for person, handle in [(ada, "a"), (ada, "b"), (grace, "c")]
    )


# With sessions


def sign_in(name="ada"):
    client = Client()
    assert client.post("/login", {"login": name, "password": PASSWORD}).status_code == 302
    return client


def handle(client):
    return Session.objects.get(session_key=stored_key(client.cookies["frontdoor_session"].value)).handle


ONE = {
    "sign out here": lambda here, _handle: here.post("/logout/here"),
    "the button of the page": lambda here, handle: here.post("/account/sessions/end", {"session": handle}),
    "a program": lambda here, handle: here.delete(f"/api/v1/auth/sessions/{handle}"),
    "staff": lambda _here, handle: Session.objects.end(handle, by="staff"),
}
ALL = {
    "sign out everywhere": lambda here: here.post("/logout"),
    "a new password": lambda here: here.post("/account/password", {"password": PASSWORD, "chosen": NEW}),
    "deleted": lambda here: here.post("/account/delete", {"when": "now", "password": PASSWORD}),
    "deleted at the desk": lambda _here: User.objects.filter(username="ada").delete(),
    "turned off": lambda _here: User.objects.get(username="ada").turn_off(),
    "signed out by staff": lambda _here: User.objects.filter(username="ada").sign_out(by="staff"),
    "by a command": lambda _here: User.objects.filter(username="ada").end_sessions(),
}


@pytest.mark.parametrize("end", ONE.values(), ids=ONE)
def test_one_session_takes_its_own_logins_along(ada, end):
    there, here = sign_in(), sign_in()
    grafana, gitea = AppFactory(), AppFactory()
    mine = [signed_in(ada, app, handle(here)) for app in (grafana, gitea)]
    stays = [
        signed_in(ada, grafana, handle(there)),
        signed_in(ada, grafana, handle(here), offline=True),
        signed_in(UserFactory(), grafana, handle(here)),  # no session of theirs
    ]

    end(here, handle(here))

    assert list(Login.objects.open().order_by("pk")) == stays
    assert {call.sid for call in calls()} == {login.sid for login in mine}
    assert len(calls()) == 2


@pytest.mark.parametrize("end", ALL.values(), ids=ALL)
def test_all_sessions_take_all_logins_along_also_those_that_outlive_a_session(ada, end):
    grace, app, pk = UserFactory(), AppFactory(), str(ada.pk)
    here = sign_in()
    signed_in(ada, app, handle(here))
    signed_in(ada, app, "gone", offline=True)
    other = signed_in(grace, app)

    end(here)

    assert list(Login.objects.open()) == [other]
    assert list(Token.objects.all()) == [other.bound.get().token]
    assert [call.sub for call in calls()] == [pk, pk]


@pytest.mark.parametrize("end", [ALL["deleted"], ALL["deleted at the desk"]], ids=["deleted", "at the desk"])
def test_of_whoever_is_deleted_no_login_stays(ada, end):
    """What their apps must still be told stands in the calls, until it is told."""
    here, app = sign_in(), AppFactory()
    signed_in(ada, app, handle(here))
    signed_in(ada, app, "long ago", ended_at=timezone.now())
    other = signed_in(UserFactory(), app)

    end(here)

    assert list(Login.objects.all()) == [other]
    assert len(calls()) == 1


def test_each_of_many_people_signs_out(ada):
    grace, app = UserFactory(), AppFactory()
    for person in (ada, grace):
        signed_in(person, app)

    User.objects.filter(pk__in=[ada.pk, grace.pk]).end_sessions()

    assert {call.sub for call in calls()} == {str(ada.pk), str(grace.pk)}


# By themselves


def alive(person, app, **fields):
    """Stores a login in a session that goes on."""
    return signed_in(person, app, handle(sign_in(person.username)), **fields)


@pytest.fixture
def app():
    return AppFactory(offline=True)


def test_the_sweep_leaves_alone_what_is_alive(ada, app):
    alive(ada, app)
    signed_in(ada, app, "gone", offline=True)

    assert end_dead_logins() == 0
    assert calls() == []


def out_of_the_group(ada, app):
    group = Group.objects.create(name="admins")
    app.groups.add(group)
    ada.groups.add(group)
    type(app).objects.update(everybody=False)
    assert end_dead_logins() == 0
    ada.groups.clear()


ALONE = {
    "twelve hours": lambda ada, _app: ada.sessions.update(expire_date=timezone.now()),
    "a session that is gone": lambda ada, _app: ada.sessions.all().delete(),
    "out of the group": out_of_the_group,
    "no staff any more": lambda _ada, app: type(app).objects.update(staff_only=True),
    "the app turned off": lambda _ada, app: type(app).objects.update(is_active=False),
    "two steps wanted": lambda _ada, app: type(app).objects.update(second_factor=True),
    "an epoch that moved on by itself": lambda _ada, _app: User.objects.update(session_epoch=7),
    "turned off in the database": lambda _ada, _app: User.objects.update(is_active=False),
}


@pytest.mark.parametrize("happen", ALONE.values(), ids=ALONE)
def test_the_sweep_ends_what_has_died_by_itself_and_has_the_app_told(ada, app, happen):
    login = alive(ada, app)

    happen(ada, app)

    assert end_dead_logins() == 1
    assert [call.sid for call in calls()] == [login.sid]
    assert end_dead_logins() == 0


def test_an_offline_login_lasts_no_longer_than_its_app_may_have_one(ada, app):
    login = signed_in(ada, app, offline=True)
    goes_on = alive(ada, app, offline=True)
    token = {"kind": Token.Type.REFRESH_TOKEN, "hashed": f"h{login.pk}"}
    assert Login.objects.by_token(**token).alive().exists()

    type(app).objects.update(offline=False)

    assert not Login.objects.by_token(**token).alive().exists()
    assert end_dead_logins() == 1
    assert Login.objects.open().get() == goes_on


def test_an_offline_login_lasts_thirty_days(ada, app):
    signed_in(ada, app, offline=True)

    with time_machine.travel(timezone.now() + timedelta(days=29)):
        assert end_dead_logins() == 0
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert end_dead_logins() == 1
    assert len(calls()) == 1


def test_the_sweep_asks_of_each_login_and_lists_none(ada, app):
    alive(ada, app)

    plan = Login.objects.dead().explain()

    assert "SubPlan" in plan
    assert "hashed" not in plan
