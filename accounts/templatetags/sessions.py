"""Template library, {% load sessions %}: what a page says about the session in which it is shown."""

import time
from datetime import UTC, datetime

from django import template
from django.http import HttpRequest

from accounts.session.notes import DEADLINE
from accounts.session.sessions import LAST_HOUR

register = template.Library()


@register.filter
def ending(request: HttpRequest) -> datetime | None:
    """Returns when the session of this request ends, if that is within the next hour; else None."""
    left = request.session.get(DEADLINE, 0) - time.time()
    return datetime.fromtimestamp(request.session[DEADLINE], UTC) if 0 < left < LAST_HOUR.total_seconds() else None
