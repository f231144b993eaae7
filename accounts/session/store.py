"""Storage of sessions: PostgreSQL holds the truth, Redis a copy that is read first."""

import math
import re
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends import cached_db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, UpdateError
from django.core.cache import BaseCache
from django.db import IntegrityError
from django.utils import timezone
from django.utils.crypto import get_random_string

from accounts import asking
from accounts.models import Session, Superseded, User
from accounts.models.session import stored_key
from accounts.session.notes import BEGAN, DEADLINE, DEVICE, FACTOR, HANDLE, HELD_UP, IP, are_whole
from kit.one_statement import OneStatement

KEY = re.compile(r"[a-z0-9]{32}")

# Key of the session that this request came with. Its row must exist (accounts.password.backend): a copy alone, which a
# late reader or an old snapshot has brought back to Redis, signs nobody in.
loaded_key: ContextVar[str] = ContextVar("loaded_key", default="")


class SessionStore(cached_db.SessionStore):
    """Django's cached_db store, with an owner on each row and an end that using the session does not move."""

    cache_key_prefix = Session.CACHE_PREFIX
    _fresh = False  # no row is written yet
    _moves = False  # the row moves to a new id when the session is saved
    _cache: BaseCache

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    @property
    def stored_key(self) -> str:
        """The name under which this session is stored; a session without an id gets one."""
        return stored_key(self._get_or_create_session_key())  # type: ignore[attr-defined]

    @property
    def cache_key(self) -> str:
        return Session.cache_key(self.stored_key)

    def exists(self, session_key: str) -> bool:
        return bool(super().exists(stored_key(session_key)))

    def delete(self, session_key: str | None = None) -> None:
        """Deletes the row and the copy of the session with this key, by default of this one, if it has a key."""
        if key := session_key or self.session_key:
            self.model.objects.filter(session_key=stored_key(key)).delete()  # Django would read the row first
            self._cache.delete(Session.cache_key(stored_key(key)))

    def _validate_session_key(self, key: str | None) -> bool:
        # The visitor sends the key: a NUL in it would reach PostgreSQL and come back as a 500.
        return bool(key and KEY.fullmatch(key))

    def load(self) -> dict[str, Any]:
        """Returns the session's data, from Redis or else PostgreSQL; {} if it has ended or never was.

        Data from PostgreSQL is copied to Redis. For {} the store forgets its key, so that Django clears the cookie.
        """
        loaded_key.set(self.session_key or "")
        data = self._cache.get(self.cache_key)
        if not are_whole(data):  # absent, or not what we wrote
            data = self._load_row()
        # A stranger's session, before sign-in, has no deadline yet.
        if not data or data.get(DEADLINE, math.inf) <= time.time():
            self._session_key = None  # makes Django clear the cookie
            return {}
        return data

    def _load_row(self) -> dict[str, Any]:
        row = self.model.objects.filter(session_key=self.stored_key, expire_date__gt=timezone.now()).first()
        data: dict[str, Any] = self.decode(row.session_data) if row else {}
        if row:
            self._cache.set(self.cache_key, data, self.get_expiry_age(expiry=row.expire_date))
        return data

    def create(self) -> None:
        """Takes a new id and writes nothing: the row is written once, at the end of the request.

        Django would write an empty row at once and, if the user had just been deleted, look for another id without end.
        """
        self._session_key = get_random_string(32, VALID_KEY_CHARS)
        self._session_cache: dict[str, Any] = {}  # a new id has no row to load
        self._fresh = self.modified = True
        self._moves = False

    def save(self, must_create: bool = False) -> None:
        """Writes the session's row, and its copy in Redis; a session without an id gets one, and with it a new row.

        With `must_create` the row must be a new one. Raises UpdateError, which Django answers with its own 400 page, if
        the session or its user is gone.
        """
        if self.session_key is None:
            kept = self._session  # type: ignore[attr-defined]
            self.create()
            self._session_cache = kept
        if self._moves:
            self._move()
        if must_create or self._fresh:
            self._insert()
        else:
            super().save()

    def _insert(self) -> None:
        """Writes the row of a new session by one statement, and its copy. Raises UpdateError as save() does."""
        row = self.create_model_instance(self._get_session(no_load=True))  # type: ignore[attr-defined]
        try:
            OneStatement().insert(row).execute()
        except IntegrityError:
            raise UpdateError from None
        self._fresh = False
        self._cache.set(self.cache_key, self._session_cache, self.get_expiry_age())

    def take_new_key(self) -> None:
        """Has the session go on under a new id once it is saved, which is when the answer takes the cookie along.

        Until then it has the old id: an answer that saves nothing and sets no cookie, as after an error, signs nobody
        out. Raises Superseded if the session has ended.
        """
        if not self.model.objects.filter(session_key=self.stored_key).exists():
            raise Superseded
        self._moves = self.modified = True

    def _move(self) -> None:
        """Moves the session's row to a new id in one statement, so that whoever ends it meanwhile ends it still.

        The copy under the old id is deleted. Raises UpdateError if the session has ended.
        """
        new = get_random_string(32, VALID_KEY_CHARS)
        if not self.model.objects.filter(session_key=self.stored_key).update(session_key=stored_key(new)):
            raise UpdateError
        self._cache.delete(self.cache_key)
        self._session_key, self._moves = new, False

    def flush(self) -> None:
        """Ends the session, with its row, copy and data; if somebody is signed in, announces that to other services.

        The row is looked for by its key alone: if this is a former key of a session that goes on, that one stays.
        """
        if user := self.get(SESSION_KEY):
            Session.objects.filter(session_key=self.stored_key).revoke(user, self.get(HANDLE, ""))
            self._cache.delete(self.cache_key)
        else:
            self.delete()
        self.clear()
        self._session_key = None

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Returns a row for `data`, not stored yet, with the session's owner, handle, ip, device and beginning."""
        row: Session = super().create_model_instance(data)  # type: ignore[assignment]
        row.session_key = self.stored_key
        row.user_id = data.get(SESSION_KEY)
        row.ip, row.device, row.handle = data.get(IP), data.get(DEVICE, ""), data.get(HANDLE, "")
        if BEGAN in data:
            row.created_at = datetime.fromtimestamp(data[BEGAN], UTC)
        return row

    def get_expiry_age(self, **kwargs: Any) -> int:
        """Returns how many seconds the session still lasts, 0 if it has ended.

        Before sign-in, or with `expiry` in `kwargs`, it is what Django computes.
        """
        # _load_row() asks with `expiry`, before the session has any data to look at.
        if "expiry" in kwargs or DEADLINE not in self:
            return super().get_expiry_age(**kwargs)
        return max(0, int(self[DEADLINE] - time.time()))

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        """Returns when the session ends, in UTC.

        Before sign-in, or with `expiry` in `kwargs`, it is what Django computes.
        """
        if "expiry" in kwargs or DEADLINE not in self:
            return super().get_expiry_date(**kwargs)
        return datetime.fromtimestamp(self[DEADLINE], UTC)


def owner(key: str) -> User | None:
    """Returns the user who is signed in by the session with this key, with `group_names` and `shown_factor`.

    `shown_factor` is the second factor that the session has seen (accounts.session.arrival). Costs one statement.

    Returns None for a malformed key, a session that has ended, a user who is turned off, and one who has not answered
    what was asked when the session began. Checks all that Django's get_user and our backend check, but in the row
    alone: no old copy can answer, and nothing is flushed, renewed or written.
    """
    user = User.objects.by_session_key(key, groups=True) if KEY.fullmatch(key) else None
    if user is None or user.session_ends <= timezone.now() or not user.is_active:
        return None
    data = SessionStore().decode(user.session_data)
    if HELD_UP in data and asking.is_asked(user):
        return None
    user.shown_factor = data.get(FACTOR, "")
    known = data.get(BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS
    return user if known and user.vouches_for(data.get(HASH_SESSION_KEY, "")) else None
