"""Wires cut on purpose."""

import pytest
from django.core.cache import caches

import config.cache


@pytest.fixture
def move_redis(settings):
    """Points both caches to another address, as a lost Redis would look."""

    def move(address):
        url = f"redis://{address[0]}:{address[1]}/0"
        settings.CACHES = {alias: entry | {"LOCATION": url} for alias, entry in settings.CACHES.items()}

    config.cache.breakers.clear()
    yield move
    config.cache.breakers.clear()
    caches["default"]._stand_in.clear()
