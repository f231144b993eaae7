"""Codes and tokens are worth what the login is worth: with its end all end at once, and each way of ending counts."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import Session, User
from sso.models import App, Login
from sso.models.alive import OFFLINE_LASTS
from tests.sso.relying import Relying
from tests.tools.factories import PASSWORD, AppFactory

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "thimble ocelot visor plumage"


@pytest.fixture
def readers(db, ada):
    group = Group.objects.create(name="readers")
    ada.groups.add(group)
    return group


@pytest.fixture
def grafana(readers, signed_in):
    """An app that may have tokens beyond the session, for one group."""
    return Relying(AppFactory(everybody=False, groups=[readers], offline=True), signed_in)


def here(user, browser):
    browser.post("/logout/here")


def everywhere(user, browser):
    browser.post("/logout")


def not_me(user, browser):
    user.end_sessions()


def new_password(user, browser):
    form = {"password": PASSWORD, "chosen": NEW_PASSWORD}
    assert browser.post("/account/password", form).status_code == 302
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)


def turned_off(user, browser):
    user.turn_off()


def deleted(user, browser):
    User.objects.get(pk=user.pk).erase()


def twelve_hours(user, browser):
    Session.objects.update(expire_date=timezone.now())


def from_another_device(user, browser):
    Session.objects.end(Session.objects.get(user=user).handle)


def taken_out_of_the_group(user, browser):
    user.groups.clear()


def app_off(user, browser):
    Login.objects.get().app.__class__.objects.update(is_active=False)


def for_staff(user, browser):
    Login.objects.get().app.__class__.objects.update(staff_only=True)


def wants_a_code(user, browser):
    Login.objects.get().app.__class__.objects.update(second_factor=True)


ALWAYS = [
    everywhere,
    not_me,
    new_password,
    turned_off,
    deleted,
    taken_out_of_the_group,
    app_off,
    for_staff,
    wants_a_code,
]
ONLY_SESSION = [here, twelve_hours, from_another_device]
NORMAL, OFFLINE = ("openid", "email"), ("openid", "email", "offline_access")


def worth(grafana, tokens):
    """Returns what four doors say of the tokens."""
    return (
        grafana.userinfo(tokens["access_token"]).status_code,
        grafana.is_active(tokens["access_token"]),
        grafana.is_active(tokens["refresh_token"]),
        grafana.refresh(tokens["refresh_token"]).status_code,
    )


@pytest.mark.parametrize("end", [*ALWAYS, *ONLY_SESSION])
def test_tokens_end_with_the_session(grafana, ada, end):
    tokens = grafana.tokens(scopes=NORMAL)
    assert worth(grafana, tokens) == (200, True, True, 200)

    end(ada, grafana.browser)

    assert worth(grafana, tokens) == (401, False, False, 400)


@pytest.mark.parametrize("end", [*ALWAYS, *ONLY_SESSION])
def test_a_code_ends_with_the_session(grafana, ada, end):
    code = grafana.code(scopes=NORMAL)

    end(ada, grafana.browser)

    assert grafana.spend(code).status_code == 400


@pytest.mark.parametrize("end", ALWAYS)
def test_offline_tokens_end_as_well(grafana, ada, end):
    tokens = grafana.tokens(scopes=OFFLINE)

    end(ada, grafana.browser)

    assert worth(grafana, tokens) == (401, False, False, 400)


@pytest.mark.parametrize("end", ONLY_SESSION)
def test_offline_tokens_outlive_one_session(grafana, ada, end):
    tokens = grafana.tokens(scopes=OFFLINE)

    end(ada, grafana.browser)

    assert worth(grafana, tokens) == (200, True, True, 200)


def test_offline_tokens_last_thirty_days(grafana):
    tokens = grafana.tokens(scopes=OFFLINE)
    grafana.browser.post("/logout/here")

    Login.objects.update(made_at=timezone.now() - OFFLINE_LASTS + timedelta(minutes=1))
    assert grafana.is_active(tokens["refresh_token"])
    Login.objects.update(made_at=timezone.now() - OFFLINE_LASTS)

    assert worth(grafana, tokens) == (401, False, False, 400)


def test_an_app_that_may_not_has_no_tokens_beyond_the_session(grafana):
    before = grafana.tokens(scopes=OFFLINE)
    App.objects.update(offline=False)
    grafana.app.refresh_from_db()
    after = grafana.tokens(scopes=OFFLINE)
    assert all(grafana.is_active(tokens["refresh_token"]) for tokens in (before, after))

    grafana.browser.post("/logout/here")

    assert not any(grafana.is_active(tokens["refresh_token"]) for tokens in (before, after))


def test_one_of_two_browsers_signs_out_and_the_other_stays(grafana):
    phone = Client()
    phone.post("/login", {"login": "ada", "password": PASSWORD})
    on_phone = Relying(grafana.app, phone)
    here_tokens, phone_tokens = grafana.tokens(scopes=NORMAL), on_phone.tokens(scopes=NORMAL)
    first, second = (grafana.read(tokens["id_token"])["sid"] for tokens in (here_tokens, phone_tokens))
    assert first != second

    grafana.browser.post("/logout/here")

    assert worth(grafana, here_tokens) == (401, False, False, 400)
    assert worth(on_phone, phone_tokens) == (200, True, True, 200)


def test_a_session_under_a_new_key_goes_on(grafana):
    """The session's key changes when somebody proves who they are again; its handle, on which tokens hang, does not."""
    tokens = grafana.tokens(scopes=NORMAL)
    key = Session.objects.get().session_key

    answer = grafana.browser.post("/account/sessions/prolong", {"password": PASSWORD})

    assert urlsplit(answer.url).path
    assert Session.objects.get().session_key != key
    assert worth(grafana, tokens) == (200, True, True, 200)


def test_two_apps_cannot_compare_sessions(grafana):
    other = Relying(AppFactory(name="Wiki"), grafana.browser)

    sids = {app.read(app.tokens(scopes=NORMAL)["id_token"])["sid"] for app in (grafana, other)}

    assert len(sids) == 2
