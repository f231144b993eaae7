"""Codes and refresh tokens of apps, spent many times at once; and what one web process made, spent in another."""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import jwt
import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from embedded.folders import BASE_DIR
from sso import access, engine, keys
from sso.models import AccessRequest, App, Login, SigningKey
from tests.faults.test_lock_order import await_waiting
from tests.faults.test_races import at_once, nearly_at_once
from tests.sso.relying import TOKEN, VERIFIER, Relying, challenge
from tests.tools.factories import PASSWORD, AppFactory
from tests.tools.reading import words

pytestmark = pytest.mark.usefixtures("db")

S256 = {"code_challenge": challenge(), "code_challenge_method": "S256"}
JSON = "application/json"

# Another process, without Redis: it spends a code or asks who a token is for, and prints the answer.
OTHER = """
import json, sys, django
django.setup()
from django.test import Client
path, fields = json.loads(sys.argv[1])
answer = Client().post(path, fields)
print(json.dumps([answer.status_code, answer.json()]))
"""


@pytest.fixture
def grafana(ada):
    keys.forget()
    browser = Client()
    assert browser.post("/login", {"login": "ada", "password": PASSWORD}).status_code == 302
    yield Relying(AppFactory(), browser)
    keys.forget()


def statuses(answers):
    return sorted(answer.status_code for answer in answers)


def test_a_code_spent_eight_times_at_once_gives_tokens_once(grafana):
    keys.published()
    for _ in range(3):
        code = grafana.code()

        answers = at_once(lambda _n, code=code: grafana.spend(code), 8)

        assert statuses(answers) == [200] + [400] * 7
        # The others were replays, so nobody keeps what the one was given (RFC 6749 §4.1.2).
        (good,) = (answer for answer in answers if answer.status_code == 200)
        assert grafana.userinfo(good.json()["access_token"]).status_code == 401


def test_a_refresh_token_used_six_times_at_once_stays_one_family(grafana):
    first = grafana.tokens()

    answers = at_once(lambda _n: grafana.refresh(first["refresh_token"]), 6)

    assert statuses(answers) == [200] * 6
    families = {answer.json()["refresh_token"].partition(".")[0] for answer in answers}
    assert families == {first["refresh_token"].partition(".")[0]}
    assert Login.objects.count() == 1
    one, another = (answer.json()["refresh_token"] for answer in answers[:2])
    assert grafana.refresh(one).status_code == 200
    assert grafana.refresh(another).status_code == 400
    assert not any(grafana.is_active(answer.json()["access_token"]) for answer in answers)


def test_signing_out_everywhere_beats_a_refresh_that_comes_at_once(grafana, ada):
    for _ in range(10):
        tokens = grafana.tokens()

        answer, _out = nearly_at_once(lambda tokens=tokens: grafana.refresh(tokens["refresh_token"]), ada.end_sessions)

        if answer.status_code == 200:
            assert grafana.userinfo(answer.json()["access_token"]).status_code == 401
            assert grafana.refresh(answer.json()["refresh_token"]).status_code == 400
        grafana.browser.post("/login", {"login": "ada", "password": PASSWORD})


def test_leaving_the_group_beats_a_code_that_is_spent_at_once(grafana, ada):
    group = Group.objects.create(name="readers")
    grafana.app.groups.add(group)
    App.objects.update(everybody=False)
    for _ in range(10):
        ada.groups.add(group)
        code = grafana.code()

        answer, _left = nearly_at_once(lambda code=code: grafana.spend(code), ada.groups.clear)

        if answer.status_code == 200:
            assert grafana.userinfo(answer.json()["access_token"]).status_code == 401
            assert grafana.refresh(answer.json()["refresh_token"]).status_code == 400


@pytest.mark.parametrize(("gone", "status"), {"app": 400, "person": 302}.items())
def test_an_app_or_a_person_that_is_deleted_meanwhile_gets_no_code(grafana, ada, monkeypatch, gone, status):
    def deleted_first(user, client, query):
        grafana.app.delete_for_good() if gone == "app" else User.objects.get(pk=ada.pk).delete()
        return make_code(user, client, query)

    make_code = engine.make_code
    monkeypatch.setattr(engine, "make_code", deleted_first)
    fields = {"client_id": grafana.app.pk, "redirect_uri": grafana.redirect_uri, "response_type": "code"}

    page = grafana.browser.get("/identity/o/authorize", fields | {"scope": "openid", **S256})

    assert page.status_code == status
    if gone == "app":
        assert "We can’t lead you on to the app" in words(page)
    else:
        assert page["Location"].startswith("/login?")
    assert not Login.objects.exists()


@pytest.mark.parametrize("gone", ["app", "person"])
@pytest.mark.parametrize("door", ["/apps/{}/ask", "/api/v1/apps/{}/request"])
def test_an_app_or_a_person_that_is_deleted_while_access_is_asked_for(grafana, ada, monkeypatch, gone, door):
    def deleted_first(app, person, words, **trace):
        App.objects.get(pk=app.pk).delete_for_good() if gone == "app" else User.objects.get(pk=ada.pk).delete()
        return ask(app, person, words, **trace)

    ask = access.ask
    monkeypatch.setattr(access, "ask", deleted_first)
    grafana.app.groups.add(Group.objects.create(name="readers"))
    App.objects.update(everybody=False)
    path = door.format(grafana.app.pk)
    is_page = not path.startswith("/api")

    answer = grafana.browser.post(path, {} if is_page else "{}", **({} if is_page else {"content_type": JSON}))

    assert answer.status_code == (404 if gone == "app" else 302 if is_page else 401)
    assert not AccessRequest.objects.exists()


def test_a_key_that_takes_over_meanwhile_fails_nobody(grafana):
    old = grafana.tokens()["id_token"]

    def rotate():
        row = keys.rotate()
        SigningKey.objects.filter(pk=row.pk).update(signs_from=timezone.now())  # an hour later
        keys.forget()

    def sign_in():
        return [grafana.read(grafana.tokens()["id_token"])["preferred_username"] for _ in range(8)]

    _row, *read = at_once(lambda n: sign_in() if n else rotate(), 4)

    assert read == [["ada"] * 8] * 3
    new = grafana.tokens()["id_token"]
    assert jwt.get_unverified_header(new)["kid"] != jwt.get_unverified_header(old)["kid"]
    assert grafana.read(new)["sid"] == grafana.read(old)["sid"]


@pytest.mark.parametrize("asks", ["spend", "refresh"])
def test_whoever_asks_for_tokens_takes_the_person_before_the_login(grafana, ada, asks):
    """As whoever deletes the account does: else the two could wait for each other."""
    given = grafana.code() if asks == "spend" else grafana.tokens()["refresh_token"]

    def ask():
        try:
            return getattr(grafana, asks)(given)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=ada.pk)
            asked = pool.submit(ask)
            await_waiting()
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
            assert list(Login.objects.select_for_update())
        assert asked.result().status_code == 200


def test_two_processes_that_need_the_first_key_make_one(grafana, monkeypatch):
    met = threading.Barrier(4)
    monkeypatch.setattr(keys, "_read", slowly(keys._read, met))

    found = at_once(lambda _n: keys._read() or keys._make_first(), 4)

    assert SigningKey.objects.count() == 1
    assert len({some[0].kid for some in found}) == 1


def slowly(read, met):
    """Returns a reader that lets all threads look before any of them has made a key."""
    seen = threading.local()

    def look():
        rows = read()
        if not getattr(seen, "met", False):
            seen.met = True
            met.wait()
        return rows

    return look


def test_a_code_of_one_process_is_spent_in_another_while_redis_is_away(grafana, closed_port):
    keys.published()
    path = f"/{connection.settings_dict['NAME']}"
    environ = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=path).geturl(),
        "REDIS_URL": f"redis://{closed_port[0]}:{closed_port[1]}/0",
    }
    form = grafana.credentials() | {
        "grant_type": "authorization_code",
        "code": grafana.code(),
        "redirect_uri": grafana.redirect_uri,
        "code_verifier": VERIFIER,
    }

    said = subprocess.run(
        [sys.executable, "-c", OTHER, json.dumps([TOKEN, form])],
        cwd=BASE_DIR,
        env=environ,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    status, tokens = json.loads(said.splitlines()[-1])

    assert status == 200, tokens
    assert grafana.read(tokens["id_token"])["preferred_username"] == "ada"
    assert grafana.userinfo(tokens["access_token"]).status_code == 200


@pytest.mark.parametrize("where", ["closed_port", "black_hole"])
def test_with_redis_away_all_ends_at_once(request, grafana, move_redis, ada, where):
    tokens, code = grafana.tokens(), grafana.code()
    move_redis(request.getfixturevalue(where))
    assert grafana.userinfo(tokens["access_token"]).status_code == 200

    ada.end_sessions()

    assert grafana.userinfo(tokens["access_token"]).status_code == 401
    assert not grafana.is_active(tokens["refresh_token"])
    assert grafana.refresh(tokens["refresh_token"]).status_code == 400
    assert grafana.spend(code).status_code == 400
