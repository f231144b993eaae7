"""Leaving: what is held about somebody, to take along, and what is forgotten when the account goes."""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import RawIOBase
from typing import Any

from django.contrib.auth import get_user_model
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models.signals import pre_delete

from accounts.models import Event, User
from mail.models import OutboxMessage

Rows = Iterable[Mapping[str, Any]]

ABOUT = ("username", "email", "settings", "joined_at", "last_login", "password_changed_at", "is_active", "is_staff")


def account(user: User) -> Rows:
    yield {name: getattr(user, name) for name in ABOUT}


def sessions(user: User) -> Rows:
    return user.sessions.order_by("created_at").values("ip", "device", "created_at", "expire_date").iterator()


def events(user: User) -> Rows:
    return user.events.order_by("id").values("kind", "at", "ip", "device", "detail").iterator()


def mails(user: User) -> Rows:
    sent = OutboxMessage.objects.filter(recipient=user.email).order_by("id")
    return sent.values("kind", "recipient", "created_at", "sent_at").iterator()


# Each becomes a file of the export; other rooms add theirs when the site starts. No hash, token or key is in any.
PARTS: dict[str, Callable[[User], Rows]] = {"account": account, "sessions": sessions, "events": events, "mails": mails}


class Window(RawIOBase):
    """A file to write to that keeps only what nobody has taken yet."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


def export(user: User) -> Iterator[bytes]:
    """A ZIP with one JSON file for each part, in pieces: it is never whole in memory, however long the history is."""
    window = Window()
    with zipfile.ZipFile(window, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in PARTS.items():
            with archive.open(f"{name}.json", "w") as file:
                for line in lines(rows(user)):
                    file.write(line.encode())
                    yield window.take()
    yield window.take()


def lines(rows: Rows) -> Iterator[str]:
    """A JSON array, one row in each line."""
    yield "["
    for number, row in enumerate(rows):
        yield (",\n" if number else "\n") + json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)
    yield "\n]\n"


def hear_deletions() -> None:
    """Called once at start: whichever door deletes an account, what stays of its history names nobody."""
    pre_delete.connect(_forget, sender=get_user_model(), dispatch_uid="accounts.leaving")


def _forget(instance: User, **_kwargs: Any) -> None:
    Event.objects.forget(instance)
    OutboxMessage.objects.filter(recipient=instance.email).exclude(sent_at=None).delete()
