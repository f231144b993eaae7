"""Where Django's mail goes: first into the outbox, from there to SMTP or, on a bare laptop, into a folder."""

from collections.abc import Sequence
from pathlib import Path

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.filebased import EmailBackend as FileBackend

from outbox.models import OutboxMessage


class OutboxBackend(BaseEmailBackend):
    """MAILERS["default"]: every mail any code sends becomes a row in the transaction around it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            OutboxMessage.objects.put(message)
        return len(email_messages)


class EmlBackend(FileBackend):
    """One .eml file for each mail, named after its Message-ID: sent twice, it is still one file.

    A Maildir, whose files have other names each time, would show it twice.
    """

    answer = ""  # a folder has nothing to say

    def abandon(self) -> None:
        """There is no connection to drop."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for email in email_messages:
            message = email.message()
            target = Path(self.file_path) / f"{message['Message-ID'].strip('<>').partition('@')[0]}.eml"
            # Renamed when it is whole: whoever reads the folder meanwhile finds no half of a mail.
            unfinished = target.with_suffix(".tmp")
            unfinished.write_bytes(message.as_bytes())
            unfinished.replace(target)
        return len(email_messages)
