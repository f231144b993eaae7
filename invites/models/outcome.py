"""The outcome of an act on many invitations: what was done, and what was skipped and why."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit import times


class Reason(models.TextChoices):
    """The reason why an invitation was left as it is, or an address was not invited."""

    ACCEPTED = "accepted", gettext_lazy("accepted already")
    DECLINED = "declined", gettext_lazy("declined")
    REVOKED = "revoked", gettext_lazy("withdrawn")
    REPLACED = "replaced", gettext_lazy("replaced by a newer one")
    HAS_ACCOUNT = "has_account", gettext_lazy("has an account")
    INVITED = "invited", gettext_lazy("invited already")
    BY_MEMBER = "by_member", gettext_lazy("sent by a member, who can send it again")
    REPEATED = "repeated", gettext_lazy("repeated")
    SUPPRESSED = "suppressed", gettext_lazy("no mail goes to the address")
    TOO_SOON = "too_soon", gettext_lazy("sent less than a minute ago")
    EXPIRED = "expired", gettext_lazy("expired")
    REMINDED = "reminded", gettext_lazy("reminded less than a day ago")
    RECENT = "recent", gettext_lazy("mailed less than a day ago")
    ENOUGH = "enough", gettext_lazy("reminded three times already")
    WAITS = "waits", gettext_lazy("still waiting for the last mail")
    CAME_BACK = "came_back", gettext_lazy("not reached by the last mail")
    NOT_DUE = "not_due", gettext_lazy("needs no reminder")
    LEFT = "left", gettext_lazy("the mail has left")


@dataclass
class Outcome:
    """The ids of the invitations that an act has changed, and the addresses that it skipped, each with the reason."""

    done: list[UUID] = field(default_factory=list)
    skipped: list[tuple[str, Reason]] = field(default_factory=list)  # the string is the address
    # When all that was skipped as TOO_SOON can be sent again.
    again_at: datetime | None = None

    @property
    def reasons(self) -> Counter[str]:
        """The number of skipped addresses for each reason, in words of the reader's language.

        TOO_SOON is worded with the time at which the mails can be sent again.
        """
        return Counter(self._word(reason) for _address, reason in self.skipped)

    def _word(self, reason: Reason) -> str:
        if reason != Reason.TOO_SOON or self.again_at is None:
            return str(Reason(reason).label)
        at = times.clock(times.next_minute(self.again_at))
        return _("%(reason)s: try again at %(time)s") % {"reason": reason.label, "time": at}

    def __add__(self, other: "Outcome") -> "Outcome":
        ends = [time for time in (self.again_at, other.again_at) if time]
        return Outcome(self.done + other.done, self.skipped + other.skipped, max(ends, default=None))
