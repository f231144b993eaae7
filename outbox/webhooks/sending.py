"""One call of a webhook, or of an app that is to hear of a sign-out.

It goes to an address that was checked, and is over within LONGEST seconds whatever the server does.
"""

import http.client
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone
from django.utils.encoding import punycode

from outbox.mail.bounded_reading import Answers, seconds_until
from outbox.webhooks import targets

LONGEST = 10.0  # seconds for a whole call: the lookup of the name, the connection, TLS and the answer

LONGEST_WAIT = timedelta(days=1)  # that a receiver may ask for: events are given up after three


class Answer(NamedTuple):
    """The HTTP status of an answer, and in `said` the status line or, without an answer, the error.

    The status is 0 when there was no answer. `retry_after` is how long the receiver asks to be left alone, at most
    LONGEST_WAIT.
    """

    status: int
    said: str
    retry_after: timedelta = timedelta()

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_about_the_server(self) -> bool:
        """True if any call would get this bad answer: no server is there, it is busy, or it sends us elsewhere.

        A good answer counts, too, so callers ask `is_good` first.
        """
        return self.status < 400 or self.status in {408, 429, 502, 503, 504}


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Posts `body` to a URL with these headers and the name of the site, and returns the status of the answer.

    Follows no redirect, uses no proxy, keeps no cookie, reads no body. Raises OSError or HTTPException if no valid
    answer comes within LONGEST seconds, and targets.Unfit if the URL must not be called.
    """
    call = Call(targets.read(url))
    ours = {"Host": call.target.netloc, "Connection": "close"}
    ours["User-Agent"] = f"frontdoor ({punycode(str(settings.SITE_HOST))})"
    try:
        call.request("POST", call.target.path, body, ours | headers)
        answer = call.getresponse()
        wait = read_wait(answer.headers.get("Retry-After", ""))
        return Answer(answer.status, f"{answer.status} {answer.reason}".strip(), wait)
    finally:
        call.close()


def read_wait(value: str) -> timedelta:
    """Returns the time in a Retry-After header, in seconds or as a date (RFC 9110 §10.2.3), at most LONGEST_WAIT.

    Returns no time for a date that has passed, and for anything else.
    """
    text = value.strip()
    try:
        wait = _seconds(text) if text.isascii() and text.isdigit() else _until(parsedate_to_datetime(text[:64]))
    except (ValueError, OverflowError):
        return timedelta()
    return max(timedelta(), min(wait, LONGEST_WAIT))


def _seconds(digits: str) -> timedelta:
    return timedelta(seconds=int(digits[:10])) if len(digits) <= 10 else LONGEST_WAIT


def _until(moment: datetime) -> timedelta:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - timezone.now()


class Call(http.client.HTTPConnection):
    """http.client's connection, which looks up the name once, and ends LONGEST seconds after it was made."""

    def __init__(self, target: targets.Target) -> None:
        super().__init__(target.host, target.port)
        self.target, self.until, self.bytes_read = target, time.monotonic() + LONGEST, 0

    def seconds_left(self) -> float:
        """Returns the seconds until the deadline. Raises TimeoutError when it has passed."""
        return seconds_until(self.until)

    def connect(self) -> None:
        """Connects to one of the target's checked addresses, over TLS for https.

        Raises OSError if none answers in time or TLS fails, and targets.Unfit if the target must not be called.
        """
        self.sock = self._reach(targets.addresses(self.target, self.seconds_left()))
        if self.target.scheme == "https":
            self.sock.settimeout(self.seconds_left())
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.target.host.rstrip("."))

    def send(self, data: Any) -> None:
        """Sends `data`, connecting first if there is no connection yet.

        Raises OSError if the server takes too long or hangs up, and targets.Unfit if the target must not be called.
        """
        if self.sock is None:
            self.connect()
        self.sock.settimeout(self.seconds_left())
        super().send(data)

    def response_class(self, sock: socket.socket, **kwargs: Any) -> http.client.HTTPResponse:  # type: ignore[override]
        """Returns http.client's response on top of a reader that keeps to the deadline and to the limit of bytes."""
        return http.client.HTTPResponse(_Heard(self), **kwargs)  # type: ignore[arg-type]

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def _reach(self, addresses: list[str]) -> socket.socket:
        """Connects to the first address that answers; each gets its share of the time. Raises OSError if none does."""
        lost: OSError | None = None
        for tried, address in enumerate(addresses):
            try:
                return _connected(address, self.target.port, self.seconds_left() / (len(addresses) - tried))
            except OSError as error:
                lost = error
        raise lost or OSError("no address")


class _Heard(Answers):
    """The server's answers in the form that http.client reads: a socket that it makes a file of."""

    def makefile(self, _mode: str) -> Any:
        return self.buffered()


def _connected(address: str, port: int, seconds: float) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect((address, port))
    except OSError:
        sock.close()
        raise
    return sock
