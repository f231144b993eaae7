"""The second factor of an account: codes of an authenticator app (TOTP, RFC 6238), and recovery codes."""

import base64
import secrets
import time
import unicodedata
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from allauth.mfa import app_settings as mfa
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts.models.event import Event
from kit.encryption import Unreadable, renew
from kit.ids import uuid7
from kit.prepared import Given, Prepared

if TYPE_CHECKING:
    from accounts.models.user import User

TOTP, RECOVERY = Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES
APP = Prepared(
    lambda: Authenticator.objects.filter(user=Given("user", models.UUIDField()), type=TOTP).order_by("pk")[:1]
)

CODES = mfa.RECOVERY_CODE_COUNT  # recovery codes in a set
SECRET_SIZE = 20  # bytes, as RFC 4226 §4 recommends
# How long a second press of the button may take: a double click, or an answer lost on the way.
SECOND_PRESS = timedelta(minutes=2)
# How long a code could pass: for its own period, and for those around it that MFA_TOTP_TOLERANCE allows.
PASSES_FOR = 30 * (1 + 2 * settings.MFA_TOTP_TOLERANCE)  # seconds


class SecondFactor:
    """`user.second_factor`: the user's authenticator app and recovery codes. allauth has the rows and arithmetic."""

    def __init__(self, user: "User") -> None:
        self.user = user

    @property
    def app(self) -> Authenticator | None:
        """The row of the authenticator app; None if two-step verification is off."""
        return next(iter(APP.read(user=self.user.pk)), None)

    @property
    def is_on(self) -> bool:
        return self._rows(type=TOTP).exists()

    @property
    def must_stay(self) -> bool:
        """True if the user may not turn it off: staff, where REQUIRE_STAFF_2FA is set."""
        return settings.REQUIRE_STAFF_2FA and self.user.is_staff

    @property
    def recovery(self) -> Authenticator | None:
        """The row of the recovery codes; None if there is none, or no key of this site decrypts it."""
        row = self._rows(type=RECOVERY).first()
        try:
            return row if row and row.wrap().generate_codes() else None
        except Unreadable:
            return None

    @property
    def recovery_codes(self) -> list[str]:
        """The recovery codes that have not been used yet; [] if there are none that this site can decrypt."""
        row = self.recovery
        return row.wrap().get_unused_codes() if row else []

    @property
    def batch(self) -> int:
        """A number that stands for the present set of recovery codes, and for no later set; 0 if there is none."""
        return self._rows(type=RECOVERY).values_list("pk", flat=True).first() or 0

    def check(self, typed: str, browser: str = "", **trace: Any) -> str:
        """Uses up a code of the app, or a recovery code. Returns its kind, TOTP or RECOVERY, or "" for a wrong one.

        No code passes twice (RFC 6238 §5.2), however many requests bring it at once, but for a second press: `browser`
        names a session before sign-in, and within SECOND_PRESS the same code passes there again. A used recovery code
        is mailed to the owner, once; `trace` is the ip and device of the request. Raises Superseded if all sessions of
        the account have ended since the user was read.
        """
        code = digits(typed)
        with transaction.atomic():
            self.user.lock_or_raise()  # before its rows: all that changes them locks in this order
            for row in self._rows().select_for_update().order_by("id"):
                if _is_second_press(row, code, browser):
                    return str(row.type)
                if _passes(row, code):
                    _spend(row, code, browser)
                    if row.type == RECOVERY:
                        left = len(self.recovery_codes)
                        self.user.record_and_notify(Event.Kind.RECOVERY_CODE_USED, left=left, **trace)
                    return str(row.type)
        return ""

    def turn_on(self, secret: str, code: str, *, replaces: bool = False, **trace: Any) -> None:
        """Sets up an app with this secret (base32), makes recovery codes, mails the owner and ends all sessions.

        The sessions began without a code. `code` is the one that has shown that the app works; it can't be used again.
        Does nothing if another app is set up, unless the new one `replaces` it. `trace` is the ip and device of the
        request. Raises Superseded if all sessions of the account have ended since the user was read.
        """
        with transaction.atomic():
            self.user.lock_or_raise()
            if (was_on := self.is_on) and not replaces:
                return
            # The event comes first: forget(since=event) removes only what is younger than the event.
            self.user.record_and_notify(Event.Kind.SECOND_FACTOR_ON, replaces=was_on, **trace)
            self.forget()
            data = {"secret": encrypt(secret), "used": {digits(code): time.time()}}
            Authenticator.objects.create(user=self.user, type=TOTP, data=data)
            self._make_codes()
            self.user.end_sessions()

    def renew_codes(self, **trace: Any) -> None:
        """Replaces all recovery codes by new ones, and mails the owner. `trace` is the ip and device of the request.

        Raises Superseded if all sessions of the account have ended since the user was read.
        """
        with transaction.atomic():
            self.user.lock_or_raise()
            self.user.record_and_notify(Event.Kind.RECOVERY_CODES, **trace)
            self.forget_codes()
            self._make_codes()

    def turn_off(self, **trace: Any) -> bool:
        """Removes the app and all recovery codes, and mails the owner. Returns False, and mails nothing, if it was off.

        `trace` is the ip and device of the request, or by="staff". Ends no session. Raises Superseded if all sessions
        of the account have ended since the user was read.
        """
        with transaction.atomic():
            self.user.lock_or_raise()
            if was_on := self.forget():
                self.user.record_and_notify(Event.Kind.SECOND_FACTOR_OFF, **trace)
        return was_on

    def forget(self, since: Event | None = None) -> bool:
        """Removes the app and recovery codes, without a mail; with `since`, only what was set up since that event.

        Returns False if there was nothing to remove.
        """
        rows = self._rows(created_at__gte=since.at) if since else self._rows()
        gone, _all = rows.delete()
        return gone > 0

    def forget_codes(self) -> None:
        self._rows(type=RECOVERY).delete()

    def was_set_up(self, since: Event, before: Event | None = None) -> bool:
        """Returns whether the present app or recovery codes were set up since one event, and before another, if any."""
        rows = self._rows(created_at__gte=since.at)
        return bool((rows.filter(created_at__lt=before.at) if before else rows).exists())

    def has_codes_from(self, before: datetime) -> bool:
        """Returns whether the present recovery codes were made before that time."""
        return bool(self._rows(type=RECOVERY, created_at__lt=before).exists())

    def _make_codes(self) -> None:
        data = {"seed": encrypt(secrets.token_hex(40)), "used_mask": 0}
        Authenticator.objects.create(user=self.user, type=RECOVERY, data=data)

    def _rows(self, **wanted: Any) -> Any:
        return Authenticator.objects.filter(user=self.user, **wanted)


def new_secret() -> str:
    """Returns a new random secret for an authenticator app, in base32."""
    return base64.b32encode(secrets.token_bytes(SECRET_SIZE)).decode()


def proves(secret: str, code: str) -> bool:
    """Returns whether an app with this secret (base32) shows this code at this time. The code is not used up."""
    # allauth notes for a user which codes are used; this id is nobody's, so that the same code can be sent in again.
    nobodys = Authenticator(type=TOTP, user_id=uuid7(), data={"secret": encrypt(secret)})
    return bool(nobodys.wrap().validate_code(digits(code)))


def digits(typed: str) -> str:
    """Returns the digits of a code in ASCII. It may have been copied with spaces, or typed in any script's digits."""
    return "".join(str(unicodedata.decimal(c)) for c in typed if c.isdecimal())


def all_rows() -> Any:
    """Returns the rows of all users' apps and recovery codes, which reencrypt() encrypts again."""
    return Authenticator.objects.all()


def reencrypt(ids: list[int], *, save: bool) -> int:
    """Encrypts the secrets of the rows with these ids again, with the first key. Saves nothing unless `save` is true.

    Returns how many rows could be decrypted; the others stay as they are.
    """
    readable = 0
    with transaction.atomic():
        # Locked, because the same `data` notes which codes are used: a code used meanwhile must stay used.
        for row in Authenticator.objects.select_for_update().filter(pk__in=ids).order_by("pk"):
            with suppress(Unreadable):
                row.data |= _renewed(row.data)
                readable += 1
                if save:
                    row.save(update_fields=["data"])
    return readable


def _renewed(data: dict[str, Any]) -> dict[str, Any]:
    secrets = {name: renew(data[name]) for name in ("secret", "seed") if name in data}
    # Recovery codes that come from another system; allauth stores each by itself.
    return secrets | ({"migrated_codes": list(map(renew, data["migrated_codes"]))} if "migrated_codes" in data else {})


def _is_second_press(row: Authenticator, code: str, browser: str) -> bool:
    """Returns whether this code was the last one used, a moment ago, by the same `browser`."""
    last = row.data.get("pressed", {})
    return bool(browser) and last.get("by") == browser and last["code"] == code and time.time() < last["until"]


def _passes(row: Authenticator, code: str) -> bool:
    # allauth remembers a used code for one period, in the cache: it could pass again after that, or without Redis.
    if time.time() < row.data.get("used", {}).get(code, 0) + PASSES_FOR:
        return False
    try:
        return bool(row.wrap().validate_code(code))
    except Unreadable:
        return False


def _spend(row: Authenticator, code: str, browser: str) -> None:
    """Notes in the row that the code is used, and by which `browser`; "" for none that may press twice."""
    if row.type == TOTP:
        used = row.data.get("used", {})
        row.data["used"] = {old: at for old, at in used.items() if time.time() < at + PASSES_FOR} | {code: time.time()}
    else:
        row.refresh_from_db(fields=["data"])  # allauth has noted there, in an object of its own, that the code is used
    if browser:
        row.data["pressed"] = {"by": browser, "code": code, "until": time.time() + SECOND_PRESS.total_seconds()}
    row.last_used_at = timezone.now()
    row.save(update_fields=["data", "last_used_at"])
