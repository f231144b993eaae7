"""Webhooks at the desk: staff add, test, change and retry them; a secret is shown once."""

import html
import re
from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from outbox.desk.webhook import WebhookForm
from outbox.models import OutboxEvent, Webhook, WebhookDelivery
from outbox.webhooks.deliver import deliver_due
from tests.outbox.test_webhooks import signs
from tests.tools.factories import PASSWORD, UserFactory
from tests.tools.reading import words
from tests.tools.receiver import Receiver

pytestmark = pytest.mark.django_db

LIST = "/admin/outbox/webhook/"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


@pytest.fixture
def receiver(settings):
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    with Receiver().listening() as receiver:
        yield receiver


@pytest.fixture
def webhook(db):
    return Webhook.objects.create(url="https://hooks.example/in?key=1", secret="-")


def add(client, url, **form):
    return client.post(f"{LIST}add/", {"url": url, "is_active": "on"} | form)


def page_of(webhook, page="change"):
    return f"{LIST}{webhook.pk}/{page}/"


def secrets(page):
    return SECRET.findall(html.unescape(page.text))


def made_at(desk, webhook):
    return re.search(r'name="made_at" value="([^"]+)"', desk.get(page_of(webhook, "secret")).text)[1]


def staff(*permissions):
    person = UserFactory(is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.post("/login", {"login": person.username, "password": PASSWORD})
    return client


def test_a_new_webhook_shows_its_secret_once_and_a_test_proves_it(desk, receiver):
    page = add(desk, receiver.url())

    [secret], webhook = secrets(page), Webhook.objects.get()
    assert "no-store" in page["Cache-Control"]
    assert secret not in str(page.cookies)
    for path in (LIST, page_of(webhook), page_of(webhook, "secret"), "/admin/"):
        assert secrets(desk.get(path)) == [], path
    stored = [*Webhook.objects.values_list("secret", flat=True), *LogEntry.objects.values_list("change_message")]
    assert secret not in str(stored)

    assert "A test event is on its way" in words(desk.post(page_of(webhook, "test"), follow=True))
    call_command("deliver_webhooks", "--once")
    [call] = receiver.told
    assert b'"webhook.test"' in call.body
    assert signs(secret, call)
    assert "webhook.test" in words(desk.get(page_of(webhook)))
    assert "200 OK" in words(desk.get(page_of(webhook)))


def test_what_may_not_be_called_is_refused_with_the_reason(desk, webhook):
    for url, said in {
        "https://127.0.0.1/": "127.0.0.1 is at 127.0.0.1, which is not a public address",
        "https://169.254.169.254/latest/": "not a public address",
        "ftp://hooks.example/": "not an address we can call",
        "https://user:pw@hooks.example/": "Leave out the user",
    }.items():
        page = add(desk, url)
        assert said in words(page)
        assert url in html.unescape(page.text)
    assert "not one of the available choices" in words(add(desk, "https://127.0.0.1/", events=["user.eaten"]))
    assert Webhook.objects.get() == webhook


def test_an_address_is_told_once(desk, receiver):
    add(desk, receiver.url())

    page = add(desk, receiver.url())

    assert "already exists" in words(page)
    assert secrets(page) == []
    assert Webhook.objects.count() == 1


def test_events_are_chosen_and_a_webhook_is_turned_off_whatever_became_of_its_name(desk, webhook, monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [])
    form = {"url": webhook.url, "events": ["user.created", "user.deleted"], "is_active": "on"}
    page = desk.post(page_of(webhook), form, follow=True)
    assert "user.created, user.deleted" in words(page)
    Webhook.objects.update(paused_until=timezone.now())

    def meanwhile(form):
        Webhook.objects.update(secret="newer")
        return form.cleaned_data

    monkeypatch.setattr(WebhookForm, "clean", meanwhile)
    desk.post(page_of(webhook), {"url": webhook.url, "events": ["user.created"]})

    webhook.refresh_from_db()
    assert (webhook.events, webhook.is_active, webhook.secret) == (["user.created"], False, "newer")
    assert webhook.paused_until is None
    page = desk.post(page_of(webhook, "test"), follow=True)
    assert "Nothing was sent: this webhook is off" in words(page)
    assert "No server was found" in words(desk.post(page_of(webhook), {"url": "https://other.example/"}))


def test_a_new_secret_is_asked_about_made_once_and_shown_once(desk, receiver):
    [first] = secrets(add(desk, receiver.url()))
    webhook = Webhook.objects.get()
    pressed = {"made_at": made_at(desk, webhook)}
    assert Webhook.objects.get().secret == webhook.secret

    page = desk.post(page_of(webhook, "secret"), pressed)
    again = desk.post(page_of(webhook, "secret"), pressed, follow=True)

    [second] = secrets(page)
    assert "For 24 hours the former one signs, too" in words(page)
    assert "no-store" in page["Cache-Control"]
    assert "nothing was changed now" in words(again)
    assert secrets(again) == []
    for nonsense in ("", "x", "2026-13-01T00:00Z", "2026-01-01T00:00", "0001-01-01T00:00:00+23:00"):
        desk.post(page_of(webhook, "secret"), {"made_at": nonsense})
    OutboxEvent.objects.announce("user.deleted", user=1)
    deliver_due()
    assert [signs(secret, receiver.told[0]) for secret in (first, second)] == [True, True]
    assert "olga changed at the desk: webhook 127.0.0.1" in words(desk.get("/admin/accounts/event/"))


def test_what_was_given_up_is_tried_again_one_or_all(desk, webhook):
    rows = [webhook.deliveries.create(name="user.deleted") for _ in range(4)]
    for row in rows[:3]:
        row.give_up("500 <b>No</b>")
    page = desk.get(page_of(webhook))
    assert page.text.count(">Try now<") == 3
    assert "500 &lt;b&gt;No" in page.text

    page = desk.post(page_of(webhook, "retry"), {"delivery": rows[0].pk}, follow=True)
    assert "1 event is tried again." in words(page)
    assert list(WebhookDelivery.objects.due().order_by("id")) == [rows[0], rows[3]]
    for nonsense in ("x", "²", "9" * 30, str(rows[3].pk)):
        assert "0 events" in words(desk.post(page_of(webhook, "retry"), {"delivery": nonsense}, follow=True))
    webhook.turn_off()
    assert "this webhook is off" in words(desk.post(page_of(webhook, "retry"), follow=True))
    Webhook.objects.update(is_active=True, paused_until=timezone.now() + timedelta(minutes=1))
    assert "2 events are tried again." in words(desk.post(page_of(webhook, "retry"), follow=True))
    assert Webhook.objects.get().paused_until is None


def test_the_pages_cost_the_same_however_much_there_is(desk, webhook):
    counts = []
    for number in (1, 40):
        Webhook.objects.bulk_create(Webhook(url=f"https://{number}.{n}.example/") for n in range(number))
        webhook.deliveries.bulk_create(WebhookDelivery(webhook=webhook, name="x") for _ in range(number))
        with CaptureQueriesContext(connection) as queries:
            page = desk.get(page_of(webhook))
            listed = desk.get(LIST)
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert page.text.count(">Waiting<") == 20
    assert "https://40.39.example/" in listed.text


def test_who_may_only_look_changes_nothing(webhook):
    looker, nobody = staff("view_webhook"), staff("view_outboxmessage")
    row = webhook.deliveries.create(name="user.deleted")
    row.give_up("500 No")
    before = list(Webhook.objects.values())

    page = looker.get(page_of(webhook))
    assert "500 No" in words(page)
    assert not [word for word in ("Try again", "Send a test", "Make a new secret") if word in page.text]
    for client in (looker, nobody):
        for name in ("secret", "test", "retry", "change", "delete"):
            assert client.post(page_of(webhook, name), {"post": "yes"}).status_code == 403
        assert client.get(page_of(webhook, "secret")).status_code == 403
        assert add(client, "https://8.8.8.8/").status_code == 403
    assert nobody.get(LIST).status_code == 403

    assert list(Webhook.objects.values()) == before
    assert WebhookDelivery.objects.get(pk=row.pk).status == "given_up"


def test_get_changes_nothing_and_what_is_not_there_is_not_found(desk, webhook):
    for name in ("test", "retry"):
        assert desk.get(page_of(webhook, name)).status_code == 405
    for pk in ("0", "x", "9" * 30, "%00"):
        for name in ("secret", "test", "retry"):
            assert desk.post(f"{LIST}{pk}/{name}/").status_code == 404, (pk, name)


def test_deleting_asks_without_a_list_of_what_was_told_and_logs_no_key(desk, webhook):
    webhook.deliveries.bulk_create(WebhookDelivery(webhook=webhook, name="user.eaten") for _ in range(3))

    assert "user.eaten" not in desk.get(page_of(webhook, "delete")).text
    desk.post(page_of(webhook, "delete"), {"post": "yes"})

    assert not Webhook.objects.exists()
    assert not WebhookDelivery.objects.exists()
    assert LogEntry.objects.latest("pk").object_repr == "hooks.example"
