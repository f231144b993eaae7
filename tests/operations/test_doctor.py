"""doctor: each check succeeds and fails, none stops the others; and it says why an invite did not arrive."""

import json
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from unittest.mock import patch

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Event
from invites.models import Invite
from kit import encryption, findings
from operations import doctor
from outbox.models import OutboxMessage, Suppression, Webhook
from sso.models import LogoutCall, SigningKey
from tests.tools.factories import InviteFactory, LinkFactory, UserFactory
from tests.tools.sink import Sink, Trouble, listening

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
EMAIL = "grace@example.com"


def run(*options):
    """Runs doctor; returns its output and its exit code."""
    out = StringIO()
    try:
        call_command("doctor", *options, stdout=out)
    except CommandError as error:
        return out.getvalue(), error.returncode
    return out.getvalue(), 0


def found(*options):
    """Runs doctor; returns state, words and advice of each finding by its name, and the exit code."""
    out, code = run(*options, "--format", "json")
    return {row["name"]: (row["state"], row["said"], row["advice"]) for row in json.loads(out)["findings"]}, code


def deliver_to(settings, port, **options):
    given = {"host": "127.0.0.1", "port": port, "timeout": 5} | options
    settings.MAILERS = settings.MAILERS | {"delivery": {"BACKEND": "outbox.mail.smtp.SmtpBackend", "OPTIONS": given}}


@pytest.fixture
def sound(settings):
    """The mail server of a site in production in which doctor finds nothing wrong."""
    settings.SITE_URL, settings.SITE_HOST, settings.HTTPS = "https://door.example", "door.example", True
    settings.ALLOWED_HOSTS, settings.TRUSTED_PROXY_COUNT = ["door.example"], 1
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = settings.LANGUAGE_COOKIE_SECURE = True
    settings.REQUIRE_STAFF_2FA, settings.HASH_PLACES = True, 12
    server = Sink()
    with listening(server) as port:
        deliver_to(settings, port, username="frontdoor", password="secret")
        yield server


def test_a_sound_site_is_told_so_and_no_mail_is_sent(sound):
    checks, code = found()

    assert (code, {state for state, *_ in checks.values()}) == (0, {"ok"}), checks
    assert checks.keys() == {
        *("database", "migrations", "clock", "queue", "given up", "proxies", "staff"),
        *("cache", "mail server", "SITE_URL", "sign-up", "cookies", "hashes", "DEBUG"),
    }
    assert (sound.said["auth"], sound.said["quit"], sound.said["mail"]) == (1, 1, 0)
    assert "secret" not in run()[0]


def test_settings_that_do_not_go_together_are_named(sound, settings, ada):
    settings.ALLOWED_HOSTS, settings.DEBUG, settings.TRUSTED_PROXY_COUNT = ["other.example"], True, 0
    settings.SESSION_COOKIE_HTTPONLY = False
    settings.WEB_THREADS = settings.HASH_THREADS + settings.HASH_PLACES
    UserFactory(username="olga", is_staff=True)

    checks, code = found()

    assert code == 1
    assert {name for name, (state, *_) in checks.items() if state == "failure"} == {"SITE_URL", "cookies", "DEBUG"}
    assert {name for name, (state, *_) in checks.items() if state == "warning"} == {"proxies", "staff", "hashes"}
    assert "olga" in checks["staff"][1]
    assert all(advice for state, _said, advice in checks.values() if state != "ok")
    settings.SITE_URL, settings.SITE_HOST, settings.HTTPS = "http://other.example", "other.example", False
    settings.SESSION_COOKIE_HTTPONLY, settings.SESSION_COOKIE_SECURE = True, False
    checks, _code = found()
    assert "anybody on the way can read passwords and links" in checks["SITE_URL"][1]
    assert "SESSION travel over http" in checks["cookies"][1]
    Authenticator.objects.create(user=Event.objects.filter(user__username="olga").first().user, type="totp", data={})
    assert found()[0]["staff"][0] == "ok"


def test_a_hop_count_that_cannot_be_right_is_doubted(sound, settings, ada):
    for count, ip, state in [(1, "8.8.8.8", "ok"), (9, "8.8.8.8", "warning"), (1, "10.0.0.7", "warning")]:
        settings.TRUSTED_PROXY_COUNT = count
        Event.objects.all().delete()
        Event.objects.bulk_create(Event(kind="signed_in", user=ada, ip=ip) for _ in range(12))

        assert found()[0]["proxies"][0] == state, (count, ip)


def test_the_database_is_asked_about_its_migrations_and_its_clock(sound):
    MigrationRecorder.Migration.objects.filter(app="outbox", name="0001_initial").delete()
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        checks, code = found()

    assert code == 1
    assert checks["migrations"][1:] == ("Migrations are not applied: outbox.0001_initial.", "Run: manage.py migrate")
    assert "300 seconds apart" in checks["clock"][1] or "299 seconds apart" in checks["clock"][1]


def test_without_a_database_the_rest_is_checked(sound):
    with patch.object(connection, "ensure_connection", side_effect=OperationalError("refused")):
        checks, code = found()

    assert code == 1
    assert checks["database"][0] == "failure"
    assert checks["mail server"][0] == checks["cache"][0] == "ok"
    assert "queue" not in checks


def test_a_check_that_fails_or_hangs_stops_no_other(sound, monkeypatch):
    monkeypatch.setattr(findings, "PATIENCE", 0.1)
    monkeypatch.setitem(doctor.ELSEWHERE, "cookies", lambda: 1 / 0)
    monkeypatch.setitem(doctor.ELSEWHERE, "broker", findings.with_deadline(lambda: time.sleep(5)))
    asleep = findings.with_statement_timeout(lambda: connection.cursor().execute("SELECT pg_sleep(60)"))
    monkeypatch.setattr(findings, "SLOWEST", "100ms")
    monkeypatch.setitem(doctor.IN_DATABASE, "queue", asleep)

    checks, code = found()

    assert code == 1
    assert "ZeroDivisionError" in checks["cookies"][1]
    assert "No answer within 0.1 seconds" in checks["broker"][1]
    assert "statement timeout" in checks["queue"][1]
    assert checks["given up"][0] == checks["DEBUG"][0] == "ok"


def test_redis_that_is_away_is_said(sound, monkeypatch):
    cache = caches["default"]
    monkeypatch.setattr(cache._breaker, "retry_at", time.monotonic() + 60)

    assert found()[0]["cache"][0] == "failure"


def test_a_broker_is_asked_where_there_is_one(sound, settings, closed_port):
    settings.AMQP_URL = f"amqp://{closed_port[0]}:{closed_port[1]}"

    state, said, _advice = found()[0]["broker"]

    assert (state, "does not accept us" in said) == ("failure", True)


@pytest.mark.parametrize(
    ("stage", "answer", "said"),
    [
        ("connect", "554 5.3.2 Go away", "554 5.3.2 Go away"),
        ("ehlo", Trouble.DROP, "SMTPServerDisconnected"),
        ("auth", "535 5.7.8 Wrong password", "535 5.7.8 Wrong password"),
        (None, None, "refused"),
    ],
)
def test_a_mail_server_that_does_not_accept_us_is_quoted(sound, settings, closed_port, stage, answer, said):
    if stage:
        sound.says[stage] = answer
    else:
        deliver_to(settings, closed_port[1])

    state, words, advice = found()[0]["mail server"]

    assert (state, said in words) == ("failure", True), words
    assert ("password" in advice) == (stage == "auth")


def test_a_queue_that_stands_still_and_mail_that_was_given_up_are_told(sound):
    old = OutboxMessage.objects.create(recipient=EMAIL, message_id="1", created_at=LONG_AGO, next_try_at=LONG_AGO)
    OutboxMessage.objects.create(recipient=EMAIL, message_id="2").give_up("550 5.7.1 No")

    checks, code = found()

    assert code == 1
    assert checks["queue"][0] == "failure"
    assert "1 mails wait, the oldest for" in checks["queue"][1]
    assert "deliver_mail" in checks["queue"][2]
    assert checks["given up"][0] == "warning"
    old.delete()
    assert found()[1] == 0


def invited(email=EMAIL, **fields):
    """Stores an invite and its mail, with these fields of either, and returns the invite."""
    became = {name: fields.pop(name) for name in ("attempts", "last_answer", "bounced_at") if name in fields}
    invite = InviteFactory(email=email, **fields)
    sent = {"sent_at": timezone.now(), "parts": {}} | became
    OutboxMessage.objects.create(recipient=email, about=invite.pk, kind="invite", message_id=f"<{email}>", **sent)
    return invite


def waiting(**fields):
    OutboxMessage.objects.update(sent_at=None, **fields)


def test_what_became_of_an_invite_is_told_by_its_state():
    past = {"accepted": "accepted_at", "declined": "declined_at", "revoked": "revoked_at", "old": "expires_at"}
    said = {}
    for name, field in past.items():
        invited(f"{name}@example.com", **{field: LONG_AGO})
        said[name], code = found(f"{name}@example.com")
        assert code == (0 if name == "accepted" else 1)
        assert "1 Jan 2020 at 00:00 (UTC)" in said[name]["invite"][1]

    assert "declined it on" in said["declined"]["invite"][1]
    assert "--state declined" in said["declined"]["invite"][2]
    assert "withdrawn" in said["revoked"]["invite"][1]
    assert "resend_invites" in said["old"]["invite"][2]
    assert found("nobody@example.com")[0]["invite"][1] == "There is no invite to this address."
    owner = LinkFactory(purpose="owner")
    assert "owner_link" in found("--invite", str(owner.pk))[0]["invite"][2]
    assert run("--invite", str(ada_id := "0" * 32))[1] == run("not an address")[1] == 2, ada_id


def test_what_became_of_a_link_that_was_asked_for_is_told_by_its_state():
    past = {"used": "used_at", "revoked": "revoked_at", "old": "expires_at"}
    said = {}
    for name, field in past.items():
        LinkFactory(email=f"{name}@example.com", **{field: LONG_AGO})
        said[name], code = found(f"{name}@example.com")
        assert code == 1  # nothing was mailed
        assert said[name]["invite"][0] == ("ok" if name == "used" else "failure")
        assert "1 Jan 2020 at 00:00 (UTC)" in said[name]["invite"][1]
        assert (name == "used") == (said[name]["invite"][2] == "")

    assert "used on" in said["used"]["invite"][1]
    assert "withdrawn" in said["revoked"]["invite"][1]
    assert "on the start page" in said["old"]["invite"][2]
    LinkFactory(email=EMAIL, opened_at=LONG_AGO)
    assert "opened on 1 Jan 2020" in found(EMAIL)[0]["invite"][1]


def test_the_newest_that_was_sent_to_an_address_is_told_of():
    asked = [LinkFactory(email=EMAIL, sent_at=LONG_AGO, used_at=at) for at in (LONG_AGO, None)]
    assert "used on 1 Jan 2020" in found(EMAIL)[0]["invite"][1]  # one use ends all links that were mailed before it
    invite = invited(declined_at=LONG_AGO)
    assert "declined it on" in found(EMAIL)[0]["invite"][1]
    asked.append(LinkFactory(email=EMAIL, revoked_at=LONG_AGO))
    assert "withdrawn" in found(EMAIL)[0]["invite"][1]
    assert "declined it on" in found("--invite", str(invite.pk))[0]["invite"][1]
    assert "used on" in found("--invite", str(asked[0].pk))[0]["invite"][1]

    by_invitation = invited("alan@example.com", expires_at=LONG_AGO)
    LinkFactory(email="alan@example.com", invite=by_invitation)
    assert "resend_invites" in found("alan@example.com")[0]["invite"][2]


def test_of_a_link_it_is_told_that_its_invitation_is_over():
    for field, words in {"declined_at": "declined it on 1 Jan 2020", "revoked_at": "withdrawn on 1 Jan 2020"}.items():
        link = LinkFactory(email=EMAIL, invite=InviteFactory(email=EMAIL, **{field: LONG_AGO}))
        state, said, _advice = found("--invite", str(link.pk))[0]["invite"]
        assert (state, words in said) == ("failure", True), said


def test_what_became_of_the_mail_is_told_by_the_servers_answer(settings):
    invite = invited(last_answer="250 2.0.0 queued as 7")
    taken, code = found("Grace@Example.com")
    assert (code, taken["mail"][0]) == (0, "ok")
    assert "250 2.0.0 queued as 7" in taken["mail"][1]
    assert f"<{EMAIL}> in the log" in taken["mail"][2]

    waiting(created_at=timezone.now() - timedelta(hours=1), next_try_at=timezone.now() - timedelta(hours=1))
    untried, code = found("--invite", str(invite.pk))
    assert (code, untried["mail"][0], untried["queue"][0]) == (1, "failure", "failure")
    assert "no worker has tried it" in untried["mail"][1]

    waiting(attempts=3, last_answer="450 4.2.0 Greylisted")
    assert "450 4.2.0 Greylisted" in found(EMAIL)[0]["mail"][1]
    waiting(attempts=0, created_at=timezone.now() + timedelta(hours=1), next_try_at=timezone.now() + timedelta(hours=1))
    assert "leave in step" in found(EMAIL)[0]["mail"][1]
    waiting(given_up_at=timezone.now(), last_answer="550 5.7.1 No")
    assert found(EMAIL)[0]["mail"][2].endswith("--given-up")
    OutboxMessage.objects.update(sent_at=LONG_AGO, bounced_at=LONG_AGO, last_answer="550 5.1.1 No such user")
    bounced = "It came back on 1 Jan 2020 at 00:00 (UTC): 550 5.1.1 No such user"
    assert found(EMAIL)[0]["mail"][:2] == ("failure", bounced)
    OutboxMessage.objects.all().delete()
    assert "no mail about it" in found(EMAIL)[0]["mail"][1]


def test_an_address_that_cannot_be_reached_or_needs_no_invite_is_told(settings, ada):
    invited()
    assert "address" not in found(EMAIL)[0]
    Suppression.objects.suppress(EMAIL, "550 5.1.1 No such user")
    assert "550 5.1.1 No such user" in found(EMAIL)[0]["address"][1]
    Suppression.objects.opt_out("alan@example.com")
    _state, said, advice = found("alan@example.com")[0]["address"]
    assert ("never to be written to" in said, "Leave it at that" in advice) == (True, True)
    assert found("alan@gmial.com")[0]["address"][1] == "It looks like a typo of alan@gmail.com."

    assert "sign-up" not in found("nobody@example.com")[0]
    settings.SIGNUP = "invited"
    assert "SIGNUP is “invited”" in found("nobody@example.com")[0]["sign-up"][1]
    assert "sign-up" not in found(EMAIL)[0]

    assert found(ada.email)[0]["account"][0] == "warning"
    ada.turn_off()
    assert "turned off" in found(ada.email)[0]["account"][1]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SIGNUP_DOMAINS", ("example.org",), "its domain is not among SIGNUP_DOMAINS, and it has no open invite"),
        ("BLOCKED_DOMAINS", {"example.com"}, "Its domain is among BLOCKED_DOMAINS, and it has no open invite"),
        ("DISPOSABLE_MAILBOXES", "refuse", "its domain is known for these, and it has no open invite"),
    ],
)
def test_an_address_whose_domain_may_not_join_is_told(settings, name, value, said):
    settings.SIGNUP = "domains" if name == "SIGNUP_DOMAINS" else "open"
    setattr(settings, name, value)
    email = "nobody@mailinator.com" if name == "DISPOSABLE_MAILBOXES" else "nobody@example.com"

    assert said in found(email)[0]["sign-up"][1]


def test_domains_that_are_let_in_and_blocked_or_without_effect_are_told(sound, settings):
    assert found()[0]["sign-up"][:2] == ("ok", "SIGNUP is “open”.")
    settings.SIGNUP_DOMAINS = ("example.com", "cs.mit.edu", "*.edu")
    assert "lets nobody in who may not join anyway" in found()[0]["sign-up"][1]
    settings.SIGNUP = "domains"
    assert found()[0]["sign-up"][0] == "ok"
    settings.BLOCKED_DOMAINS = {"example.com", "*.mit.edu", "spam.edu"}
    state, said, _advice = found()[0]["sign-up"]
    assert (state, said) == (
        "warning",
        "Among SIGNUP_DOMAINS and BLOCKED_DOMAINS: example.com, cs.mit.edu. Blocked is stronger.",
    )


def test_groups_by_domain_that_are_missing_or_give_rights_are_told(sound, settings):
    assert "domain groups" not in found()[0]
    settings.DOMAIN_GROUPS = {"*.edu": ("Students",), "mit.edu": ("Engineers", "Students")}
    assert found()[0]["domain groups"][:2] == (
        "warning",
        "DOMAIN_GROUPS names groups that are not there: Engineers, Students.",
    )
    students = Group.objects.create(name="Students")
    Group.objects.create(name="Engineers")
    assert found()[0]["domain groups"][0] == "ok"
    students.permissions.add(Permission.objects.get(codename="change_user"))
    state, said, _advice = found()[0]["domain groups"]
    assert (state, "grant permissions: Students. Nobody is put" in said) == ("failure", True)


def test_it_changes_nothing_and_shows_no_link(sound):
    Invite.objects.issue(EMAIL, source="admin")
    with CaptureQueriesContext(connection) as statements:
        shown = run()[0] + run(EMAIL)[0] + run(EMAIL, "--format", "json")[0]

    changing = ("INSERT", "UPDATE", "DELETE")
    assert not [query["sql"] for query in statements if query["sql"].startswith(changing)]
    assert "token" not in shown
    assert "mail" in shown


def test_events_that_nobody_tells_are_found(sound):
    assert "webhooks" not in found()[0]
    webhook = Webhook(url="https://billing.example/hook")
    webhook.make_secret()
    webhook.save()
    webhook.announce("webhook.test")
    assert found()[0]["webhooks"][0] == "ok"

    with time_machine.travel(timezone.now() + timedelta(minutes=7)):
        state, said, advice = found()[0]["webhooks"]
        assert (state, "7 minutes" in said, "deliver_webhooks" in advice) == ("warning", True, True)
        webhook.pause()
        assert found()[0]["webhooks"][0] == "ok"


def test_keys_that_nobody_can_decrypt_are_found(sound, settings):
    SigningKey.objects.create(pem=encryption.encrypt("a key"))
    assert "apps" not in found()[0]

    settings.ENCRYPTION_KEYS = ["another-key-" * 4]

    state, said, advice = found()[0]["apps"]
    assert (state, "can't be decrypted: 1." in said) == ("warning", True)
    assert "ENCRYPTION_KEY_FALLBACKS" in advice
    assert "rotate_signing_key" in advice
    call_command("rotate_signing_key")
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert "apps" not in found()[0]


def test_sign_outs_that_no_app_hears_of_are_found(sound):
    assert "apps" not in found()[0]
    call = LogoutCall.objects.create(client_id="app", uri="https://app.example/out", sub="1", sid="2")
    LogoutCall.objects.create(client_id="app", uri="https://app.example/out", sub="1", sid="3")
    assert found()[0]["apps"][0] == "ok"

    with time_machine.travel(timezone.now() + timedelta(minutes=7)):
        state, said, advice = found()[0]["apps"]
        assert (state, "is late" in said, "deliver_webhooks" in advice) == ("warning", True, True)

        call.mark_failed("app.example is at 10.0.0.1, which is not a public address.")
        state, said, _advice = found()[0]["apps"]
        assert (state, "10.0.0.1" in said) == ("warning", True)

        LogoutCall.objects.get(sid="3").mark_told("200 OK")
        call.give_up("400 Bad Request")
        state, said, _advice = found()[0]["apps"]
        assert (state, "within a day: 1." in said) == ("warning", True)

    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert found()[0]["apps"][0] == "ok"
