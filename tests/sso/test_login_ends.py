"""The end of logins: their tokens are gone, and each app that wants to know has a call waiting."""

from datetime import timedelta

import factory
import pytest
from allauth.idp.oidc.models import Client, Token
from django.utils import timezone

from sso.models import App, Bound, Login, LogoutCall
from tests.tools.factories import UserFactory

pytestmark = pytest.mark.django_db

LOGOUT = "https://app.example/backchannel"


class AppFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = App

    client = factory.LazyFunction(lambda: Client.objects.create(name="Grafana"))
    start_url = "https://app.example/"
    everybody = True
    logout_uri = LOGOUT


def signed_in(person, app, handle="a", **fields):
    """Stores a login that was used, with a token, and returns it."""
    now = timezone.now()
    about = {"sub": str(person.pk), "sid": Login.sid_of(handle, app.pk), "epoch": person.session_epoch}
    login = Login.objects.create(
        app=app, person=person, handle=handle, **about | {"auth_time": now, "used_at": now} | fields
    )
    token = Token.objects.create(type=Token.Type.REFRESH_TOKEN, hash=f"h{login.pk}", client=app.client, user=person)
    Bound.objects.create(token=token, login=login)
    return login


def calls():
    return list(LogoutCall.objects.order_by("pk"))


def test_the_login_ends_with_its_tokens_and_the_app_is_called():
    ada, app = UserFactory(), AppFactory()
    login, other = signed_in(ada, app), signed_in(ada, app, "b")

    assert Login.objects.filter(pk=login.pk).end() == 1

    login.refresh_from_db()
    assert login.ended_at is not None
    assert list(Login.objects.open()) == [other]
    assert list(Token.objects.all()) == [other.bound.get().token]
    [call] = calls()
    assert (call.client_id, call.uri, call.sub, call.sid) == (app.pk, LOGOUT, str(ada.pk), login.sid)
    assert call.next_try_at <= timezone.now() < call.give_up_at
    assert (call.attempts, call.told_at, call.given_up_at, call.last_answer) == (0, None, None, "")


def test_an_app_without_the_address_or_in_which_the_code_was_never_spent_is_not_called():
    ada = UserFactory()
    signed_in(ada, AppFactory(logout_uri=""))
    signed_in(ada, AppFactory(), used_at=None)

    assert Login.objects.all().end() == 2
    assert calls() == []


def test_what_has_ended_ends_once():
    signed_in(UserFactory(), AppFactory(), ended_at=timezone.now() - timedelta(hours=1))

    assert Login.objects.all().end() == 0
    assert Login.objects.none().end() == 0
    assert calls() == []


def test_one_session_signed_in_again_and_again_is_one_call():
    ada, grace, app = UserFactory(), UserFactory(), AppFactory()
    for person, handle in [(ada, "a"), (ada, "a"), (ada, "b"), (grace, "c")]:
        signed_in(person, app, handle)

    assert Login.objects.alive().filter(app=app).exclude(pk=None).end() == 0  # no such sessions: none is alive
    assert Login.objects.open().end() == 4
    assert {(call.sub, call.sid) for call in calls()} == {
        (str(person.pk), Login.sid_of(handle, app.pk)) for person, handle in [(ada, "a"), (ada, "b"), (grace, "c")]
    }
    assert len(calls()) == 3
