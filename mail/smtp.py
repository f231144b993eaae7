"""Talking to the mail server: what it answered, and how long it may take."""

import smtplib
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

LONGEST = 30.0  # seconds for one mail with all its answers, each of which has a timeout of its own

# What these are about is our connection, not the mail (RFC 4954 §6): a new password helps, giving up the mail does not.
ABOUT_US = {530, 534, 535, 538}


class SmtpBackend(EmailBackend):
    """Django's, which also keeps the server's answer, and leaves a server that drips or hangs."""

    answer = ""  # what the server said when it took the last mail
    connection: Any
    _partial_connection: Any

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return SmtpSsl if self.use_ssl else Smtp

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Raises OSError, smtplib's exceptions among them; see `is_open_after` for the connection."""
        self.answer = ""
        with self._limited():
            self.open()
            sent = super().send_messages(email_messages)
        self.answer = self.connection.answer
        return sent

    def abandon(self) -> None:
        """Drops the connection without a word: a server that hangs would take its time for "QUIT", too."""
        for connection in (self._partial_connection, self.connection):
            if connection is not None:
                connection.close()
        self._partial_connection = self.connection = None

    def close(self) -> None:
        with suppress(OSError):
            super().close()

    @contextmanager
    def _limited(self) -> Iterator[None]:
        # Timeouts of a socket count the silence before a byte, so a byte now and then would hold us for ever.
        timer = threading.Timer(LONGEST, self._cut)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        connection = self.connection or self._partial_connection
        if connection and connection.sock:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)


class _Answering:
    answer = ""

    def data(self, msg: Any) -> tuple[int, bytes]:
        code, answer = super().data(msg)  # type: ignore[misc]
        self.answer = said(code, answer)
        return code, answer


class Smtp(_Answering, smtplib.SMTP):
    """Plain, or with STARTTLS."""


class SmtpSsl(_Answering, smtplib.SMTP_SSL):
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
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code, said(error.smtp_code, error.smtp_error)
    # At the greeting, at our password, or at our own address: that is put right with a setting, and says nothing of
    # the recipient.
    if isinstance(error, smtplib.SMTPResponseException):
        return 0, said(error.smtp_code, error.smtp_error)
    return 0, f"{type(error).__name__}: {error}"


def is_permanent(code: int) -> bool:
    """Whether the same mail would be refused again (RFC 5321 §4.2.1)."""
    return 500 <= code < 600 and code not in ABOUT_US


def is_open_after(code: int) -> bool:
    """Whether the server goes on with the next mail: it refused this one, and did not hang up (421)."""
    return code not in {0, 421}
