"""send_invites, resend_invites, owner_link: safe to repeat, honest in words and exit codes."""

import json
from argparse import ArgumentError
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import User
from invites.models import Invite
from mail.models import OutboxMessage
from tests.factories import PASSWORD, InviteFactory, UserFactory
from tests.reading import words

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
    assert done["skipped"] == {"has an account": 1, "repeated": 1}
    rows = Invite.objects.order_by("email")
    assert [(i.email, i.source, i.invited_by, i.note, i.language) for i in rows] == [
        ("alan@example.com", "command", ada, "Hello", "ru"),
        ("grace@example.com", "command", ada, "Hello", "ru"),
    ]
    assert {i.batch for i in rows} == {done["batch"]}
    assert all(timedelta(days=6.9) < i.expires_at - timezone.now() < timedelta(days=7.1) for i in rows)
    assert OutboxMessage.objects.filter(kind="invite").count() == 2


def test_the_same_list_twice_does_nothing_twice():
    run("send_invites", "grace@example.com", "alan@example.com")
    again = run_json("send_invites", "grace@example.com", "alan@example.com")

    assert (again["queued"], again["skipped"]) == (0, {"already invited": 2})
    assert OutboxMessage.objects.count() == 2
    assert run_json("send_invites", "grace@example.com", "--again")["queued"] == 1


def test_resending_skips_who_is_in_by_now_and_minds_the_state():
    run("send_invites", "grace@example.com", "alan@example.com", "old@example.com")
    UserFactory(email="grace@example.com")
    Invite.objects.filter(email="old@example.com").update(expires_at=timezone.now())

    done = run_json("resend_invites", "--state", "pending")

    assert (done["queued"], done["skipped"]) == (1, {"has an account": 1})


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
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(wrong):
    with pytest.raises(CommandError) as stopped:
        run("send_invites", "grace@example.com", *wrong)

    assert stopped.value.returncode == 2
    assert not Invite.objects.exists()


def test_resending_extends_and_keeps_old_links(mailbox, client):
    run("send_invites", "grace@example.com")
    old = mailbox.link("grace@example.com")
    Invite.objects.update(expires_at=timezone.now() - timedelta(days=1), sent_at=timezone.now() - timedelta(days=8))
    assert client.get(old).status_code == 410

    assert run_json("resend_invites", "--state", "expired", "--older-than", "3d")["queued"] == 1

    assert client.get(old).status_code == 200
    assert len(mailbox.letters("grace@example.com")) == 2
    assert run_json("resend_invites", "--state", "expired")["queued"] == 0


def test_resending_leaves_alone_what_is_over_or_was_asked_for():
    past = timezone.now()
    InviteFactory(source="admin", claimed_at=past)
    InviteFactory(source="admin", revoked_at=past)
    InviteFactory(source="admin", declined_at=past)
    InviteFactory(source="self")

    assert run_json("resend_invites")["queued"] == 0


def test_resending_can_be_narrowed(ada):
    for n in range(4):
        run("send_invites", f"guest{n}@example.com")

    assert run_json("resend_invites", "--limit", "2", "--dry-run")["queued"] == 2
    assert run_json("resend_invites", "--email", "Guest3@example.com")["queued"] == 1
    assert run_json("resend_invites", "--older-than", "1h")["queued"] == 0
    assert Invite.objects.get(email="guest3@example.com").sends == 2


def owner_page():
    url = run("owner_link", "--email", "Owner@Example.com").strip()
    assert url.startswith("http://testserver/owner?token=")
    return url.removeprefix("http://testserver"), url.partition("token=")[2]


def test_the_owner_link_makes_the_first_superuser_and_works_once():
    path, token = owner_page()
    assert "Create your account" in words(Client().get(path))
    form = {"token": token, "username": "olga", "password": PASSWORD}

    owner = Client()
    assert owner.post("/owner", form).url == "/account"

    olga = User.objects.get()
    assert (olga.is_superuser, olga.is_staff, olga.email) == (True, True, "owner@example.com")
    assert owner.get("/admin/").status_code == 200
    assert Client().post("/owner", form | {"username": "eve"}).status_code == 410
    assert run("owner_link", "--email", "owner@example.com") == ""


def test_the_same_owner_link_is_shown_until_it_is_used():
    assert owner_page() == owner_page()
    assert Invite.objects.count() == 1


def test_an_owner_link_is_worthless_once_there_is_a_superuser(admin_user):
    User.objects.update(is_superuser=False)
    path, token = owner_page()
    User.objects.update(is_superuser=True)

    assert Client().get(path).status_code == 410
    assert Client().post("/owner", {"token": token, "username": "eve", "password": PASSWORD}).status_code == 410
    assert User.objects.count() == 1


def test_an_ordinary_invite_never_makes_an_owner(client):
    invite = InviteFactory()
    form = {"token": tokens.sign(tokens.SIGNUP, invite.pk), "username": "eve", "password": PASSWORD}
    assert client.post("/owner", form).status_code == 404
    client.post("/signup", form | {"is_superuser": "1", "is_staff": "1"})
    assert not User.objects.get().is_staff


def test_an_owner_link_never_becomes_an_ordinary_one(mailbox, client):
    owner_page()

    assert run_json("resend_invites")["queued"] == 0
    client.post("/", {"email": "owner@example.com"})
    assert mailbox.link("owner@example.com").startswith("/signup")
    path, _token = owner_page()
    assert client.get(path).status_code == 200


def test_an_expired_owner_link_stays_dead_and_mails_nobody(client):
    path, _token = owner_page()
    Invite.objects.update(expires_at=timezone.now() - timedelta(days=1))
    client.post("/", {"email": "owner@example.com"})

    page = client.get(path)

    assert page.status_code == 410
    assert "manage.py owner_link" in words(page)
    assert owner_page()[0] != path


def test_an_owner_whose_address_is_taken_is_told_on_stderr_and_nothing_stops(ada, capsys):
    assert run("owner_link", "--email", ada.email) == ""


@pytest.mark.parametrize("wrong", [["--limit", "-1"], ["--older-than", "3"], ["--state", "claimed"]])
def test_narrowing_that_cannot_be_meant_is_refused(wrong):
    with pytest.raises((CommandError, ArgumentError)):
        run("resend_invites", *wrong)


def test_inviting_nobody_is_a_mistake():
    with pytest.raises(CommandError) as stopped:
        run("send_invites")
    assert stopped.value.returncode == 2
