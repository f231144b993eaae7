"""Answers requests to join by the invitations that are sent, whoever sends them and however many they are."""

from collections.abc import Collection
from uuid import UUID

from django.db import connection
from django.utils import timezone

# Requests that somebody is answering just now are passed over: whoever holds them may be waiting for these invitations.
ANSWER = """UPDATE "invites_joinrequest" SET invite_id = sent.id, answered_at = %s, answered_by_id = sent.invited_by_id
FROM invites_invite sent
WHERE sent.id = ANY(%s) AND sent.email = invites_joinrequest.email AND invites_joinrequest.id IN (
    SELECT asked.id FROM invites_joinrequest asked JOIN invites_invite told ON told.email = asked.email
    WHERE told.id = ANY(%s) AND asked.invite_id IS NULL FOR UPDATE OF asked SKIP LOCKED
)
"""


def answer_by(invites: Collection[UUID]) -> None:
    """Notes of requests to join that the invitations with these ids answer them, in one statement; none without ids."""
    if ids := list(invites):
        with connection.cursor() as cursor:
            cursor.execute(ANSWER, [timezone.now(), ids, ids])
