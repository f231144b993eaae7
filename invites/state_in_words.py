"""The state of an invitation as staff read it: also whether its mail arrived and was opened."""

from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from invites.models import Invite
from invites.models.states import FAILED

# For each state its words, and the class of its tag: well, to be looked after, bad, or neither.
ENDED: dict[Invite.State, tuple[Any, str]] = {
    Invite.State.ACCEPTED: (_("Accepted"), "ok"),
    Invite.State.DECLINED: (_("Declined"), ""),
    Invite.State.REVOKED: (_("Withdrawn"), ""),
    Invite.State.EXPIRED: (_("Expired"), ""),
}


def words_and_tone(invite: Invite) -> tuple[Any, str]:
    """Returns the state of an invitation in words, and the class of its tag: "ok", "warn", "bad" or "".

    Agrees with undelivered(), unopened() and opened() of InviteQuerySet. Reads Invite.newest_mail.
    """
    if invite.state in ENDED:
        return ENDED[invite.state]
    if invite.delivery in FAILED:
        return _("Not delivered"), "bad"
    return (_("Opened"), "warn") if invite.opened_at else (_("Not opened yet"), "")


def tag(invite: Invite) -> str:
    """Returns the state of an invitation as HTML: its words in a tag of its colour."""
    words, tone = words_and_tone(invite)
    return (
        format_html('<span class="tag {}">{}</span>', tone, words)
        if tone
        else format_html('<span class="tag">{}</span>', words)
    )
