"""Whether a link has been opened: noted where a GET may write, and gathered by who wants to know."""

import pytest
from django.utils import timezone
from django_redis.cache import RedisCache
from redis.exceptions import ConnectionError as Gone

from invites import purposes
from invites.link import opens
from invites.models import Invite
from kit import tokens
from tests.tools.factories import InviteFactory

pytestmark = pytest.mark.django_db


def opened(invite):
    opens.gather()
    return Invite.objects.get(pk=invite.pk).opened_at


def test_an_opened_link_is_known_once_somebody_asks(client):
    invite = InviteFactory()
    before = timezone.now()
    client.get(tokens.path(purposes.SIGNUP, invite.pk))

    assert Invite.objects.get(pk=invite.pk).opened_at is None
    assert before <= opened(invite) <= timezone.now()
    assert opens.gather() == 0


@pytest.mark.parametrize("how", [{"method": "head"}, {"headers": {"Sec-Purpose": "prefetch;prerender"}}])
def test_what_shows_nothing_to_anybody_is_no_opening(client, how):
    invite = InviteFactory()
    fetch = getattr(client, how.pop("method", "get"))
    fetch(tokens.path(purposes.SIGNUP, invite.pk), **how)
    assert opened(invite) is None


def test_a_forged_link_notes_nothing(client):
    client.get("/signup?token=x")
    assert opens.gather() == 0


def test_without_redis_the_page_is_shown_and_nothing_is_noted(client, monkeypatch):
    def gone(*args, **kwargs):
        raise Gone

    for name in ("zadd", "zpopmin"):
        monkeypatch.setattr(RedisCache, name, gone)
    invite = InviteFactory()
    assert client.get(tokens.path(purposes.SIGNUP, invite.pk)).status_code == 200
    assert opened(invite) is None
