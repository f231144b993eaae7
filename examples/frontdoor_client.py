"""For a product behind Frontdoor: who sent this request, and did Frontdoor send this event?

Copy this file. It needs the standard library alone. Both questions are explained in docs/forward-auth.md and
docs/events.md.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from threading import Lock
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote
from uuid import UUID

FRESH = 300  # seconds from the signing of an event; whoever has overheard one cannot send it again later
ENDING = {"session.revoked", "user.updated", "user.deleted"}  # the events after which a remembered answer is wrong


class Person(NamedTuple):
    """Somebody who is signed in. Store things under `id`: all else may change, or belong to somebody else later."""

    id: UUID
    username: str
    name: str  # what to call them
    email: str
    groups: frozenset[str]
    session_ends: datetime


class Headers(Protocol):
    """The headers of a request: those of Django or Flask, or a dict with names in lower case."""

    def get(self, name: str, /) -> str | None: ...


def who(headers: Headers) -> Person | None:
    """Returns the person whom the X-Auth- headers name, or None if there is no such person or they make no sense.

    Believe it only where nobody but the proxy, which sets these headers, can reach you.
    """
    user, username, name, email, groups, ends = (
        headers.get(f"x-auth-{field}") or ""
        for field in ("user-id", "username", "name", "email", "groups", "session-ends")
    )
    try:
        parts = frozenset(unquote(part) for part in groups.split(",") if part)
        until = datetime.fromisoformat(ends).astimezone(UTC)
        return Person(UUID(user), unquote(username), unquote(name or username), unquote(email), parts, until)
    except (ValueError, OverflowError):
        return None


def verified(secret: str, headers: Headers, body: bytes, now: float | None = None) -> dict[str, Any]:
    """Returns the event in the body of a webhook's call. Raises ValueError if it is not from Frontdoor, or too old.

    `secret` is the webhook's, "whsec_…"; `now` is in Unix seconds.
    """
    sent_id, sent_at, signatures = (headers.get(f"webhook-{field}") or "" for field in ("id", "timestamp", "signature"))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([sent_id.encode(), sent_at.encode(), body])
    expected = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    # All of them are compared: while a secret is renewed, a call has two signatures.
    good = [hmac.compare_digest(expected, one.encode()) for one in signatures.split(" ")]
    if not any(good) or abs((time.time() if now is None else now) - int(sent_at)) > FRESH:
        raise ValueError("not from Frontdoor, or too old")
    event: dict[str, Any] = json.loads(body)
    return event


class Door:
    """Asks Frontdoor whose request it is, and remembers each answer for a few seconds.

    For a product that no proxy asks for. Hand each verified event to hear(): then an end of a session counts as soon as
    the event arrives, and after `seconds` even if it is late. Each process remembers for itself.
    """

    def __init__(self, address: str, cookie: str = "__Host-session", seconds: float = 30) -> None:
        """`address` is host:port of Frontdoor behind the proxy, `cookie` the name of its session's cookie."""
        self._address, self._seconds, self._lock = address, seconds, Lock()
        self._session = re.compile(rf"(?:^|;)\s*({re.escape(cookie)}=[A-Za-z0-9]+)\s*(?:;|$)")
        self._known: dict[bytes, tuple[Person, float]] = {}  # by the hash of the cookie, which itself opens the account
        self._heard = 0

    def ask(self, cookies: str, *, remembered: bool = True) -> Person | None:
        """Returns who is signed in, by the Cookie header of a request, or None if nobody is.

        Without `remembered`, Frontdoor is asked in any case: do so before something is changed. Raises OSError if
        Frontdoor does not answer; let nobody in then.
        """
        found = self._session.search(cookies)
        if not found:
            return None
        key, now = hashlib.sha256(found[1].encode()).digest(), time.monotonic()
        with self._lock:
            person, until = self._known.get(key, (None, 0.0))
            heard = self._heard
        if remembered and now < until:
            return person
        person = self._verify(found[1])
        with self._lock:
            self._known = {one: entry for one, entry in self._known.items() if entry[1] > now and one != key}
            if person and heard == self._heard:  # else the answer may be older than the event that came meanwhile
                left = (person.session_ends - datetime.now(UTC)).total_seconds()
                self._known[key] = person, now + min(self._seconds, left)
        return person

    def hear(self, event: Mapping[str, Any]) -> None:
        """Forgets what an event has changed: all answers about its person. Other events change nothing."""
        if event["event"] in ENDING:
            with self._lock:
                self._heard += 1
                self._known = {one: entry for one, entry in self._known.items() if str(entry[0].id) != event["user"]}

    def _verify(self, cookie: str) -> Person | None:
        with closing(HTTPConnection(self._address, timeout=5)) as connection:
            try:
                connection.request("GET", "/auth/verify", headers={"Cookie": cookie})
                answer = connection.getresponse()
            except HTTPException as error:
                raise OSError("Frontdoor does not answer in HTTP") from error
            if answer.status not in {204, 401}:
                raise OSError(f"Frontdoor answers {answer.status}")
            return who(answer.headers) if answer.status == 204 else None
