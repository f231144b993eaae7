"""Apps at the desk: staff connect, change, turn off and delete them; a secret is shown once, and proof is asked for."""

import html
import re
from datetime import timedelta

import pytest
import time_machine
from allauth.idp.oidc.models import Client as EngineClient
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event
from accounts.sentences import sentence
from outbox.models import OutboxMessage
from sso import products
from sso.app_form import AppForm
from sso.models import App, Login, LogoutCall
from tests.sso.test_app_commands import log_in
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

LIST = "/admin/sso/app/"
SECRET = re.compile(r"\b[A-Za-z0-9]{43}\b")
TYPED = {
    "product": "other",
    "name": "Wiki",
    "start_url": "https://wiki.example.com/",
    "redirect_uris": "https://wiki.example.com/callback",
    "who": "everybody",
    "asks_consent": "on",
    "pkce": "on",
    "logout_uri": "",
    "post_logout_uris": "",
}


@pytest.fixture
def editors(db):
    return Group.objects.create(name="Editors")


@pytest.fixture
def wiki(db):
    app = App(start_url="https://wiki.example.com/", everybody=True)
    app.store_new("Wiki", ["https://wiki.example.com/callback"])
    return app


def add(desk, **fields):
    return desk.post(f"{LIST}add/", TYPED | fields)


def page_of(app, page="change"):
    return f"{LIST}{app.pk}/{page}/"


def secrets(page):
    return SECRET.findall(html.unescape(page.text))


def fingerprint(desk, app):
    return re.search(r'name="fingerprint" value="([^"]+)"', desk.get(page_of(app, "secret")).text)[1]


def staff(*permissions):
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.post("/login", {"login": person.username, "password": PASSWORD})
    return client


def test_a_new_app_shows_its_secret_once(desk):
    page = add(desk)

    app = App.objects.get()
    secret = secrets(page)[0]
    assert set(secrets(page)) == {secret}
    assert app.client.check_secret(secret)
    assert "no-store" in page["Cache-Control"]
    assert "Content-Encoding" not in desk.post(f"{LIST}add/", TYPED, headers={"accept-encoding": "gzip"})
    assert secret not in str(page.cookies)
    for path in (LIST, page_of(app), page_of(app, "secret"), page_of(app, "edit"), "/admin/"):
        assert secret not in desk.get(path).text, path
    stored = [*LogEntry.objects.values(), *Event.objects.values(), *OutboxMessage.objects.values()]
    assert secret not in str(stored)


def test_a_form_that_is_sent_twice_makes_one_app_and_shows_no_second_secret(desk):
    new_id = re.search(r'name="new_id" value="([A-Za-z0-9]{24})"', desk.get(f"{LIST}add/").text)[1]
    assert new_id not in desk.get(f"{LIST}add/").text

    [secret] = set(secrets(add(desk, new_id=new_id)))
    again = desk.post(f"{LIST}add/", TYPED | {"new_id": new_id, "name": "Docs"}, follow=True)

    app = App.objects.get()
    assert (app.pk, app.name) == (new_id, "Wiki")
    assert app.client.check_secret(secret)
    assert again.redirect_chain == [(page_of(app), 302)]
    assert "Wiki is connected already: the form came twice." in words(again)
    assert not secrets(again)

    add(desk, new_id="../../evil")
    assert App.objects.count() == 1


def test_whoever_has_no_groups_yet_reads_who_makes_them(desk):
    said = "There are no groups yet. A superuser makes them at the desk."
    assert said in words(desk.get(f"{LIST}add/"))
    Group.objects.create(name="Editors")
    assert said not in words(desk.get(f"{LIST}add/"))


def test_the_page_has_every_value_to_paste(desk):
    said = words(add(desk, product="grafana", redirect_uris="", start_url="https://g.example.com"), " ")

    app = App.objects.get()
    assert "Wiki is connected. Paste the values below" in said
    for value in (
        "Issuer http://testserver",
        f"Client ID {app.pk}",
        "http://testserver/.well-known/openid-configuration",
        "http://testserver/identity/o/authorize",
        "http://testserver/identity/o/api/token",
        "http://testserver/identity/o/api/userinfo",
        "Redirect address https://g.example.com/login/generic_oauth",
        "Paste this into grafana.ini [auth.generic_oauth] enabled = true",
        f"client_id = {app.pk} client_secret = ",
    ):
        assert value in said


@pytest.mark.parametrize("product", [value for value in App.Product.values if value != "other"])
def test_each_product_has_its_configuration(desk, product):
    page = add(desk, product=product, redirect_uris="", start_url="https://app.example.com")

    app = App.objects.get()
    pasted = html.unescape(re.search(r"<pre[^>]*>(.*?)</pre>", page.text, re.DOTALL)[1])
    assert app.pk in pasted
    assert (SECRET.search(pasted) is None) == (product == "proxy")
    assert bool(secrets(page)) == (product != "proxy")  # a proxy proves nothing by it
    assert "{{" not in pasted
    assert "&#" not in pasted


def test_a_group_that_would_need_quoting_is_no_example(desk):
    names = ["Anna's team", "a\nrole_attribute_path = 'Admin'", 'x" || `Admin`']
    groups = [Group.objects.create(name=name).pk for name in names]

    said = html.unescape(add(desk, product="grafana", redirect_uris="", who="groups", groups=groups).text)

    assert "contains(groups[*], 'editors')" in said
    assert "|| 'Viewer'" in said


def test_an_address_that_we_fill_in_is_checked_like_one_that_is_typed(desk):
    host = "https://cloud.example.com:443"

    add(desk, product="nextcloud", redirect_uris="", start_url=f"{host}/")
    assert App.objects.get().logout_uri == "https://cloud.example.com/apps/user_oidc/backchannel-logout/frontdoor"


@pytest.mark.parametrize(
    ("product", "typed", "lives"),
    [
        ("grafana", "https://g.example.com/login", "https://g.example.com"),
        ("grafana", "https://g.example.com/?orgId=1#top", "https://g.example.com"),
        ("grafana", "https://example.com/login-page/", "https://example.com/login-page"),
        ("nextcloud", "https://example.com/cloud/index.php/apps/files/", "https://example.com/cloud"),
        ("wordpress", "https://blog.example.com/wp-admin/", "https://blog.example.com"),
        ("gitea", "https://git.example.com/user/login?redirect_to=%2F", "https://git.example.com"),
    ],
)
def test_the_address_of_an_app_may_be_copied_from_one_of_its_pages(desk, product, typed, lives):
    add(desk, product=product, redirect_uris="", start_url=typed)

    app, known = App.objects.get(), products.PRODUCTS[product]
    assert app.client.get_redirect_uris() == [lives + known.callback]
    assert app.start_url == lives + (known.start or "/")


def test_an_edit_does_not_turn_on_again_what_another_has_turned_off(desk, wiki, monkeypatch):
    def turned_off_meanwhile(form):
        App.objects.get().turn_off()
        return stores(form)

    stores = AppForm.store_changes
    monkeypatch.setattr(AppForm, "store_changes", turned_off_meanwhile)

    assert desk.post(page_of(wiki), TYPED | {"name": "Docs", "second_factor": "on"}).status_code == 302

    app = App.objects.get()
    assert (app.is_active, app.name, app.second_factor) == (False, "Docs", True)


def test_nobody_comes_in_until_somebody_says_who(desk, editors):
    for who, said in {"": "Choose who may come in.", "groups": "Choose at least one group, or everybody."}.items():
        page = add(desk, who=who)
        assert said in words(page)
        assert "https://wiki.example.com/callback" in page.text  # what was typed is kept
    assert not App.objects.exists()

    add(desk, who="groups", groups=[editors.pk])
    assert [group.name for group in App.objects.get().groups.all()] == ["Editors"]


def test_an_app_for_everybody_may_learn_of_groups_all_the_same(desk, editors):
    page = add(desk, who="everybody", groups=[editors.pk])

    app = App.objects.get()
    assert app.everybody
    assert [group.name for group in app.groups.all()] == ["Editors"]
    assert "It learns name, email address, groups" in words(page, " ")


def test_an_address_that_cannot_work_is_refused_beside_its_field(desk):
    for field, typed, said in (
        ("redirect_uris", "https://wiki.example.com/*", "has a * in it"),
        *(
            ("redirect_uris", f"https://wiki.example.com/{odd}", "is no address that we can lead to")
            for odd in ("{x}", "a|b", "[x]", "cb?x=%zz")
        ),
        ("redirect_uris", "https://wiki.example.com/a b", "https://wiki.example.com/a b is no address"),
        ("redirect_uris", "https://wiki.example.com/a, https://wiki.example.com/b", "/a, has a comma or a semicolon"),
        ("redirect_uris", "https://wiki.example.com/a;https://wiki.example.com/b", "has a comma or a semicolon"),
        ("redirect_uris", "", "Give the address at which the app takes people back"),
        ("start_url", "wiki", "is no address"),
        ("logout_uri", "https://wiki.example.com:25/", "Port 25 is not for web servers"),
        ("post_logout_uris", "https://wiki.example.com/#x", "has a # in it"),
        ("name", "www.evil.example", "has a link in it"),
        ("name", "", "This field is required"),
    ):
        page = add(desk, **{field: typed})
        row = re.search(
            rf'<div class="form-row[^"]*field-{field}">.*?(?=<div class="form-row|</fieldset>\s*<div)',
            page.text,
            re.DOTALL,
        )[0]
        assert said in html.unescape(row), field
    assert not App.objects.exists()


def test_what_is_odd_is_said_and_not_refused(desk, monkeypatch, settings):
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("10.0.0.7", 443))])
    settings.WEBHOOKS_ALLOWED_NETWORKS = []
    add(desk, pkce="", start_url="https://other.example.com/", redirect_uris="http://wiki:3000/cb")

    page = desk.get(page_of(App.objects.get()))
    said = words(page)
    assert "A redirect address is http" in said
    assert "No redirect address is on the host where the app lives" in said
    assert "It doesn’t use PKCE" in said
    assert "It isn’t told when people sign out here" in said

    page = desk.post(page_of(App.objects.get()), TYPED | {"logout_uri": "https://10.0.0.7/out"}, follow=True)
    assert "add it to WEBHOOKS_ALLOWED_NETWORKS" in words(page)
    page = desk.post(page_of(App.objects.get()), TYPED | {"logout_uri": "https://wiki.lan/out"}, follow=True)
    assert "wiki.lan is at 10.0.0.7, which is not a public address" in words(page)
    assert "redirect address is http" not in words(page)


@pytest.mark.parametrize("asks", ["on", ""])
def test_a_program_without_a_secret_that_asks_nobody_is_odd(desk, asks):
    said = words(add(desk, public="on", redirect_uris="http://127.0.0.1/cb", asks_consent=asks))

    assert ("any program on people’s machines could pass for it" in said) == (not asks)


def test_an_app_is_changed(desk, wiki, editors):
    page = desk.get(page_of(wiki, "edit"))
    assert f'action="{page_of(wiki)}"' in page.text

    changed = {"name": "Library", "who": "groups", "groups": [editors.pk], "offline": "on"}
    page = desk.post(page_of(wiki), TYPED | changed, follow=True)

    assert page.redirect_chain == [(page_of(wiki), 302)]
    assert "Who may come in Editors" in words(page, " ")
    app = App.objects.get()
    assert (app.name, app.everybody, app.client.get_scopes()[-1]) == ("Library", False, "offline_access")
    assert app.client.secret == EngineClient.objects.get().secret == wiki.client.secret
    assert sentence(Event.objects.get(kind="power_used")) == "owner changed at the desk: app Library".replace(
        "owner", Event.objects.get(kind="power_used").user.username
    )


def test_people_are_invited_straight_into_an_app(desk, wiki):
    invite = f"/admin/invites/batch/add/?app={wiki.pk}"

    assert invite in desk.get(page_of(wiki)).text
    assert f'value="{wiki.pk}" selected' in desk.get(invite).text
    assert invite not in staff("view_app").get(page_of(wiki)).text


def test_a_new_secret_is_shown_once_and_a_second_press_makes_none(desk, wiki):
    seen = fingerprint(desk, wiki)

    page = desk.post(page_of(wiki, "secret"), {"fingerprint": seen})
    [secret] = secrets(page)
    again = desk.post(page_of(wiki, "secret"), {"fingerprint": seen}, follow=True)

    assert "no-store" in page["Cache-Control"]
    assert secret not in str(page.cookies)
    assert EngineClient.objects.get().check_secret(secret)
    assert "Another secret has just been made" in words(again)
    assert secret not in again.text
    assert sentence(Event.objects.get(kind="power_used")).endswith("changed at the desk: app Wiki (new secret)")


def test_turning_off_ends_every_login_and_only_then_it_can_be_deleted(desk, wiki):
    login = log_in(wiki)
    assert desk.get(page_of(wiki, "delete")).status_code == 403
    assert desk.post(page_of(wiki, "delete"), {"post": "yes"}).status_code == 403

    page = desk.post(page_of(wiki, "off"), follow=True)
    assert "Wiki is turned off, and everybody is signed out of it." in words(page)
    assert Login.objects.get(pk=login.pk).ended_at
    desk.post(page_of(wiki, "on"))
    assert App.objects.get().is_active
    desk.post(page_of(wiki, "off"))

    page = desk.post(page_of(wiki, "delete"), {"post": "yes"}, follow=True)
    assert page.redirect_chain == [(LIST, 302)]
    assert not EngineClient.objects.exists()
    assert not Login.objects.exists()
    assert [sentence(event).partition(": ")[2] for event in Event.objects.filter(kind="power_used").order_by("id")] == [
        "app Wiki (turned off)",
        "app Wiki (turned on)",
        "app Wiki (turned off)",
        "app Wiki",
    ]


def test_everybody_is_signed_out_of_an_app(desk, wiki):
    login = log_in(wiki)

    assert "Everybody is signed out of Wiki" in words(desk.post(page_of(wiki, "end"), follow=True))

    assert Login.objects.get(pk=login.pk).ended_at
    assert App.objects.get().is_active


def test_superusers_are_mailed(desk, wiki, mailbox):
    other = UserFactory(is_staff=True, is_superuser=True)

    desk.post(page_of(wiki, "secret"), {"fingerprint": fingerprint(desk, wiki)})

    assert "app Wiki (new secret): changed" in mailbox.text(other.email)


@pytest.mark.parametrize("page", ["change", "secret", "off", "on", "end", "delete"])
def test_proof_is_asked_for_before_anything_is_done(desk, wiki, page):
    log_in(wiki)
    if page == "delete":
        App.objects.update(is_active=False)
    before = [*App.objects.values(), *EngineClient.objects.values(), *Login.objects.values()]
    form = TYPED | {"name": "Stolen", "fingerprint": wiki.fingerprint, "post": "yes"}

    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        answer = desk.post(page_of(wiki, page), form)

    assert "Is it still you?" in words(answer)
    assert [*App.objects.values(), *EngineClient.objects.values(), *Login.objects.values()] == before


def test_whoever_may_only_see_apps_changes_none(wiki):
    looking = staff("view_app")

    page = looking.get(page_of(wiki))
    assert page.status_code == 200
    for shown in ("Make a new secret", "Turn off", "/edit/"):
        assert shown not in page.text
    assert looking.get(f"{LIST}add/").status_code == 403
    for name in ("secret", "off", "on", "end", "delete", "change"):
        assert looking.post(page_of(wiki, name)).status_code == 403, name
    assert looking.get(page_of(wiki, "edit")).status_code == 403


def test_whoever_may_change_apps_adds_them_and_others_see_nothing(wiki):
    assert "Connect an app" in words(staff("view_app", "change_app").get(LIST))
    assert staff("view_user").get(LIST).status_code == 403
    assert "/admin/sso/app/" not in staff("view_user").get("/admin/").text
    assert "/admin/sso/app/" in staff("view_app").get("/admin/").text


def test_the_list_says_how_each_app_is_used_in_a_fixed_number_of_statements(desk, wiki, editors):
    def counted():
        with CaptureQueriesContext(connection) as asked:
            page = desk.get(LIST)
        return len(asked), words(page, " ")

    log_in(wiki)
    LogoutCall.objects.create(client_id=wiki.pk, uri="https://wiki.example.com/out", sub="s", sid="s")
    LogoutCall.objects.create(
        client_id=wiki.pk, uri="https://wiki.example.com/out", sub="s", sid="s", attempts=3, last_answer="503 Busy"
    )
    counted()
    number, said = counted()
    assert "Who may come in: everybody" in said
    assert "People of late: 1" in said
    assert "503 Busy" in said

    for n in range(3):
        app = App(start_url="https://x.example/")
        app.store_new(f"App {n}", ["https://x.example/cb"])
        app.groups.set([editors])
        log_in(app)
    more, said = counted()
    assert more <= number + 1  # one for the groups of them all
    assert "Editors" in said


def test_a_page_of_an_app_has_a_fixed_number_of_statements(desk, wiki):
    desk.get(page_of(wiki))
    with CaptureQueriesContext(connection) as few:
        desk.get(page_of(wiki))
    for _login in range(5):
        log_in(wiki)
    with CaptureQueriesContext(connection) as many:
        desk.get(page_of(wiki))

    assert len(many) <= len(few) <= 12


def test_a_group_names_the_apps_that_it_opens(desk, wiki, editors):
    assert "Apps it opens" not in words(desk.get(f"/admin/auth/group/{editors.pk}/change/"))

    wiki.groups.set([editors])
    App.objects.update(everybody=False)

    page = desk.get(f"/admin/auth/group/{editors.pk}/change/")
    assert "Apps it opens Wiki" in words(page, " ")
    assert page_of(wiki) in page.text


def test_a_group_that_an_app_knows_by_name_is_renamed_only_after_a_warning(desk, wiki, editors):
    group = f"/admin/auth/group/{editors.pk}/change/"
    assert "Rename it all the same" not in words(desk.get(group))
    wiki.groups.set([editors])

    page = desk.post(group, {"name": "Writers"})
    assert "Apps know the group by its name" in words(page)
    assert "Wiki: these know the group by its name." in words(page)
    assert Group.objects.get().name == "Editors"
    desk.post(group, {"name": "Editors", "rights": ["view_user"]})
    assert Group.objects.get().permissions.count() == 1

    desk.post(group, {"name": "Writers", "renames": "on"})
    assert Group.objects.get().name == "Writers"


def test_the_rows_of_the_engine_have_no_page(desk):
    for name in ("client", "token"):
        assert desk.get(f"/admin/allauth_idp_oidc/{name}/").status_code == 404


def test_an_unknown_app_is_nowhere(desk):
    for pk in ("nothing", "%00", "a%00b"):
        assert desk.get(f"{LIST}{pk}/edit/").status_code == 404
        assert desk.post(f"{LIST}{pk}/off/").status_code == 404
        assert desk.get(f"{LIST}{pk}/change/").status_code == 302
        assert desk.get(f"{LIST}{pk}/delete/").status_code == 302


def test_a_public_app_has_no_secret_to_renew(desk):
    page = add(desk, public="on", redirect_uris="http://127.0.0.1/callback")

    app = App.objects.get()
    assert secrets(page) == []
    assert "The secret is shown only now" not in words(page)
    assert desk.get(page_of(app, "secret")).status_code == 404
    assert "Make a new secret" not in desk.get(page_of(app)).text


def test_a_login_that_ended_is_history_and_not_use(desk, wiki):
    login = log_in(wiki)
    Login.objects.filter(pk=login.pk).update(used_at=None, ended_at=timezone.now())

    assert "Nobody has signed in to it yet." in words(desk.get(page_of(wiki)))
