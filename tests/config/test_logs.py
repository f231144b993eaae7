"""Promise 10: one line per event, and no secret in any of them."""

import io
import logging

import pytest

from config.logs import LOGGING, LineFormatter
from invites import purposes
from kit import tokens
from tests.tools.factories import PASSWORD, LinkFactory


@pytest.fixture
def log():
    """A buffer with everything that is logged, as stdout would show it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    line = LOGGING["formatters"]["line"]
    handler.setFormatter(LineFormatter(line["fmt"], line["datefmt"], style="{"))
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


@pytest.mark.django_db
def test_no_token_password_or_session_id_reaches_the_log(client, ada, mailbox, log, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("django.db.backends").setLevel(logging.INFO)
    token = tokens.sign(purposes.SIGNUP, LinkFactory().pk)
    client.get(f"/signup?token={token}")
    client.get(f"/nothing?a=1&token={token}")
    client.get(f"/login?next=/signup%3Ftoken%3D{token}")
    client.post(f"/signup?token={token}", {"token": token, "username": "grace", "password": PASSWORD})
    client.post("/login", {"login": "ada", "password": PASSWORD})
    client.post("/", {"email": "new@example.com"})
    mailbox.letters()
    written = log.getvalue()

    assert " GET /signup 200 " in written
    for secret in (token, PASSWORD, client.cookies["frontdoor_session"].value):
        assert secret not in written


@pytest.mark.django_db
def test_a_request_is_one_line_whatever_is_in_its_address(client, log):
    client.get("/a%0Ab%1B[31m?c=%0A")

    (line,) = [line for line in log.getvalue().splitlines() if " GET " in line]
    assert "404" in line
    assert "\x1b" not in line


def test_a_traceback_is_one_line(log):
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        logging.getLogger("anything").exception("it failed")

    assert len(log.getvalue().splitlines()) == 1
    assert "ValueError: first\\nsecond" in log.getvalue()


def test_a_token_that_any_code_logs_is_scrubbed(log):
    logging.getLogger("anything").warning("Not Found: /signup?a=1&token=%s", "abc.def")

    assert "token=…" in log.getvalue()
    assert "abc.def" not in log.getvalue()
