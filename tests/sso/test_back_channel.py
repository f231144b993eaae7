"""Apps are told that somebody has signed out: what they are sent, how often, and what keeps us from it."""

import re
from datetime import timedelta
from ipaddress import ip_network
from urllib.parse import parse_qs

import jwt
import pytest
import time_machine
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone, translation
from django.utils.http import http_date

from kit import encryption
from outbox.models.retry_times import GIVE_UP_AFTER
from sso import keys
from sso.back_channel import caller, in_words
from sso.back_channel.caller import Caller
from sso.models import App, Login, LogoutCall, SigningKey
from tests.sso.logins import AppFactory, signed_in
from tests.tools import receiver as receivers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def loopback(settings):
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def receiver(monkeypatch):
    monkeypatch.setattr("sso.back_channel.caller.SLOW", timedelta(minutes=1))  # the machine may be busy
    with receivers.Receiver().listening() as receiver:
        yield receiver


@pytest.fixture
def call(ada, receiver):
    """The call for Ada's login, which has ended."""
    return call_for(ada, receiver.url("/logout"))


def call_for(person, url, **fields):
    login = signed_in(person, AppFactory(logout_uri=url), **fields)
    Login.objects.filter(pk=login.pk).end()
    return LogoutCall.objects.latest("pk")


def tell():
    """Makes all calls that are due, as a worker that has just been started."""
    Caller().finish()


def later(**difference):
    return time_machine.travel(timezone.now() + timedelta(**difference))


def token(told):
    [value] = parse_qs(told.body.decode(), strict_parsing=True)["logout_token"]
    return value


def read(told):
    """Returns what a token says, unchecked."""
    return jwt.decode(token(told), options={"verify_signature": False})


# What an app is sent


def test_each_claim_of_the_token(ada, call, receiver, settings):
    sid, sub = call.sid, call.sub
    with time_machine.travel(timezone.now(), tick=False):
        now = int(timezone.now().timestamp())
        call_command("deliver_webhooks", "--once")

    [told] = receiver.told
    assert told.path == "/logout"
    assert told.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "testserver" in told.headers["user-agent"]
    said = read(told)
    assert said.pop("jti")
    assert said == {
        "iss": settings.SITE_URL,
        "aud": call.client_id,
        "iat": now,
        "exp": now + 120,
        "sub": sub,
        "sid": sid,
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    assert (sub, sid) == (str(ada.pk), Login.sid_of("a", call.client_id))
    assert jwt.get_unverified_header(token(told))["typ"] == "logout+jwt"
    call.refresh_from_db()
    assert (call.status, call.attempts, call.last_answer) == ("told", 1, "200 OK")


def test_once_it_is_told_the_call_names_nobody(call):
    tell()

    call.refresh_from_db()
    assert (call.sub, call.sid) == ("", "")


# What it answers


@pytest.mark.parametrize("status", [200, 204])
def test_a_good_answer_ends_it(call, receiver, status):
    receiver.status = status

    tell()
    with later(days=1):
        tell()

    assert len(receiver.told) == 1
    assert LogoutCall.objects.get().status == "told"


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_a_refusal_ends_it_too(call, receiver, status):
    receiver.status = status

    tell()
    with later(days=1):
        tell()

    assert len(receiver.told) == 1
    call = LogoutCall.objects.get()
    assert (call.status, call.attempts, call.last_answer[:3], call.sub) == ("refused", 1, str(status), "")


@pytest.mark.parametrize("status", [302, 408, 429, 500, 503])
def test_what_may_heal_is_tried_again_with_a_new_token(call, receiver, status):
    receiver.status = status

    tell()
    call.refresh_from_db()
    assert (call.status, call.attempts, call.last_answer[:3]) == ("tried", 1, str(status))
    tell()
    receiver.status = 200
    with later(seconds=15):
        tell()

    first, second = (read(told) for told in receiver.told)
    assert first["jti"] != second["jti"]
    assert first["exp"] < second["exp"]
    assert (first["sub"], first["sid"]) == (second["sub"], second["sid"])
    assert LogoutCall.objects.get().status == "told"


def test_an_app_that_is_down_is_told_when_it_is_back(ada, closed_port):
    host, port = closed_port
    call = call_for(ada, f"http://{host}:{port}/logout")

    tell()

    call.refresh_from_db()
    assert (call.status, call.last_answer.startswith("ConnectionRefusedError")) == ("tried", True)
    assert call.next_try_at > timezone.now()
    with receivers.Receiver().listening() as receiver:
        LogoutCall.objects.update(uri=receiver.url())
        with later(seconds=15):
            tell()
        assert len(receiver.told) == 1


def test_an_app_may_ask_for_more_time(call, receiver):
    receiver.status, receiver.headers = 429, {"Retry-After": http_date(timezone.now().timestamp() + 3600)}

    tell()
    with later(minutes=50):
        tell()
    assert len(receiver.told) == 1
    receiver.status = 200
    with later(minutes=61):
        tell()
    assert len(receiver.told) == 2


def test_after_three_days_the_call_is_given_up(call, receiver):
    receiver.status = 500
    with later(days=2, hours=23):
        tell()
    assert LogoutCall.objects.get().status == "tried"

    with time_machine.travel(timezone.now() + GIVE_UP_AFTER + timedelta(minutes=1)):
        Caller()._call_next("")

    call = LogoutCall.objects.get()
    assert (call.status, call.attempts, call.sub) == ("given_up", 2, "")


def test_a_call_that_was_never_its_turn_is_given_up_in_time(call, receiver, monkeypatch):
    monkeypatch.setattr(Caller, "_call_next", lambda *_: False)

    with time_machine.travel(timezone.now() + GIVE_UP_AFTER + timedelta(minutes=1)):
        tell()

    call = LogoutCall.objects.get()
    assert (call.status, call.attempts, call.sub, receiver.told) == ("given_up", 0, "", [])


# Where an app may live


def test_a_private_address_is_called_only_if_the_operator_allows_its_network(ada, call, receiver, settings):
    settings.WEBHOOKS_ALLOWED_NETWORKS = []

    tell()

    call.refresh_from_db()
    assert receiver.told == []
    assert call.status == "tried"
    assert call.last_answer == (
        "127.0.0.1 is at 127.0.0.1, which is not a public address. Only the operator can allow it."
    )


# Many apps


def test_a_dead_app_holds_up_no_other(ada, receiver, closed_port, monkeypatch):
    host, port = closed_port
    dead, listens = AppFactory(logout_uri=f"http://{host}:{port}/"), AppFactory(logout_uri=receiver.url())
    for handle in "abc":
        signed_in(ada, dead, handle)
        signed_in(ada, listens, handle)
    Login.objects.all().end()
    worker = Caller()

    worker.finish()

    assert len(receiver.told) == 3
    assert sorted(call.attempts for call in LogoutCall.objects.filter(client_id=dead.pk)) == [0, 0, 1]
    worker.paused.clear()
    worker.finish()
    assert sorted(call.attempts for call in LogoutCall.objects.filter(client_id=dead.pk)) == [0, 1, 1]


def test_a_slow_app_is_left_alone_for_a_while(ada, receiver, monkeypatch):
    monkeypatch.setattr("sso.back_channel.caller.SLOW", timedelta())
    app = AppFactory(logout_uri=receiver.url())
    for handle in "ab":
        signed_in(ada, app, handle)
    Login.objects.all().end()

    monkeypatch.setattr("sso.back_channel.caller.REST", 1_000_000)
    tell()

    assert len(receiver.told) == 1
    assert {call.status for call in LogoutCall.objects.all()} == {"told", "queued"}


def test_apps_take_turns(ada, receiver):
    apps = sorted((AppFactory(logout_uri=receiver.url()) for _ in range(3)), key=lambda app: app.pk)
    for app in apps:
        for handle in "ab":
            signed_in(ada, app, handle)
    Login.objects.all().end()

    tell()

    assert [read(told)["aud"] for told in receiver.told] == [app.pk for app in apps] * 2


def test_a_call_during_which_the_database_is_lost_counts_as_a_try(call, monkeypatch):
    def lose(*_):
        raise OperationalError("gone")

    monkeypatch.setattr(LogoutCall, "mark_told", lose)
    put_off = []
    monkeypatch.setattr(caller, "put_off", put_off.append)

    with pytest.raises(OperationalError):
        tell()

    assert list(put_off[0]) == [call]


def test_a_first_key_outlives_the_call_that_needed_it(call, monkeypatch):
    """Its transaction may fail, and what was signed with the key has been sent."""

    def lose(_row):
        keys.signing()
        raise OperationalError("gone")

    monkeypatch.setattr(caller, "tell", lose)
    monkeypatch.setattr(caller, "put_off", lambda _rows: None)
    with pytest.raises(OperationalError):
        Caller().next()

    assert encryption.decrypt(SigningKey.objects.get().pem) == keys.signing().pem


# The sweep


def test_the_worker_looks_each_minute_for_logins_that_have_died(ada, receiver, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("sso.back_channel.caller.time.monotonic", lambda: clock[0])
    worker = Caller()
    worker.finish()
    signed_in(ada, AppFactory(logout_uri=receiver.url()))  # from a session that is over

    clock[0] += 59
    worker.finish()
    assert receiver.told == []
    clock[0] += 2
    worker.finish()
    assert len(receiver.told) == 1


# What staff read


def test_the_last_call_of_each_app(ada, django_assert_num_queries):
    called, other, never, unasked = apps = [AppFactory() for _ in range(4)]
    calls = [LogoutCall.objects.create(client_id=app.pk) for app in (called, called, other, unasked, called)]

    with django_assert_num_queries(1):
        App.objects.find_last_calls(apps[:3])

    assert [app.last_call for app in (called, other, never)] == [calls[4], calls[2], None]


PRIVATE = "wiki.lan is at 10.1.2.3, which is not a public address. Only the operator can allow it."


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (PRIVATE, "WEBHOOKS_ALLOWED_NETWORKS=10.1.2.0/24"),
        (PRIVATE.replace("10.1.2.3", "fd00:1:2:3::4"), "WEBHOOKS_ALLOWED_NETWORKS=fd00:1:2:3::/64"),
        ("ConnectionRefusedError: [Errno 111] Connection refused", "it does not answer"),
        ("RemoteDisconnected: Remote end closed connection", "it does not answer"),
        ("SSLCertVerificationError: self-signed", "its certificate is not valid"),
        ("302 Found", "it sends us to another address"),
        ("404 Not Found", "there is nothing at this address"),
        ("400 <b>Bad</b> Request", "400 <b>Bad</b> Request"),
    ],
)
def test_what_stands_in_the_way_is_said_in_words(answer, says):
    assert says in in_words.why(answer)


@pytest.mark.parametrize(
    ("host", "says"),
    [("10.1.2.3", "WEBHOOKS_ALLOWED_NETWORKS=10.1.2.0/24"), ("nowhere.invalid", "no server has this name")],
)
def test_what_our_own_checks_refuse_is_said_in_words_whatever_the_language_of_the_worker(ada, host, says):
    call = call_for(ada, f"https://{host}/out")

    with translation.override("ru"):
        tell()

    call.refresh_from_db()
    assert says in in_words.why(call.last_answer)


def test_what_became_of_a_call_is_said_in_words(ada, receiver):
    call = call_for(ada, receiver.url())
    assert in_words.outcome(call) == "waiting"

    receiver.status = 500
    tell()
    call.refresh_from_db()
    assert in_words.outcome(call).startswith("tried once: 500 Internal Server Error · next try: <time ")

    receiver.status = 200
    with later(seconds=15):
        tell()
    call.refresh_from_db()
    assert re.fullmatch(r"told <time .*</time>, at try 2", in_words.outcome(call))

    refused = call_for(ada, receiver.url(), handle="b")
    refused.give_up("400 <b>Bad</b> Request")
    assert in_words.outcome(refused) == "Refused: 400 &lt;b&gt;Bad&lt;/b&gt; Request"
    refused.give_up_at = refused.given_up_at
    assert in_words.outcome(refused) == "Given up after 1 try: 400 &lt;b&gt;Bad&lt;/b&gt; Request"
