"""An invite: a row that a mailed link proves one address with."""

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.auth.models import Group
from django.db import connection, models, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.models import Event, User
from invites import mails
from invites.models.lifecycle import InviteUnavailable
from invites.models.queryset import LINK_LIFETIME, PLAN, InviteQuerySet, NotInvited
from kit.addresses import MAX_LENGTH
from kit.ids import uuid7
from outbox.models import OutboxEvent, OutboxMessage, Suppression
from outbox.models.queryset import OutboxQuerySet

LONGEST_ASKED = timedelta(days=1)  # how long asking again and again may keep alive what people asked for themselves
SAID = ("invited_by", "batch", "name", "group", "note", "next")  # by who invites
READDRESS = ("readdress_to", "readdress_asked_at", "readdress_language")
SECOND_PRESS = timedelta(minutes=2)  # how long a double click, or an answer lost on the way, may take


class Invite(models.Model):
    class Source(models.TextChoices):
        SELF = "self", _("asked for it")
        ADMIN = "admin", _("admin")
        CSV = "csv", _("CSV file")
        COMMAND = "command", _("command")
        API = "api", _("API")
        MEMBER = "member", _("member")
        SHADOW = "shadow", _("as its member sees it")
        OWNER = "owner", _("owner link")

    # Owner links never leave the terminal; of what a member sees no link is made (invites/models/member_invites.py).
    UNLINKED = (Source.OWNER, Source.SHADOW)

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        CLAIMED = "claimed", _("Accepted")
        DECLINED = "declined", _("Declined")
        REVOKED = "revoked", _("Withdrawn")
        EXPIRED = "expired", _("Expired")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(_("email address"), max_length=MAX_LENGTH)
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.SELF)
    invited_by = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="invites_sent",
        verbose_name=_("invited by"),
        db_index=False,  # invite_by_inviter has it first
    )
    batch = models.CharField(_("batch"), max_length=40, blank=True)
    # What the inviter calls the person, and the group that who accepts is put into.
    name = models.CharField(_("name"), max_length=100, blank=True, default="", db_default="")
    group = models.ForeignKey(Group, models.SET_NULL, null=True, blank=True, verbose_name=_("group"), related_name="+")
    note = models.CharField(_("note"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    next = models.CharField(_("leads to"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("works until"))
    sent_at = models.DateTimeField(_("last sent"), null=True, editable=False)
    sends = models.PositiveIntegerField(_("sends"), default=0, editable=False)
    # When its link was last opened, as far as Redis remembered it until it was gathered (invites/link/opens.py).
    opened_at = models.DateTimeField(_("opened"), null=True, editable=False)
    reminded_at = models.DateTimeField(_("reminded"), null=True, editable=False)
    claimed_at = models.DateTimeField(_("accepted"), null=True, editable=False)
    claimed_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="invites_claimed")
    # The browser that claimed it, as a keyed hash, so that its second press is not taken for somebody else's.
    claimed_in = models.CharField(max_length=64, blank=True, editable=False)
    declined_at = models.DateTimeField(_("declined"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("withdrawn"), null=True, editable=False)
    # Its owner asked again, and the new row's links work instead of this one's.
    replaced_at = models.DateTimeField(null=True, editable=False)
    # A planned account: its name, its password as the hasher made it, and the browser it was planned in.
    username = models.CharField(max_length=names.MAX_LENGTH, default="", db_default="", editable=False)
    password = models.CharField(max_length=128, default="", db_default="", editable=False)
    seal = models.CharField(max_length=64, default="", db_default="", editable=False)
    # Another address that its holder wants it sent to, unless its sender has refused; when that was asked, once, and in
    # which language.
    readdress_to = models.EmailField(max_length=MAX_LENGTH, default="", db_default="", editable=False)
    readdress_asked_at = models.DateTimeField(null=True, editable=False)
    readdress_language = models.CharField(max_length=10, default="", db_default="", editable=False)
    # The account's session_epoch when the link was mailed, or when it was claimed; None without an account.
    epoch = models.PositiveIntegerField(null=True, editable=False)

    objects = InviteQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["email"],
                condition=models.Q(claimed_at=None, declined_at=None, revoked_at=None, replaced_at=None)
                & ~models.Q(source__in=["owner", "shadow"]),
                name="one_standing_invite_per_address",
            ),
            models.CheckConstraint(
                condition=models.Q(email=models.functions.Lower("email")), name="invite_is_lower_case"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["email"], name="invite_by_email"),
            models.Index(fields=["expires_at"], name="invite_by_end"),
            models.Index(fields=["created_at"], name="invite_by_start"),
            models.Index(fields=["source", "-id"], name="invite_by_source"),
            models.Index(fields=["invited_by", "-id"], name="invite_by_inviter"),
            models.Index(fields=["batch", "-id"], name="invite_by_batch", condition=~models.Q(batch="")),
            models.Index(fields=["language", "-id"], name="invite_by_language"),
            # For each state; two of them are told apart by the end.
            models.Index(
                fields=["-id", "expires_at"],
                name="invite_unsettled",
                condition=models.Q(claimed_at=None, declined_at=None, revoked_at=None),
            ),
            models.Index(fields=["-id"], name="invite_claimed", condition=models.Q(claimed_at__isnull=False)),
            models.Index(fields=["-id"], name="invite_declined", condition=models.Q(declined_at__isnull=False)),
            models.Index(fields=["-id"], name="invite_revoked", condition=models.Q(revoked_at__isnull=False)),
            models.Index(
                fields=["invited_by", "-created_at"], name="invite_seen_by", condition=models.Q(source="shadow")
            ),
            models.Index(
                fields=["invited_by", "-id"], name="invite_accepted", condition=models.Q(claimed_by__isnull=False)
            ),
            models.Index(
                fields=["invited_by", "expires_at"],
                name="invite_pending",
                condition=models.Q(claimed_at=None, declined_at=None, revoked_at=None, replaced_at=None)
                & ~models.Q(source__in=["owner", "shadow"]),
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def state(self) -> State:
        if self.claimed_at:
            return self.State.CLAIMED
        if self.declined_at:
            return self.State.DECLINED
        if self.revoked_at:
            return self.State.REVOKED
        over = self.replaced_at or timezone.now() >= self.expires_at
        return self.State.EXPIRED if over else self.State.PENDING

    @property
    def mails(self) -> OutboxQuerySet:
        """All that was mailed about it, newest first, without what is in them."""
        return OutboxMessage.objects.filter(about=self.pk).order_by("-id").defer("parts")

    @cached_property
    def newest_mail(self) -> OutboxMessage | None:
        """For a page of them see InviteQuerySet.read_mails."""
        return self.mails.first()

    @property
    def delivery(self) -> OutboxMessage.Status | None:
        """What became of its newest mail; None if nothing was mailed, or so long ago that nobody knows."""
        return self.newest_mail.status if self.newest_mail else None

    def worn_out(self, epoch: int | None, expires_at: datetime) -> bool:
        """Whether asking must open a new row, because with this one its older links would come back to life.

        They may be in other hands by now. So people lengthen only links they asked for, those for a day at most, and
        none from before they signed out everywhere or had an account.
        """
        limit = self.created_at + LONGEST_ASKED if self.source == self.Source.SELF else self.expires_at
        return self.state == self.State.EXPIRED or self.epoch != epoch or expires_at > limit

    def replace(self, **terms: Any) -> "Invite":
        """Closes this row, so that its links stay dead, and opens a new one that says the same."""
        now = timezone.now()
        over = {"replaced_at": now, "expires_at": min(now, self.expires_at)} | dict.fromkeys(PLAN, "")
        Invite.objects.filter(pk=self.pk).update(**over)
        said = ("email", "source", "language", *SAID, *READDRESS, *PLAN)
        new = Invite(**{name: getattr(self, name) for name in said}, **terms)
        if self.state == self.State.EXPIRED:  # a group was promised until the end, and not for ever
            new.group = None
        new.save(force_insert=True)
        return new

    def renew(self, source: str, epoch: int | None, expires_at: datetime, **given: Any) -> None:
        """Makes a locked row last, and its mail about to be sent. Nothing shortens it."""
        if source == self.Source.SELF != self.source:
            # What an invitation says, and where it leads, is not for a stranger to change.
            given = {name: given[name] for name in PLAN if name in given}
        elif source != self.source:
            self.source, self.next = source, ""
        if source != self.Source.SELF and self.state == self.State.EXPIRED:
            self.group = None  # who named it is not who invites now
        for name, value in given.items():
            setattr(self, name, value if name in PLAN else value or getattr(self, name))
        self.epoch, self.expires_at = epoch, max(self.expires_at, expires_at)
        self.sent_at, self.sends = timezone.now(), self.sends + 1
        self.save(update_fields={"source", "next", "epoch", "expires_at", "sent_at", "sends", "group", *given})

    def signs_in(self, account: User) -> bool:
        """Whether its link still stands for a password: young, and mailed since the account last ended all sessions."""
        if self.epoch is None:  # mailed before there was an account
            return timezone.now() < (self.sent_at or self.created_at) + LINK_LIFETIME
        return self.epoch == account.session_epoch

    def claim(self, browser: str = "", by: User | None = None) -> None:
        """The atomic, one-time use. Raises InviteUnavailable for everyone but the first."""
        won = (
            Invite.objects.pending()
            .filter(pk=self.pk)
            .update(claimed_at=timezone.now(), claimed_by=by, claimed_in=browser, epoch=by.session_epoch if by else 0)
        )
        if not won:
            raise InviteUnavailable

    def decline(self, *, never: bool = False) -> None:
        """Its holder does not want it, or, with `never`, no mail of ours at all. Raises InviteUnavailable."""
        with transaction.atomic():
            if Invite.objects.open().filter(pk=self.pk).update(declined_at=timezone.now()):
                self.mails.waiting().withdraw()
                Invite.objects.shadows_of([self]).update(declined_at=timezone.now())
                Event.objects.record(Event.Kind.DECLINED, None, about=self.pk)
            # A wish for no mail counts even so, but not of somebody who has come in.
            elif not never or Invite.objects.filter(pk=self.pk, claimed_at__isnull=False).exists():
                raise InviteUnavailable
            # Who has an account must hear of what happens to it.
            if never and not User.objects.filter(email=self.email).exists():
                Suppression.objects.opt_out(self.email)

    def is_planned_in(self, seal: str) -> bool:
        """Whether the account was planned in the browser with this seal."""
        return bool(self.password and seal) and constant_time_compare(self.seal, seal)

    def accept(self, username: str, password: str = "", *, encoded: str = "", browser: str = "", **fields: Any) -> User:
        """Claim and account in one transaction; the password as typed, or `encoded` as a hasher made it.

        Raises NotInvited, InviteUnavailable, ValidationError for a malformed name, IntegrityError for a taken name or
        address.
        """
        is_owner = self.source == self.Source.OWNER
        if not is_owner and not Invite.objects.may_join(self.email):
            raise NotInvited
        with transaction.atomic():
            if is_owner:
                self.take_ownership()
                fields |= {"is_staff": True, "is_superuser": True}
            self.claim(browser)
            user = User.objects.create_user(username, self.email, password, encoded=encoded, **fields)
            Invite.objects.filter(pk=self.pk).update(claimed_by=user, password="", seal="")
            self.welcome(user)
        return user

    def welcome(self, user: User) -> None:
        """Puts who has come by it into its group, and tells the history and other services; once it is claimed."""
        if self.group:
            user.groups.add(self.group)
        if self.source == self.Source.MEMBER:
            Invite.objects.shadows_of([self]).update(claimed_at=timezone.now())
        if self.source not in {self.Source.SELF, self.Source.OWNER}:
            Event.objects.record(Event.Kind.ACCEPTED, user, about=self.pk)
        OutboxEvent.objects.announce(
            "invite.accepted",
            invite=self.pk,
            user=user.pk,
            source=self.source,
            batch=self.batch,
            invited_by=self.invited_by_id,
        )

    def can_be_readdressed_to(self, email: str) -> bool:
        """Whether there is somebody to ask, who has not been asked yet."""
        return bool(
            self.readdress_asked_at is None
            and self.invited_by
            and self.invited_by.is_active
            and not self.invited_by.invites_paused_at
            and email != self.email
        )

    def ask_to_readdress(self, email: str, language: str = "") -> None:
        """Mails its sender, once, that its holder wants it sent to another address. Raises InviteUnavailable."""
        with transaction.atomic():
            asked = {"readdress_to": email, "readdress_asked_at": timezone.now(), "readdress_language": language}
            first = Invite.objects.pending().filter(pk=self.pk, readdress_asked_at=None).update(**asked)
            if not first or not self.can_be_readdressed_to(email):
                raise InviteUnavailable
            self.readdress_to = email
            mails.ask_to_readdress(self)

    def readdress(self) -> None:
        """Issues it to the address that asked, and withdraws it from its own. Raises InviteUnavailable."""
        with transaction.atomic():
            answered = Invite.objects.open().filter(pk=self.pk).exclude(readdress_to="")
            if not answered.update(revoked_at=timezone.now()):
                raise InviteUnavailable
            Event.objects.record(Event.Kind.REVOKED, self.invited_by, about=self.pk)
            said = {name: getattr(self, name) for name in ("source", *SAID)}
            Invite.objects.issue(self.readdress_to, language=self.readdress_language or self.language, **said)

    def keep_address(self) -> None:
        """Leaves it with its own address, and tells who asked. Raises InviteUnavailable."""
        with transaction.atomic():
            answered = Invite.objects.open().filter(pk=self.pk).exclude(readdress_to="")
            if not answered.update(readdress_to=""):
                raise InviteUnavailable
            mails.not_readdressed(self)

    def reset_password(self, account: User, password: str, *, browser: str = "", **trace: Any) -> None:
        """Claim and new password in one transaction. Raises InviteUnavailable, Superseded."""
        with transaction.atomic():
            self.claim(browser, by=account)
            account.change_password(password, **trace)
            # Its sessions have just ended, but a second press of this browser is still the same press.
            Invite.objects.filter(pk=self.pk).update(epoch=account.session_epoch)

    def take_ownership(self) -> None:
        """Lets one at a time become the first superuser, whatever link they hold. Raises InviteUnavailable."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('frontdoor.owner'))")
        if User.objects.filter(is_superuser=True).exists():
            raise InviteUnavailable

    def claimed_just_now(self, browser: str) -> bool:
        """Whether this very browser claimed it moments ago: a double click, or an answer that got lost."""
        return bool(
            browser
            and self.claimed_by
            and self.claimed_by.is_active
            and self.claimed_by.session_epoch == self.epoch  # nobody has signed out everywhere since
            and self.claimed_at
            and self.claimed_in == browser
            and timezone.now() < self.claimed_at + SECOND_PRESS
        )
