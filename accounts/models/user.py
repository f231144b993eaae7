"""The user, who has an account, and what can be done with the account."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX as UNUSABLE
from django.contrib.auth.models import PermissionsMixin
from django.db import IntegrityError, connection, models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts import display_names, names, notices, profile_fields, terms
from accounts.models import ended_sessions, held_name
from accounts.models.address import Address
from accounts.models.credentials import Credentials
from accounts.models.event import Event
from accounts.models.google import Google
from accounts.models.leaving import Leaving
from accounts.models.manager import UserManager
from accounts.models.queryset import NEVER_BACK, WORDS, Superseded
from accounts.models.second_factor import SecondFactor
from accounts.models.session import Session
from accounts.models.ways_in import WaysIn
from kit import addresses
from kit.exact import ExactEmailField, ExactField
from kit.ids import uuid7
from kit.one_statement import OneStatement, Unmet, Write
from kit.word_search import WordIndex
from outbox.models import OutboxEvent, new_event

VOID = "UPDATE accounts_user SET session_epoch = session_epoch + 1 WHERE id = %s"


class User(Credentials, PermissionsMixin):
    """An account: the name, address and password that its owner signs in with, their preferences and their rights."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    username = ExactField(_("username"), max_length=names.MAX_LENGTH, unique=True)
    # What others read in place of the username; "" for none.
    name = models.CharField(_("name"), max_length=display_names.MAX_LENGTH, blank=True, default="", db_default="")
    email = ExactEmailField(_("email address"), max_length=addresses.MAX_LENGTH, unique=True)
    # Preferences of the user; accounts.preferences knows which there are.
    settings = models.JSONField(default=dict, blank=True)
    # The versions of the terms that the user has agreed to and when, the last one last; see accounts.terms.
    terms = models.JSONField(default=list, blank=True, editable=False)
    # A device that was last used to sign in before this time counts as new.
    devices_forgotten_at = models.DateTimeField(null=True, editable=False)
    password_changed_at = models.DateTimeField(null=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("staff status"), default=False)
    # Since when this user may not invite anybody, on a site where members may.
    invites_paused_at = models.DateTimeField(_("invitations paused"), null=True, editable=False)
    joined_at = models.DateTimeField(_("joined"), default=timezone.now, editable=False)
    # When the account is to be deleted, unless its owner comes back before; see accounts.models.leaving.
    leaves_at = models.DateTimeField(_("leaves"), null=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    # Set by UserManager.by_session_key() alone.
    session_data: str
    session_ends: datetime
    shown_factor: str
    # Set by UserQuerySet.read_ways_in() alone.
    sessions_now: int
    has_google: bool
    is_verified: bool
    # Set by UserManager.with_guesses() alone.
    is_shut: bool
    is_guessed_at: bool
    # Set by both: whether two-step verification was on when the user was read.
    has_app: bool | None = None
    # Set by the sign-up form alone: the name of the member who has invited this person.
    inviter_name = ""

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
        # For the desk: chips and filters that find few of many users, the last sign-in as filter and order, the search.
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["-id"], name="user_off", condition=models.Q(is_active=False)),
            models.Index(fields=["-id"], name="user_staff", condition=models.Q(is_staff=True)),
            models.Index(fields=["-id"], name="user_owner", condition=models.Q(is_superuser=True)),
            models.Index(fields=["-id"], name="user_no_password", condition=models.Q(password__startswith=UNUSABLE)),
            models.Index(fields=["-id"], name="user_never_back", condition=NEVER_BACK),
            models.Index(fields=["leaves_at"], name="user_leaving", condition=models.Q(leaves_at__isnull=False)),
            models.Index(
                models.F("last_login").desc(nulls_last=True), models.F("id").desc(), name="user_by_last_login"
            ),
            WordIndex(WORDS, name="user_by_words"),
        ]

    @cached_property
    def group_names(self) -> list[str]:
        """The names of the groups that the user is in, in no order, see UserQuerySet.with_groups()."""
        return list(self.groups.values_list("name", flat=True))

    @property
    def shown_name(self) -> str:
        """What others read: the name, or else the username."""
        return self.name or self.username

    @property
    def accepted_terms(self) -> str:
        """The version of the terms that the user has last agreed to; "" for none."""
        return str(self.terms[-1]["version"]) if self.terms else ""

    @property
    def address(self) -> Address:
        return Address(self)

    @property
    def google(self) -> Google:
        return Google(self)

    @property
    def second_factor(self) -> SecondFactor:
        return SecondFactor(self)

    @property
    def ways_in(self) -> WaysIn:
        return WaysIn(self)

    @property
    def leaving(self) -> Leaving:
        return Leaving(self)

    @property
    def is_usable(self) -> bool:
        """Whether the account is on, and its owner is not about to leave."""
        return self.is_active and self.leaves_at is None

    def save_preferences(self, **chosen: Any) -> None:
        """Stores these settings of the user; their other settings stay as they are in the database.

        Sets `settings` of this object to all of them, and announces to other services what has changed. Raises
        Superseded if the account was deleted meanwhile.
        """
        with transaction.atomic():
            held = User.objects.select_for_update().filter(pk=self.pk).first()
            if held is None:
                raise Superseded
            self.settings = held.settings | chosen
            if self.settings != held.settings:
                self.save(update_fields=["settings"])
                held.announce_update("settings")

    def lock_or_raise(self) -> "User":
        """Locks the account's row until the transaction ends, and returns the account as it is now.

        Raises Superseded if all its sessions have ended since it was read, or if it was deleted: a new password, or
        "this was not me", must not be undone by a request that was under way. To be called in a transaction.
        """
        held = User.objects.select_for_update().filter(pk=self.pk, session_epoch=self.session_epoch).first()
        if held is None:
            raise Superseded
        return held

    def lock_soon(self) -> None:
        """Locks the account's row as lock_or_raise() does, but waits no longer than three seconds for a locked row.

        That holds for each row that the transaction asks for from now on: the owner must not wait long. Raises
        DatabaseError if one stays locked.
        """
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '3s'")
        self.lock_or_raise()

    def rename(self, username: str, **trace: Any) -> None:
        """Changes the username, and mails the owner. `trace` is the ip and device of the request.

        Raises Superseded if all sessions of the account have ended since the user was read, ValidationError for a
        malformed name, and IntegrityError for a taken one.
        """
        with transaction.atomic():
            held, after = self.lock_or_raise(), names.normalize(username)
            before, held.username = held.username, after
            held_name.refusing(after).run()
            held.save(update_fields=["username"])
            held.announce_update("username")
            self.username = after
            self.record_and_notify(Event.Kind.USERNAME_CHANGED, before=before, **trace)

    def call(self, name: str, **trace: Any) -> None:
        """Changes the name that others read, or takes it away (""); mails nobody, as it opens nothing.

        `trace` is the ip and device of the request. Raises Superseded if all sessions of the account have ended since
        the user was read, and ValidationError for a name that breaks a rule.
        """
        with transaction.atomic():
            held, after = self.lock_or_raise(), display_names.normalize(name)
            before, held.name = held.name, after
            if after != before:
                held.save(update_fields=["name"])
                held.announce_update("name")
                Event.objects.record(Event.Kind.NAME_CHANGED, self, before=before, **trace)
        self.name = after

    def fill_in(self, values: Mapping[str, str], **trace: Any) -> None:
        """Stores what the site asks about people (accounts.profile_fields), "" for nothing more; mails nobody.

        Values that are not given stay. `trace` is the ip and device of the request, or by="staff". Raises Superseded if
        the account was deleted meanwhile or, unless by staff, if all its sessions have ended since the user was read.
        """
        with transaction.atomic():
            held = (
                User.objects.select_for_update().filter(pk=self.pk).first() if "by" in trace else self.lock_or_raise()
            )
            if held is None:
                raise Superseded
            before = held.settings.get(profile_fields.KEY, {})
            changed = sorted(name for name, value in values.items() if value != before.get(name, ""))
            if changed:
                after = {name: value for name, value in {**before, **values}.items() if value}
                held.settings = held.settings | {profile_fields.KEY: after}
                held.save(update_fields=["settings"])
                held.announce_update(profile_fields.KEY)
                Event.objects.record(Event.Kind.PROFILE_CHANGED, self, fields=changed, **trace)
        self.settings = held.settings

    def accept_terms(self, version: str, **trace: Any) -> None:
        """Stores and records that the user agrees to this version of the terms now; mails nobody.

        The versions of before are kept. `trace` is the ip and device of the request. Raises Superseded if all sessions
        of the account have ended since the user was read.
        """
        with transaction.atomic():
            held = self.lock_or_raise()
            if held.accepted_terms != version:
                held.terms = [*held.terms, terms.acceptance(version)]
                held.save(update_fields=["terms"])
                Event.objects.record(Event.Kind.TERMS_ACCEPTED, self, version=version, **trace)
        self.terms = held.terms

    def take_name_back(self, username: str, **trace: Any) -> bool:
        """Gives the account its former name `username` back, without a mail.

        `trace` is the ip and device of the request. Returns True, or False, and changes nothing, if another account has
        had the name since. The caller has locked the account's row.
        """
        left = self.username
        try:
            with transaction.atomic():
                self.username = username
                held_name.refusing(username).run()
                self.save(update_fields=["username"])
                self.announce_update("username")
                Event.objects.record(Event.Kind.USERNAME_CHANGED, self, before=left, **trace)
        except IntegrityError:
            self.username = left
        return self.username == username

    def turn_off(self, **trace: Any) -> None:
        """Deactivates the account, ends its sessions, records it and announces it to other services; mails nobody.

        `trace` is the ip and device of the request, or by="staff" or "command".
        """
        with transaction.atomic():
            self.is_active = False
            self.save(update_fields=["is_active"])
            self.announce_update("is_active")
            self.end_sessions()
            Event.objects.record(Event.Kind.TURNED_OFF, self, **trace)

    def turn_on(self, **trace: Any) -> None:
        """Lets the account be used again, records it and announces it to other services; mails nobody.

        No session comes back: all ended when the account was turned off. `trace` is the ip and device of the request,
        or by="staff" or "command".
        """
        with transaction.atomic():
            self.is_active = True
            self.save(update_fields=["is_active"])
            self.announce_update("is_active")
            Event.objects.record(Event.Kind.TURNED_ON, self, **trace)

    def change_by_staff(self, fields: Sequence[str]) -> None:
        """Stores the named fields, which staff have changed, and makes a new `email` the one verified address.

        A new address ends all sessions, as does turning the account off. Announces the change to other services. Stores
        no other fields: they were read a while ago, and an old session_epoch would bring ended sessions back. Raises
        IntegrityError for a taken name or address.
        """
        moves = "email" in fields
        with transaction.atomic():
            if "username" in fields:
                held_name.refusing(self.username).run()
            self.save(update_fields=fields)
            if moves:
                self.address.set_only()
            if fields:
                self.announce_update(*fields)
            if moves or not self.is_active:
                self.end_sessions()

    def announce_update(self, *changed: str) -> None:
        """Announces to other services, in the caller's transaction, what the account is called and reached by now.

        `changed` are the names of the fields that have changed, and are stored.
        """
        User.objects.filter(pk=self.pk).announce_updates(*changed)

    def record_and_notify(self, kind: Event.Kind, *, told: str = "", **detail: Any) -> None:
        """Records an event, and mails it to the owner with a link to say "this was not me".

        The mail goes to `told`, by default the account's address. `detail` is what EventQuerySet.record() takes: ip,
        device and more. The kind must be one of notices.MAILS.
        """
        with transaction.atomic():
            notices.tell(Event.objects.record(kind, self, told=told or self.email, **detail))

    def sign_out(self, **trace: Any) -> None:
        """Ends all sessions of the account, as end_sessions() does, and records it. Raises Superseded as that does.

        `trace` is the request's ip and device, or by="staff".
        """
        self._end_sessions(Event.objects.compose(Event.Kind.SIGNED_OUT, self, **trace))

    def end_sessions(self) -> None:
        """Ends all sessions of the account, and announces it to other services. Records no event, and mails nobody.

        The new epoch alone ends them, even those of which a returning Redis brings copies back. Their rows and copies
        are deleted only to save space. Raises Superseded if the account was deleted meanwhile.
        """
        self._end_sessions()

    def _end_sessions(self, *events: Event) -> None:
        """Does in one statement, with these events, what UserQuerySet.sign_out() does in several for many accounts.

        Then it deletes the sessions' copies in Redis.
        """
        statement = OneStatement([Write(VOID, [self.pk])]).insert(*events)
        statement.add(Session.deletion_of_newest(self, after=statement.met), "deleted")
        OutboxEvent.objects.add_to(statement, [new_event("session.revoked", user=self.pk, all=True)])
        ended_sessions.add_to(statement, Write(f"SELECT id FROM {statement.met}"))  # noqa: S608 the name of a part
        new_epoch = f"(SELECT session_epoch FROM {statement.met})"  # noqa: S608 the name of a part
        try:
            epoch, keys = statement.execute(new_epoch, "ARRAY(TABLE deleted)")
        except Unmet:
            raise Superseded from None
        self.session_epoch = epoch
        Session.forget_copies(keys)

    def erase(self, **trace: Any) -> None:
        """Deletes the account, and mails its owner that it is gone; the mail names the device in `trace`, if any.

        Its username is held for a while. Raises Superseded if all sessions of the account have ended since the user was
        read, and DatabaseError if the database fails, such as when a row has been locked for three seconds. Then
        nothing is deleted.
        """
        with transaction.atomic():
            self.lock_soon()
            # The event that stays in the history says that an account was deleted, but neither whose nor from where.
            notices.farewell(self, Event.objects.record(Event.Kind.DELETED, None), trace.get("device", ""))
            User.objects.filter(pk=self.pk).delete()
