"""Where somebody is signed in."""

from collections.abc import Iterable
from importlib import import_module
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.core.cache import caches
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models.event import Event
from kit import visitor
from outbox.models import OutboxEvent

LISTED = 100  # sessions of one account are shown, or named, at once
ENDED_AT_ONCE = 5000  # sessions of one account whose rows and copies are removed at once; its epoch ends the others too


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self) -> "SessionQuerySet":
        return self.filter(expire_date__gt=timezone.now())

    def by_handle(self, handle: str) -> "Session | None":
        return self.exclude(handle="").filter(handle=handle).first()

    def for_list(self, this: str | None) -> "SessionQuerySet":
        """Those that go on: the one with this key first, then the newest."""
        this_first = models.Case(models.When(session_key=this, then=0), default=1)
        return self.live().order_by(this_first, "-created_at")[:LISTED]

    def keys_and_rows(self) -> "tuple[list[str], SessionQuerySet]":
        """The keys and the rows of these: of all, or of ENDED_AT_ONCE if there are as many."""
        keys = list(self.values_list("session_key", flat=True)[:ENDED_AT_ONCE])
        # To name them all takes longer than to take them all; whichever else is seen by then is void as well.
        return keys, self.filter(session_key__in=keys) if len(keys) == ENDED_AT_ONCE else self.all()

    def end(self, handle: str, **trace: Any) -> "Session | None":
        """Ends the live session with this handle, and says so in its owner's history; None when there is none.

        `trace` is from where, ip and device, or by whom.
        """
        session: Session | None = self.live().by_handle(handle)
        if session is None or not session.end():
            return None
        Event.objects.record(Event.Kind.SESSION_ENDED, session.user, **trace, ended=session.device)
        return session

    def prunable(self) -> "SessionQuerySet":
        return self.filter(expire_date__lte=timezone.now())

    def revoke(self, user: Any, handle: str) -> bool:
        """Deletes the row of one session, which has this owner and handle, before its time; False if it is gone."""
        with transaction.atomic():
            gone, _rows = self.delete()
            if gone and handle:  # one that is over by now was announced by who ended it
                OutboxEvent.objects.announce("session.revoked", user=user, session=handle, all=False)
        return gone > 0


class SessionManager(BaseSessionManager.from_queryset(SessionQuerySet)):  # type: ignore[misc]
    """Django's, with our two questions."""


class Session(AbstractBaseSession):
    """Django's session row, and whose it is. Written by accounts.session.store."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions", db_index=False
    )
    ip = models.GenericIPAddressField(null=True)
    device = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    # What pages call it, through all changes of its key, which is as good as a password.
    handle = models.CharField(max_length=32, default="", db_default="", editable=False)

    objects: ClassVar[SessionManager] = SessionManager()

    CACHE_PREFIX = "session:"

    class Meta(AbstractBaseSession.Meta):
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["user", "-created_at"], name="session_by_user")]

    @classmethod
    def get_session_store_class(cls) -> type:
        return import_module(settings.SESSION_ENGINE).SessionStore  # which imports this module

    @property
    def device_or_unknown(self) -> str:
        """The device, in words, whichever it is."""
        return self.device_name or _("Unknown device")

    @property
    def device_name(self) -> str:
        return visitor.device_in_words(self.device)

    @classmethod
    def cache_key(cls, session_key: str) -> str:
        return f"{cls.CACHE_PREFIX}{session_key}"

    @classmethod
    def forget_copies(cls, keys: Iterable[str]) -> None:
        """Has Redis drop its copies of the sessions with these keys."""
        caches["sessions"].delete_many([cls.cache_key(key) for key in keys])

    def end(self) -> bool:
        """Ends this one session, by whichever key it goes in this moment: without its row, no copy opens anything.

        False when it had ended already.
        """
        ended = Session.objects.filter(user_id=self.user_id, handle=self.handle).revoke(self.user_id, self.handle)
        caches["sessions"].delete(self.cache_key(self.session_key))
        return ended
