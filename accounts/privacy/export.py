"""The export of all that is stored about a user, as JSON."""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import RawIOBase
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import F

from accounts.models import User
from outbox.models import OutboxMessage, Suppression

Rows = Iterable[Mapping[str, Any]]

ACCOUNT_FIELDS = (
    "username",
    "name",
    "email",
    "settings",
    "terms",
    "joined_at",
    "last_login",
    "password_changed_at",
    "is_active",
    "is_staff",
    "leaves_at",
)
MAIL_FIELDS = (
    "kind",
    "recipient",
    "created_at",
    "attempts",
    "sent_at",
    "bounced_at",
    "found_dead_at",
    "given_up_at",
    "last_answer",
)


def account(user: User) -> Rows:
    yield {name: getattr(user, name) for name in ACCOUNT_FIELDS} | {"groups": sorted(user.group_names)}


def sessions(user: User) -> Rows:
    return user.sessions.order_by("created_at").values("ip", "device", "created_at", "expire_date").iterator()


def events(user: User) -> Rows:
    return user.events.order_by("id").values("kind", "at", "ip", "device", "detail").iterator()


def second_factor(user: User) -> Rows:
    if app := user.second_factor.app:
        yield {"set_up_at": app.created_at, "last_used_at": app.last_used_at}


def mails(user: User) -> Rows:
    """Returns what became of the mails to the user's addresses since they joined, without what the mails said."""
    sent = OutboxMessage.objects.filter(recipient__in=user.address.all_own(), created_at__gte=user.joined_at).order_by(
        "id"
    )
    return sent.values(*MAIL_FIELDS).iterator()


def suppressions(user: User) -> Rows:
    """Returns which of the user's addresses get no mail, why, and since when."""
    rows = Suppression.objects.filter(recipient__in=user.address.all_own()).order_by("id")
    return rows.values("reason", address=F("recipient"), since=F("created_at")).iterator()


def google(user: User) -> Rows:
    accounts: Any = user.socialaccount_set  # type: ignore[attr-defined]
    return accounts.values("provider", "uid", "extra_data", "date_joined", "last_login").iterator()


# The rows of each become a file of the export. None of them holds a hash, token or key.
PARTS: dict[str, Callable[[User], Rows]] = {
    "account": account,
    "google": google,
    "second_factor": second_factor,
    "sessions": sessions,
    "events": events,
    "mails": mails,
    "suppressed": suppressions,
}


def add_part(name: str, rows: Callable[[User], Rows]) -> None:
    """Adds a file of another room to the export: `name`.json, with the rows that `rows(user)` returns."""
    PARTS[name] = rows


class PieceBuffer(RawIOBase):
    """A file to write to; take() returns what was written since the last take(), and the file forgets it."""

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


def stream_zip(user: User) -> Iterator[bytes]:
    """Yields, in pieces, the bytes of a ZIP with one JSON file about the user for each of PARTS.

    It is never whole in memory, however long it is.
    """
    buffer = PieceBuffer()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in PARTS.items():
            with archive.open(f"{name}.json", "w") as file:
                for line in lines(rows(user)):
                    file.write(line.encode())
                    yield buffer.take()
    yield buffer.take()


def lines(rows: Rows) -> Iterator[str]:
    """Yields the text of a JSON array, with one row in each line."""
    yield "["
    for number, row in enumerate(rows):
        yield (",\n" if number else "\n") + json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False)
    yield "\n]\n"
