"""{% load sessions %}: what a page says about the session it is shown in."""

import time
from datetime import UTC, datetime

from django import template
from django.http import HttpRequest

from accounts.session.notes import DEADLINE
from accounts.session.sessions import LAST_HOUR

register = template.Library()


@register.filter
def ending(request: HttpRequest) -> datetime | None:
    """When this session ends, if that is within the hour."""
    left = request.session.get(DEADLINE, 0) - time.time()
    return datetime.fromtimestamp(request.session[DEADLINE], UTC) if 0 < left < LAST_HOUR.total_seconds() else None
