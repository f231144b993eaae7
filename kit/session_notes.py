"""What a session remembers for a while."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest


@dataclass(frozen=True)
class Note:
    """Facts under one key of a session's data, which count until their lifetime is over."""

    key: str
    lifetime: timedelta

    def keep(self, request: HttpRequest, **facts: Any) -> None:
        """Writes the facts down; JSON must be able to say them. An older note of this kind is forgotten."""
        request.session[self.key] = facts | {"until": time.time() + self.lifetime.total_seconds()}

    def read(self, request: HttpRequest) -> dict[str, Any]:
        """The facts, or {} where there are none or their time is over."""
        facts: dict[str, Any] = request.session.get(self.key, {})
        return facts if facts and time.time() < facts["until"] else {}

    def drop(self, request: HttpRequest) -> dict[str, Any]:
        """Forgets the note. Returns what it said."""
        facts = self.read(request)
        request.session.pop(self.key, None)
        return facts
