"""Promise 10: one line per event, and no secret in any of them."""

import io
import logging
from uuid import UUID

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


TOKEN = tokens.sign(purposes.SIGNUP, UUID("0199d7a0-4c1b-7e52-8f93-a4b6c5d7e8f1"))
SHORT = tokens.sign(purposes.SIGNUP, UUID("00000000-0000-7000-8000-000000000000"))  # its id is compressed
KEY = "k2v9x0q7w4m1c8z5b3n6j0h2g7f4d1s9"
QUOTED = TOKEN.replace(".", "%252e").replace("-", "%252D")
PATHS = [
    f"/confirm/{TOKEN}",
    f"/confirm%3Ftoken:{TOKEN}",
    f"/confirm%3Ftoken%3D{TOKEN}",
    f"/confirm%253Ftoken%253D{TOKEN}",
    f"/confirm%2F{TOKEN}",
    f"/confirm%252F{TOKEN}",
    f"/confirm/{QUOTED}",
    f"/confirm/{SHORT}",
    f"/confirm/x{TOKEN}x",
    f"/confirm/{TOKEN[:9]}%0A{TOKEN[9:]}",
    f"/confirm/{TOKEN[:60]}%0A{TOKEN[60:]}",
    f"/api/v1/auth/sessions/{KEY}",
    f"//api/v1/auth/sessions/{KEY}",
    f"/api/v1/auth//sessions///{KEY}",
    f"/API/v1/auth/sessions/{KEY.upper()}",
    f"/api/v1/auth%2Fsessions%2F{KEY}",
    f"/api/v1/auth%252Fsessions%252F{KEY}",
    f"/nothing/{KEY}/x",
    f"/nothing/frontdoor_session={KEY}",
]


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_a_secret_in_a_path_is_not_logged_whatever_stands_around_it(path, client, log):
    client.generic("GET", path)
    client.get("/nothing", headers={"Referer": f"https://testserver{path}", "X-Anything": path})
    client.post("/login", headers={"Referer": f"https://testserver{path}", "Host": path[1:90]})
    written = log.getvalue()

    assert " GET " in written
    for secret in (TOKEN[:40], TOKEN[-27:], SHORT[-27:], KEY, KEY.upper()):
        assert secret not in written


OF_AN_APP = "aB3" + 9 * "Zq7"  # as long as a code; secrets are longer
ACCESS = 10 * "Vq7_e4-dK"  # as long as an access token


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        f"/identity/o/api/userinfo/{OF_AN_APP}",
        f"/identity/o/api/userinfo/{ACCESS[:86]}",
        f"/callback%2F{OF_AN_APP}",
        f"/identity/o/api/token&client_secret={OF_AN_APP[:9]}",
        f"/identity/o/api/token&code_verifier={OF_AN_APP[:9]}",
        f"/identity/o/logout&id_token_hint={OF_AN_APP[:9]}",
    ],
)
def test_what_an_app_puts_into_the_wrong_place_is_not_logged(path, client, log):
    client.get(path)

    assert " GET " in log.getvalue()
    assert OF_AN_APP[:9] not in log.getvalue()
    assert ACCESS[:9] not in log.getvalue()


REFUSED = [
    f"Invalid HTTP Header: 'Cookie frontdoor_session={KEY}'",
    "Invalid HTTP header name: 'password hunter2'",
    "Invalid HTTP request line: 'login=ada&password=hunter2'",
    'Invalid HTTP method: "hunter2\'s"',
    "Obsolete line folding is unacceptable: 'hunter2'",
    "Invalid chunk terminator is not '\\r\\n': b'hunter2'",
    "Invalid chunk size: b'hunter2'",
]


@pytest.mark.parametrize("why", REFUSED)
@pytest.mark.parametrize("ip", ["192.0.2.1", "2001:db8::1", ""])
def test_what_the_web_server_quotes_of_a_request_that_it_refuses_is_not_logged(why, ip, log):
    logging.getLogger("anything").warning(f"Invalid request from ip={ip}: {why}")  # noqa: G004 as gunicorn does

    assert f"ip={ip}: {why.partition(':')[0].partition("'")[0]}…"[:60] in log.getvalue()
    assert "hunter2" not in log.getvalue()
    assert KEY not in log.getvalue()


def test_the_query_of_a_request_that_failed_in_the_web_server_is_not_logged(log):
    logging.getLogger("anything").error("Error handling request GET /google?code=4%2F0Ab&state=x1")

    assert "GET /google?…" in log.getvalue()
    assert "4%2F0Ab" not in log.getvalue()


def test_ids_and_names_stay_readable_in_the_log(log):
    said = (
        "/admin/accounts/user/0199d7a0-1111-7222-8333-444455556666/change/"
        " mail link_new.0199d7a0111172228333444455556666 tests/config/test_logs.py status=5 5.1.1"
        " 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        " app EzRDV66N7JYpQK7IrpFrvwza OpenIDAuthorizationServerMetadata"
        " a_name_that_is_longer_than_usual_names_of_functions config.edge.unacceptable_input.refuse_hostile_input"
    )
    logging.getLogger("anything").warning(said)

    assert said in log.getvalue()


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
