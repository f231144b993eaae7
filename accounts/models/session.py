"""The rows of sessions: where users are signed in, and how one session is ended."""

import hashlib
from collections.abc import Iterable
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.core.cache import caches
from django.db import models
from django.db.models.sql import DeleteQuery
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ended_sessions
from accounts.models.event import Event
from kit import visitor
from kit.exact import ExactField
from kit.one_statement import OneStatement, Unmet, Write
from kit.prepared import Given, Prepared
from outbox.models import OutboxEvent, new_event

if TYPE_CHECKING:
    from accounts.models.user import User

LISTED = 100  # sessions of one account, at most, on its page and in its JSON
ENDED_AT_ONCE = 5000  # rows and copies of one account that are removed at once; its new epoch ends the others too
# It names no key: a session's key may change while the statement waits for its row.
DELETE_NEWEST = """
DELETE FROM accounts_session WHERE user_id = %s AND EXISTS (TABLE {}) AND created_at >= COALESCE(
    (SELECT created_at FROM accounts_session WHERE user_id = %s ORDER BY created_at DESC OFFSET %s LIMIT 1), '-infinity'
) RETURNING session_key
"""


def stored_key(key: str) -> str:
    """Returns the name under which the session with this key is stored: the key's SHA-256, as 64 hex digits.

    A key is what the visitor's cookie holds. Whoever reads our tables, Redis, or a backup of either finds no key, so
    they cannot sign in by what they read. One plain hash will do, as a key has 165 random bits.
    """
    return hashlib.sha256(key.encode()).hexdigest()


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self) -> "SessionQuerySet":
        """Returns the sessions that have not expired."""
        return self.filter(expire_date__gt=timezone.now())

    def by_handle(self, handle: str) -> "Session | None":
        """Returns the session with this handle, or None. A session before sign-in has none, and is never found."""
        return self.exclude(handle="").filter(handle=handle).first()

    def newest_keys(self) -> list[str]:
        """Returns the stored keys of the newest of these sessions, at most ENDED_AT_ONCE."""
        return list(self.order_by("-created_at").values_list("session_key", flat=True)[:ENDED_AT_ONCE])

    def end(self, handle: str, **trace: Any) -> "Session | None":
        """Ends the live session with this handle, and records it in its owner's history.

        `trace` is the ip and device of the request, or by="staff". Returns the session; None if there is none, or if it
        has ended meanwhile.
        """
        session: Session | None = self.live().by_handle(handle)
        if session is None:
            return None
        event = Event.objects.compose(Event.Kind.SESSION_ENDED, session.user, **trace, ended=session.device)
        return session if session.end(event) else None

    def prunable(self) -> "SessionQuerySet":
        """Returns the sessions to prune: those that have expired."""
        return self.filter(expire_date__lte=timezone.now())

    def revoke(self, user: Any, handle: str, *events: Event) -> bool:
        """Deletes the one session in this queryset before its time, and announces its end to other services.

        Stores `events` in the history. All that is one statement. `user` is the owner's id, and `handle` the session's
        handle; nothing is announced if that is "". Returns False, and stores and announces nothing, if the row is gone:
        then whoever ended the session has announced it.
        """
        statement = OneStatement([self._deletion()]).insert(*events)
        if handle:
            told = new_event("session.revoked", user=user, session=handle, all=False)
            OutboxEvent.objects.add_to(statement, [told])
            owner = Write(f"SELECT user_id AS id FROM {statement.met}")  # noqa: S608 the name of a part
            ended_sessions.add_to(statement, owner, handle)
        try:
            statement.execute()
        except Unmet:
            return False
        return True

    def _deletion(self) -> Write:
        """Returns what delete() would run; the conditions of this queryset alone find the row."""
        query: Any = self.query.chain(DeleteQuery)
        return Write(*query.get_compiler(using=self.db).as_sql())


class SessionManager(BaseSessionManager.from_queryset(SessionQuerySet)):  # type: ignore[misc]
    """Django's manager of sessions, with the methods of SessionQuerySet."""

    def list_of(self, user: "User", this: str) -> "list[Session]":
        """Returns the user's live sessions, at most LISTED: the one stored as `this` first, then the newest."""
        return self._list.read(user=user.pk, this=this, now=timezone.now())

    @cached_property
    def _list(self) -> "Prepared[Session]":
        this = models.When(session_key=Given("this", models.CharField()), then=0)
        whose, now = Given("user", models.UUIDField()), Given("now", models.DateTimeField())
        rows = self.filter(user=whose, expire_date__gt=now).order_by(models.Case(this, default=1), "-created_at")
        return Prepared(lambda: rows[:LISTED])


class Session(AbstractBaseSession):
    """Django's row of a session, with its user, and where and when it began. accounts.session.store writes it."""

    session_key = ExactField(max_length=64, primary_key=True)  # stored_key() of the key, not the key itself
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions", db_index=False
    )
    ip = models.GenericIPAddressField(null=True)
    device = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    # The name of the session on pages and in JSON. Its key changes, and must not be shown: it is as good as a password.
    handle = models.CharField(max_length=32, default="", db_default="", editable=False)

    objects: ClassVar[SessionManager] = SessionManager()

    CACHE_PREFIX = "session:"

    class Meta(AbstractBaseSession.Meta):
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["user", "-created_at"], name="session_by_user")]

    @classmethod
    def get_session_store_class(cls) -> type:
        return import_module(settings.SESSION_ENGINE).SessionStore  # imported only here: it imports this module

    @property
    def device_or_unknown(self) -> str:
        """The device in words of the active language: "Firefox on Windows", or "Unknown device"."""
        return self.device_name or _("Unknown device")

    @property
    def device_name(self) -> str:
        """The device in words of the active language: "Firefox on Windows", or "" for an unknown one."""
        return visitor.device_in_words(self.device)

    @classmethod
    def cache_key(cls, stored: str) -> str:
        """Returns the name under which Redis has a copy of the session that is stored as `stored`."""
        return f"{cls.CACHE_PREFIX}{stored}"

    @staticmethod
    def deletion_of_newest(user: "User", *, after: str) -> Write:
        """Returns a write that deletes the user's newest ENDED_AT_ONCE sessions, and returns their stored keys.

        It runs after the write called `after` in the same statement, if that has changed a row.
        """
        return Write(DELETE_NEWEST.format(after), [user.pk, user.pk, ENDED_AT_ONCE - 1])

    @classmethod
    def forget_copies(cls, keys: Iterable[str]) -> None:
        """Deletes the copies that Redis has of the sessions that are stored under these keys."""
        caches["sessions"].delete_many([cls.cache_key(key) for key in keys])

    def end(self, *events: Event) -> bool:
        """Ends this one session, whatever its key is by now, and announces it. Returns False if it had ended already.

        Deletes its row: without the row, no copy of the session in Redis signs anybody in. Stores `events` in the
        history if it has ended the session.
        """
        rows = Session.objects.filter(user_id=self.user_id, handle=self.handle)
        ended = rows.revoke(self.user_id, self.handle, *events)
        caches["sessions"].delete(self.cache_key(self.session_key))
        return ended
