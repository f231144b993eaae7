"""Invitations, and what their holders can do with them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, TypeAlias

from django.contrib.auth.models import Group
from django.db import models, transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import groups
from accounts.models import Event, User
from invites.models import lifetimes
from invites.models.queryset import WORDS, InviteQuerySet
from invites.models.state import InviteState
from invites.models.states import BY, LOCKED, ONE_OPEN, OPEN, OPENED, UNANSWERED, UNTOLD, Unavailable, until_end
from invites.models.steps import LINK_LIFETIME
from kit.addresses import MAX_LENGTH
from kit.ids import uuid7
from kit.one_statement import Write
from kit.prepared import Given, PreparedUpdate
from kit.word_search import WordIndex
from outbox.models import NewEvent, OutboxEvent, OutboxMessage, Suppression, new_event
from outbox.models.queryset import OutboxQuerySet
from sso.models import App


class Invite(models.Model):
    """An invitation to one address. Its mails carry its own link, a MagicLink with the same id.

    An address can have one open invitation from staff, and one from each member beside it.

    The state is the first of these that fits: ACCEPTED, DECLINED, REVOKED (withdrawn), EXPIRED (its end has passed,
    and perhaps it was replaced after that), PENDING. An invitation is open if it is neither accepted, declined, revoked
    nor replaced; it may have expired.
    """

    class Source(models.TextChoices):
        """The way in which an invitation was made."""

        ADMIN = "admin", _("at the desk")
        CSV = "csv", _("from a list")
        COMMAND = "command", _("by a command")
        MEMBER = "member", _("by a member")

    State: TypeAlias = InviteState  # noqa: UP040 `type State` would have no members

    # Its mails and events are stored as being about this id; tokens to decline and to readdress it are made of the id.
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(_("email address"), max_length=MAX_LENGTH)
    source = models.CharField(_("source"), max_length=10, choices=Source)
    invited_by = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="invites_sent",
        verbose_name=_("invited by"),
        db_index=False,  # invite_by_inviter begins with this column
    )
    batch = models.CharField(_("list"), max_length=40, blank=True)
    # What the inviter calls the person and knows of them, and the groups that the person joins by accepting.
    name = models.CharField(_("name"), max_length=100, blank=True, default="", db_default="")
    profile = models.JSONField(default=dict, db_default={}, blank=True, editable=False)  # for the site's own fields
    groups = models.ManyToManyField(
        Group, through="InviteGroup", blank=True, verbose_name=_("groups"), related_name="+"
    )
    # The app that the person comes for: it is named, and they land in it, if it is on by then.
    app = models.ForeignKey(
        App,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("app"),
        db_index=False,  # invite_by_app has the rows with an app
    )
    note = models.CharField(_("note"), max_length=200, blank=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    next = models.CharField(_("leads to"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    # How long it lasts from each time it is mailed, by its inviter's will.
    lifetime = models.DurationField(default=lifetimes.default, editable=False)
    expires_at = models.DateTimeField(_("works until"))
    sent_at = models.DateTimeField(_("last sent"), null=True, editable=False)
    sends = models.PositiveIntegerField(_("sends"), default=0, editable=False)
    # When its link was last opened. Openings wait in Redis first and may be lost there (invites/link/opens.py).
    opened_at = models.DateTimeField(_("opened"), null=True, editable=False)
    reminded_at = models.DateTimeField(_("reminded"), null=True, editable=False)  # the last time
    reminders = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)  # how many, also by hand
    remind_at = models.DateTimeField(null=True, editable=False)  # when the next planned one is due, if any
    accepted_at = models.DateTimeField(_("accepted"), null=True, editable=False)
    accepted_by = models.ForeignKey(
        User,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="invites_accepted",
        db_index=False,  # invite_accepted_by has the rows with a person
    )
    # The address of that account, if it accepted what had gone to another address (invites/link/as_me.py); else "".
    accepted_as = models.EmailField(max_length=MAX_LENGTH, default="", db_default="", editable=False)
    declined_at = models.DateTimeField(_("declined"), null=True, editable=False)
    # Why, in the words of the person who declined it, if they gave any.
    decline_reason = models.CharField(
        _("reason for declining"), max_length=200, default="", db_default="", editable=False
    )
    revoked_at = models.DateTimeField(_("withdrawn"), null=True, editable=False)
    # When its address was invited again, after this invitation had expired.
    replaced_at = models.DateTimeField(null=True, editable=False)
    # Whether its inviter is still to be told that it was accepted or declined, or that its mail came back (digest.py).
    has_news = models.BooleanField(default=False, db_default=False, editable=False)
    # The end of which "invite.expired" has told other services. If the invitation is lengthened, it may have another.
    told_end = models.DateTimeField(null=True, editable=False)
    # The other address to which its holder wants it sent (emptied when the sender refuses), when the sender was asked,
    # which happens once, and the language of the request.
    readdress_to = models.EmailField(max_length=MAX_LENGTH, default="", db_default="", editable=False)
    readdress_asked_at = models.DateTimeField(null=True, editable=False)
    readdress_language = models.CharField(max_length=10, default="", db_default="", editable=False)

    # On a new one that answers a request to join: when that was made, which its first mail says.
    asked_at: datetime | None = None

    # Set by InviteQuerySet.with_group_names() and, for the rows of a page, by the desk's list of invitations.
    group_names: list[str]

    objects = InviteQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering: ClassVar[list[str]] = ["-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["email"], condition=OPEN & ~models.Q(source="member"), name=ONE_OPEN),
            models.UniqueConstraint(
                fields=["email", "invited_by"],
                condition=OPEN & models.Q(source="member"),
                name="one_open_invite_per_member_and_address",
            ),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="invite_is_lower_case"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            # All invitations to an address: sift(), the desk's search, the doctor, the export of a person's data.
            models.Index(fields=["email"], name="invite_by_email"),
            # The desk's filter by end, prunable().
            models.Index(fields=["expires_at"], name="invite_by_end"),
            # The funnel, which begins at a day.
            models.Index(fields=["created_at"], name="invite_by_start"),
            # The desk's search: found_by().
            WordIndex(WORDS, name="invite_by_words"),
            # The desk's filter by source, and --source of the commands.
            models.Index(fields=["source", "-id"], name="invite_by_source"),
            # The invitations from one person: their own page, the desk's filter by inviter, the tree of invitations.
            models.Index(fields=["invited_by", "-id"], name="invite_by_inviter"),
            # Batch.invites.
            models.Index(fields=["batch", "-id"], name="invite_by_batch", condition=~models.Q(batch="")),
            # The desk's filter by app, and the deletion of one.
            models.Index(fields=["app", "-id"], name="invite_by_app", condition=models.Q(app__isnull=False)),
            # The desk's filter by language.
            models.Index(fields=["language", "-id"], name="invite_by_language"),
            # One index for each state; pending and expired share one, because only the end tells them apart.
            models.Index(fields=["-id", "expires_at"], name="invite_unanswered", condition=UNANSWERED),
            # opened().
            models.Index(fields=["-id", "expires_at"], name="invite_opened", condition=OPENED),
            models.Index(fields=["-id"], name="invite_accepted", condition=models.Q(accepted_at__isnull=False)),
            models.Index(fields=["-id"], name="invite_declined", condition=models.Q(declined_at__isnull=False)),
            models.Index(fields=["-id"], name="invite_revoked", condition=models.Q(revoked_at__isnull=False)),
            # The invitation that a person has accepted: upwards in the tree, and when the person leaves.
            models.Index(
                fields=["accepted_by"], name="invite_accepted_by", condition=models.Q(accepted_by__isnull=False)
            ),
            # How many a person has brought, and how many of their invitations are open, for each person in the tree.
            models.Index(
                fields=["invited_by", "-id"], name="invite_brought", condition=models.Q(accepted_by__isnull=False)
            ),
            models.Index(fields=["invited_by", "expires_at"], name="invite_open", condition=OPEN),
            # remindable().
            models.Index(
                fields=["remind_at", "expires_at"],
                name="invite_to_remind",
                condition=OPEN & models.Q(remind_at__isnull=False),
            ),
            # The daily mail to each inviter.
            models.Index(
                fields=["invited_by", "id"],
                name="invite_with_news",
                condition=models.Q(has_news=True, invited_by__isnull=False),
            ),
            # announce_expired().
            models.Index(fields=["expires_at"], name="invite_end_untold", condition=UNTOLD),
            # When a person leaves, their address is searched for here, too.
            models.Index(fields=["readdress_to"], name="invite_readdressed", condition=~models.Q(readdress_to="")),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def state(self) -> State:
        """The first of these that fits: ACCEPTED, DECLINED, REVOKED, EXPIRED (also if it was replaced), PENDING."""
        if self.accepted_at:
            return self.State.ACCEPTED
        if self.declined_at:
            return self.State.DECLINED
        if self.revoked_at:
            return self.State.REVOKED
        return self.State.EXPIRED if self.replaced_at or self.is_expired else self.State.PENDING

    @property
    def reminds(self) -> bool:
        """True if a reminder is planned or there was one already, False if its inviter, or the site, wants none."""
        return self.remind_at is not None or self.reminders > 0

    @property
    def is_expired(self) -> bool:
        """True if its end has passed, even if it was answered before."""
        return timezone.now() >= self.expires_at

    @property
    def mails(self) -> OutboxQuerySet:
        """All mails about this invitation, newest first, without their contents."""
        return OutboxMessage.objects.filter(about=self.pk).order_by("-id").defer("parts")

    @cached_property
    def newest_mail(self) -> OutboxMessage | None:
        """The newest mail about this invitation, or None.

        OutboxQuerySet.attach_newest() reads it for many in one statement.
        """
        return self.mails.first()

    @property
    def delivery(self) -> OutboxMessage.Status | None:
        """The status of its newest mail; None if there is none, or none any more because it was pruned."""
        return self.newest_mail.status if self.newest_mail else None

    def accept(self, user: User) -> None:
        """Accepts the invitation for a user who already has an account, and adds them to its groups.

        Also writes the history and announces it to other services. Changes only the stored row, not this object. To be
        called in a transaction. Raises Unavailable if the invitation is no longer open.
        """
        self.take(user)
        self.hold_groups()
        if self.promised and self.add_to_groups(user, sorted(user.groups.values_list("name", flat=True))):
            user.announce_update("groups")
        Event.objects.record(Event.Kind.ACCEPTED, user, about=self.pk)
        OutboxEvent.objects.announce_many([self.acceptance(user)])

    def take(self, user: User) -> None:
        """Marks the stored row as accepted by `user`, who is stored; only the first call wins.

        Callers do this before they lock a link of the invitation, always in this order, so that nothing deadlocks.
        Raises Unavailable if it is not open.
        """
        if not TAKE.with_values(invite=self.pk, now=timezone.now(), by=user.pk).run():
            raise Unavailable

    def taking(self, newcomer: User) -> Write:
        """Returns the statement that marks the stored row as accepted by a user who is being made, if it is open."""
        return TAKE_FOR_NEWCOMER.with_values(invite=self.pk, now=timezone.now(), by=newcomer.pk)

    @cached_property
    def group_ids(self) -> list[int]:
        """The ids of its groups, in no order. InviteQuerySet.with_groups() reads them with the invitations."""
        if self._state.adding:
            return []
        return list(InviteGroup.objects.filter(invite=self.pk).values_list("group", flat=True))

    @cached_property
    def promised(self) -> dict[int, str]:
        """The names of the groups that its holder joins by accepting it now, by id, in the order of the names.

        None if it has expired: the promise ends with the invitation. Costs no statement without groups, else one.
        """
        if self.is_expired or not self.group_ids:
            return {}
        return self.promise(groups.names(self.group_ids))

    def promise(self, named: Iterable[tuple[int, str, bool]]) -> dict[int, str]:
        """Returns those of these groups that it promises, as `promised`; they are as accounts.groups.names() says.

        A group that grants permissions now, perhaps since this was sent, is promised only by somebody who may still
        give it: by an active superuser, or by a command.
        """
        by = self.invited_by
        gives_all = by.is_active and by.is_superuser if by else self.source == self.Source.COMMAND
        return {pk: name for pk, name, grants in named if pk in self.group_ids and (gives_all or not grants)}

    @cached_property
    def open_app(self) -> App | None:
        """The app that its holder comes for; None if it names none, or one that is turned off by now.

        Costs no statement without an app, else one; mails.name_apps() reads it for many.
        """
        return (
            App.objects.select_related("client").filter(pk=self.app_id, is_active=True).first() if self.app_id else None
        )

    @property
    def leads_to(self) -> str:
        """The path of this site to go to after accepting it: into its app, or else the page that it names, or ""."""
        return self.open_app.path if self.open_app else self.next

    def hold_groups(self) -> None:
        """Reads `promised` again, and keeps these groups from being deleted until the caller's transaction ends."""
        if not self.is_expired and self.group_ids:
            self.promised = self.promise(groups.names(self.group_ids, hold=True))

    def add_to_groups(self, user: User, before: list[str]) -> bool:
        """Adds the user, who is in the groups with the names `before`, to those that are promised.

        Records the new rights in the user's history, and who has invited the user there. Returns whether there are any.
        Costs two statements, however many groups they are.
        """
        after = sorted({*before, *self.promised.values()})
        if after == before:
            return False
        membership = User.groups.through  # not by groups.add(), which asks first who is in them: somebody listens
        membership.objects.bulk_create(
            (membership(user=user, group_id=group) for group in self.promised), ignore_conflicts=True
        )
        user.group_names = after
        by = {"by": "staff", "staff": self.invited_by.username if self.invited_by else ""}
        changed = {"groups": [before, after]}
        Event.objects.record(Event.Kind.RIGHTS_CHANGED, user, about=self.pk, changed=changed, **by)
        return True

    def acceptance(self, user: User) -> NewEvent:
        """Returns the event "invite.accepted", not stored yet, that tells other services that `user` has accepted."""
        return new_event(
            "invite.accepted",
            invite=self.pk,
            user=user.pk,
            source=self.source,
            batch=self.batch,
            invited_by=self.invited_by_id,
            groups=list(self.promised.values()),
            app=self.app_id,
        )

    def revive(self) -> None:
        """Lets an expired invitation last from now on as long as its inviter meant it to, without its groups.

        Its older links stay expired. Changes this object, and the stored row only while the invitation is open. To be
        called in a transaction.
        """
        self.expires_at, self.group_ids = timezone.now() + self.granted, []
        if Invite.objects.open().filter(pk=self.pk).update(**until_end(Value(self.expires_at))):
            InviteGroup.objects.filter(invite=self.pk).delete()

    @property
    def granted(self) -> timedelta:
        """How long it lasts by its inviter's will: its lifetime, or as long as its own link did if it was extended."""
        own = self.links.get(pk=self.pk)
        return max(own.expires_at - own.sent_at, self.lifetime)

    def end_if_mailed(self, account: User | None, now: datetime) -> datetime:
        """Returns when it is to end if it is mailed `now` to its address, which `account` has, or nobody (None).

        Without a group there is nothing to accept for somebody who has an account but to sign in, and a link that signs
        in must be short-lived. But members see the end of their invitations, which must not tell them who has one.
        """
        brief = account is not None and self.source != self.Source.MEMBER and not self.group_ids
        return now + (LINK_LIFETIME if brief else self.lifetime)

    def decline(self, *, never: bool = False, reason: str = "") -> None:
        """Declines the invitation, or the newer one in its place, and deletes its mails that have not left.

        The daily mail to the inviter tells it, with the `reason`, one plain line, if there is one. `never` also stops
        all mail to the address, even if the invitation has ended, but not for an address with an account. Raises
        Unavailable if the invitation is accepted or, without `never`, not open. Changes stored rows in one transaction,
        not this object.
        """
        with transaction.atomic():
            current = self.current
            row = Invite.objects.filter(pk=current.pk)
            if row.open().update(declined_at=timezone.now(), decline_reason=reason, has_news=True):
                row.withdraw_mails()
                row.announce_invites("invite.declined")
                Event.objects.record(Event.Kind.DECLINED, None, about=current.pk)
            # The holder of an ended invitation may still stop all mail, unless this invitation was accepted.
            elif not never or Invite.objects.accepted().filter(pk=self.pk).exists():
                raise Unavailable
            # An account's owner must be told of what happens to the account, so mail to them can't be stopped.
            if never and not User.objects.filter(email=self.email).exists():
                Suppression.objects.opt_out(self.email)

    @property
    def current(self) -> "Invite":
        """The invitation itself; if it was replaced, the newest open one of its inviter to its address, if any."""
        if not self.replaced_at:
            return self
        newer = Invite.objects.open().filter(email=self.email, invited_by=self.invited_by, id__gt=self.pk)
        return newer.order_by("-id").first() or self


class InviteGroup(models.Model):
    """That an invitation leads into a group: one row for each of its groups. It goes with either of them."""

    # The key finds the invitations into a group, the newest first (InviteQuerySet.into), and those that the deletion of
    # a group takes out of it.
    pk = models.CompositePrimaryKey("group", "invite")
    group = models.ForeignKey(Group, models.CASCADE, related_name="+", db_index=False)
    invite = models.ForeignKey(Invite, models.CASCADE, related_name="+", db_index=False)

    class Meta:
        default_permissions = ()
        indexes: ClassVar[list[models.Index]] = [
            # The groups of an invitation, when it is shown or accepted, and the deletion of an invitation.
            models.Index(fields=["invite"], name="invite_groups"),
        ]

    def __str__(self) -> str:
        return f"{self.invite_id} {self.group_id}"


def prepare_taking(by: Any) -> PreparedUpdate:
    """Returns the UPDATE that marks an open invitation as accepted by `by`, an expression."""

    def compose() -> tuple[InviteQuerySet, dict[str, Any]]:
        rows = Invite.objects.open().filter(pk=Given("invite", models.UUIDField()))
        return rows, {"accepted_at": Given("now", models.DateTimeField()), "accepted_by": by, "has_news": True}

    return PreparedUpdate(compose)


TAKE, TAKE_FOR_NEWCOMER = prepare_taking(LOCKED), prepare_taking(BY)
