"""Large, broken and odd bodies cost little at every address: they are refused unread, and counted by network."""

import io
import json
import logging

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from config.edge import bodies
from config.edge.bodies import LISTS, MAX_BODY, MAX_LIST
from config.edge.openid_paths import AUTHORIZE, DOORS, LOGOUT
from invites.models import Batch
from kit.limits import LARGE_BODY_PER_NETWORK
from kit.rate_limit import WIDER
from tests.tools.reading import words

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
LARGE = b"&".join(b"f%d=%s" % (n, b"a" * 4090) for n in range(500))
ADDRESSES = ["/", "/login", "/signup", "/nothing", "/account", "/auth/verify", "/healthz", "/static/frontdoor.css"]
ADDRESSES += [AUTHORIZE, LOGOUT, f"{DOORS}token", f"{DOORS}nothing"]
ADDRESSES += ["/admin/", "/admin/invites/invite/add/", f"{LISTS}add/", "/api/v1/auth/login", "/api/nothing"]
MOST = int(LARGE_BODY_PER_NETWORK.rate.partition("/")[0])


@pytest.fixture
def parsed(monkeypatch):
    """A list that grows with each body that is parsed as a form."""
    seen = []
    original = HttpRequest._load_post_and_files
    monkeypatch.setattr(HttpRequest, "_load_post_and_files", lambda request: (seen.append(request), original(request)))
    return seen


@pytest.fixture
def counted(monkeypatch):
    """A list of the networks for which a large body was counted."""
    seen = []
    original = type(LARGE_BODY_PER_NETWORK).check

    def check(limit, request, key):
        if limit is LARGE_BODY_PER_NETWORK:
            seen.append(key)
        original(limit, request, key)

    monkeypatch.setattr(type(LARGE_BODY_PER_NETWORK), "check", check)
    return seen


def post(path, body=LARGE, content_type=FORM, client=None, **extra):
    client = client or Client(enforce_csrf_checks=True)
    return client.generic("POST", path, body, content_type=content_type, REMOTE_ADDR="198.51.100.7", **extra)


@pytest.mark.parametrize("path", ADDRESSES)
def test_two_megabytes_are_never_parsed_and_count(path, parsed, counted):
    answer = post(path)

    assert answer.status_code == (302 if path.startswith(LISTS) else 413)
    assert parsed == []
    assert counted == ["198.51.100.7"]
    assert path.startswith(("/api", DOORS, LISTS)) or "We didn’t keep any of it" in words(answer)
    assert not path.startswith("/api") or answer.json()["errors"][0]["code"] == "too_large"


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "application/json", "text/xml"])
def test_nor_in_any_other_dress(content_type, parsed, counted):
    assert post(f"{LISTS}add/", content_type=content_type).status_code in (302, 413)
    assert post("/login", content_type=content_type).status_code == 413
    assert parsed == []
    assert len(counted) == 2


def test_a_network_that_goes_on_is_told_to_wait_and_its_bodies_are_not_read(monkeypatch):
    for n in range(MOST):
        assert post(ADDRESSES[n % len(ADDRESSES)], b"a" * (MAX_BODY + 1)).status_code in (302, 413)
    monkeypatch.setattr(bodies, "drain", lambda _request: pytest.fail("it was read"))

    timezone.activate("Asia/Tokyo")  # as the last visitor of this thread may have
    page, program = post("/login"), post("/api/v1/auth/login", HTTP_ACCEPT_LANGUAGE="ru")

    assert (page.status_code, program.status_code) == (429, 429)
    assert "Try again after" in words(page)
    assert "(UTC)" in words(page)
    assert program.json()["errors"][0]["code"] == "limited"
    assert "Попробуйте" in program.json()["errors"][0]["message"]
    assert int(page["Retry-After"]) > 0
    assert Client().get("/login").status_code == 200


def test_many_networks_of_one_site_are_counted_together():
    sent = [
        Client().generic("POST", "/nothing", b"a" * (MAX_BODY + 1), REMOTE_ADDR=f"2001:db8:0:{n:x}::1").status_code
        for n in range(MOST * WIDER + 1)
    ]

    assert (sent[-2], sent[-1]) == (413, 429)


def test_what_people_send_is_far_below(client):
    assert post("/login", b"login=ada&password=" + b"a" * 4000).status_code == 403  # no CSRF token
    assert post("/nothing", b"a=" + b"a" * (MAX_BODY - 2)).status_code in (400, 403, 404)


def test_staff_may_send_a_long_list(desk):
    lines = "".join(f"someone{n}@example.com\n" for n in range(4000))
    assert len(lines) > MAX_BODY

    answer = desk.post(reverse("admin:invites_batch_add"), {"pasted": lines})

    assert answer.status_code == 302
    assert Batch.objects.count() == 1


def test_but_not_to_other_pages_nor_without_bound(desk, parsed):
    assert post("/admin/invites/invite/add/", client=desk).status_code == 413
    assert post(f"{LISTS}add/", b"a" * (MAX_LIST + 1), client=desk).status_code == 413
    assert parsed == []


def test_a_list_of_somebody_who_is_signed_out_leads_to_sign_in(signed_in, parsed):
    for client in (Client(), signed_in):
        assert post(f"{LISTS}add/", client=client).url == f"/login?next={LISTS}add/"
    assert parsed == []


class Breaking(io.BytesIO):
    """A body whose sender leaves after the first bytes."""

    def read(self, size=-1):
        if data := super().read(min(size, 10) if size >= 0 else 10):
            return data
        raise ConnectionResetError

    readline = read


class CutOff(io.BytesIO):
    """A body whose sender leaves after the first bytes, as gunicorn shows it: it just ends."""


@pytest.mark.parametrize("kind", [Breaking, CutOff])
@pytest.mark.parametrize("size", [500, MAX_BODY + 5, 3 * 1024 * 1024])
@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize("content_type", [FORM, "multipart/form-data; boundary=x", "application/json"])
def test_a_sender_who_leaves_is_no_error_of_ours(kind, size, path, content_type, desk, caplog):
    extra = {"wsgi.input": kind(b"email=ada%40example.co"), "CONTENT_LENGTH": str(size)}
    client = Client(raise_request_exception=False, REMOTE_ADDR="198.51.100.7")
    client.cookies.update(desk.cookies)

    with caplog.at_level(logging.ERROR):
        answer = client.post(path, b"", content_type=content_type, **extra)

    assert 300 <= answer.status_code < 500
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]


def test_a_form_that_lost_its_end_does_not_count_as_sent(client):
    form, whole = b"email=ada@example.co", b"email=ada@example.com"
    cut = {"wsgi.input": CutOff(form), "CONTENT_LENGTH": str(len(whole))}

    assert client.generic("POST", "/", form, content_type=FORM, **cut).status_code == 400
    assert client.generic("POST", "/", whole, content_type=FORM).status_code == 302


ODD = {
    "nested JSON": b"[" * 60_000,
    "nested objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "a huge number": b'{"login": ' + b"9" * 60_000 + b"}",
    "a huge exponent": b'{"login": 1e999999999}',
    "NaN": b'{"login": NaN}',
    "many members": json.dumps({f"m{n}": "" for n in range(4000)}).encode(),
}


def test_odd_json_is_a_clear_400(subtests):
    for name, body in ODD.items():
        with subtests.test(name):
            answer = post("/api/v1/auth/login", body, "application/json", client=Client())

            assert answer.status_code in (400, 401)


def test_a_form_with_many_fields_is_of_staff_alone(desk, signed_in, subtests):
    body = "&".join(f"f{n}=1" for n in range(bodies.MAX_FIELDS + 2)).encode()
    for path in ("/login", "/nothing", "/admin/auth/group/add/"):
        with subtests.test(path):
            assert post(path, body, client=signed_in).status_code == 400
            assert post(path, body, client=Client()).status_code == 400
    with subtests.test("staff"):
        assert post("/admin/auth/group/add/", body, client=desk).status_code == 200


def test_many_parts_many_fields_and_many_cookies_are_answered(subtests):
    part = b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n'
    parts = b"".join(part % n for n in range(1000)) + b"--x--\r\n"
    with subtests.test("parts"):
        assert post("/login", parts, "multipart/form-data; boundary=x").status_code in (400, 403)
    with subtests.test("fields"):
        assert post("/login", b"a&" * 30_000).status_code in (400, 403)
    with subtests.test("query"):
        assert Client().get("/login?" + "a&" * 2000).status_code in (200, 400)
    with subtests.test("cookies"):
        assert (
            Client().get("/login", headers={"Cookie": "; ".join(f"c{n}=1" for n in range(50_000))}).status_code == 200
        )


def test_a_stuffed_cookie_header_is_not_parsed(signed_in):
    session = signed_in.cookies["frontdoor_session"].value
    few, many = f"frontdoor_session={session}", "; a=1" * 5000

    assert Client().get("/account", headers={"Cookie": few}).status_code == 200
    assert Client().get("/account", headers={"Cookie": few + many}).status_code == 302
    assert User.objects.count() == 1
