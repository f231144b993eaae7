"""Writes the mails about requests to join, to those who answer them and to those who are declined. Needs no request.

The mail that proves an address is that of a link, and a yes is an invitation (mails.py).
"""

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse

from accounts import preferences
from accounts.models import User
from kit import times
from outbox.mail.write import write
from outbox.models import OutboxMessage

if TYPE_CHECKING:
    from invites.models import JoinRequest

MOST_TOLD = 20  # members of staff: whoever asks waits until their mails are written


def tell_staff(count: int, oldest: datetime) -> list[OutboxMessage]:
    """Returns the mails to staff who may answer, and want to hear of it, that so many people ask to join.

    `oldest` is when the first of them began to wait. The mails are not stored yet.
    """
    mails = []
    staff = User.objects.staff_who_may("invites", "add_invite").exclude(settings__contains={"requests": False})
    for person in staff.order_by("pk")[:MOST_TOLD]:
        with preferences.override(person.settings) as language:
            context = {
                "count": count,
                "oldest": times.brief(oldest),
                "url": f"{settings.SITE_URL}{reverse('admin:invites_joinrequest_changelist')}",
                "settings_url": f"{settings.SITE_URL}{reverse('account_settings')}",
            }
            mails.append(write("request_in", person.email, context, language=language))
    return mails


def refusal(asked: "JoinRequest", reason: str) -> OutboxMessage:
    """Returns the mail that a request is declined, with a `reason`, one plain line or "". It is not stored yet."""
    with preferences.override({}, asked.language) as language:
        context = {"asked": times.on(asked.asked_at), "note": reason}
    return write("request_no", asked.email, context, language=language, about=asked.pk)
