"""The running site answers odd requests as openapi.json promises, and every door is described there."""

import os
import re
from itertools import cycle

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config import urls
from config.openapi import document
from invites import purposes
from kit import tokens
from tests.tools import phone
from tests.tools.factories import PASSWORD, LinkFactory, UserFactory

CASES = int(os.environ.get("SCHEMA_CASES", "10"))  # for each door; `make test-long` has thousands
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

schema = schemathesis.openapi.from_dict(document())


@pytest.fixture
def db(committed):
    """A database whose rows are committed, so that the server's threads see them."""


@pytest.fixture
def visitors(settings):
    """An endless cycle of visitors: signed in, with an app, waiting for its code, with a link, or with nothing."""
    settings.RATELIMIT_ENABLE = False
    return cycle([signed_in, with_app, with_link, signed_in, waiting, stranger, with_link, careless])


def signed_in(case):
    client, user = Client(), UserFactory()
    client.force_login(user)
    know(case, password=PASSWORD, id=user.sessions.get().handle)
    return with_token(client)


def with_app(case):
    client, user = Client(), phone.pair(UserFactory())
    client.force_login(user)
    know(case, password=PASSWORD, code=phone.code(), current=phone.code(), replace=True)
    return with_token(client)


def waiting(case):
    client, user = Client(), phone.pair(UserFactory())
    client.post("/login", {"login": user.username, "password": PASSWORD})
    know(case, code=phone.code())
    return with_token(client)


def with_link(case):
    """Puts a token that the door accepts into the case, and returns what its client sends."""
    known = UserFactory()
    reset = LinkFactory(email=known.email, epoch=0, purpose="reset")
    tokens_of = {
        "/api/v1/auth/create": tokens.sign(purposes.SIGNUP, LinkFactory().pk),
        "/api/v1/auth/confirm": tokens.sign(purposes.CONFIRM, LinkFactory(email=known.email, epoch=0).pk),
    }
    token = tokens_of.get(case.path, tokens.sign(purposes.RESET, reset.pk))
    know(case, email="grace@example.com", token=token, username="grace", password=PASSWORD)
    return with_token(Client())


def stranger(case):
    return with_token(Client())


def careless(case):
    return {}


def know(case, **right):
    """Replaces fields of the case by the right values, where it has such fields."""
    for sent in (case.body, case.path_parameters):
        if isinstance(sent, dict):
            sent.update({name: right[name] for name in sent.keys() & right.keys()})


def with_token(client):
    token = client.get("/api/v1/auth/session").json()["csrf_token"]
    return {
        "cookies": {name: cookie.value for name, cookie in client.cookies.items()},
        "headers": {"X-CSRFToken": token},
    }


@schema.parametrize()
@settings(max_examples=CASES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_is_promised(case, server, visitors):
    sent = next(visitors)(case)
    case.call_and_validate(base_url=server.url, checks=CHECKS, **sent)


def test_the_site_gives_its_own_description(client):
    answer = client.get("/api/v1/openapi.json")

    assert answer.json() == document()


def test_every_door_is_described_and_no_other():
    patterns = [str(one.pattern) for one in urls.urlpatterns]
    doors = {"/" + re.sub(r"<\w+:\w+>", "{id}", one) for one in patterns if one.startswith("api/v1/")}
    described = set(document()["paths"])

    assert doors - {"/api/v1/openapi.json", "/api/v1/auth/google/response"} == described - {"/auth/verify"}


def test_every_method_that_is_described_is_there_and_no_other(client, subtests):
    for path, methods in document()["paths"].items():
        with subtests.test(path):
            answer = client.generic("TRACE", path.replace("{id}", "0"))

            assert answer.status_code == 405
            assert {name.lower() for name in answer["Allow"].split(", ")} - {"head"} == methods.keys()
