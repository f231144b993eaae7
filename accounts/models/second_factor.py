"""The second factor of an account: codes of an authenticator app (TOTP, RFC 6238), and recovery codes."""

import base64
import secrets
import time
import unicodedata
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models.event import Event
from kit.encryption import Unreadable, renew
from kit.ids import uuid7

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
        return self._rows(type=TOTP).first()

    @property
    def is_on(self) -> bool:
        return self._rows(type=TOTP).exists()

    @property
    def must_stay(self) -> bool:
        """Whether its owner may not turn it off."""
        return settings.REQUIRE_STAFF_2FA and self.user.is_staff

    @property
    def recovery(self) -> Authenticator | None:
        """The recovery codes, if this site can still read them."""
        row = self._rows(type=RECOVERY).first()
        try:
            return row if row and row.wrap().generate_codes() else None
        except Unreadable:
            return None

    @property
    def recovery_codes(self) -> list[str]:
        """Those that have not been used yet."""
        row = self.recovery
        return row.wrap().get_unused_codes() if row else []

    @property
    def batch(self) -> int:
        """A number for the recovery codes that there are; new ones have another."""
        return self._rows(type=RECOVERY).values_list("pk", flat=True).first() or 0

    def check(self, typed: str, **trace: Any) -> str:
        """The kind of a right code, or "". No code is right twice (RFC 6238 §5.2), however many ask at once.

        Raises Superseded.
        """
        code = digits(typed)
        with transaction.atomic():
            self.user.lock_or_raise()  # before its rows, as everything else that changes them
            for row in self._rows().select_for_update().order_by("id"):
                if _passes(row, code):
                    _spend(row, code)
                    if row.type == RECOVERY:
                        left = len(self.recovery_codes)
                        self.user.record_and_notify(Event.Kind.RECOVERY_CODE_USED, left=left, **trace)
                    return str(row.type)
        return ""

    def turn_on(self, secret: str, code: str, *, replaces: bool = False, **trace: Any) -> None:
        """Asks for codes of this secret from now on; ends all sessions, as they began without one.

        `code` is the one that proved that the app works. Where it is on already nothing happens, unless it is to be set
        up again. Raises Superseded.
        """
        with transaction.atomic():
            self.user.lock_or_raise()
            if (was_on := self.is_on) and not replaces:
                return
            # First, so that all that is set up now is younger than the event (see `forget`).
            self.user.record_and_notify(Event.Kind.SECOND_FACTOR_ON, replaces=was_on, **trace)
            self.forget()
            data = {"secret": encrypt(secret), "used": {digits(code): time.time()}}
            Authenticator.objects.create(user=self.user, type=TOTP, data=data)
            self._make_codes()
            self.user.end_sessions()

    def renew_codes(self, **trace: Any) -> None:
        """New recovery codes instead of all old ones. Raises Superseded."""
        with transaction.atomic():
            self.user.lock_or_raise()
            self.user.record_and_notify(Event.Kind.RECOVERY_CODES, **trace)
            self.forget_codes()
            self._make_codes()

    def turn_off(self, **trace: Any) -> bool:
        """Whether it was on. Raises Superseded."""
        with transaction.atomic():
            self.user.lock_or_raise()
            if was_on := self.forget():
                self.user.record_and_notify(Event.Kind.SECOND_FACTOR_OFF, **trace)
        return was_on

    def forget(self, since: Event | None = None) -> bool:
        """Removes it, or what of it was set up since an event; gives whether there was anything."""
        rows = self._rows(created_at__gte=since.at) if since else self._rows()
        gone, _all = rows.delete()
        return gone > 0

    def forget_codes(self) -> None:
        self._rows(type=RECOVERY).delete()

    def was_set_up(self, since: Event, before: Event | None = None) -> bool:
        """Whether the app or recovery codes that there are were set up since one event, and before another."""
        rows = self._rows(created_at__gte=since.at)
        return bool((rows.filter(created_at__lt=before.at) if before else rows).exists())

    def _make_codes(self) -> None:
        data = {"seed": encrypt(secrets.token_hex(40)), "used_mask": 0}
        Authenticator.objects.create(user=self.user, type=RECOVERY, data=data)

    def _rows(self, **wanted: Any) -> Any:
        return Authenticator.objects.filter(user=self.user, **wanted)


def new_secret() -> str:
    return base64.b32encode(secrets.token_bytes(SECRET_SIZE)).decode()


def proves(secret: str, code: str) -> bool:
    """Whether an app that was given this secret shows this code."""
    # allauth remembers a code as used by its owner; nobody owns this, so that the same may be sent in again.
    nobodys = Authenticator(type=TOTP, user_id=uuid7(), data={"secret": encrypt(secret)})
    return bool(nobodys.wrap().validate_code(digits(code)))


def digits(typed: str) -> str:
    """A code as people copy it from where it is shown in groups, and as keyboards of any script write it."""
    return "".join(str(unicodedata.decimal(c)) for c in typed if c.isdecimal())


def all_rows() -> Any:
    """The apps and recovery codes of everybody, whose secrets `reencrypt` takes."""
    return Authenticator.objects.all()


def reencrypt(ids: list[int], *, save: bool) -> int:
    """Encrypts the secrets of these rows with the first key; gives how many could be read."""
    readable = 0
    with transaction.atomic():
        # Locked, as a code that is used meanwhile is marked in the same data.
        for row in Authenticator.objects.select_for_update().filter(pk__in=ids).order_by("pk"):
            with suppress(Unreadable):
                row.data |= _renewed(row.data)
                readable += 1
                if save:
                    row.save(update_fields=["data"])
    return readable


def _renewed(data: dict[str, Any]) -> dict[str, Any]:
    secrets = {name: renew(data[name]) for name in ("secret", "seed") if name in data}
    # Recovery codes of another system, as allauth keeps them.
    return secrets | ({"migrated_codes": list(map(renew, data["migrated_codes"]))} if "migrated_codes" in data else {})


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
