"""The commands for apps: adding, listing, a new secret, and signing everybody out."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from allauth.idp.oidc.models import Client, Token
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Event
from accounts.sentences import sentence
from outbox.models import OutboxMessage
from sso import keys, products
from sso.models import App, Bound, Login
from tests.tools.factories import UserFactory

pytestmark = pytest.mark.django_db

CALLBACK = "https://wiki.example.com/callback"


def run(capsys, command, *options):
    call_command(command, *options)
    return capsys.readouterr().out


def add(capsys, *options, name="Wiki"):
    return json.loads(run(capsys, "add_app", name, *options, "--format", "json"))


@pytest.fixture
def wiki(capsys):
    return add(capsys, "--redirect", CALLBACK, "--everybody")


def log_in(app, person=None):
    """Stores a login to an app as its codes and tokens have it."""
    person = person or UserFactory()
    login = Login.objects.create(
        app=app,
        person=person,
        sid="s",
        handle="h",
        epoch=person.session_epoch,
        auth_time=timezone.now(),
        used_at=timezone.now(),
    )
    token = Token.objects.create(client=app.client, user=person, type=Token.Type.ACCESS_TOKEN, hash=f"h{login.pk}")
    Bound.objects.create(token=token, login=login)
    return login


def test_it_prints_id_and_secret_and_keeps_only_a_hash(capsys):
    said = run(capsys, "add_app", "Wiki", "--redirect", CALLBACK, "--everybody")

    client = Client.objects.get()
    secret = said.split()[3]
    assert said == f"id      {client.pk}\nsecret  {secret}\nissuer  http://testserver\n"
    assert client.check_secret(secret)
    assert not client.check_secret(f"{secret}x")
    assert secret not in client.secret
    assert secret not in str([*Event.objects.values(), *OutboxMessage.objects.values()])
    assert (client.pk + secret).isalnum()  # clients differ in how they encode anything else


def test_the_engine_gets_what_it_needs_and_no_owner(wiki):
    client = Client.objects.get()

    assert (client.type, client.skip_consent, client.owner) == (Client.Type.CONFIDENTIAL, True, None)
    assert client.get_grant_types() == ["authorization_code", "refresh_token"]
    assert client.get_scopes() == ["openid", "profile", "email", "groups"]
    assert client.get_redirect_uris() == [CALLBACK]
    assert client.app.start_url == "https://wiki.example.com"
    assert (client.app.pkce, client.app.asks_consent, client.app.offline) == (True, True, False)


def test_groups_and_switches(capsys):
    for name in ("Editors", "Readers"):
        Group.objects.create(name=name)
    switches = ["--staff-only", "--second-factor", "--no-consent", "--no-pkce", "--offline"]

    add(capsys, "--redirect", CALLBACK, "--group", "Editors", "--group", "Readers", *switches)

    app = App.objects.get()
    assert {group.name for group in app.groups.all()} == {"Editors", "Readers"}
    assert (app.everybody, app.staff_only, app.second_factor, app.asks_consent) == (False, True, True, False)
    assert (app.pkce, app.offline, app.client.get_scopes()[-1]) == (False, True, "offline_access")


def test_a_known_product_needs_its_address_alone(capsys):
    grafana = add(capsys, "--product", "grafana", "--start", "https://g.example.com/", "--everybody", name="Grafana")
    cloud = add(capsys, "--product", "nextcloud", "--start", "https://c.example.com", "--everybody", name="Cloud")

    assert grafana["redirect_uris"] == ["https://g.example.com/login/generic_oauth"]
    assert grafana["start_url"] == "https://g.example.com/login/generic_oauth"
    assert cloud["logout_uri"] == "https://c.example.com/apps/user_oidc/backchannel-logout/frontdoor"


@pytest.mark.parametrize(
    ("product", "pkce", "needs_nonce"),
    [("grafana", True, False), ("gitea", False, False), ("wordpress", False, False), ("outline", True, False)],
)
def test_a_product_that_can_do_neither_pkce_nor_nonce_is_let_off(capsys, product, pkce, needs_nonce):
    add(capsys, "--product", product, "--start", "https://app.example.com", "--everybody")

    app = App.objects.get()
    assert (app.pkce, products.needs_nonce(app)) == (pkce, needs_nonce)


def test_any_other_app_without_pkce_needs_a_nonce(capsys):
    add(capsys, "--redirect", CALLBACK, "--everybody", "--no-pkce")

    assert products.needs_nonce(App.objects.get())


def test_a_public_app_has_no_secret(capsys):
    tool = add(
        capsys, "--redirect", "com.example.tool:/callback", "--start", "https://t.example", "--everybody", "--public"
    )

    assert tool["secret"] == ""
    client = Client.objects.get()
    assert client.app.is_public
    assert not client.check_secret("")
    with pytest.raises(CommandError, match="has no secret"):
        call_command("renew_secret", tool["id"])


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("https://*.example.com/cb", r"has a \* in it"),
        ("https://wiki.example.com/cb#x", "has a # in it"),
        ("https://wiki.example.com/cb#", "has a # in it"),
        ("https://ada@wiki.example.com/cb", "has a user or a password in it"),
        ("https://:pw@wiki.example.com/cb", "has a user or a password in it"),
        ("https:///cb", "has no host"),
        ("https://wiki.example.com:port/cb", "is no address"),
        ("https://[::1/cb", "is no address"),
        ("https://wiki.example.com\\evil.example/cb", "is no address"),
        ("https://wiki.exämple.com/cb", "is no address"),
        ("/cb", "is no address"),
        ("javascript:alert(1)", "is no address that we can lead to"),
        ("data:text/html,x", "is no address that we can lead to"),
        ("com.example.tool:/cb", "has a scheme of its own"),
        (f"https://wiki.example.com/{'x' * 500}", "is too long"),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_the_reason(capsys, uri, said):
    with pytest.raises(CommandError, match=f"--redirect: .*{said}.* Nothing was changed") as refused:
        add(capsys, "--redirect", uri, "--start", "https://wiki.example.com", "--everybody")

    assert refused.value.returncode == 2
    assert not Client.objects.exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--redirect", CALLBACK, "--group", "Nobody"], "there is no group 'Nobody'"),
        (["--everybody", "--start", "https://wiki.example.com"], "--redirect: Give the address"),
        (["--everybody", "--start", "wiki", "--redirect", CALLBACK], "--start: wiki is no address"),
        (["--everybody", "--start", "ftp://wiki.example", "--redirect", CALLBACK], "--start: .* is no web address"),
        (["--everybody", "--redirect", CALLBACK, "--logout", "https://x.example:22/"], "--logout: Port 22"),
        (["--everybody", "--redirect", CALLBACK, "--after-logout", "x"], "--after-logout: x is no address"),
        (["--everybody", "--redirect", CALLBACK, "--public", "--no-pkce"], "--no-pkce: An app without a secret"),
        (["--everybody", *(f"--redirect={CALLBACK}{n}" for n in range(21))], "--redirect: Give 20 addresses at most"),
    ],
)
def test_what_makes_no_sense_is_refused(capsys, options, said):
    with pytest.raises(CommandError, match=said) as refused:
        add(capsys, *options)

    assert refused.value.returncode == 2
    assert not Client.objects.exists()


def test_who_may_come_in_must_be_said(capsys):
    with pytest.raises(CommandError, match="--group or --everybody: Choose who may come in"):
        call_command("add_app", "Wiki", "--redirect", CALLBACK)


def test_a_name_that_mail_programs_would_make_a_link_of_is_refused(capsys):
    with pytest.raises(CommandError, match="NAME: The name has a link in it"):
        add(capsys, "--redirect", CALLBACK, "--everybody", name="www.evil.example")


def test_names_in_the_network_of_containers_are_addresses_too(capsys):
    app = add(capsys, "--redirect", "http://wiki:8080/cb", "--logout", "http://wiki:8080/out", "--everybody")

    assert (app["start_url"], app["logout_uri"]) == ("http://wiki:8080", "http://wiki:8080/out")


def test_superusers_are_mailed_and_the_history_says_it_was_a_command(wiki, mailbox, admin_user, capsys):
    call_command("renew_secret", wiki["id"])

    assert "app Wiki (new secret): changed" in mailbox.text(admin_user.email)
    said = [sentence(event) for event in Event.objects.filter(user=None).order_by("id")]
    assert said == ["a command added at the desk: app Wiki", "a command changed at the desk: app Wiki (new secret)"]


def test_after_a_renewal_both_secrets_work_for_a_day(wiki, capsys):
    secret = run(capsys, "renew_secret", wiki["id"]).strip()

    client = Client.objects.get()
    assert client.check_secret(wiki["secret"])
    assert client.check_secret(secret)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=25)):
        assert not client.check_secret(wiki["secret"])
        assert client.check_secret(secret)


def test_apps_are_listed_with_how_they_are_used(wiki, capsys):
    app, person = App.objects.get(), UserFactory()
    for _login in range(2):
        log_in(app, person)
    Login.objects.create(app=app, person=UserFactory(), sid="s", handle="h", epoch=0, auth_time=timezone.now())
    add(capsys, "--redirect", CALLBACK, "--everybody", name="Empty")

    assert run(capsys, "list_apps").splitlines()[1] == f"{wiki['id']}  Wiki: everybody, 1 person lately"
    [empty, used] = json.loads(run(capsys, "list_apps", "--format", "json"))["apps"]
    assert (empty["people"], empty["last_use"]) == (0, None)
    assert (used["people"], used["redirect_uris"]) == (1, [CALLBACK])
    assert run(capsys, "list_apps", "--format", "csv").startswith("id,name,is_active,who,people")


def test_all_logins_of_an_app_end_and_no_others(wiki, capsys):
    add(capsys, "--redirect", CALLBACK, "--everybody", name="Other")
    ended, other = log_in(App.objects.get(pk=wiki["id"])), log_in(App.objects.get(client__name="Other"))

    assert run(capsys, "end_app_sessions", wiki["id"]) == "Wiki: 1 login ended\n"
    assert run(capsys, "end_app_sessions", wiki["id"]) == "Wiki: 0 logins ended\n"

    assert list(Login.objects.open()) == [other]
    assert Token.objects.get().bound.login == other
    assert Login.objects.get(pk=ended.pk).ended_at


@pytest.mark.parametrize("command", ["renew_secret", "end_app_sessions"])
def test_an_unknown_id_is_one_line(command):
    with pytest.raises(CommandError, match=r"^nothing is no app's id\. Nothing was changed\.$") as refused:
        call_command(command, "nothing")

    assert refused.value.returncode == 2


def test_a_new_signing_key_is_published_at_once_and_signs_in_an_hour(capsys):
    keys.forget()
    before = keys.signing()

    said = json.loads(run(capsys, "rotate_signing_key", "--format", "json"))

    assert len(keys.published()) == 2
    assert keys.signing().signs_from == before.signs_from
    with time_machine.travel(datetime.fromisoformat(said["signs_from"]) + timedelta(seconds=2)):
        assert keys.signing().signs_from > before.signs_from


def test_what_is_to_be_pasted_is_what_discovery_promises(client):
    promised, pasted = client.get("/.well-known/openid-configuration").json(), products.endpoints()

    for ours, theirs in {
        "issuer": "issuer",
        "authorize": "authorization_endpoint",
        "token": "token_endpoint",
        "userinfo": "userinfo_endpoint",
        "logout": "end_session_endpoint",
    }.items():
        assert pasted[ours] == promised[theirs]
    assert client.get(urlsplit(pasted["discovery"]).path).status_code == 200
