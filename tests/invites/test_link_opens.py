"""Opened links: a GET notes the opening in Redis only, and it is stored when somebody asks for it."""

import pytest
from django.utils import timezone
from django_redis.cache import RedisCache
from redis.exceptions import ConnectionError as Gone

from invites import purposes
from invites.link import opens
from kit import tokens
from tests.tools.factories import InviteFactory, LinkFactory

pytestmark = pytest.mark.django_db


def opened(row):
    opens.gather()
    row.refresh_from_db()
    return row.opened_at


@pytest.mark.parametrize("make", [LinkFactory, InviteFactory])
def test_an_opened_link_is_known_once_somebody_asks(client, make):
    row, other = make(), make()
    before = timezone.now()
    client.get(tokens.path(purposes.SIGNUP, row.pk))

    row.refresh_from_db()
    assert row.opened_at is None
    assert before <= opened(row) <= timezone.now()
    assert opened(other) is None
    assert opens.gather() == 0


def test_an_invitation_is_opened_by_a_link_that_its_holder_asked_for(client, mailbox):
    invite = InviteFactory(email="grace@example.com")
    client.post("/", {"email": "grace@example.com"})

    client.get(mailbox.link("grace@example.com"))

    assert opened(invite)


@pytest.mark.parametrize("how", [{"method": "head"}, {"headers": {"Sec-Purpose": "prefetch;prerender"}}])
def test_a_request_that_shows_nobody_the_page_is_no_opening(client, how):
    link = LinkFactory()
    fetch = getattr(client, how.pop("method", "get"))
    fetch(tokens.path(purposes.SIGNUP, link.pk), **how)
    assert opened(link) is None


def test_a_forged_link_notes_nothing(client):
    client.get("/signup?token=x")
    assert opens.gather() == 0


def test_without_redis_the_page_is_shown_and_nothing_is_noted(client, monkeypatch):
    def gone(*args, **kwargs):
        raise Gone

    for name in ("zadd", "zpopmin"):
        monkeypatch.setattr(RedisCache, name, gone)
    link = LinkFactory()
    assert client.get(tokens.path(purposes.SIGNUP, link.pk)).status_code == 200
    assert opened(link) is None
