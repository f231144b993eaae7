"""Magic links: each proves once that whoever opens it reads the mailbox of its address."""

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
from invites.models.link_queryset import ASKED_FOR, PLAN, SPENT, MagicLinkQuerySet
from invites.models.queryset import NotInvited
from invites.models.states import BY, LOCKED, Unavailable
from invites.models.steps import LINK_LIFETIME
from kit.addresses import MAX_LENGTH
from kit.ids import uuid7
from kit.one_statement import Write
from kit.prepared import Given, PreparedUpdate
from outbox.models import OutboxMessage

# The address of an owner link that names nobody; the page behind it asks for a real one.
OWNER_UNKNOWN = "owner@localhost"
# Of a link whose holder says that they have not asked for it: it was asked for in no browser.
BY_NOBODY = "nobody"


class MagicLink(models.Model):
    """A link in a mail: one row for each mail that a visitor asks for, and one row for all mails of an invitation.

    Its state is the first line that fits. Opening a link does nothing: its page asks the visitor to press a button.

    | state    | when                                                | its page and the way on                  |
    | -------- | --------------------------------------------------- | ---------------------------------------- |
    | USED     | it was used, a later use of another has spent it,   | sign in, or ask again; the signed-in     |
    |          | or its invitation was accepted                      | user who used it is led on               |
    | DECLINED | its invitation was declined                         | ask again, or allow mail again           |
    | REVOKED  | it was ended, or its invitation was withdrawn       | ask the inviter                          |
    | EXPIRED  | its end has passed                                  | one press mails a fresh one              |
    | PENDING  | else                                                | what it was mailed for                   |
    """

    class Purpose(models.TextChoices):
        """The reason why a link was made. Its token decides which page it opens, as a mail may carry two tokens."""

        LINK = "link", _("to sign in or sign up")
        PROOF = "proof", _("to show that it’s you")
        REGISTER = "register", _("to confirm a sign-up")
        RESET = "reset", _("a new password")
        RENEWED = "renewed", _("a new password, asked for again")
        DISOWNED = "disowned", _("a new password after “this was not me”")
        INVITE = "invite", _("invitation")
        OWNER = "owner", _("owner link")
        REQUEST = "request", _("to ask to join")

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        USED = "used", _("Used")
        DECLINED = "declined", _("Declined")
        REVOKED = "revoked", _("Withdrawn")
        EXPIRED = "expired", _("Expired")

    # The token is this id, signed. An invitation's own link has the id of the invitation.
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(_("email address"), max_length=MAX_LENGTH)
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose)
    # The invitation that a newcomer accepts by it. None if the address had an account when the link was made, except on
    # an invitation's own link.
    invite = models.ForeignKey(
        Invite,
        models.CASCADE,
        null=True,
        related_name="links",
        db_index=False,  # link_by_invite has the rows with an invitation
    )
    # On a link with an invitation `next` is empty, and the language of the invitation comes first.
    next = models.CharField(_("leads to"), max_length=500, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    # The id of the account that the address had when it was mailed, None without one. It is no foreign key: nothing is
    # to be locked or changed here for the sake of an account that has moved to another address.
    account = models.UUIDField(null=True)
    # The account's session_epoch when it was mailed, or when it was used; None without an account.
    epoch = models.PositiveIntegerField(null=True)
    # A planned account: its name, its hashed password, and a seal of the browser in which it was planned. The
    # account is made in no other browser. Using the link empties all but the name.
    username = models.CharField(max_length=names.MAX_LENGTH, default="", db_default="")
    password = models.CharField(max_length=128, default="", db_default="")
    seal = models.CharField(max_length=64, default="", db_default="")
    # What else was typed for it, in JSON (invites/sign_up/plan.py), or by somebody who asks to join (plea.py); "" for
    # nothing. Using the link empties it, too.
    details = models.TextField(default="", db_default="")
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    # Set again when its invitation is mailed again.
    sent_at = models.DateTimeField(_("last sent"), default=timezone.now)
    expires_at = models.DateTimeField(_("works until"))
    # A keyed hash of the browser that asked for it, or BY_NOBODY; "" for a link that no browser has asked for. In any
    # other browser its page shows a code to type into that one (invites/link/elsewhere.py).
    asked_in = models.CharField(max_length=64, default="", db_default="")
    # Where it was asked for, as visitor.device() returns it.
    device = models.CharField(max_length=100, default="", db_default="")
    # When it was last opened; for a link with an invitation, the invitation has that (invites/link/opens.py).
    opened_at = models.DateTimeField(_("opened"), null=True)
    used_at = models.DateTimeField(_("used"), null=True)
    used_by = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,  # link_used_by has the rows with a person
    )
    # A keyed hash of the browser that used it, so that a double click there is not answered as a used link.
    used_in = models.CharField(max_length=64, blank=True)
    revoked_at = models.DateTimeField(_("withdrawn"), null=True)

    objects = MagicLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-in link")
        verbose_name_plural = _("sign-in links")
        default_permissions = ()  # MagicLinkAdmin asks for the permission to view invitations
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(email=models.functions.Lower("email")), name="link_is_lower_case")
        ]
        indexes: ClassVar[list[models.Index]] = [
            # Links to one address: SPENT, the desk's search, the doctor, the export of a person's data.
            models.Index(fields=["email"], name="link_by_email"),
            # prunable().
            models.Index(fields=["expires_at"], name="link_by_end", condition=ASKED_FOR),
            # The funnel, which begins at a day.
            models.Index(fields=["created_at"], name="link_by_start", condition=models.Q(invite=None)),
            # forget_plans().
            models.Index(fields=["expires_at"], name="link_planned", condition=~models.Q(seal="")),
            # The links of an invitation, which change with it.
            models.Index(fields=["invite"], name="link_by_invite", condition=models.Q(invite__isnull=False)),
            # The links that a person has used, when the person leaves.
            models.Index(fields=["used_by"], name="link_used_by", condition=models.Q(used_by__isnull=False)),
            # The list at the desk: without it, PostgreSQL would first read through a large batch of invitations.
            models.Index(fields=["-id"], name="link_asked_for", condition=ASKED_FOR),
            # The desk's filter by use.
            models.Index(
                fields=["-id", "expires_at"],
                name="link_unused",
                condition=ASKED_FOR & models.Q(used_at=None, revoked_at=None),
            ),
            models.Index(fields=["-id"], name="link_used", condition=ASKED_FOR & models.Q(used_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def subject(self) -> UUID:
        """The id under which an opening of the link is noted: that of its invitation, or else the link's own."""
        return self.invite_id or self.pk

    @property
    def leads_to(self) -> str:
        """The path of this site to go to after the link is used, "" if none was asked for.

        For a link with an invitation it is that of the invitation.
        """
        return self.invite.leads_to if self.invite else self.next

    @property
    def state(self) -> State:
        """The first of these that fits the link or its invitation: USED, DECLINED, REVOKED, EXPIRED, PENDING.

        USED are also a link that a later use of another has spent, and one whose invitation was accepted.
        """
        invite, known = self.invite, self.State
        if self.used_at or self.is_spent or (invite and invite.accepted_at):
            return known.USED
        if invite and invite.declined_at:
            return known.DECLINED
        if self.revoked_at or (invite and invite.revoked_at):
            return known.REVOKED
        return known.EXPIRED if timezone.now() >= self.expires_at else known.PENDING

    @property
    def was_ended(self) -> bool:
        """True if staff have ended this link itself, which its holder had asked for, and not an invitation."""
        return self.state == self.State.REVOKED and not (self.invite and self.invite.revoked_at)

    @cached_property
    def is_spent(self) -> bool:
        """True if a later use of another link has ended this one. MagicLinkQuerySet.with_spent() reads it for many."""
        return MagicLink.objects.filter(SPENT, pk=self.pk).exists()

    @cached_property
    def staff_invite_id(self) -> UUID | None:
        """The id of the open invitation from staff to its address, or None.

        The holder may have asked for this link just before staff sent the invitation. Raises MagicLink.DoesNotExist if
        the link was deleted meanwhile.
        """
        found: Any = MagicLink.objects.filter(pk=self.pk).with_staff_invite().get()
        chosen: UUID | None = found.staff_invite_id
        return chosen

    @cached_property
    def newest_mail(self) -> OutboxMessage | None:
        """The newest mail about this link, or None.

        OutboxQuerySet.attach_newest() reads it for many in one statement.
        """
        return OutboxMessage.objects.newest_about([self.pk]).first()

    def last_until(self, end: datetime, account: User | None) -> None:
        """Renews and saves an invitation's own link, to be mailed now. It lasts until `end`, or longer if it did.

        If its address has an account, the link signs in to `account`, so it lasts for LINK_LIFETIME only; one into
        groups lasts until `end`, but signs in no longer than that (signs_in).
        """
        self.sent_at = timezone.now()
        self.account, self.epoch = (account.pk, account.session_epoch) if account else (None, None)
        brief = account and not (self.invite and self.invite.group_ids)
        self.expires_at = self.sent_at + LINK_LIFETIME if brief else max(self.expires_at, end)
        self.save(update_fields=["account", "epoch", "expires_at", "sent_at"])

    def signs_in(self, account: User) -> bool:
        """Returns whether this link may sign in to `account`, whose sessions must not all have ended since the mail.

        It must be younger than LINK_LIFETIME, however long its invitation lasts, and mailed for this very account, if
        there was one: another may have had the address then.
        """
        if timezone.now() >= self.sent_at + LINK_LIFETIME:
            return False
        if self.epoch is None:  # mailed before there was an account
            return account.session_epoch == 0
        return self.epoch == account.session_epoch and self.account in {None, account.pk}

    def is_outrun(self, account: User) -> bool:
        """Returns whether the owner has signed in to `account` since the mail, so that it sets no new password now.

        Whoever knows the password could sign in whenever the owner asks for such a link. So a link survives that was
        asked for by "this was not me", or with the token of an older link: by somebody who reads the mailbox.
        """
        lasts = self.purpose in {self.Purpose.RENEWED, self.Purpose.DISOWNED}
        return not lasts and account.last_login is not None and account.last_login > self.sent_at

    def revives(self, invite: Invite) -> bool:
        """Returns whether asking for a fresh link on this one's page is to revive `invite`, because it has expired.

        Only a link of this very invitation may do that: any other would bring back what has expired.
        """
        return invite.pk == self.invite_id and invite.is_expired

    def claim(self, browser: str, by: User) -> None:
        """Marks the stored row as used by `by`, a stored user, in `browser` (a keyed hash).

        One press wins. Empties the planned account. Callers have accepted the link's invitation before. Raises
        Unavailable if the link is not pending.
        """
        if not self._claiming(CLAIM, browser, by).run():
            raise Unavailable

    def claiming(self, browser: str, newcomer: User) -> Write:
        """Returns the statement that marks the stored row as used by a user who is being made, if it is pending.

        It empties the planned account, but for its username.
        """
        return self._claiming(CLAIM_FOR_NEWCOMER, browser, newcomer)

    def _claiming(self, claim: PreparedUpdate, browser: str, by: User) -> Write:
        used = {"by": by.pk, "browser": browser, "epoch": by.session_epoch}
        return claim.with_values(link=self.pk, now=timezone.now(), **used)

    def sign_in(self, account: User, browser: str) -> None:
        """Uses this link for its address's account, which also accepts the invitation of the link, if it has one.

        Starts no session. Changes stored rows in one transaction, not this object. Raises Unavailable if the link or
        its invitation can't be used any more.
        """
        with transaction.atomic():
            if self.invite and (invite := self.to_accept()):
                invite.accept(account)
            self.claim(browser, account)

    def sign_up(
        self,
        username: str,
        *,
        browser: str = "",
        beginning: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> User:
        """Uses this link for a newcomer: claims it, accepts the invitation and makes the account, in one transaction.

        An owner link makes a superuser. `beginning` and `fields` are those of UserManager.create_user(). Returns the
        user. Raises NotInvited if an invitation is needed, Unavailable if the link or its invitation can't be used
        any more, ValidationError for a malformed name, IntegrityError for a taken name or address.
        """
        newcomer, owns = User(pk=uuid7()), self.purpose == self.Purpose.OWNER
        account = {"username": username, "email": self.email, **fields}
        account |= {"is_staff": owns, "is_superuser": owns}
        with transaction.atomic():
            invite, claiming = self._let_in(), self.claiming(browser, newcomer)
            return Invite.objects.admit(newcomer, invite, beginning or {}, claiming, **account)

    def _let_in(self) -> Invite | None:
        """Returns the invitation that lets a newcomer in, or None if none is needed.

        Raises NotInvited if one is needed and there is none, Unavailable if the invitation is no longer open or, for an
        owner link, if a superuser exists already.
        """
        if self.purpose == self.Purpose.OWNER:
            if not User.objects.lock_first_owner():
                raise Unavailable
        elif invite := self.to_accept():
            return invite
        elif not Invite.objects.may_join(self.email):
            raise NotInvited
        return None

    def to_accept(self) -> Invite | None:
        """Returns the invitation that is accepted by using this link, or None.

        That is the link's own invitation, unless it was replaced; else the open one from staff to the link's address;
        else, if the link had its own, the open one that ends last.
        """
        if self.invite and not self.invite.replaced_at:
            return self.invite
        chosen = self.staff_invite_id
        return Invite.objects.to_accept(self.email, chosen) if chosen or self.invite else None

    def is_planned_in(self, seal: str) -> bool:
        """Returns whether the link holds an account that was planned in the browser with this seal."""
        return bool(self.password and seal) and constant_time_compare(self.seal, seal)

    def is_asked_in(self, browser: str) -> bool:
        """Returns whether the link was asked for in this browser, of which `browser` is the keyed hash."""
        return bool(browser) and constant_time_compare(self.asked_in, browser)

    def disown(self) -> None:
        """Notes that its holder has not asked for this link: no code lets in the browser that did.

        The link itself still works. A planned account is forgotten. Does nothing to a link that is not pending, or that
        no browser has asked for.
        """
        asked = MagicLink.objects.pending().filter(pk=self.pk).exclude(asked_in="")
        asked.update(asked_in=BY_NOBODY, **dict.fromkeys(PLAN, ""))

    def use_up(self, browser: str) -> None:
        """Marks the stored row as used in `browser` (a keyed hash) by somebody who has no account. One press wins.

        Empties what was typed when it was asked for. Raises Unavailable if the link is not pending.
        """
        used = {"used_at": timezone.now(), "used_in": browser, **dict.fromkeys(PLAN, "")}
        if not MagicLink.objects.pending().filter(pk=self.pk).update(**used):
            raise Unavailable

    def reset_password(self, account: User, *, encoded: str, browser: str = "", **trace: Any) -> None:
        """Uses this link and sets a new password, in one transaction; `trace` is the ip and device for the history.

        `encoded` is the password's hash.
        All sessions of the account end, and its owner is mailed. Raises Unavailable if the link can't be used any more,
        Superseded if all sessions of the account have ended since it was read.
        """
        with transaction.atomic():
            account.lock_or_raise()  # before the link: two links of one account, pressed at once, must not deadlock
            self.sign_in(account, browser)
            account.ways_in.change_password(encoded=encoded, **trace)
            # The new password has changed the account's epoch. A double click must still find the epoch of its link.
            MagicLink.objects.filter(pk=self.pk).update(epoch=account.session_epoch)

    def read_use(self) -> None:
        """Fills the columns of the use, in this object only, from the link or the invitation that has ended this link.

        Does nothing if this link itself was used, or can still be used.
        """
        if self.used_at is None and self.is_spent:
            uses = MagicLink.objects.later_uses(self).select_related("used_by")
            if use := uses.order_by("used_at").last():
                for name in ("used_at", "used_by", "used_in", "epoch", "username"):
                    setattr(self, name, getattr(use, name))
        elif self.used_at is None and self.invite and self.invite.accepted_at:
            self.used_at, self.used_by = self.invite.accepted_at, self.invite.accepted_by


def prepare_claim(by: Any, **forgotten: str) -> PreparedUpdate:
    """Returns the UPDATE that marks a pending link as used by `by`, an expression, and empties columns.

    It filters on this table alone: a join would put the filter into a subquery, and two presses at once would both win.
    """

    def compose() -> tuple[MagicLinkQuerySet, dict[str, Any]]:
        now = Given("now", models.DateTimeField())
        used = {"used_at": now, "used_by": by, "used_in": Given("browser", models.CharField())}
        used |= {"epoch": Given("epoch", models.IntegerField()), "password": "", "seal": "", "details": "", **forgotten}
        return MagicLink.objects.pending(now).filter(pk=Given("link", models.UUIDField())), used

    return PreparedUpdate(compose)


CLAIM = prepare_claim(LOCKED, username="")  # another person may have planned an account for this address
CLAIM_FOR_NEWCOMER = prepare_claim(BY)
