"""Downloading all data of an account, deleting the account, and prune."""

import io
import json
import signal
import threading
import zipfile
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.test import Client
from django.utils import timezone

from accounts.models import Event, Session, User
from accounts.models.session import stored_key
from accounts.privacy.export import stream_zip
from invites.members.invitations import MemberInvites
from invites.models import Batch, Invite, MagicLink
from operations.management.commands import prune
from outbox.models import OutboxEvent, OutboxMessage, Suppression
from tests.tools import phone
from tests.tools.desk import invite as send_to
from tests.tools.factories import PASSWORD, InviteFactory, LinkFactory, UserFactory
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def export(client):
    answer = client.post("/account/export")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    return answer, {name: json.loads(archive.read(name)) for name in archive.namelist()}


def delete(client, password=PASSWORD):
    return client.post("/account/delete", {"when": "now", "password": password}, follow=True)


def everything_in_the_database():
    """Returns all rows of the tables about people as text, to look for data that should be gone."""
    models = [User, Session, Event, Invite, MagicLink, LogEntry, EmailAddress]
    return str([list(model.objects.values()) for model in models])


def test_the_export_holds_everything_and_no_secret(mailbox, signed_in, ada):
    Invite.objects.issue("grace@example.com", source="admin", invited_by=ada, name="Grace", note="Hello")
    LinkFactory(email=ada.email, next="/account?asked", username="ada", password="argon2$x", seal="sealed")
    ada.ways_in.change_password("another horse battery staple")
    signed_in.post("/login", {"login": "ada", "password": "another horse battery staple"})

    answer, parts = export(signed_in)

    assert answer["Content-Disposition"] == 'attachment; filename="ada.zip"'
    names = ["account", "app_consents", "app_logins", "app_requests", "events", "google", "invites", "join_requests"]
    names += ["links", "mails", "second_factor", "sessions", "suppressed"]
    assert sorted(parts) == [f"{name}.json" for name in names]
    assert parts["account.json"][0]["email"] == "ada@example.com"
    assert {event["kind"] for event in parts["events.json"]} >= {"created", "signed_in", "password_changed", "exported"}
    assert [(invite["name"], invite["profile"], invite["note"]) for invite in parts["invites.json"]] == [
        ("Grace", {}, "Hello")
    ]
    assert [(link["purpose"], link["next"]) for link in parts["links.json"]] == [("link", "/account?asked")]
    assert parts["sessions.json"][0]["ip"] == "127.0.0.1"
    assert "password_changed" in [mail["kind"] for mail in parts["mails.json"]]
    text = str(parts)
    assert "argon2" not in text
    assert "sealed" not in text
    assert "token" not in text
    assert signed_in.cookies["frontdoor_session"].value not in text


def test_the_export_says_what_became_of_each_mail_and_why_none_is_sent(signed_in, ada):
    for email in (ada.email, "grace@example.com"):
        Suppression.objects.suppress(email, f"550 5.1.1 No such user {email}")
    MagicLink.objects.issue(ada.email)
    OutboxMessage.objects.get(kind="link_known").give_up("550 5.7.1 No")

    parts = export(signed_in)[1]

    (mail,) = (row for row in parts["mails.json"] if row["kind"] == "link_known")
    assert mail.pop("created_at")
    assert mail.pop("given_up_at")
    assert mail == {
        "kind": "link_known",
        "recipient": "ada@example.com",
        "attempts": 1,
        "sent_at": None,
        "bounced_at": None,
        "found_dead_at": None,
        "last_answer": "550 5.7.1 No",
    }
    (suppressed,) = parts["suppressed.json"]
    assert suppressed.pop("since")
    assert suppressed == {"address": "ada@example.com", "reason": "550 5.1.1 No such user ada@example.com"}


def test_the_export_says_that_there_is_a_second_factor_and_nothing_that_opens(ada):
    phone.pair(ada)
    client = Client()
    client.post("/login", {"login": "ada", "password": PASSWORD})
    client.post("/login/code", {"code": phone.code()})
    secrets = [phone.SECRET, phone.code(), *ada.second_factor.recovery_codes]
    secrets += [data.get("secret") or data["seed"] for data in Authenticator.objects.values_list("data", flat=True)]

    _answer, parts = export(client)

    assert [set(row) for row in parts["second_factor.json"]] == [{"set_up_at", "last_used_at"}]
    assert not [secret for secret in secrets if secret in str(parts)]


def test_the_export_holds_nothing_of_other_people(signed_in):
    grace = UserFactory(username="grace")
    Event.objects.record(Event.Kind.FAILED, grace, ip="198.51.100.9")
    grace.ways_in.change_password("another horse battery staple")
    Invite.objects.issue("stranger@example.com", source="admin", invited_by=grace)

    text = str(export(signed_in)[1])

    for other in ("198.51.100.9", "grace", "stranger@example.com"):
        assert other not in text


def test_a_long_history_leaves_in_pieces(ada):
    Event.objects.bulk_create(Event(kind="failed", user=ada, device="x" * 90) for _ in range(3000))

    pieces = list(stream_zip(ada))

    assert len(pieces) > 3000
    assert max(map(len, pieces)) < 200_000
    assert len(json.loads(zipfile.ZipFile(io.BytesIO(b"".join(pieces))).read("events.json"))) >= 3000


def test_a_get_request_exports_nothing(signed_in):
    assert signed_in.get("/account/export").url == "/account"


def test_the_page_counts_what_is_deleted(signed_in, ada):
    other = Client()
    other.post("/login", {"login": "ada", "password": PASSWORD})

    page = words(signed_in.get("/account/delete"))

    assert "all 2 of your sessions, this one included" in page
    assert "in 3 events of your history" in page


def test_deleting_takes_the_account_its_sessions_and_its_address_with_it(mailbox, signed_in, ada):
    other = Client()
    other.post("/login", {"login": "ada", "password": PASSWORD})
    MagicLink.objects.issue(ada.email)
    ada.rename("ada.lovelace")
    ada.address.change("ada@former.example")
    MagicLink.objects.issue("ada@former.example")
    ada.address.change("ada@example.com")
    mailbox.letters()

    page = delete(signed_in)

    assert page.redirect_chain == [("/", 302)]
    assert "Your account has been deleted and you’re signed out everywhere." in words(page)
    assert not User.objects.exists()
    assert not Session.objects.exists()
    assert other.get("/account").status_code == 302
    kept = everything_in_the_database()
    assert "ada@example.com" not in kept
    assert "ada@former.example" not in kept
    assert "127.0.0.1" not in kept.replace(str(Event.objects.filter(kind="deleted").values()[0]), "")
    last = list(OutboxMessage.objects.order_by("recipient").values_list("kind", "recipient"))
    assert last == [("deleted", "ada@example.com"), ("deleted", "ada@former.example")]
    letter = mailbox.letters("ada@example.com")[-1]
    assert letter["Subject"] == "Your Frontdoor account was deleted"
    deleted = Event.objects.get(kind="deleted")
    assert deleted.pk.hex[-12:] in mailbox.text("ada@example.com")


def test_a_cookie_of_the_deleted_account_opens_nothing(signed_in):
    cookie = signed_in.cookies["frontdoor_session"].value
    delete(signed_in)
    old = Client()
    old.cookies["frontdoor_session"] = cookie

    assert old.get("/account").status_code == 302


@pytest.mark.parametrize(
    ("typed", "said"), [("wrong password", "Password is not correct"), ("", "Enter your password")]
)
def test_without_the_right_password_nothing_is_deleted(signed_in, typed, said):
    page = delete(signed_in, typed)

    assert said in words(page)
    assert User.objects.exists()
    assert signed_in.get("/account").status_code == 200


def test_deleting_the_account_clears_the_session_cookie(signed_in):
    delete(signed_in)

    assert signed_in.cookies["frontdoor_session"].value == ""


def test_the_history_that_stays_names_no_place_or_device(ada):
    UserFactory(username="grace", email="grace@example.com")
    hers, mine = (Client(headers={"User-Agent": FIREFOX}) for _ in range(2))
    hers.post("/login", {"login": "grace", "password": PASSWORD})
    mine.post("/login", {"login": "ada", "password": PASSWORD})

    delete(mine)

    left = Event.objects.filter(user=None).exclude(kind="deleted")
    assert {(event.ip, event.device, str(event.detail)) for event in left} == {(None, "", "{}")}
    kept = Event.objects.get(user__username="grace", kind="signed_in")
    assert (kept.ip, kept.device, kept.told) == ("127.0.0.1", "Firefox/Windows", "grace@example.com")


def test_people_can_delete_their_accounts_while_links_are_under_way(mailbox):
    for name in ("grace", "alan"):
        person, client = UserFactory(username=name), Client()
        client.post("/login", {"login": name, "password": PASSWORD})
        Invite.objects.issue(person.email, source="admin", note=f"Hello {name}")
        links = [mailbox.link(person.email, "/confirm")]
        MagicLink.objects.issue(person.email)
        links.append(mailbox.link(person.email, "/confirm"))
        delete(client)
        assert [Client().get(link).status_code for link in links] == [404, 404]

    assert not User.objects.exists()
    assert not Invite.objects.pending().exists()
    assert not MagicLink.objects.pending().exists()
    assert set(Invite.objects.values_list("email", "note")) == {("", "")}
    assert set(MagicLink.objects.values_list("email", flat=True)) == {""}


def test_plans_for_the_address_of_a_deleted_account_are_forgotten(signed_in, ada):
    LinkFactory(email=ada.email, username="hopper", password="argon2$x", seal="sealed")

    delete(signed_in)

    kept = everything_in_the_database()
    assert not [planned for planned in ("hopper", "argon2", "sealed") if planned in kept]


def test_a_get_request_deletes_nothing(signed_in):
    signed_in.get("/account/delete")

    assert User.objects.exists()


def test_an_account_without_a_password_is_asked_for_a_mailed_link(mailbox):
    grace = UserFactory(username="grace", email="grace@example.com", password=None)
    client = Client()
    client.force_login(grace)
    assert "Your account has no password" in words(client.get("/account/delete"))
    client.post("/account/delete")
    assert User.objects.exists()

    client.post("/account/prove", {"next": "/account/delete"})
    link = mailbox.link(grace.email, "/confirm")
    assert client.post("/confirm", {"token": link.partition("token=")[2]}).url == "/account/delete"
    client.post("/account/delete", {"when": "now"})
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "step",
    [
        "accounts.privacy.erase.Event.objects.forget",
        "invites.privacy.Invite.objects.forget",
        "invites.privacy.MagicLink.objects.forget",
    ],
)
def test_a_failure_at_any_step_removes_nothing_and_says_so(signed_in, ada, monkeypatch, step):
    def fail(*_args, **_kwargs):
        raise DatabaseError("on purpose")

    monkeypatch.setattr(step, fail)

    page = signed_in.post("/account/delete", {"when": "now", "password": PASSWORD})

    assert page.status_code == 503
    assert "Nothing has been removed." in words(page)
    assert User.objects.get().email == "ada@example.com"
    assert signed_in.get("/account").status_code == 200
    assert not OutboxMessage.objects.filter(kind="deleted").exists()
    assert not Event.objects.filter(kind="deleted").exists()


@pytest.mark.django_db(transaction=True)
def test_a_deletion_does_not_wait_long_for_a_locked_row(signed_in, ada):
    held, done = threading.Event(), threading.Event()

    def hold():
        from django.db import transaction  # noqa: PLC0415

        with transaction.atomic():
            User.objects.select_for_update().get(pk=ada.pk)
            held.set()
            done.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(20)
    page = signed_in.post("/account/delete", {"when": "now", "password": PASSWORD})
    done.set()
    holder.join()

    assert page.status_code == 503
    assert "Nothing has been removed." in words(page)
    assert User.objects.exists()


def test_mail_that_waits_for_a_deleted_account_is_not_sent(mailbox, signed_in, ada):
    ada.rename("ada.lovelace")
    MagicLink.objects.issue(ada.email)
    MagicLink.objects.issue("grace@example.com")

    delete(signed_in)

    assert mailbox.kinds("ada@example.com") == ["deleted"]
    assert mailbox.kinds("grace@example.com") == ["link_new"]


@pytest.mark.django_db(transaction=True)
def test_a_deletion_does_not_wait_for_a_mail_that_is_being_handed_over(mailbox, signed_in, ada):
    MagicLink.objects.issue(ada.email)
    held, done = threading.Event(), threading.Event()

    def hand_over():
        from django.db import transaction  # noqa: PLC0415

        with transaction.atomic():
            row = OutboxMessage.objects.select_for_update().get(kind="link_known")
            held.set()
            done.wait(20)
            row.mark_sent()
        connection.close()

    worker = threading.Thread(target=hand_over)
    worker.start()
    assert held.wait(20)
    page = delete(signed_in)
    done.set()
    worker.join()

    assert "Your account has been deleted" in words(page)
    assert OutboxMessage.objects.get(kind="link_known").sent_at


def test_rows_of_the_present_owner_of_a_former_address_are_left_alone(mailbox, signed_in, ada):
    ada.address.change("ada@new.example")
    grace = UserFactory(username="grace", email="ada@example.com")
    grace.rename("grace.hopper")
    MagicLink.objects.issue(grace.email)
    mailbox.letters()
    Suppression.objects.suppress(grace.email, "550 5.1.1 No such user")

    parts = export(signed_in)[1]
    delete(signed_in)

    assert "ada@example.com" not in str([mail["recipient"] for mail in parts["mails.json"]])
    assert parts["invites.json"] == parts["links.json"] == []
    assert {"username_changed", "link_known"} <= set(
        OutboxMessage.objects.filter(recipient=grace.email).values_list("kind", flat=True)
    )
    link = MagicLink.objects.get()
    assert (link.email, link.state) == (grace.email, MagicLink.State.PENDING)
    assert Suppression.objects.get().recipient == grace.email


def test_deleting_at_the_desk_forgets_as_much(admin_client, mailbox):
    send_to(admin_client, "ada@example.com")
    LogEntry.objects.log_actions(User.objects.get().pk, [Invite.objects.get()], CHANGE)
    signed_in = Client()
    token = mailbox.link("ada@example.com").partition("token=")[2]
    signed_in.post("/signup", {"token": token, "username": "ada", "password": PASSWORD})
    ada = User.objects.get(username="ada")
    assert LogEntry.objects.filter(object_repr="ada@example.com").exists()

    admin_client.post(f"/admin/accounts/user/{ada.pk}/delete/", {"post": "yes"})

    assert not User.objects.filter(pk=ada.pk).exists()
    assert "ada@example.com" not in everything_in_the_database()
    assert signed_in.get("/account").status_code == 302


def test_a_free_address_can_join_again(mailbox, client, signed_in):
    delete(signed_in)
    client.post("/", {"email": "ada@example.com"})
    token = mailbox.link("ada@example.com", "/signup").partition("token=")[2]

    client.post("/signup", {"token": token, "username": "lovelace", "password": PASSWORD})

    assert User.objects.get().username == "lovelace"


def test_prune_deletes_what_is_over_and_nothing_else(mailbox, signed_in, ada, capsys):
    old = "2020-01-01T00:00Z"
    Session.objects.create(session_key="x" * 32, session_data="", expire_date=old, user=ada)
    Event.objects.bulk_create(Event(kind="failed", user=ada, at=old) for _ in range(7))
    kept_events = Event.objects.filter(at__gt="2021-01-01T00:00Z").count()
    LinkFactory(email="asked@example.com", expires_at=old)
    InviteFactory(email="invited@example.com", expires_at=old)
    InviteFactory(email="invited.and.accepted@example.com", expires_at=old, accepted_at=old)
    InviteFactory(email="invited.by.a.member@example.com", expires_at=old, source="member", invited_by=ada)
    mailbox.letters()
    OutboxMessage.objects.update(sent_at=old)
    MagicLink.objects.issue("fresh@example.com")

    call_command("prune", "--dry-run")
    said = capsys.readouterr().out
    assert (
        "DRY RUN  0 accounts, 1 sessions, 7 events, 1 invites, 0 join requests, 1 links, 1 mails, 0 batches, "
        "0 published events, " in said
    )
    assert "0 webhook deliveries, 0 app tokens, 0 app requests, 0 app logins, 0 logout calls, 0 signing keys" in said
    assert said.endswith(" 0 held names deleted, 0 mails emptied\n")
    call_command("prune", "--batch-size", "2", "--format", "json")

    assert json.loads(capsys.readouterr().out) == {
        "command": "prune",
        "dry_run": False,
        "accounts": 0,
        "sessions": 1,
        "events": 7,
        "invites": 1,
        "join_requests": 0,
        "links": 1,
        "mails": 1,
        "batches": 0,
        "published_events": 0,
        "webhook_deliveries": 0,
        "app_tokens": 0,
        "app_requests": 0,
        "app_logins": 0,
        "logout_calls": 0,
        "signing_keys": 0,
        "held_names": 0,
        "emptied_mails": 0,
    }
    assert signed_in.get("/account").status_code == 200
    assert Event.objects.count() == kept_events
    invited = {"invited@example.com", "invited.and.accepted@example.com"}
    assert set(Invite.objects.values_list("email", flat=True)) == invited
    assert set(MagicLink.objects.values_list("email", flat=True)) == invited | {"fresh@example.com"}
    assert OutboxMessage.objects.get().recipient == "fresh@example.com"


def test_prune_keeps_expired_links_for_30_days_and_used_ones_for_a_year():
    for name, days in [("asked", 29), ("asked", 31), ("used", 364), ("used", 366)]:
        ago = timezone.now() - timedelta(days=days)
        used_at = ago if name == "used" else None
        LinkFactory(email=f"{name}{days}@example.com", expires_at=ago, used_at=used_at)

    call_command("prune")

    assert set(MagicLink.objects.values_list("email", flat=True)) == {"asked29@example.com", "used364@example.com"}


def test_prune_keeps_mail_about_an_invite_for_a_year_while_the_invite_names_anyone(ada):
    MagicLink.objects.issue("asked@example.com")
    for name in ("invited", "deleted", "forgotten"):
        Invite.objects.issue(f"{name}@example.com", source="admin", invited_by=ada)
    Invite.objects.filter(email="deleted@example.com").delete()
    for rows in (Invite.objects, MagicLink.objects):
        rows.filter(email="forgotten@example.com").update(email="", revoked_at=timezone.now())

    for days, kept in [
        (29, {"asked@example.com", "invited@example.com", "deleted@example.com", "forgotten@example.com"}),
        (31, {"invited@example.com"}),
        (364, {"invited@example.com"}),
        (366, set()),
    ]:
        ago = timezone.now() - timedelta(days=days)
        for rows in (Invite.objects, MagicLink.objects):
            rows.update(expires_at=ago)
        OutboxMessage.objects.update(created_at=ago, sent_at=ago)
        call_command("prune")
        assert set(OutboxMessage.objects.values_list("recipient", flat=True)) == kept, days


def test_a_dry_run_of_prune_counts_the_mail_about_links_that_it_deletes(capsys):
    MagicLink.objects.issue("asked@example.com")
    ago = timezone.now() - timedelta(days=31)
    MagicLink.objects.update(expires_at=ago)
    OutboxMessage.objects.update(created_at=ago, sent_at=ago)

    for rehearsal in (["--dry-run"], []):
        call_command("prune", *rehearsal)
        assert "0 invites, 0 join requests, 1 links, 1 mails" in capsys.readouterr().out


def test_prune_keeps_an_invitation_that_is_sent_again_while_it_runs(ada, monkeypatch):
    old = "2020-01-01T00:00Z"
    invite = InviteFactory(source="member", invited_by=ada, created_at=old, expires_at=old)

    def meanwhile(keys):
        found = list(keys)
        if invite.pk in found:
            MemberInvites(ada).resend(invite)
        return found

    monkeypatch.setattr(prune, "list", meanwhile, raising=False)
    call_command("prune")

    assert Invite.objects.pending().get() == invite
    assert invite.links.get().state == MagicLink.State.PENDING


def test_no_copy_of_a_session_stays_in_redis(signed_in, django_capture_on_commit_callbacks):
    other = Client()
    other.post("/login", {"login": "ada", "password": PASSWORD})
    keys = [Session.cache_key(stored_key(client.cookies["frontdoor_session"].value)) for client in (signed_in, other)]
    assert all(caches["sessions"].get_many(keys).values())

    with django_capture_on_commit_callbacks(execute=True):
        delete(signed_in)

    assert caches["sessions"].get_many(keys) == {}


def test_the_export_holds_no_mail_from_before_the_account(mailbox, signed_in, ada):
    OutboxMessage.objects.create(recipient=ada.email, kind="older", message_id="<x>", created_at="2020-01-01T00:00Z")

    assert "older" not in str(export(signed_in)[1])


def test_exports_are_limited(signed_in):
    statuses = [signed_in.post("/account/export").status_code for _ in range(21)]

    assert statuses == [200] * 20 + [429]


def test_an_export_is_mailed_to_the_owner(mailbox, signed_in, ada):
    export(signed_in)

    assert mailbox.kinds(ada.email)[-1] == "exported"


def test_prune_empties_mail_given_up_a_week_ago_and_deletes_published_events(capsys):
    now = timezone.now()
    for days in (6, 8):
        MagicLink.objects.issue(f"given.up{days}@example.com")
        row = OutboxMessage.objects.get(recipient=f"given.up{days}@example.com")
        row.give_up("550 5.7.1 No")
        OutboxMessage.objects.filter(pk=row.pk).update(given_up_at=now - timedelta(days=days))
        OutboxEvent.objects.create(name=f"published {days}", published_at=now - timedelta(days=days))
    OutboxEvent.objects.create(name="waiting", created_at=now - timedelta(days=60))

    call_command("prune", "--dry-run")
    said = capsys.readouterr().out
    assert "1 published events, 0 webhook deliveries" in said
    assert said.endswith(" deleted, 1 mails emptied\n")
    call_command("prune", "--format", "json")
    done = json.loads(capsys.readouterr().out)
    assert (done["published_events"], done["emptied_mails"]) == (1, 1)
    call_command("prune")

    said = capsys.readouterr().out
    assert "0 published events, 0 webhook deliveries" in said
    assert said.endswith(" deleted, 0 mails emptied\n")
    assert OutboxMessage.objects.exclude(parts={}).get().recipient == "given.up6@example.com"
    assert set(OutboxEvent.objects.values_list("name", flat=True)) == {"published 6", "waiting"}


def test_prune_drops_the_passwords_of_plans_that_nobody_confirmed(client):
    form = {"email": "grace@example.com", "username": "grace", "password": PASSWORD}
    client.post("/signup", form)
    call_command("prune")
    assert MagicLink.objects.get().password

    MagicLink.objects.update(expires_at=timezone.now() - timedelta(hours=25), created_at="2020-01-01T00:00Z")
    call_command("prune")

    link = MagicLink.objects.get()
    assert (link.password, link.seal) == ("", "")


def test_prune_drops_lists_that_nobody_sent_after_a_day_and_sent_ones_after_a_year():
    for days in (0, 2, 364, 366):
        ago = timezone.now() - timedelta(days=days)
        Batch.objects.create(id=f"unsent {days}", created_at=ago)
        Batch.objects.create(id=f"sent {days}", created_at=ago, sent_at=ago)

    call_command("prune")

    kept = {"unsent 0", "sent 0", "sent 2", "sent 364"}
    assert set(Batch.objects.values_list("id", flat=True)) == kept


def test_prune_told_to_stop_finishes_its_batch_and_says_what_it_did(monkeypatch, capsys):
    Event.objects.bulk_create(Event(kind="failed", at="2020-01-01T00:00Z") for _ in range(7))

    def meanwhile(keys):
        if found := list(keys):
            signal.raise_signal(signal.SIGTERM)
        return found

    monkeypatch.setattr(prune, "list", meanwhile, raising=False)
    with pytest.raises(CommandError, match="Run it again") as stopped:
        call_command("prune", "--batch-size", "2", "--format", "json")

    done = json.loads(capsys.readouterr().out)
    assert (stopped.value.returncode, done["sessions"], done["events"]) == (130, 0, 2)
    monkeypatch.undo()
    call_command("prune", "--batch-size", "2")
    assert "5 events" in capsys.readouterr().out
