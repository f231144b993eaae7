"""Django's mail backends: mail goes into the outbox first, from there to SMTP or, on a bare laptop, into a folder."""

from collections.abc import Sequence
from email import policy
from pathlib import Path

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.filebased import EmailBackend as FileBackend

from outbox.mail.headers import HEADERS
from outbox.models import OutboxMessage

READABLE = policy.default.clone(header_factory=HEADERS)


class OutboxBackend(BaseEmailBackend):
    """The backend of MAILERS["default"]: stores every mail that any code sends, in the transaction around it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Stores the messages in the caller's transaction, and returns their number.

        Raises ValueError if one has attachments.
        """
        for message in email_messages:
            OutboxMessage.objects.put(message)
        return len(email_messages)


class EmlBackend(FileBackend):
    """A backend that writes each mail to an .eml file named after its Message-ID: sent twice, it is still one file.

    A Maildir, whose files have other names each time, would show it twice.
    """

    answer = ""  # SmtpBackend keeps the server's answer here; a folder has none

    def abandon(self) -> None:
        """Does nothing: a folder has no connection to drop. The worker calls this on every backend."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Writes each message to a file in the folder, and returns their number.

        Raises OSError if a file cannot be written.
        """
        for email in email_messages:
            message = email.message(policy=READABLE)
            target = Path(self.file_path) / f"{message['Message-ID'].strip('<>').partition('@')[0]}.eml"
            # Renamed when it is whole: whoever reads the folder meanwhile finds no half of a mail.
            unfinished = target.with_suffix(".tmp")
            unfinished.write_bytes(message.as_bytes())
            unfinished.replace(target)
        return len(email_messages)
