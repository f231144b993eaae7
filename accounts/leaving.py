"""Leaving: what is held about somebody, to take along, and what is forgotten when the account goes."""

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import RawIOBase
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import F, Q, QuerySet
from django.db.models.signals import pre_delete

from accounts.models import Event, User
from outbox.models import OutboxEvent, OutboxMessage, Suppression

Rows = Iterable[Mapping[str, Any]]

ABOUT = ("username", "email", "settings", "joined_at", "last_login", "password_changed_at", "is_active", "is_staff")
BECAME = ("kind", "recipient", "created_at", "attempts", "sent_at", "bounced_at", "given_up_at", "last_answer")


def account(user: User) -> Rows:
    yield {name: getattr(user, name) for name in ABOUT}


def sessions(user: User) -> Rows:
    return user.sessions.order_by("created_at").values("ip", "device", "created_at", "expire_date").iterator()


def events(user: User) -> Rows:
    return user.events.order_by("id").values("kind", "at", "ip", "device", "detail").iterator()


def second_factor(user: User) -> Rows:
    if app := user.second_factor.app:
        yield {"set_up_at": app.created_at, "last_used_at": app.last_used_at}


def mails(user: User) -> Rows:
    sent = OutboxMessage.objects.filter(recipient__in=user.addresses, created_at__gte=user.joined_at).order_by("id")
    return sent.values(*BECAME).iterator()


def suppressed(user: User) -> Rows:
    rows = Suppression.objects.filter(recipient__in=user.addresses).order_by("id")
    return rows.values("reason", address=F("recipient"), since=F("created_at")).iterator()


def google(user: User) -> Rows:
    rows = SocialAccount.objects.filter(user=user).values("provider", "uid", "extra_data", "date_joined", "last_login")
    return rows.iterator()


# Each becomes a file of the export; other rooms add theirs when the site starts. No hash, token or key is in any.
PARTS: dict[str, Callable[[User], Rows]] = {
    "account": account,
    "google": google,
    "second_factor": second_factor,
    "sessions": sessions,
    "events": events,
    "mails": mails,
    "suppressed": suppressed,
}

# Run before an account goes, while it is still known which addresses it had; other rooms add to it.
FORGETTING: list[Callable[[User], None]] = []


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


def forget_at_the_desk(rows: QuerySet[Any]) -> None:
    """Takes the names of these rows from the desk's own log, which says who changed what."""
    kept = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(rows.model))
    kept.filter(object_id__in=[str(pk) for pk in rows.values_list("pk", flat=True)]).update(object_repr="")


def _forget(instance: User, **_kwargs: Any) -> None:
    for forget in FORGETTING:
        forget(instance)
    instance.forget_copies()
    _forget_mail(instance)
    Suppression.objects.filter(recipient__in=instance.addresses).delete()
    # Those that staff have lifted are gone, but were called by their addresses.
    lifted = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(Suppression))
    lifted.filter(object_repr__in=instance.addresses).update(object_repr="")
    forget_at_the_desk(User.objects.filter(pk=instance.pk))
    Event.objects.forget(instance)
    _announce(instance)


def _forget_mail(user: User) -> None:
    # A former address may still wait for word of a change; nothing but the farewell is for who has left.
    stays = ~Q(recipient=user.email) | Q(kind="deleted")
    OutboxMessage.objects.filter(recipient__in=user.addresses).exclude(stays, sent_at=None, given_up_at=None).withdraw()


def _announce(user: User) -> None:
    # An address that is forgotten goes out no more; and who heard of the account after its end would keep it for ever.
    OutboxEvent.objects.withdraw(user=user.pk)
    OutboxEvent.objects.announce("session.revoked", user=user.pk, all=True)
    OutboxEvent.objects.announce("user.deleted", user=user.pk)
