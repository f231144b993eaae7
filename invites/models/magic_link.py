"""A magic link: it proves a mailbox, once."""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.db import models, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.models import User
from invites.models.invite import Invite
from invites.models.link_queryset import ASKED_FOR, SPENT, MagicLinkQuerySet
from invites.models.queryset import NotInvited
from invites.models.states import Unavailable
from invites.models.steps import LINK_LIFETIME
from kit.addresses import MAX_LENGTH
from kit.ids import uuid7
from outbox.models import OutboxMessage


class MagicLink(models.Model):
    """One row for each mail that somebody asks for, and one for each invitation, whose mails all carry it.

    The first line that fits is its state. Whatever its state, a link asks whoever opens it to press a button.

    | state    | when                                                | its page and the way on                  |
    | -------- | --------------------------------------------------- | ---------------------------------------- |
    | USED     | it was used, a later use of another has spent it,   | sign in, or ask again; leads on whoever  |
    |          | or its invitation was accepted                      | used it and is signed in                 |
    | DECLINED | its invitation was declined                         | ask again, or take "never" back          |
    | REVOKED  | it was ended, or its invitation was withdrawn       | ask whoever invited                      |
    | EXPIRED  | its end has passed                                  | one press mails a fresh one              |
    | PENDING  | else                                                | what it was mailed for                   |
    """

    class Purpose(models.TextChoices):
        """What was asked for; the page that a link opens is named by its token, for a mail may carry two."""

        LINK = "link", _("to sign in or sign up")
        REGISTER = "register", _("to confirm a sign-up")
        RESET = "reset", _("a new password")
        DISOWNED = "disowned", _("a new password after “this was not me”")
        INVITE = "invite", _("invitation")
        OWNER = "owner", _("owner link")

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        USED = "used", _("Used")
        DECLINED = "declined", _("Declined")
        REVOKED = "revoked", _("Withdrawn")
        EXPIRED = "expired", _("Expired")

    # The token is this id, signed; an invitation's own link has the id of the invitation.
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(_("email address"), max_length=MAX_LENGTH)
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose)
    # What a newcomer accepts by it; None for whoever has an account, except on an invitation's own link.
    invite = models.ForeignKey(Invite, models.CASCADE, null=True, related_name="links")
    # Empty where an invitation says them.
    next = models.CharField(_("leads to"), max_length=500, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    # The account's session_epoch when it was mailed, or when it was used; None without an account.
    epoch = models.PositiveIntegerField(null=True)
    # A planned account: its name, its password as the hasher made it, and the browser it was planned in. It opens in no
    # other browser. Password and browser are emptied by use.
    username = models.CharField(max_length=names.MAX_LENGTH, default="", db_default="")
    password = models.CharField(max_length=128, default="", db_default="")
    seal = models.CharField(max_length=64, default="", db_default="")
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    # Moves when its invitation is sent again; nothing lengthens a link that somebody asked for.
    sent_at = models.DateTimeField(_("last sent"), default=timezone.now)
    expires_at = models.DateTimeField(_("works until"))
    # When it was last opened; what opens an invitation is told there (invites/link/opens.py).
    opened_at = models.DateTimeField(_("opened"), null=True)
    used_at = models.DateTimeField(_("used"), null=True)
    used_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    # The browser that used it, as a keyed hash, so that its second press is not taken for somebody else's.
    used_in = models.CharField(max_length=64, blank=True)
    revoked_at = models.DateTimeField(_("withdrawn"), null=True)

    objects = MagicLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-in link")
        verbose_name_plural = _("sign-in links")
        default_permissions = ()  # those who may see invitations may see it
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(email=models.functions.Lower("email")), name="link_is_lower_case")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["email"], name="link_by_email"),
            models.Index(fields=["expires_at"], name="link_by_end"),
            models.Index(fields=["created_at"], name="link_by_start"),
            models.Index(fields=["expires_at"], name="link_planned", condition=~models.Q(password="")),
            # The list at the desk, where a large batch of invitations would stand before all others.
            models.Index(fields=["-id"], name="link_asked_for", condition=ASKED_FOR),
            models.Index(
                fields=["-id", "expires_at"],
                name="link_unused",
                condition=ASKED_FOR & models.Q(used_at=None, revoked_at=None),
            ),
            models.Index(fields=["-id"], name="link_used", condition=ASKED_FOR & models.Q(used_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.email

    @classmethod
    def of(cls, invite: Invite) -> "MagicLink":
        """An invitation's own link, not stored yet."""
        sent_at = invite.sent_at or invite.created_at
        terms = {"created_at": invite.created_at, "sent_at": sent_at, "expires_at": invite.expires_at}
        return cls(pk=invite.pk, email=invite.email, purpose=cls.Purpose.INVITE, invite=invite, **terms)

    @property
    def subject(self) -> UUID:
        """What is opened by it: its invitation, or the link itself."""
        return self.invite_id or self.pk

    @property
    def leads_to(self) -> str:
        return self.invite.next if self.invite else self.next

    @property
    def state(self) -> State:
        invite, known = self.invite, self.State
        if self.used_at or self.is_spent or (invite and invite.accepted_at):
            return known.USED
        if invite and invite.declined_at:
            return known.DECLINED
        if self.revoked_at or (invite and invite.revoked_at):
            return known.REVOKED
        return known.EXPIRED if timezone.now() >= self.expires_at else known.PENDING

    @cached_property
    def is_spent(self) -> bool:
        """Whether a later use of another link has ended it; MagicLinkQuerySet.with_spent reads it for many."""
        return MagicLink.objects.filter(SPENT, pk=self.pk).exists()

    @cached_property
    def staff_invite_id(self) -> UUID | None:
        """What staff have sent to its address and is open: somebody may have asked just before that."""
        found: Any = MagicLink.objects.filter(pk=self.pk).with_staff_invite().get()
        chosen: UUID | None = found.staff_invite_id
        return chosen

    @cached_property
    def newest_mail(self) -> OutboxMessage | None:
        """For a page of them see OutboxQuerySet.attach_newest."""
        return OutboxMessage.objects.newest_about([self.pk]).first()

    def last_until(self, end: datetime, account: User | None) -> None:
        """Has an invitation's own link last until then, or as briefly as what signs in; it is about to be mailed."""
        self.sent_at = timezone.now()
        self.epoch = account.session_epoch if account else None
        self.expires_at = self.sent_at + LINK_LIFETIME if account else max(self.expires_at, end)
        self.save(update_fields=["epoch", "expires_at", "sent_at"])

    def signs_in(self, account: User) -> bool:
        """Whether it still stands for a password: young, and mailed since the account last ended all sessions."""
        if self.epoch is None:  # mailed before there was an account
            return account.session_epoch == 0 and timezone.now() < self.sent_at + LINK_LIFETIME
        return self.epoch == account.session_epoch

    def claim(self, browser: str, by: User, **changes: Any) -> None:
        """The one use, by whoever is first; after its invitation was taken. Raises Unavailable.

        By its own columns alone: a filter through another table would put them into a subquery, and two presses at
        once would both win.
        """
        used = {"used_at": timezone.now(), "used_by": by.pk, "used_in": browser, "epoch": by.session_epoch}
        if not MagicLink.objects.pending().filter(pk=self.pk).update(**used, **changes, password="", seal=""):
            raise Unavailable

    def sign_in(self, account: User, browser: str) -> None:
        """The use by somebody who has an account, who accepts its invitation. Raises Unavailable."""
        with transaction.atomic():
            if self.invite and (invite := self.to_accept()):
                invite.accept(account)
            self.claim(browser, account, username="")  # no plan of somebody else counts any more

    def sign_up(
        self,
        username: str,
        password: str = "",
        *,
        browser: str = "",
        beginning: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> User:
        """The use by a newcomer: claim, account and acceptance in one transaction.

        `beginning` and `fields` are as UserManager.create_user takes them. Raises NotInvited, Unavailable,
        ValidationError for a malformed name, IntegrityError for a taken name or address.
        """
        newcomer = User(pk=uuid7())
        with transaction.atomic():
            invite = self._let_in(newcomer)
            self.claim(browser, newcomer)
            owns = self.purpose == self.Purpose.OWNER
            account = {"username": username, "email": self.email, "password": password, **fields}
            account |= {"is_staff": owns, "is_superuser": owns}
            return Invite.objects.admit(newcomer, invite, beginning or {}, **account)

    def _let_in(self, newcomer: User) -> Invite | None:
        """Takes what lets a newcomer in; the invitation, if it is one. Raises NotInvited, Unavailable."""
        if self.purpose == self.Purpose.OWNER:
            if not User.objects.lock_first_owner():
                raise Unavailable
        elif invite := self.to_accept():
            invite.take(newcomer)
            return invite
        elif not Invite.objects.may_join(self.email):
            raise NotInvited
        return None

    def to_accept(self) -> Invite | None:
        """What a newcomer accepts by it: what it was mailed for, what took its place, or what staff have sent since."""
        if self.invite and not self.invite.replaced_at:
            return self.invite
        chosen = self.staff_invite_id
        return Invite.objects.to_accept(self.email, chosen) if chosen or self.invite else None

    def is_planned_in(self, seal: str) -> bool:
        """Whether the account was planned in the browser with this seal."""
        return bool(self.password and seal) and constant_time_compare(self.seal, seal)

    def reset_password(self, account: User, password: str, *, browser: str = "", **trace: Any) -> None:
        """Claim and new password in one transaction. Raises Unavailable, Superseded."""
        with transaction.atomic():
            self.sign_in(account, browser)
            account.change_password(password, **trace)
            # Its sessions have just ended, but a second press of this browser is still the same press.
            MagicLink.objects.filter(pk=self.pk).update(epoch=account.session_epoch)

    def read_use(self) -> None:
        """Takes over from another row when it was used, by whom and in which browser, if that one has ended it."""
        if self.used_at is None and self.is_spent:
            uses = MagicLink.objects.later_uses(self).select_related("used_by")
            if use := uses.order_by("used_at").last():
                self.used_at, self.used_by, self.used_in, self.epoch = use.used_at, use.used_by, use.used_in, use.epoch
        elif self.used_at is None and self.invite and self.invite.accepted_at:
            self.used_at, self.used_by = self.invite.accepted_at, self.invite.accepted_by
