"""Forward-auth with one rule for each app: /auth/verify?app=ID lets in whom the app lets in, and nobody else."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.session.notes import FACTOR
from tests.tools.factories import AppFactory

pytestmark = pytest.mark.django_db

VERIFY = "/auth/verify"


def ask(client, app, **headers):
    return client.get(VERIFY, {"app": app.pk}, headers=headers)


def group(name, *people):
    made = Group.objects.create(name=name)
    made.user_set.set(people)
    return made


def test_the_app_hears_of_its_own_groups_alone(signed_in, ada):
    editors, _other = group("Editors", ada), group("Board", ada)
    app = AppFactory(everybody=False, groups=[editors, group("Writers")])

    answer = ask(signed_in, app)

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["X-Auth-Groups"] == "Editors"
    assert answer["X-Auth-User-Id"] == str(ada.pk)
    assert signed_in.get(VERIFY)["X-Auth-Groups"] == "Board,Editors"


def test_the_header_is_there_for_who_is_in_no_group_too(signed_in):
    assert ask(signed_in, AppFactory())["X-Auth-Groups"] == ""


def test_who_has_no_access_gets_403_and_a_page_that_leads_to_the_one_here(signed_in):
    app = AppFactory(everybody=False, groups=[group("Editors")], name="Wiki & more")

    answer = ask(signed_in, app)

    assert answer.status_code == 403
    assert answer["Cache-Control"] == "no-store"
    assert "You have no access to Wiki &amp; more yet" in answer.text
    assert f'href="/apps/{app.pk}"' in answer.text
    assert "<form" not in answer.text
    assert not answer.cookies
    assert not [name for name in answer.headers if name.startswith("X-Auth")]


def test_the_page_is_in_the_language_of_the_person(signed_in, ada):
    ada.settings = {"language": "ru"}
    ada.save()

    assert '<html lang="ru"' in ask(signed_in, AppFactory(is_active=False)).text


@pytest.mark.parametrize("pk", ["nothing", "", "\0", "я", "x" * 3000])
def test_an_app_that_is_none_opens_to_nobody(signed_in, pk):
    answer = signed_in.get(VERIFY, {"app": pk})

    assert answer.status_code == 403
    assert "This app isn’t set up" in answer.text


def test_an_app_that_is_off_opens_to_nobody(signed_in):
    assert ask(signed_in, AppFactory(is_active=False)).status_code == 403


def test_an_app_for_staff_lets_in_staff_alone(signed_in, ada):
    app = AppFactory(staff_only=True)
    assert ask(signed_in, app).status_code == 403
    ada.is_staff = True
    ada.save()
    assert ask(signed_in, app).status_code == 204


def test_an_app_that_wants_a_code_wants_it_of_this_session(signed_in):
    app = AppFactory(second_factor=True)
    for factor, status in (("", 403), ("trusted_browser", 403), ("app", 204), ("recovery_code", 204)):
        session = signed_in.session
        session[FACTOR] = factor
        session.save()
        assert ask(signed_in, app).status_code == status


def test_a_group_counts_with_the_next_request(signed_in, ada):
    editors = group("Editors")
    app = AppFactory(everybody=False, groups=[editors])
    for change, status in ((ada.groups.add, 204), (ada.groups.remove, 403)):
        change(editors)
        assert ask(signed_in, app).status_code == status


def test_a_stranger_gets_401_or_is_led_to_sign_in_whatever_the_app(client):
    for app in (AppFactory().pk, "nothing"):
        assert client.get(VERIFY, {"app": app}).status_code == 401
        led = client.get(f"{VERIFY}?app={app}&sign-in", headers={"X-Forwarded-Uri": "/app/?app=other"})
        assert led.url == "/login?next=/app/%3Fapp%3Dother"


def test_what_the_visitor_asks_the_proxy_for_names_no_app(signed_in):
    closed, opened = AppFactory(everybody=False), AppFactory()
    claims = {"X-Forwarded-Uri": f"/app/?app={opened.pk}", "X-Original-URI": f"/?app={opened.pk}", "X-App": opened.pk}

    assert ask(signed_in, closed, **claims).status_code == 403


def test_two_apps_named_at_once_open_to_nobody(signed_in):
    """A proxy that adds the visitor's query to its own must not let the visitor choose whose rule counts."""
    closed, opened = AppFactory(everybody=False), AppFactory()

    for apps in ([closed.pk, opened.pk], [opened.pk, closed.pk], [opened.pk, opened.pk]):
        assert signed_in.get(VERIFY, {"app": apps}).status_code == 403


@pytest.mark.parametrize(
    "query", ["App={}", "app[]={}", "app%5B0%5D={}", "application={}", "sign-in&APP={}", "app={}&x"]
)
def test_a_rule_that_is_misspelt_opens_to_nobody_and_is_logged(signed_in, caplog, query):
    answer = signed_in.get(f"{VERIFY}?{query.format(AppFactory().pk)}")

    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("X-Auth")]
    assert "a proxy asks for no app that there is" in caplog.text


def test_an_answer_costs_two_statements(signed_in, ada):
    app = AppFactory(everybody=False, groups=[group("Editors", ada)])
    ask(signed_in, app)

    with CaptureQueriesContext(connection) as queries:
        assert ask(signed_in, app).status_code == 204

    assert len(queries) == 2
