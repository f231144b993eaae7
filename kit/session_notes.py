"""Notes in a session: facts that it remembers until a deadline."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest


@dataclass(frozen=True)
class Note:
    """A kind of note: the `key` in the session's data under which its facts lie, and the `lifetime` of these facts."""

    key: str
    lifetime: timedelta

    def keep(self, request: HttpRequest, **facts: Any) -> None:
        """Stores `facts`, which JSON must be able to express, in the request's session for `lifetime`.

        They replace an earlier note of this kind.
        """
        request.session[self.key] = facts | {"until": time.time() + self.lifetime.total_seconds()}

    def read(self, request: HttpRequest) -> dict[str, Any]:
        """Returns the facts of the note in the request's session, or {} if there is none or it has expired.

        Beside the facts stands "until", the end of the note as a Unix time.
        """
        facts: dict[str, Any] = request.session.get(self.key, {})
        return facts if facts and time.time() < facts["until"] else {}

    def drop(self, request: HttpRequest) -> dict[str, Any]:
        """Deletes the note from the session, and returns its facts, "until" among them.

        Returns {} if there was none or it had expired.
        """
        facts = self.read(request)
        request.session.pop(self.key, None)
        return facts
