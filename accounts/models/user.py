"""Who you are."""

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX as UNUSABLE
from django.contrib.auth.models import PermissionsMixin
from django.db import connection, models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import names, notices
from accounts.models.address import Address
from accounts.models.event import Event
from accounts.models.google import Google
from accounts.models.queryset import Superseded, UserManager
from accounts.models.second_factor import SecondFactor
from accounts.models.session import Session
from kit import addresses
from kit.ids import uuid7
from outbox.models import OutboxEvent


class User(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    username = models.CharField(_("username"), max_length=names.MAX_LENGTH, unique=True)
    email = models.EmailField(_("email address"), max_length=addresses.MAX_LENGTH, unique=True)
    # What the person chose, as accounts.preferences knows it.
    settings = models.JSONField(default=dict, blank=True)
    # Mixed into the hash that each session carries: one higher, and every session of this user is void.
    session_epoch = models.PositiveIntegerField(default=0, editable=False)
    # Devices that signed in before this are strangers again.
    devices_forgotten_at = models.DateTimeField(null=True, editable=False)
    password_changed_at = models.DateTimeField(null=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff status"), default=False)
    # Since when this person may not invite anybody, where members may.
    invites_paused_at = models.DateTimeField(_("invitations paused"), null=True, editable=False)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    # As UserManager.by_session_key reads them.
    session_data: str
    session_ends: datetime
    # As UserQuerySet.read_ways_in reads them for many.
    sessions_now: int
    has_google: bool
    has_app: bool
    is_verified: bool

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(username=Lower("username")), name="username_is_lower_case"),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="email_is_lower_case"),
        ]
        # For those of whom there are few, and by when they were seen.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-id"], name="user_off", condition=models.Q(is_active=False)),
            models.Index(fields=["-id"], name="user_staff", condition=models.Q(is_staff=True)),
            models.Index(fields=["-id"], name="user_owner", condition=models.Q(is_superuser=True)),
            models.Index(fields=["-id"], name="user_no_password", condition=models.Q(password__startswith=UNUSABLE)),
            models.Index(fields=["last_login", "-id"], name="user_by_last_login"),
        ]

    @property
    def address(self) -> Address:
        return Address(self)

    @property
    def google(self) -> Google:
        return Google(self)

    @property
    def second_factor(self) -> SecondFactor:
        return SecondFactor(self)

    def save_preferences(self, **chosen: Any) -> None:
        """Keeps what the person chose in the settings; what they chose before for other things stays."""
        with transaction.atomic():
            stored = User.objects.select_for_update().get(pk=self.pk).settings
            self.settings = stored | chosen
            self.save(update_fields=["settings"])

    def lock_or_raise(self) -> "User":
        """Locks the account for the rest of the transaction, and gives it as it is now.

        Raises Superseded when all its sessions have ended since it was read: whoever ended them, with a new password or
        with "this was not me", must not be overtaken by what was under way. To be called in a transaction.
        """
        held = User.objects.select_for_update().filter(pk=self.pk, session_epoch=self.session_epoch).first()
        if held is None:
            raise Superseded
        return held

    def change_password(self, password: str, **trace: Any) -> None:
        """Sets it, ends every session, forgets every device, and tells the owner. `trace` is from where: ip and device.

        Raises Superseded.
        """
        with transaction.atomic():
            self.lock_or_raise()
            self.set_password(password)
            self.password_changed_at = self.devices_forgotten_at = timezone.now()
            self.save(update_fields=["password", "password_changed_at", "devices_forgotten_at"])
            self.end_sessions()
            self.record_and_notify(Event.Kind.PASSWORD_CHANGED, **trace)

    def rename(self, username: str, **trace: Any) -> None:
        """Raises Superseded, ValidationError for a malformed name, IntegrityError for a taken one."""
        with transaction.atomic():
            before, after = self.lock_or_raise().username, names.normalize(username)
            User.objects.filter(pk=self.pk).update(username=after)
            self.username = after
            self.record_and_notify(Event.Kind.USERNAME_CHANGED, before=before, **trace)

    def turn_off(self, **trace: Any) -> None:
        """Deactivates the account, and ends its sessions."""
        with transaction.atomic():
            self.is_active = False
            self.save(update_fields=["is_active"])
            self.end_sessions()
            Event.objects.record(Event.Kind.TURNED_OFF, self, **trace)

    def change_by_staff(self, fields: Sequence[str]) -> None:
        """Stores these fields; a new address is theirs on the staff's word, and ends the sessions, as turning off does.

        Only these: the others were read a while ago, and must not bring ended sessions back.
        """
        with transaction.atomic():
            self.save(update_fields=fields)
            self.address.set_only()
            if not self.is_active or "email" in fields:
                self.end_sessions()

    def record_and_notify(self, kind: Event.Kind, *, told: str = "", **detail: Any) -> None:
        """Records an event and mails the owner, who may say that it was somebody else."""
        with transaction.atomic():
            notices.tell(Event.objects.record(kind, self, told=told or self.email, **detail))

    def remove_ways_in(self) -> None:
        """All but the mailbox, for who ends the sessions as well."""
        self.google.forget()
        self.set_unusable_password()
        self.devices_forgotten_at = timezone.now()
        self.save(update_fields=["password", "devices_forgotten_at"])

    def forget_devices(self) -> None:
        """Makes every device a stranger again, and every browser one that is asked for a code."""
        self.devices_forgotten_at = timezone.now()
        self.save(update_fields=["devices_forgotten_at"])

    def sign_out(self, **trace: Any) -> None:
        """Signs out everywhere, and says so in the history."""
        with transaction.atomic():
            Event.objects.record(Event.Kind.SIGNED_OUT, self, **trace)
            self.end_sessions()

    def end_sessions(self) -> None:
        """Signs out everywhere.

        The epoch alone does it, even for copies that a returning Redis brings back; deleting rows is house-keeping.
        """
        keys, rows = self.sessions.keys_and_rows()
        with transaction.atomic():
            self.session_epoch = models.F("session_epoch") + 1
            self.save(update_fields=["session_epoch"])
            rows.delete()
            OutboxEvent.objects.announce("session.revoked", user=self.pk, all=True)
        Session.forget_copies(keys)

    def erase(self, **trace: Any) -> None:
        """Deletes the account and mails a last word.

        Raises Superseded, or DatabaseError, and then nothing is gone.
        """
        with transaction.atomic():
            with connection.cursor() as cursor:  # whoever holds a row of it must not hold its owner for long
                cursor.execute("SET LOCAL lock_timeout = '3s'")
            self.lock_or_raise()
            # What stays in the history says that an account went, and not from where.
            notices.farewell(self, Event.objects.record(Event.Kind.DELETED, None), trace.get("device", ""))
            User.objects.filter(pk=self.pk).delete()

    def vouches_for(self, session_hash: str) -> bool:
        """Whether a session with this hash is of the user's present password and epoch, under this key or a former."""
        good = chain((self.get_session_auth_hash(),), self.get_session_auth_fallback_hash())
        return any(constant_time_compare(session_hash, one) for one in good)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        value = f"{self.password}:{self.session_epoch}"
        return salted_hmac("accounts.User.session", value, secret=secret, algorithm="sha256").hexdigest()
