"""The command add_webhook: one webhook with these events and this secret, however often it runs."""

import base64
import json
from ipaddress import ip_network

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Event
from outbox.models import OutboxMessage, Webhook

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1:9000/hook?key=7"
OTHER = f"whsec_{base64.b64encode(bytes(32)).decode()}"


@pytest.fixture(autouse=True)
def allowed(settings):
    settings.WEBHOOKS_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "hook.secret"


def run(capsys, file, *options, url=URL):
    call_command("add_webhook", url, "--secret-file", str(file), *options)
    return capsys.readouterr().out


def test_it_adds_a_webhook_and_makes_a_secret_that_its_owner_alone_can_read(capsys, file):
    said = run(capsys, file, "--event", "user.updated", "--event", "user.deleted", "--event", "user.deleted")

    webhook = Webhook.objects.get()
    assert said == f"{URL}: added\n"
    assert (webhook.url, webhook.events, webhook.is_active) == (URL, ["user.deleted", "user.updated"], True)
    assert webhook.secrets == [file.read_text()]
    assert file.stat().st_mode & 0o777 == 0o600


def test_it_takes_a_secret_that_is_there(capsys, file):
    file.write_text(f"{OTHER}\n")

    run(capsys, file)

    assert Webhook.objects.get().secrets == [OTHER]
    assert Webhook.objects.get().events == []


def test_run_again_it_changes_nothing_and_mails_nobody(capsys, file, admin_user):
    run(capsys, file, "--event", "user.deleted")
    before = Webhook.objects.values().get()
    OutboxMessage.objects.all().delete()

    said = json.loads(run(capsys, file, "--event", "user.deleted", "--format", "json"))

    assert said == {"command": "add_webhook", "webhook": URL, "done": "as it was"}
    assert Webhook.objects.values().get() == before
    assert not OutboxMessage.objects.exists()


def test_it_turns_a_webhook_on_again_with_these_events(capsys, file):
    run(capsys, file)
    Webhook.objects.update(is_active=False)

    assert run(capsys, file, "--event", "user.deleted") == f"{URL}: changed\n"

    webhook = Webhook.objects.get()
    assert (webhook.events, webhook.is_active, webhook.former_until) == (["user.deleted"], True, None)


def test_with_another_secret_both_sign_for_a_day(capsys, file):
    run(capsys, file)
    former = file.read_text()
    file.write_text(OTHER)

    assert run(capsys, file) == f"{URL}: changed\n"

    assert Webhook.objects.get().secrets == [OTHER, former]


def test_a_secret_that_no_key_decrypts_is_replaced(capsys, file):
    run(capsys, file)
    Webhook.objects.update(secret="lost")

    run(capsys, file)

    assert Webhook.objects.get().secrets == [file.read_text()]


NEW = "http://127.0.0.1:9001/hook"


def test_a_receiver_that_has_moved_is_called_there_alone_and_nothing_else_moves(capsys, file, tmp_path):
    run(capsys, tmp_path / "other.secret", url="http://127.0.0.1:9002/hook")
    run(capsys, file, "--event", "user.deleted")
    before = Webhook.objects.get(url=URL)
    before.pause()
    before.announce("webhook.test")

    assert run(capsys, file, "--event", "user.deleted", "--move", url=NEW) == f"{NEW}: moved\n"

    assert set(Webhook.objects.values_list("url", flat=True)) == {"http://127.0.0.1:9002/hook", NEW}
    moved = Webhook.objects.get(url=NEW)
    assert (moved.pk, moved.paused_until, moved.secrets) == (before.pk, None, [file.read_text()])
    assert moved.deliveries.count() == 1  # what waited for it goes along
    assert run(capsys, file, "--event", "user.deleted", "--move", url=NEW) == f"{NEW}: as it was\n"


def test_without_move_a_secret_may_be_that_of_two(capsys, file):
    run(capsys, file)
    run(capsys, file, url=NEW)

    assert Webhook.objects.count() == 2


def test_a_receiver_that_moves_back_leaves_no_second_webhook(capsys, file):
    for url in (URL, NEW, f"{NEW}/old"):
        run(capsys, file, url=url)

    assert run(capsys, file, "--move", url=NEW) == f"{NEW}: as it was\n"

    assert Webhook.objects.get().url == NEW
    assert [event.detail["done"] for event in Event.objects.filter(user=None).order_by("id")][3:] == ["deleted"] * 2


def test_superusers_are_mailed_and_the_history_says_it_was_a_command(capsys, file, mailbox, admin_user):
    run(capsys, file)
    OutboxMessage.objects.all().delete()
    file.write_text(OTHER)
    run(capsys, file)

    assert [event.detail["done"] for event in Event.objects.filter(user=None).order_by("id")] == ["added", "changed"]
    assert {event.detail["what"] for event in Event.objects.filter(user=None)} == {"webhook 127.0.0.1:9000"}
    said = mailbox.text(admin_user.email)
    assert "This change was made by a command on the server" in said
    assert "webhook 127.0.0.1:9000: changed" in said
    assert "key=7" not in said
    assert OTHER not in said


@pytest.mark.parametrize(
    ("url", "secret", "said"),
    [
        ("http://10.0.0.1/hook", OTHER, "10.0.0.1 is at 10.0.0.1, which is not a public address."),
        ("hook", OTHER, "This is not an address we can call."),
        (URL, "", "holds no secret"),
        (URL, OTHER.removeprefix("whsec_"), "holds no secret"),
        (URL, f"whsec_{base64.b64encode(bytes(23)).decode()}", "holds no secret"),
        (URL, f"whsec_{base64.b64encode(bytes(65)).decode()}", "holds no secret"),
        (URL, OTHER[:-2] + "é=", "holds no secret"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_changed(capsys, file, url, secret, said):
    file.write_text(secret)

    with pytest.raises(CommandError, match="Nothing was changed") as refused:
        run(capsys, file, url=url)

    assert said in str(refused.value)
    assert refused.value.returncode == 2
    assert not Webhook.objects.exists()


def test_a_file_that_cannot_be_made_is_one_line(capsys, file):
    with pytest.raises(CommandError, match=r"No such file or directory\. Nothing was changed\.") as refused:
        run(capsys, file / "there")

    assert refused.value.returncode == 2
