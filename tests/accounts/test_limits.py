"""Every POST wears a limit."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import limits

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/", "/login", "/logout", "/logout/here", "/language", "/invite/sent"])
def test_every_post_is_limited_by_network(path, monkeypatch):
    seen = []
    monkeypatch.setattr(limits.Limit, "check", lambda limit, request, key: seen.append((limit.name, key)))
    for _ in range(2):
        Client(REMOTE_ADDR="198.51.100.7").get(path)
    assert seen == []

    Client(REMOTE_ADDR="198.51.100.7").post(path)

    assert any(key == "198.51.100.7" for _name, key in seen)


def test_the_page_of_a_limit_names_a_minute_that_is_not_over_yet(client):
    client.post("/", {"email": "ada@example.com"})
    asked_at = timezone.now()
    answer = client.post("/", {"email": "ada@example.com"})

    retry_at = answer.context["limit"].retry_at
    assert retry_at.second == 0
    assert retry_at >= asked_at + timedelta(seconds=int(answer["Retry-After"]))
    assert f"{retry_at:%H:%M} (UTC)" in answer.text
