"""The second factor of an account: codes of an authenticator app (TOTP, RFC 6238), and recovery codes."""

import base64
import re
import secrets
import time
from typing import TYPE_CHECKING, Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.encryption import Unreadable
from accounts.models.event import Event

if TYPE_CHECKING:
    from accounts.models.user import User

TOTP, RECOVERY = Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES

SECRET_SIZE = 20  # bytes, as RFC 4226 §4 recommends
# How long the same code could pass: its own period, and those that MFA_TOTP_TOLERANCE allows around it.
PASSES_FOR = 30 * (1 + 2 * settings.MFA_TOTP_TOLERANCE)  # seconds


class SecondFactor:
    """`user.second_factor`; allauth keeps the rows and does the sums."""

    def __init__(self, user: "User") -> None:
        self.user = user

    @property
    def app(self) -> Authenticator | None:
        return self._rows().filter(type=TOTP).first()

    @property
    def is_on(self) -> bool:
        return self._rows().filter(type=TOTP).exists()

    @property
    def recovery_codes(self) -> list[str]:
        """Those that have not been used yet."""
        row = self._rows().filter(type=RECOVERY).first()
        try:
            return row.wrap().get_unused_codes() if row else []
        except Unreadable:
            return []

    def check(self, typed: str) -> str:
        """The kind of a right code, or "". No code is right twice (RFC 6238 §5.2), however many ask at once."""
        code = _digits(typed)
        with transaction.atomic():
            for row in self._rows().select_for_update().order_by("id"):
                if _passes(row, code):
                    _spend(row, code)
                    return str(row.type)
        return ""

    def turn_on(self, secret: str, code: str, **trace: Any) -> None:
        """Asks for codes of this secret from now on; ends all sessions, as they began without one.

        `code` is the one that proved that the app works. Raises Superseded, and nothing when it is on already.
        """
        with transaction.atomic():
            self.user.hold()
            if self.is_on:
                return
            # First, so that all that is set up now is younger than the event (see `forget`).
            self.user.happened(Event.Kind.SECOND_FACTOR_ON, **trace)
            data = {"secret": encrypt(secret), "used": {_digits(code): time.time()}}
            Authenticator.objects.create(user=self.user, type=TOTP, data=data)
            self._new_codes()
            self.user.end_sessions()

    def renew_codes(self, **trace: Any) -> None:
        """New recovery codes instead of all old ones. Raises Superseded."""
        with transaction.atomic():
            self.user.hold()
            self.user.happened(Event.Kind.RECOVERY_CODES, **trace)
            self._new_codes()

    def turn_off(self, **trace: Any) -> None:
        """Raises Superseded."""
        with transaction.atomic():
            self.user.hold()
            if self.forget():
                self.user.happened(Event.Kind.SECOND_FACTOR_OFF, **trace)

    def forget(self, since: Event | None = None) -> bool:
        """Removes it, or what of it was set up since an event; gives whether there was anything."""
        rows = self._rows().filter(created_at__gte=since.at) if since else self._rows()
        gone, _all = rows.delete()
        return gone > 0

    def _new_codes(self) -> None:
        self._rows().filter(type=RECOVERY).delete()
        data = {"seed": encrypt(secrets.token_hex(40)), "used_mask": 0}
        Authenticator.objects.create(user=self.user, type=RECOVERY, data=data)

    def _rows(self) -> Any:
        return Authenticator.objects.filter(user=self.user)


def new_secret() -> str:
    return base64.b32encode(secrets.token_bytes(SECRET_SIZE)).decode()


def proves(secret: str, code: str) -> bool:
    """Whether an app that was given this secret shows this code."""
    data = {"secret": encrypt(secret)}
    return bool(Authenticator(type=TOTP, data=data).wrap().validate_code(_digits(code)))


def _passes(row: Authenticator, code: str) -> bool:
    # allauth remembers a code for its own period, and in the cache: it could pass again after that, or without Redis.
    if time.time() < row.data.get("used", {}).get(code, 0) + PASSES_FOR:
        return False
    try:
        return bool(row.wrap().validate_code(code))
    except Unreadable:
        return False


def _spend(row: Authenticator, code: str) -> None:
    if row.type == TOTP:
        used = row.data.get("used", {})
        row.data["used"] = {old: at for old, at in used.items() if time.time() < at + PASSES_FOR} | {code: time.time()}
        row.last_used_at = timezone.now()
        row.save(update_fields=["data", "last_used_at"])
    else:  # allauth has marked the code in the row itself
        row.record_usage()


def _digits(typed: str) -> str:
    """A code as people copy it from where it is shown in groups, without the groups."""
    return re.sub(r"[\s.-]", "", typed)
