"""What the security history says of invitations: whom an invitation was to, and who had made it."""

from collections.abc import Collection
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.urls import reverse

from accounts import sentences
from invites.models import Invite
from invites.models.invite import InviteGroup
from kit.addresses import readable


def find(ids: Collection[UUID]) -> dict[UUID, sentences.Invitation]:
    """Returns what the history says of the invitations with these ids, by id; nothing of those that were pruned."""
    groups = InviteGroup.objects.filter(invite=OuterRef("pk")).order_by("group__name")
    names = ArraySubquery(groups.values("group__name"))
    rows = Invite.objects.filter(pk__in=ids).select_related("invited_by", "app__client").annotate(group_names=names)
    return {invite.pk: in_words(invite) for invite in rows}


def in_words(invite: Invite) -> sentences.Invitation:
    """Returns what the history says of an invitation."""
    return sentences.Invitation(
        email=readable(invite.email),
        inviter=invite.invited_by.username if invite.invited_by else "",
        groups=invite.group_names,
        app=invite.app.name if invite.app else "",
        url=reverse("admin:invites_invite_change", args=[invite.pk]),
        batch=invite.batch,
    )


sentences.find_invitations_by(find)
