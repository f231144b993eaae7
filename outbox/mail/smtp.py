"""Talking to the mail server: what it answered, and how long it may take."""

import math
import smtplib
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from email import policy
from email.headerregistry import HeaderRegistry
from functools import partial
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from outbox.mail.bounded_reading import Answers, seconds_until

LONGEST = 30.0  # seconds for one mail with all its answers, each of which has a timeout of its own

# What these are about is our connection, not the mail (RFC 4954 §6; RFC 5321 §4.2.4): a new password helps, or a new
# connection, giving up the mail does not.
ABOUT_US = {503, 530, 534, 535, 538}


class _Headers(HeaderRegistry):
    """Python's, which makes a class for each header of each mail anew: that was a quarter of all composing."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[str, type] = {}

    def __getitem__(self, name: str) -> type:
        if name not in self.made:
            self.made[name] = super().__getitem__(name)
        return self.made[name]


WRITING = policy.SMTP.clone(header_factory=_Headers())


class SmtpBackend(EmailBackend):
    """Django's, which also keeps the server's answer, and leaves a server that drips or hangs."""

    answer = ""  # what the server said when it took the last mail
    until = math.inf
    connection: Any
    _partial_connection: Any

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:  # type: ignore[override]  # Django only calls it
        return partial(SmtpSsl if self.use_ssl else Smtp, self.until)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Raises OSError, smtplib's exceptions among them; see `is_open_after` for the connection."""
        self.answer, self.until = "", time.monotonic() + LONGEST
        self.open()
        self.connection.until, self.connection.heard = self.until, 0
        for email in email_messages:
            recipients = [self.prep_address(address) for address in email.recipients()]
            content = email.message(policy=WRITING).as_bytes()
            self.connection.sendmail(self.prep_address(email.from_email), recipients, content)
            self.answer = self.connection.answer
        return len(email_messages)

    def abandon(self) -> None:
        """Drops the connection without a word: a server that hangs would take its time for "QUIT", too."""
        for connection in (self._partial_connection, self.connection):
            if connection is not None:
                connection.close()
        self._partial_connection = self.connection = None

    def close(self) -> None:
        with suppress(OSError):
            super().close()


class _Limited(smtplib.SMTP):
    """Waits for answers until the given moment of the monotonic clock, and keeps what was said to a mail."""

    answer = ""

    def __init__(self, until: float, *args: Any, **kwargs: Any) -> None:
        self.until, self.heard = until, 0
        super().__init__(*args, **kwargs)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """The first of the host's addresses that answers; all of them together get no longer than a mail does."""
        lost: OSError | None = None
        for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            try:
                return super()._get_socket(address[0], port, min(timeout, self.left()))  # type: ignore[misc]
            except OSError as error:
                lost = error
        raise lost or OSError(f"{host} has no address")

    def left(self) -> float:
        """Seconds. Raises TimeoutError."""
        return seconds_until(self.until)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            self.file = Answers(self).buffered()
        return super().getreply()

    def data(self, msg: Any) -> tuple[int, bytes]:
        try:
            code, answer = super().data(msg)
        except smtplib.SMTPDataError as error:
            if is_open_after(error.smtp_code):  # or the next mail would be a second one in this transaction
                with suppress(smtplib.SMTPServerDisconnected):
                    self.rset()
            raise
        self.answer = said(code, answer)
        return code, answer


class Smtp(_Limited):
    """Plain, or with STARTTLS."""


class SmtpSsl(_Limited, smtplib.SMTP_SSL):
    """With TLS from the first byte."""


def said(code: int, answer: bytes | str) -> str:
    """A reply in one line: "550 5.1.1 No such user"."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(f"{code} {text}".split())


def reply(error: Exception) -> tuple[int, str]:
    """The code and the words in which a server refused one mail; 0 and what happened, for any other trouble."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, answer = next(iter(error.recipients.values()))
        return code, said(code, answer)
    if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
        return error.smtp_code, said(error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPResponseException):  # at the greeting, or at our password
        return 0, f"{type(error).__name__}: {said(error.smtp_code, error.smtp_error)}"
    return 0, f"{type(error).__name__}: {error}"


def is_permanent(code: int) -> bool:
    """Whether the same mail would be refused again (RFC 5321 §4.2.1)."""
    return 500 <= code < 600 and code not in ABOUT_US


def is_about_recipient(error: Exception) -> bool:
    """Whether it was the address that was refused: before and after it, the sender or the content is meant."""
    return isinstance(error, smtplib.SMTPRecipientsRefused)


def is_open_after(code: int) -> bool:
    """Whether the server goes on with the next mail: it refused this one in order, and did not hang up (421)."""
    return 400 <= code < 600 and code not in {421, 503}
