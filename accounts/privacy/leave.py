"""Leaving: what the owner of an account has chosen, for the page and the JSON door alike."""

import logging
from datetime import datetime

from django.contrib.auth import logout as forget
from django.db import DatabaseError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import LastOwner
from accounts.privacy import handover
from accounts.privacy.leave_form import NOW, LeaveForm
from accounts.session.account_page import PersonRequest
from kit.times import day

log = logging.getLogger("frontdoor.accounts")


class NotNow(Exception):
    """The account can't be left now, as `words` say; nothing has changed. `status` is that of the answer."""

    def __init__(self, status: int, code: str, words: "str | Promise") -> None:
        super().__init__(words)
        self.status, self.code, self.words = status, code, words


LAST_OWNER = gettext_lazy("You’re the only superuser here. Make somebody else one first: then you can leave.")
FAILED = gettext_lazy("We couldn’t delete your account just now. Nothing has been removed. Try again in a few minutes.")


def leave(request: PersonRequest, form: LeaveForm) -> str:
    """Does what a valid form says, signs out, and returns what is to be said of it.

    Raises NotNow for the last superuser (409) and if the database fails (503), and Superseded if all sessions of the
    account have ended meanwhile; then nothing has changed.
    """
    user, at_once = request.person, form.cleaned_data["when"] == NOW
    try:
        with transaction.atomic():
            user.leaving.hold()
            handover.settle(user, form.colleague)
            (user.erase if at_once else user.leaving.begin)(**request.trace)
    except LastOwner:
        raise NotNow(409, "last_owner", LAST_OWNER) from None
    except DatabaseError:
        log.exception("deleting an account failed")
        raise NotNow(503, "unavailable", FAILED) from None
    forget(request)
    return words(None if at_once else user.leaves_at)


def words(leaves_at: datetime | None) -> str:
    """Returns what is to be said to somebody who has left, whose account ends at this time, None for at once."""
    if leaves_at is None:
        return _("Your account has been deleted and you’re signed out everywhere.")
    said = _(
        "You’re signed out everywhere. Your account will be deleted on %(day)s. Until then you can come back: sign in, "
        "or press the button in the email that we’ve sent you."
    )
    return said % {"day": day(leaves_at)}
