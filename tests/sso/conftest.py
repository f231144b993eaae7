"""Fixtures for tests of apps: one signing key for all tests, and an app that talks to the site as apps do."""

import pytest

from sso import keys
from tests.sso.relying import Relying
from tests.tools.factories import AppFactory

PEM = keys.new_pem()  # a fifth of a second


@pytest.fixture(autouse=True)
def one_key(monkeypatch):
    """A process that knows no key yet, and makes the same one in each test."""
    keys.forget()
    monkeypatch.setattr(keys, "new_pem", lambda: PEM)
    yield
    keys.forget()


@pytest.fixture
def app(db):
    return AppFactory()


@pytest.fixture
def grafana(app, signed_in) -> Relying:
    """An app with a secret, and Ada's browser."""
    return Relying(app, signed_in)
