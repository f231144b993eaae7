"""What people see of their apps: on the start page, on the account page, in JSON, and in the export of their data."""

import json
import re
from datetime import timedelta
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import Event
from kit import plain_page
from sso.models import Consent, Login, LogoutCall
from tests.tools.factories import PASSWORD, AppFactory, UserFactory

pytestmark = pytest.mark.django_db

APPS, DISCONNECT = "/api/v1/apps", "/account/apps/disconnect"


@pytest.fixture(autouse=True)
def forget():
    plain_page.forget()
    yield
    plain_page.forget()


def login(person, app, **fields):
    """Returns a login of a person in an app, whose code was used."""
    now = timezone.now()
    of_person = {"person": person, "handle": "h", "epoch": person.session_epoch}
    known = {"auth_time": now, "used_at": now, "scopes": ["openid", "email"], "sid": "s"}
    return Login.objects.create(app=app, **of_person | known | fields)


def tiles(page):
    return re.findall(r'<li><a href="(/apps/\w+)">.*?<b>(.*?)</b>', page.text)


def test_the_activity_of_the_account_names_the_apps(signed_in, ada):
    for kind in (Event.Kind.APP_AGREED, Event.Kind.APP_SIGNED_IN, Event.Kind.APP_DISCONNECTED):
        Event.objects.record(kind, ada, app="Wiki & more")
    Event.objects.record(Event.Kind.APP_SIGNED_IN, ada)

    page = signed_in.get("/account").text

    assert "Let an app learn who this is: Wiki &amp; more<" in page
    assert "Signed in to an app: Wiki &amp; more<" in page
    assert "Disconnected an app: Wiki &amp; more<" in page
    assert "Signed in to an app<" in page


# The start page


def test_it_shows_the_apps_that_let_the_person_in_by_name(signed_in, ada):
    editors = Group.objects.create(name="Editors")
    ada.groups.add(editors)
    wiki, grafana = AppFactory(name="Wiki & more", everybody=False, groups=[editors]), AppFactory(name="Grafana")
    AppFactory(name="Closed", everybody=False)
    AppFactory(name="Off", is_active=False)
    AppFactory(name="Staff", staff_only=True)
    login(ada, grafana)
    login(UserFactory(), wiki)

    page = signed_in.get("/")

    assert tiles(page) == [(f"/apps/{grafana.pk}", "Grafana"), (f"/apps/{wiki.pk}", "Wiki &amp; more")]
    assert page.text.count("last used now") == 1
    assert ">G</span>" in page.text


def test_apps_for_staff_are_on_the_page_of_staff_alone(signed_in, ada):
    AppFactory(name="Board", staff_only=True)
    AppFactory(name="Grafana")
    AppFactory(name="Wiki")

    for is_staff, names in ((False, []), (True, ["Board"]), (False, [])):
        ada.is_staff = is_staff
        ada.save()
        assert [name for _link, name in tiles(signed_in.get("/"))] == [*names, "Grafana", "Wiki"]


def test_without_apps_nothing_is_said_of_them(signed_in):
    assert "Your apps" not in signed_in.get("/").text


def test_one_app_alone_is_the_main_button_unless_there_is_a_product(signed_in, ada, settings):
    app = AppFactory()
    button = f'class="btn wide" href="/apps/{app.pk}">Continue to Grafana<'

    page = signed_in.get("/")
    assert button in page.text
    assert not tiles(page)

    settings.PRODUCT_URL = "https://product.example/"
    plain_page.forget()
    page = signed_in.get("/")
    assert button not in page.text
    assert len(tiles(page)) == 1

    settings.PRODUCT_URL = ""
    ada.is_staff = True
    ada.save()
    page = signed_in.get("/")
    assert "Go to the desk" in page.text
    assert len(tiles(page)) == 1


def test_nobody_sees_the_tiles_of_another(ada):
    pages = {}
    for name, apps in (("bob", ("Bob1", "Bob2")), ("eve", ("Eve1", "Eve2")), ("kim", ("Kim",)), ("lea", ("Lea",))):
        person = UserFactory(username=name)
        group = Group.objects.create(name=name)
        person.groups.add(group)
        for app in apps:
            AppFactory(name=app, everybody=False, groups=[group])
        browser = Client()
        browser.post("/login", {"login": name, "password": PASSWORD})
        pages[name] = browser.get("/").text

    for name, page in pages.items():
        for other in ("Bob", "Eve", "Kim", "Lea"):
            assert (other in page) == (other.lower() == name)


def test_what_an_app_is_called_is_text_and_never_a_blank_or_html(signed_in):
    for name in ("%(csrf_token)s<b>", "%%d {{ x }}"):
        AppFactory(name=name)

    assert [name for _link, name in tiles(signed_in.get("/"))] == ["%%d {{ x }}", "%(csrf_token)s&lt;b&gt;"]


# The account page


def test_the_account_page_says_to_which_apps_somebody_is_connected(signed_in, ada):
    agreed, used = AppFactory(name="Agreed"), AppFactory(name="Used", logout_uri="https://used.example/out")
    AppFactory(name="Neither")
    Consent.objects.create(person=ada, app=agreed, scopes=["openid", "profile", "groups"])
    login(ada, used)
    login(ada, AppFactory(name="Ended"), ended_at=timezone.now())
    login(ada, AppFactory(name="Code only"), used_at=None)
    login(UserFactory(), AppFactory(name="Foreign"))

    page = signed_in.get("/account").text

    section = page.partition('id="apps"')[2].partition("</section>")[0]
    rows = re.findall(r"<li>(.*?)</li>", section, re.DOTALL)
    assert [re.search(r"<b>(.*?)</b>", row)[1] for row in rows] == ["Agreed", "Used"]
    assert "knows your name · its groups that you are in" in rows[0]
    assert "knows you by a number · your address" in rows[1]
    assert ["May keep you signed in" in row for row in rows] == [True, False]


def test_without_connected_apps_there_is_no_such_section(signed_in):
    AppFactory()
    assert "Connected apps" not in signed_in.get("/account").text


def test_disconnecting_ends_logins_forgets_consent_tells_the_app_and_the_history(signed_in, ada):
    app, other = AppFactory(logout_uri="https://app.example/out"), AppFactory(name="Other")
    bob = UserFactory()
    for person in (ada, bob):
        Consent.objects.create(person=person, app=app)
        login(person, app)
        login(person, other)

    answer = signed_in.post(DISCONNECT, {"app": app.pk}, follow=True)

    assert answer.redirect_chain == [("/account", 302)]
    assert "Grafana is disconnected, and is told to sign you out." in answer.text
    assert set(Consent.objects.values_list("person", flat=True)) == {bob.pk}
    assert set(Login.objects.open().values_list("person", "app")) == {
        (bob.pk, app.pk),
        (bob.pk, other.pk),
        (ada.pk, other.pk),
    }
    assert LogoutCall.objects.get().sub == str(ada.pk)
    event = Event.objects.get(kind=Event.Kind.APP_DISCONNECTED)
    assert (event.user, event.detail["app"]) == (ada, "Grafana")

    again = signed_in.post(DISCONNECT, {"app": app.pk}, follow=True)
    assert "That app was not connected any more." in again.text
    assert Event.objects.filter(kind=Event.Kind.APP_DISCONNECTED).count() == 1


def test_of_an_app_that_does_not_listen_it_says_so(signed_in, ada):
    app = AppFactory()
    login(ada, app)

    answer = signed_in.post(DISCONNECT, {"app": app.pk}, follow=True)

    assert "Grafana is disconnected. Sign out there, too" in answer.text


@pytest.mark.parametrize("pk", ["", "nothing", "я", "x" * 500])
def test_an_id_that_no_app_has_disconnects_nothing(signed_in, ada, pk):
    login(ada, AppFactory())

    answer = signed_in.post(DISCONNECT, {"app": pk}, follow=True)

    assert "That app was not connected any more." in answer.text
    assert Login.objects.open().count() == 1


def test_a_form_with_a_nul_disconnects_nothing(signed_in):
    assert signed_in.post(DISCONNECT, {"app": "\0"}).status_code == 400


def test_a_get_disconnects_nothing(signed_in, ada):
    app = AppFactory()
    login(ada, app)

    assert signed_in.get(DISCONNECT, {"app": app.pk}).url == "/account"
    assert Login.objects.open().count() == 1


# JSON


def test_a_program_hears_of_the_apps_of_the_person(signed_in, ada):
    app = AppFactory()
    AppFactory(everybody=False)
    used = login(ada, app, made_at=timezone.now() - timedelta(days=1))

    answer = signed_in.get(APPS).json()

    assert answer["apps"] == [
        {
            "id": app.pk,
            "name": "Grafana",
            "url": f"/apps/{app.pk}",
            "last_used": used.made_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
    ]


def test_a_program_disconnects_an_app_once(signed_in, ada):
    app = AppFactory()
    login(ada, app)
    path = f"{APPS}/{app.pk}/connection"

    assert "is disconnected" in signed_in.delete(path).json()["message"]
    answer = signed_in.delete(path)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "not_found")


def test_a_stranger_hears_of_no_app(client):
    AppFactory()

    assert client.get(APPS).status_code == 401
    assert client.delete(f"{APPS}/x/connection").status_code == 401


# Their data


def test_the_export_holds_what_apps_know_and_no_secret(signed_in, ada, tmp_path):
    app = AppFactory()
    Consent.objects.create(person=ada, app=app, scopes=["openid"])
    login(ada, app, code_hash="c" * 64, former_refresh="r" * 64, code={"nonce": "n0nce"})

    answer = signed_in.post("/account/export", {"password": PASSWORD})

    path = tmp_path / "data.zip"
    path.write_bytes(b"".join(answer.streaming_content))
    with ZipFile(path) as archive:
        consents, logins = (json.loads(archive.read(f"{part}.json")) for part in ("app_consents", "app_logins"))
        text = "".join(archive.read(name).decode() for name in archive.namelist())
    assert [(row["name"], row["scopes"]) for row in consents] == [("Grafana", ["openid"])]
    assert [(row["name"], row["sub"]) for row in logins] == [("Grafana", str(ada.pk))]
    assert not [secret for secret in ("c" * 64, "r" * 64, "n0nce") if secret in text]


def test_who_deletes_their_account_is_forgotten_and_their_logins_end(ada):
    app = AppFactory(logout_uri="https://app.example/out")
    Consent.objects.create(person=ada, app=app)
    login(ada, app)
    sub = str(ada.pk)
    browser = Client()
    browser.post("/login", {"login": "ada", "password": PASSWORD})

    browser.post("/account/delete", {"when": "now", "password": PASSWORD})

    assert not Consent.objects.exists()
    assert not Login.objects.exists()
    assert LogoutCall.objects.get().sub == sub
