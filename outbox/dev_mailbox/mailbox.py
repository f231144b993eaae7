"""The development mailbox: reading the .eml files of a machine that mail never leaves."""

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings

SHOWN = 100  # letters, the newest


@dataclass(frozen=True)
class Letter:
    """One .eml file; `name` is its file name without the suffix."""

    name: str
    message: EmailMessage

    @property
    def to(self) -> str:
        return str(self.message["To"])

    @property
    def sender(self) -> str:
        return str(self.message["From"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def date(self) -> datetime:
        moment: datetime = self.message["Date"].datetime
        return moment

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.message.items()]

    @property
    def text(self) -> str:
        """The plain text of the letter, or "" if it has none."""
        return self._part("plain")

    @property
    def html(self) -> str:
        """The HTML of the letter, or "" if it has none."""
        return self._part("html")

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return part.get_content() if part else ""


def letters() -> list[Letter]:
    """Returns the newest letters of the mailbox, newest first and at most SHOWN."""
    files = sorted(folder().glob("*.eml"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    return list(map(read, files[:SHOWN]))


def find(name: str) -> Letter | None:
    """Returns the letter with this name, which is that of its file without ".eml"; None if there is no such file."""
    file = folder() / f"{name}.eml"
    return read(file) if len(name) < 200 and file.is_file() else None


def read(file: Path) -> Letter:
    return Letter(file.stem, message_from_bytes(file.read_bytes(), EmailMessage, policy=policy.default))


def folder() -> Path:
    return Path(settings.DEV_MAILBOX)
