"""What the security history says of invitations: whom an invitation was to, and who had made it."""

from collections.abc import Collection
from uuid import UUID

from django.urls import reverse

from accounts import sentences
from invites.models import Invite
from kit.addresses import readable


def find(ids: Collection[UUID]) -> dict[UUID, sentences.Invitation]:
    """Returns what the history says of the invitations with these ids, by id; nothing of those that were pruned."""
    rows = Invite.objects.filter(pk__in=ids).select_related("invited_by").prefetch_related("groups")
    return {invite.pk: in_words(invite) for invite in rows}


def in_words(invite: Invite) -> sentences.Invitation:
    """Returns what the history says of an invitation."""
    return sentences.Invitation(
        email=readable(invite.email),
        inviter=invite.invited_by.username if invite.invited_by else "",
        groups=sorted(group.name for group in invite.groups.all()),
        url=reverse("admin:invites_invite_change", args=[invite.pk]),
    )


sentences.find_invitations_by(find)
