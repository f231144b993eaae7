"""The security history: what was done with an account, from where, and whether its owner has disowned it."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kit import visitor
from kit.ids import uuid7

if TYPE_CHECKING:
    from accounts.models.user import User

NOT_ME_LIFETIME = timedelta(hours=72)  # in which "this was not me" can be said, and a changed address be restored
KEPT = timedelta(days=365)
# Wrong passwords for names that no account has: anyone can make any number of these.
NOBODYS_KEPT = timedelta(days=30)
# What many events are about. By all other kinds, an account was changed.
FAILURES = ("code_failed", "failed", "guessed")
SESSIONS = ("app_signed_in", "prolonged", "session_ended", "signed_in", "signed_out")
INVITATIONS = (
    *("accepted", "declined", "extended", "invited", "join_declined", "reminded", "resent", "revoked", "stopped"),
    "taken_over",
)
FAILED = models.Q(kind__in=FAILURES)
NO_CHANGES = (*FAILURES, *INVITATIONS, *SESSIONS)
CHANGED = ~models.Q(kind__in=[*NO_CHANGES])
BY_STAFF = models.Q(detail__by="staff") | models.Q(kind="power_used")


class EventQuerySet(models.QuerySet["Event"]):
    def record(self, kind: "Event.Kind", user: "User | None", **detail: Any) -> "Event":
        """Stores one event, and returns it; the arguments are those of compose().

        Raises IntegrityError if `user` was deleted meanwhile; inside a transaction, only its commit does.
        """
        event = self.compose(kind, user, **detail)
        event.save(force_insert=True)
        return event

    def compose(
        self,
        kind: "Event.Kind",
        user: "User | None",
        *,
        ip: str | None = None,
        device: str = "",
        about: UUID | None = None,
        **detail: Any,
    ) -> "Event":
        """Returns one event, not stored yet. `about` is the id of the invitation that the event happened to.

        `detail` holds all else, such as `told`, the address that is mailed about the event; `before`, the former value;
        `by`, "staff" if they did it at the desk, with `staff`, their username, "command" if an operator did it by
        manage.py, "domain" if that of their address did; `replaces`, whether a new authenticator app replaced another;
        `google`, which Google account was connected or dropped; `factor_stays`, whether a new password left a second
        factor on; `heard_again`, whether it turned mails about the account on again; `known`, True if a wrong password
        came from a device that the account has been used on.
        """
        return self.model(kind=kind, user=user, ip=ip, device=device, about=about, detail=detail)

    def forget(self, user: "User") -> None:
        """Removes ip, device and detail from the events of a user who is being deleted: they tell who it was."""
        self.filter(user=user).update(ip=None, device="", detail={})

    def prunable(self) -> "EventQuerySet":
        """Returns the events to prune: those older than KEPT, and wrong passwords of nobody older than NOBODYS_KEPT."""
        now = timezone.now()
        nobodys = models.Q(user=None, kind=Event.Kind.FAILED, at__lt=now - NOBODYS_KEPT)
        return self.filter(models.Q(at__lt=now - KEPT) | nobodys)


def kinds() -> list[tuple[str, Any]]:
    """Returns the choices of `Event.kind`. The migration names this function, so that a new kind needs no migration."""
    return Event.Kind.choices


class Event(models.Model):
    """One line of a user's security history. It outlives the account, but then says no more whose it was."""

    class Kind(models.TextChoices):
        CREATED = "created", _("Account created")
        SIGNED_IN = "signed_in", _("Signed in")
        FAILED = "failed", _("Wrong password entered")
        GUESSED = "guessed", _("Many wrong passwords entered")
        PROLONGED = "prolonged", _("Stayed signed in for 12 more hours")
        SIGNED_OUT = "signed_out", _("Signed out everywhere")
        SESSION_ENDED = "session_ended", _("Session ended")
        PASSWORD_CHANGED = "password_changed", _("Password changed")
        USERNAME_CHANGED = "username_changed", _("Username changed")
        NAME_CHANGED = "name_changed", _("Name changed")
        PROFILE_CHANGED = "profile_changed", _("Details changed")
        TERMS_ACCEPTED = "terms_accepted", _("Terms accepted")
        EMAIL_CHANGED = "email_changed", _("Email address changed")
        EMAIL_RESTORED = "email_restored", _("Email address restored")
        NOTICES_OFF = "notices_off", _("Emails about new devices turned off")
        RIGHTS_CHANGED = "rights_changed", _("Rights changed")
        POWER_USED = "power_used", _("Change made at the desk")
        TURNED_OFF = "turned_off", _("Account turned off")
        TURNED_ON = "turned_on", _("Account turned on")
        RESET_MAILED = "reset_mailed", _("Password reset link sent by staff")
        INVITES_PAUSED = "invites_paused", _("Invitations paused")
        INVITES_ALLOWED = "invites_allowed", _("Invitations allowed again")
        DISOWNED = "disowned", _("Reported: this was not me")
        GOOGLE_CONNECTED = "google_connected", _("Google connected")
        GOOGLE_DISCONNECTED = "google_disconnected", _("Google disconnected")
        SECOND_FACTOR_ON = "second_factor_on", _("Two‑step verification turned on")
        SECOND_FACTOR_OFF = "second_factor_off", _("Two‑step verification turned off")
        RECOVERY_CODES = "recovery_codes", _("New recovery codes")
        RECOVERY_CODE_USED = "recovery_code_used", _("Recovery code used")
        CODE_FAILED = "code_failed", _("Wrong code entered")
        EXPORTED = "exported", _("Data downloaded")
        LEAVING = "leaving", _("Deletion chosen for later")
        CAME_BACK = "came_back", _("Account kept")
        DELETED = "deleted", _("Account deleted")
        INVITED = "invited", _("Invited somebody")
        RESENT = "resent", _("Sent an invitation again")
        EXTENDED = "extended", _("Extended an invitation")
        REVOKED = "revoked", _("Withdrew an invitation")
        REMINDED = "reminded", _("Reminder sent")
        STOPPED = "stopped", _("Stopped a mail")
        TAKEN_OVER = "taken_over", _("Took over an invitation")
        JOIN_DECLINED = "join_declined", _("Declined a request to join")
        ACCEPTED = "accepted", _("Accepted an invitation")
        DECLINED = "declined", _("Declined an invitation")
        APP_AGREED = "app_agreed", _("Let an app learn who this is")
        APP_SIGNED_IN = "app_signed_in", _("Signed in to an app")
        APP_ASKED = "app_asked", _("Asked for access to an app")
        APP_DECLINED = "app_declined", _("Access to an app declined")
        APP_DISCONNECTED = "app_disconnected", _("Disconnected an app")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("what"), max_length=20, choices=kinds)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="events",
        verbose_name=_("person"),
        db_index=False,  # event_by_user begins with this column
    )
    ip = models.GenericIPAddressField(_("IP address"), null=True)
    device = models.CharField(_("device"), max_length=100, blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now)
    # The id of the invitation that the event happened to; `user` is the one who acted on it.
    about = models.UUIDField(null=True, editable=False)
    detail = models.JSONField(_("details"), default=dict)
    disowned_at = models.DateTimeField(_("disowned"), null=True)

    objects = EventQuerySet.as_manager()

    names: Any = None  # what accounts.sentences.read_names() has read for it

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes: ClassVar[list[models.Index]] = [
            # The history of a person: on their page, at the desk, in their export; their next sign-in, in the funnel.
            models.Index(fields=["user", "-id"], name="event_by_user"),
            # The desk's filter by kind, and the doctor's look at the newest sign-ins.
            models.Index(fields=["kind", "-id"], name="event_by_kind"),
            # prunable().
            models.Index(fields=["at"], name="event_by_time"),
            # UserManager.with_guesses(), which asks at every sign-in.
            models.Index(
                fields=["user", "kind", "at"],
                name="event_by_guess",
                condition=models.Q(kind__in=["failed", "guessed"], user__isnull=False),
            ),
            # The desk's quick filters of the history (accounts/desk/history.py).
            models.Index(fields=["-id"], name="event_failed", condition=FAILED),
            models.Index(fields=["-id"], name="event_changed", condition=CHANGED),
            models.Index(fields=["-id"], name="event_by_staff", condition=BY_STAFF),
            # The history on the page of an invitation.
            models.Index(fields=["about", "-id"], name="event_about", condition=models.Q(about__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @classmethod
    def beginning(
        cls,
        user: "User",
        *,
        accepted: UUID | None = None,
        way: str = "",
        ip: str | None = None,
        device: str = "",
        **detail: Any,
    ) -> "list[Event]":
        """Returns the first events of a new account, not stored yet: "created", "accepted" and "signed in".

        `accepted` is the id of the invitation that the account accepts; without it there is no such event. `way` is how
        the owner signs in by the same press (the constants of accounts.session.sessions); "" if they do not, and then
        there is no "signed in". `detail` belongs to the event "created".
        """
        trace = {"user": user, "ip": ip, "device": device}
        events = [cls(kind=cls.Kind.CREATED, detail=detail, **trace)]
        if accepted:
            events.append(cls(kind=cls.Kind.ACCEPTED, user=user, about=accepted))
        if way:
            events.append(cls(kind=cls.Kind.SIGNED_IN, detail={"told": user.email, "way": way}, **trace))
        return events

    @property
    def device_name(self) -> str:
        """The device in words of the active language: "Firefox on Windows", or "" for an unknown one."""
        return visitor.device_in_words(self.device)

    @property
    def works_until(self) -> datetime:
        """The end of the time in which the owner can say "this was not me" of the event."""
        return self.at + NOT_ME_LIFETIME

    @property
    def told(self) -> str:
        """The address that mail about the event goes to; "" if the event names none."""
        return str(self.detail.get("told", ""))
