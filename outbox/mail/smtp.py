"""The SMTP backend. It keeps what the mail server answers, and limits how long one mail may take."""

import math
import smtplib
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from outbox.mail import mime
from outbox.mail.bounded_reading import Answers, seconds_until
from outbox.mail.headers import ADDRESS

LONGEST = 30.0  # seconds for one mail with all its answers, each of which has a timeout of its own

# These codes are about our connection, not about the mail (RFC 4954 §6; RFC 5321 §4.2.4): a new password helps, or a
# new connection, but giving up the mail does not.
ABOUT_US = {503, 530, 534, 535, 538}


class SmtpBackend(EmailBackend):
    """Django's SMTP backend, which also keeps the server's answer, and leaves a server that drips or hangs."""

    answer = ""  # what the server said when it took the last mail
    until = math.inf
    connection: Any
    _partial_connection: Any

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:  # type: ignore[override]  # Django only calls it
        """The maker of connections that Django's backend calls: with TLS from the first byte if `use_ssl`.

        Each connection keeps to the deadline `until`.
        """
        return partial(SmtpSsl if self.use_ssl else Smtp, self.until)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Sends the mails within LONGEST seconds, and returns their number. Keeps the answer to the last in `answer`.

        Raises OSError, of which smtplib's exceptions are a kind, if the server cannot be reached, takes too long, or
        refuses a mail, and ValueError for an invalid address or header. is_open_after() says if the connection survives
        a refusal.
        """
        self.answer, self.until = "", time.monotonic() + LONGEST
        self.open()
        self.connection.until, self.connection.bytes_read = self.until, 0
        for email in email_messages:
            recipients = [self.prep_address(address) for address in email.recipients()]
            self.connection.sendmail(self.prep_address(email.from_email), recipients, mime.as_bytes(email))
            self.answer = self.connection.answer
        return len(email_messages)

    def prep_address(self, address: str, force_ascii: bool = True) -> str:
        """Returns the bare address for the envelope. Raises ValueError if it is invalid, or cannot be in ASCII."""
        return address if ADDRESS.fullmatch(address) else super().prep_address(address, force_ascii)

    def abandon(self) -> None:
        """Drops the connection without "QUIT": a server that hangs would take its time for that, too."""
        for connection in (self._partial_connection, self.connection):
            if connection is not None:
                connection.close()
        self._partial_connection = self.connection = None

    def close(self) -> None:
        """Says "QUIT" and closes the connection. A lost connection is no error."""
        with suppress(OSError):
            super().close()


class _Limited(smtplib.SMTP):
    """An SMTP client that waits no longer than `until` (monotonic clock), and keeps the answer to a mail."""

    answer = ""

    def __init__(self, until: float, *args: Any, **kwargs: Any) -> None:
        self.until, self.bytes_read = until, 0
        super().__init__(*args, **kwargs)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Connects to the first of the host's addresses that answers. Raises OSError if none does.

        All addresses together get no longer than a mail does.
        """
        lost: OSError | None = None
        for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            try:
                return super()._get_socket(address[0], port, min(timeout, self.seconds_left()))  # type: ignore[misc]
            except OSError as error:
                lost = error
        raise lost or OSError(f"{host} has no address")

    def seconds_left(self) -> float:
        """Returns the seconds until the deadline. Raises TimeoutError when it has passed."""
        return seconds_until(self.until)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None:
            self.file = Answers(self).buffered()
        return super().getreply()

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Sends the content of a mail, and keeps the server's answer. Returns its code and text, also of a refusal.

        Raises SMTPDataError if the server refuses before the content is sent: then another mail may follow, if the
        connection is open. Raises SMTPServerDisconnected or another OSError if the connection is lost.
        """
        try:
            code, answer = super().data(msg)
        except smtplib.SMTPDataError as error:
            if is_open_after(error.smtp_code):  # or the next mail would be a second one in this SMTP transaction
                with suppress(smtplib.SMTPServerDisconnected):
                    self.rset()
            raise
        self.answer = one_line(code, answer)
        return code, answer


class Smtp(_Limited):
    """A connection in plain text, or with STARTTLS."""


class SmtpSsl(_Limited, smtplib.SMTP_SSL):
    """A connection with TLS from the first byte."""


def one_line(code: int, answer: bytes | str) -> str:
    """Returns a server's reply in one line: "550 5.1.1 No such user"."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(f"{code} {text}".split())


def reply(error: Exception) -> tuple[int, str]:
    """Returns the code and the line with which a server refused one mail.

    For any other trouble, also a refused greeting or password, returns 0 and a line that names the exception.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, answer = next(iter(error.recipients.values()))
        return code, one_line(code, answer)
    if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
        return error.smtp_code, one_line(error.smtp_code, error.smtp_error)
    if isinstance(error, smtplib.SMTPResponseException):  # at the greeting, or at our password
        return 0, f"{type(error).__name__}: {one_line(error.smtp_code, error.smtp_error)}"
    return 0, f"{type(error).__name__}: {error}"


def is_permanent(code: int) -> bool:
    """Returns whether this reply code means that the same mail would be refused again (RFC 5321 §4.2.1)."""
    return 500 <= code < 600 and code not in ABOUT_US


def is_about_recipient(error: Exception) -> bool:
    """Returns whether the server refused the recipient's address, rather than the sender or the content."""
    return isinstance(error, smtplib.SMTPRecipientsRefused)


def is_open_after(code: int) -> bool:
    """Returns whether the connection can carry another mail after this reply code: the server did not hang up (421)."""
    return 400 <= code < 600 and code not in {421, 503}
