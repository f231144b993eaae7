"""What import-linter cannot say about the rooms."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
WITHOUT_A_REQUEST = [
    *(f"mail/{name}.py" for name in ("bounces", "maildir", "reports", "verp")),
    *(f"accounts/{name}.py" for name in ("addresses", "ids", "leaving", "names", "notices", "passwords")),
    *(f"accounts/{name}.py" for name in ("preferences", "times", "tokens")),
    *(f"accounts/models/{name}.py" for name in ("event", "session", "user")),
    *(f"invites/{name}.py" for name in ("leaving", "mails", "webmail")),
    *(f"invites/models/{name}.py" for name in ("invite", "queryset")),
    *(f"mail/{name}.py" for name in ("amqp", "backends", "consumer", "deliver", "lateness", "mailbox", "messages")),
    *(f"mail/{name}.py" for name in ("relay", "retry", "smtp", "working")),
    *(f"mail/models/{name}.py" for name in ("delivery", "event", "message", "queryset", "suppression", "webhook")),
    *(f"mail/webhooks/{name}.py" for name in ("deliver", "sending", "signing", "targets")),
]


def test_models_tokens_and_mail_never_see_a_request(subtests):
    for name in WITHOUT_A_REQUEST:
        with subtests.test(name):
            assert not re.search(r"django\.http|HttpRequest|\brequest[.,:]\w", (ROOT / name).read_text("utf-8"))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_locks_pin_every_package_by_hash_and_name_no_address(lock):
    text = (ROOT / lock).read_text("utf-8")

    assert "://" not in text
    for package in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[a-z0-9.-]+==\S+", package), package
        assert "--hash=sha256:" in package, package
