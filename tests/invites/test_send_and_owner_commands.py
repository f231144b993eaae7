"""The commands send_invites and owner_link: safe to repeat, with true output and exit codes."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import User
from invites import purposes
from invites.models import Invite, MagicLink
from kit import tokens
from outbox.models import OutboxMessage
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db


def run(*command, **options):
    out = StringIO()
    call_command(*command, stdout=out, **options)
    return out.getvalue()


def run_json(*command):
    return json.loads(run(*command, "--format", "json"))


def test_invites_are_sent_once_each_and_the_rest_is_accounted_for(ada, tmp_path):
    listed = tmp_path / "people.txt"
    listed.write_text("\ufeffgrace@example.com\n\nADA@example.com\nGrace@Example.com\nalan@example.com\n", "utf-8")

    done = run_json("send_invites", "--file", str(listed), "--invited-by", "ada", "--note", "Hello", "--language", "ru")

    assert done["queued"] == 2
    assert done["skipped"] == {"has_account": 1, "repeated": 1}
    rows = Invite.objects.order_by("email")
    assert [(i.email, i.source, i.invited_by, i.note, i.language) for i in rows] == [
        ("alan@example.com", "command", ada, "Hello", "ru"),
        ("grace@example.com", "command", ada, "Hello", "ru"),
    ]
    assert {i.batch for i in rows} == {done["batch"]}
    assert all(timedelta(days=6.9) < i.expires_at - timezone.now() < timedelta(days=7.1) for i in rows)
    assert OutboxMessage.objects.filter(kind="invite").count() == 2


def test_the_same_list_twice_invites_nobody_twice():
    run("send_invites", "grace@example.com", "alan@example.com")
    again = run_json("send_invites", "grace@example.com", "alan@example.com")

    assert (again["queued"], again["skipped"]) == (0, {"invited": 2})
    assert OutboxMessage.objects.count() == 2
    assert run_json("send_invites", "grace@example.com", "--again")["skipped"] == {"too_soon": 1}
    Invite.objects.update(sent_at=timezone.now() - timedelta(minutes=2))
    assert run_json("send_invites", "grace@example.com", "--again")["queued"] == 1


def test_a_rehearsal_touches_nothing():
    assert "DRY RUN" in run("send_invites", "grace@example.com", "--dry-run")
    assert not Invite.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_rows_that_cannot_be_read_are_named_and_the_others_go(capsys):
    out = StringIO()
    with pytest.raises(CommandError) as stopped:
        call_command("send_invites", "grace@example.com", "not an address", stdout=out)

    assert stopped.value.returncode == 3
    assert "not an address" in out.getvalue()
    assert Invite.objects.get().email == "grace@example.com"


@pytest.mark.parametrize(
    "wrong",
    [
        ["--invited-by", "nobody"],
        ["--note", "x" * 201],
        ["--note", "two\nlines"],
        ["--next", "https://evil.example/"],
        ["--file", "/no/such/file"],
        ["--group", "Nobody"],
        ["--expires", "91 days"],
        ["--expires", "soon"],
        ["--name", "Ada", "--file", "people.csv"],
        ["--list-name", "x" * 101],
        ["--resume", "b_0"],
    ],
)
def test_wrong_options_are_refused_before_anything_is_sent(wrong):
    with pytest.raises(CommandError) as stopped:
        run("send_invites", "grace@example.com", *wrong)

    assert stopped.value.returncode == 2
    assert not Invite.objects.exists()


def owner_page():
    url = run("owner_link", "--email", "Owner@Example.com").strip()
    assert url.startswith("http://testserver/owner?token=")
    return url.removeprefix("http://testserver"), url.partition("token=")[2]


def test_the_owner_link_makes_the_first_superuser_and_works_once():
    path, token = owner_page()
    assert "Create your account" in words(Client().get(path))
    form = {"token": token, "username": "olga", "password": PASSWORD}

    owner = Client()
    assert owner.post("/owner", form).url == "/admin/"

    olga = User.objects.get()
    assert (olga.is_superuser, olga.is_staff, olga.email) == (True, True, "owner@example.com")
    assert owner.get("/admin/").status_code == 200
    assert Client().post("/owner", form | {"username": "eve"}).status_code == 410
    said = StringIO()
    assert run("owner_link", "--email", "owner@example.com", stderr=said) == ""
    assert said.getvalue() == "Sign in as olga: there is a superuser already.\n"


def test_an_owner_link_that_names_nobody_asks_for_the_owners_address(settings):
    settings.SITE_HOST = "localhost"
    path = run("owner_link").strip().removeprefix("http://testserver")
    page = Client().get(path)
    assert ("Confirmed" in words(page), page.context["form"]["username"].value()) == (False, None)
    form = {"token": path.partition("token=")[2], "username": "olga", "password": PASSWORD}

    for wrong in ({}, {"email": "owner"}):
        answer = Client().post("/owner", form | wrong)
        assert answer.context["form"].errors.keys() == {"email"}
        assert answer.context["form"]["username"].value() == "olga"
    assert not User.objects.exists()
    assert Client().post("/owner", form | {"email": " Olga@Example.COM "}).url == "/admin/"

    olga = User.objects.get()
    assert (olga.email, olga.is_staff, olga.is_superuser) == ("olga@example.com", True, True)


def test_the_owner_is_told_that_an_address_has_an_account(settings):
    settings.SITE_HOST = "localhost"
    UserFactory(email="olga@example.com")
    path = run("owner_link").strip().removeprefix("http://testserver")
    form = {"token": path.partition("token=")[2], "username": "olga", "password": PASSWORD}

    answer = Client().post("/owner", form | {"email": "olga@example.com"})

    assert "This address has an account already." in words(answer)
    assert not User.objects.filter(is_superuser=True).exists()


def test_the_same_owner_link_is_shown_until_it_is_used():
    assert owner_page() == owner_page()
    assert MagicLink.objects.count() == 1


def test_an_owner_link_is_worthless_once_there_is_a_superuser(admin_user):
    User.objects.update(is_superuser=False)
    path, token = owner_page()
    User.objects.update(is_superuser=True)

    assert Client().get(path).status_code == 410
    assert Client().post("/owner", {"token": token, "username": "eve", "password": PASSWORD}).status_code == 410
    assert User.objects.count() == 1


@pytest.mark.parametrize("make", [LinkFactory, InviteFactory])
def test_an_ordinary_link_never_makes_an_owner(client, make):
    link = make()
    form = {"token": tokens.sign(purposes.SIGNUP, link.pk), "username": "eve", "password": PASSWORD}
    assert client.post("/owner", form).status_code == 404
    assert client.post("/owner", form | {"token": tokens.sign(purposes.OWNER, link.pk)}).status_code == 404
    client.post("/signup", form | {"is_superuser": "1", "is_staff": "1"})
    assert not User.objects.get().is_staff


def test_an_owner_link_never_becomes_an_ordinary_one(mailbox, client):
    owner_page()

    assert run_json("resend_invites")["queued"] == 0
    client.post("/", {"email": "owner@example.com"})
    assert mailbox.link("owner@example.com").startswith("/signup")
    path, _token = owner_page()
    assert client.get(path).status_code == 200
    owner = MagicLink.objects.get(purpose="owner")
    for purpose in (purposes.SIGNUP, purposes.CONFIRM, purposes.RESET, purposes.DECLINE):
        assert client.get(tokens.path(purpose, owner.pk)).status_code == 404


@pytest.mark.parametrize(("used", "other"), [("link", "owner"), ("owner", "link")])
def test_an_owner_link_and_what_its_owner_asks_for_do_not_use_up_each_other(used, other):
    links = {purpose: LinkFactory(purpose=purpose, email="owner@example.com") for purpose in (used, other)}
    links[used].sign_up("olga", password=PASSWORD)
    assert MagicLink.objects.with_spent().get(purpose=other).state == MagicLink.State.PENDING


def test_an_expired_owner_link_stays_dead_and_mails_nobody(client):
    path, _token = owner_page()
    MagicLink.objects.update(expires_at=timezone.now() - timedelta(days=1))
    client.post("/", {"email": "owner@example.com"})

    page = client.get(path)

    assert page.status_code == 410
    assert "manage.py owner_link" in words(page)
    assert owner_page()[0] != path


def test_an_owner_whose_address_is_taken_is_told_so_without_an_error(ada, capsys):
    assert run("owner_link", "--email", ada.email) == ""


def test_inviting_nobody_is_a_usage_error():
    with pytest.raises(CommandError) as stopped:
        run("send_invites")
    assert stopped.value.returncode == 2
