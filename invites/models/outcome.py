"""What came of something that was to be done with many invites."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """Why an invite was left as it is, or an address was not invited."""

    ACCEPTED = "accepted", _("accepted already")
    DECLINED = "declined", _("declined")
    REVOKED = "revoked", _("withdrawn")
    REPLACED = "replaced", _("replaced by a newer one")
    ASKED = "asked", _("asked for by its owner, who can ask again")
    OWNER = "owner", _("owner link, which leaves the terminal only by hand")
    HAS_ACCOUNT = "has_account", _("has an account")
    INVITED = "invited", _("invited already")
    REPEATED = "repeated", _("repeated")
    SUPPRESSED = "suppressed", _("no mail goes to the address")
    TOO_SOON = "too_soon", _("sent less than a minute ago")
    NOT_DUE = "not_due", _("needs no reminder")
    LEFT = "left", _("the mail has left")
    SHADOW = "shadow", _("only what a member sees of an invitation")


@dataclass
class Outcome:
    """What a verb has done, and what it has skipped and why."""

    done: list[UUID] = field(default_factory=list)
    skipped: list[tuple[str, Reason]] = field(default_factory=list)  # addresses
    # When those can be sent again that were sent just now.
    again_at: datetime | None = None

    def __add__(self, other: "Outcome") -> "Outcome":
        times = [time for time in (self.again_at, other.again_at) if time]
        return Outcome(self.done + other.done, self.skipped + other.skipped, max(times, default=None))
