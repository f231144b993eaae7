"""Who you are."""

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Any, ClassVar
from uuid import UUID

from allauth.account.models import EmailAddress
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import PermissionsMixin
from django.core.cache import caches
from django.db import IntegrityError, connection, models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts import names, notices
from accounts.models.event import NOT_ME_LIFETIME, Event
from accounts.models.google import Google
from accounts.models.queryset import Superseded, UserManager
from accounts.models.second_factor import SecondFactor
from accounts.models.session import Session
from kit import addresses
from kit.ids import uuid7
from outbox.models import NewEvent, OutboxEvent, Suppression, new_event

UNUSABLE = UNUSABLE_PASSWORD_PREFIX  # what a password begins with that is none
CLEANED = 5000  # sessions of one user whose rows and copies are removed at once; the epoch ends the others too


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

    # As UserManager.in_session reads them.
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
    def google(self) -> Google:
        return Google(self)

    @property
    def second_factor(self) -> SecondFactor:
        return SecondFactor(self)

    def store_new(
        self, *, way: str = "", accepted: UUID | None = None, events: Sequence[NewEvent] = (), **trace: Any
    ) -> None:
        """Stores a new account, whichever door it is made by; `trace` is from where, or by whom.

        `way` is how its owner comes in by the same press, which is its first sign-in; "" where they sign in later.
        `accepted` is the invitation that it accepts, `events` what other services hear of that. There is no savepoint:
        after an IntegrityError the caller's own transaction can't go on.
        """
        with transaction.atomic(savepoint=False):
            self.last_login = timezone.now() if way else None
            self.save(force_insert=True)
            self.own_first_address()
            Event.objects.record_beginning(self, accepted=accepted, way=way, **trace)
            created = new_event("user.created", user=self.pk, username=self.username, email=self.email)
            OutboxEvent.objects.announce_many([created, *events])

    def own_first_address(self) -> None:
        """The same as the following for a new account, which has no other to be looked for."""
        EmailAddress.objects.create(user=self, email=self.email, verified=True, primary=True)
        Suppression.objects.take_back(self.email)  # who has an account must hear of what happens to it

    def own_address(self) -> None:
        """Makes `email` this user's one address: verified, primary, and no other beside it."""
        with transaction.atomic():
            EmailAddress.objects.filter(user=self).exclude(email=self.email).delete()
            EmailAddress.objects.update_or_create(
                user=self, email=self.email, defaults={"verified": True, "primary": True}
            )
            Suppression.objects.take_back(self.email)

    def prove_address(self) -> None:
        """Its owner has just proven it; had nobody before, then whoever planted the account finds nothing in it."""
        if not EmailAddress.objects.filter(user=self, email=self.email, verified=True).exists():
            with transaction.atomic():
                self.lock_out()
                self.second_factor.forget()
                self.own_address()
            self.refresh_from_db()

    def choose(self, **chosen: Any) -> None:
        """Keeps what the person chose in the settings; what they chose before for other things stays."""
        with transaction.atomic():
            stored = User.objects.select_for_update().get(pk=self.pk).settings
            self.settings = stored | chosen
            self.save(update_fields=["settings"])

    def hold(self) -> "User":
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
            self.hold()
            self.set_password(password)
            self.password_changed_at = self.devices_forgotten_at = timezone.now()
            self.save(update_fields=["password", "password_changed_at", "devices_forgotten_at"])
            self.end_sessions()
            self.happened(Event.Kind.PASSWORD_CHANGED, **trace)

    def rename(self, username: str, **trace: Any) -> None:
        """Raises Superseded, ValidationError for a malformed name, IntegrityError for a taken one."""
        with transaction.atomic():
            before, after = self.hold().username, names.normalize(username)
            User.objects.filter(pk=self.pk).update(username=after)
            self.username = after
            self.happened(Event.Kind.USERNAME_CHANGED, before=before, **trace)

    def change_email(self, email: str, **trace: Any) -> None:
        """Takes another address, which is proven, and tells the old one.

        Raises Superseded, IntegrityError for a taken address.
        """
        with transaction.atomic():
            before, after = self.hold().email, addresses.normalize(email)
            if after == before:  # the same code twice
                return
            User.objects.filter(pk=self.pk).update(email=after)
            self.email = after
            self.own_address()
            self.happened(Event.Kind.EMAIL_CHANGED, told=before, before=before, **trace)

    def restore_address(self, email: str, undone: Event, **trace: Any) -> bool:
        """Comes back to the address the account had before a change; False when somebody else has it by now."""
        left = self.email
        try:
            with transaction.atomic():
                self.email = email
                self.save(update_fields=["email"])
                self.own_address()
                restored = Event.objects.record(
                    Event.Kind.EMAIL_RESTORED, self, told=left, undone=undone.pk.hex, **trace
                )
                notices.tell(restored)
        except IntegrityError:
            self.email = left
        return self.email == email

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
            self.own_address()
            if not self.is_active or "email" in fields:
                self.end_sessions()

    @property
    def addresses(self) -> set[str]:
        """The account's address, and those it has had and nobody else has now."""
        former = self.former_addresses(since=self.joined_at)
        return {self.email} | former - set(User.objects.filter(email__in=former).values_list("email", flat=True))

    def former_addresses(self, since: datetime | None = None) -> set[str]:
        """Addresses that it has left since then, or since so short a time that it could still be undone."""
        moves = self.events.filter(kind=Event.Kind.EMAIL_CHANGED, at__gte=since or timezone.now() - NOT_ME_LIFETIME)
        return set(moves.values_list("detail__before", flat=True))

    def happened(self, kind: Event.Kind, *, told: str = "", **detail: Any) -> None:
        """Records an event and mails the owner, who may say that it was somebody else."""
        with transaction.atomic():
            notices.tell(Event.objects.record(kind, self, told=told or self.email, **detail))

    def lock_out(self) -> None:
        """Leaves only the mailbox as a way in, and ends every session."""
        self.drop_ways_in()
        self.end_sessions()

    def drop_ways_in(self) -> None:
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

    def end_session(self, handle: str, **trace: Any) -> "Session | None":
        """Ends the live session with this handle, and says so in the history; None when there is none."""
        session: Session | None = self.sessions.live().by_handle(handle)
        if session is None or not session.end():
            return None
        Event.objects.record(Event.Kind.SESSION_ENDED, self, **trace, ended=session.device)
        return session

    def end_sessions(self) -> None:
        """Signs out everywhere.

        The epoch alone does it, even for copies that a returning Redis brings back; deleting rows is house-keeping.
        """
        keys = list(self.sessions.values_list("session_key", flat=True)[:CLEANED])
        # To name them all takes longer than to delete them; whichever else is seen by then is void as well.
        rows = self.sessions.filter(session_key__in=keys) if len(keys) == CLEANED else self.sessions.all()
        with transaction.atomic():
            self.session_epoch = models.F("session_epoch") + 1
            self.save(update_fields=["session_epoch"])
            rows.delete()
            OutboxEvent.objects.announce("session.revoked", user=self.pk, all=True)
        caches["sessions"].delete_many([Session.cache_key(key) for key in keys])

    def forget_copies(self) -> None:
        """Has Redis drop its copies of the user's sessions once the transaction is done."""
        keys = list(self.sessions.values_list("session_key", flat=True)[:CLEANED])
        copies = [Session.cache_key(key) for key in keys]
        transaction.on_commit(lambda: caches["sessions"].delete_many(copies))

    def erase(self, **trace: Any) -> None:
        """Deletes the account and mails a last word.

        Raises Superseded, or DatabaseError, and then nothing is gone.
        """
        with transaction.atomic():
            with connection.cursor() as cursor:  # whoever holds a row of it must not hold its owner for long
                cursor.execute("SET LOCAL lock_timeout = '3s'")
            self.hold()
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
