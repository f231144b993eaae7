"""Queries for users, and what can be done to many of them at once."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group, Permission
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import EmptyResultSet
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.lookups import LessThan
from django.utils import timezone

from accounts import names
from accounts.models import ended_sessions, held_name
from accounts.models.event import Event
from accounts.models.google import PROVIDER
from accounts.models.session import Session
from kit import addresses, word_search
from kit.ids import earliest
from kit.one_statement import OneStatement, Write
from kit.prepared import PreparedUpdate
from outbox.models import OutboxEvent

if TYPE_CHECKING:
    from accounts.models.user import User


class Superseded(Exception):
    """The session, or every session of the account, has ended meanwhile, so the request must not go on."""


# True for a user who has never signed in, or not again since the session with which the account began.
NEVER_BACK = models.Q(last_login=None) | models.Q(
    LessThan(models.F("last_login") - models.F("joined_at"), models.Value(timedelta(hours=12)))
)
WORDS = word_search.Words("name", "username", "email")


class UserQuerySet(models.QuerySet["User"]):
    def by_login(self, typed: str) -> "User | None":
        """Returns the user with this username or address, or None; `typed` is as people type and paste it."""
        column, login = login_column(typed)
        return self.filter(**{column: login}).first()

    def found_by(self, typed: str) -> "UserQuerySet":
        """Returns those of these users whom a search for a name or an address finds; see kit.word_search."""
        return word_search.find(self, WORDS, typed)[0]

    def by_google(self, uid: str) -> "User | None":
        """Returns the user who has connected the Google account with this id, or None."""
        return self.filter(socialaccount__provider=PROVIDER, socialaccount__uid=uid).first()

    def free_name(self, wish: str) -> str:
        """Returns a free username made from `wish`, a name or an address; "" if all its candidates are taken.

        Costs one query, however many are taken. Another request may still take the name first.
        """
        near = names.candidates(wish)
        return names.first_free(near, self.taken(near))

    def taken(self, usernames: Collection[str]) -> set[str]:
        """Returns those of these usernames that a user has, or that are held for a while after somebody has left.

        Costs one query.
        """
        named, held = held_name.among(usernames)
        used = self.filter(username__in=usernames).order_by().values_list("username", flat=True)
        found = used.union(held.values_list("digest", flat=True))
        return {named.get(one, one) for one in found}

    def is_taken(self, username: str) -> bool:
        """Returns whether nobody can choose this username now; see taken()."""
        return bool(self.taken([username]))

    def usable(self) -> "UserQuerySet":
        """Returns the accounts that are on, and whose owners are not about to leave."""
        return self.filter(is_active=True, leaves_at=None)

    def leaving(self) -> "UserQuerySet":
        """Returns the accounts whose owners have left, and may still come back."""
        return self.filter(leaves_at__isnull=False)

    def to_finish(self) -> "UserQuerySet":
        """Returns the accounts whose owners have left, and have not come back in time."""
        return self.filter(leaves_at__lte=timezone.now())

    def at_domain(self, domain: str) -> "UserQuerySet":
        """Returns those of these users whose address is of this domain, in ASCII; the index of words finds them."""
        named = models.Value(word_search.query(f"@{domain}"))
        return self.filter(word_search.Begin(WORDS, word_search.Query(named)), email__endswith=f"@{domain}")

    def staff_who_may(self, app: str, codename: str) -> "UserQuerySet":
        """Returns the active members of staff who have this permission: superusers, and those to whom it is given."""
        given = Q(content_type__app_label=app, codename=codename)
        own = Permission.objects.filter(given, user=OuterRef("pk"))
        by_group = Permission.objects.filter(given, group__user=OuterRef("pk"))
        may = Q(is_superuser=True) | Exists(own) | Exists(by_group)
        return self.filter(may, is_active=True, is_staff=True)

    def with_password(self) -> "UserQuerySet":
        return self.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)

    def without_password(self) -> "UserQuerySet":
        return self.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX)

    def with_groups(self) -> "UserQuerySet":
        """Adds `group_names` to each user, in no order: no time is spent on sorting."""
        return self.annotate(group_names=ArraySubquery(names_of_groups()))

    def announce_updates(self, *changed: str) -> None:
        """Announces to other services, in the caller's transaction, what these accounts are called and reached by now.

        `changed` are the names of the fields that have changed, and are stored. Takes one statement.
        """
        OutboxEvent.objects.announce_each(
            "user.updated",
            self,
            user="pk",
            username="username",
            name="name",
            email="email",
            is_active="is_active",
            groups=ArraySubquery(names_of_groups().order_by("name")),
            changed=models.Value(sorted(changed), models.JSONField()),
        )

    def with_google(self) -> "UserQuerySet":
        return self.filter(models.Exists(google_connections()))

    def without_google(self) -> "UserQuerySet":
        return self.filter(~models.Exists(google_connections()))

    def signed_in(self) -> "UserQuerySet":
        """Returns the users who have a live session."""
        return self.filter(pk__in=Session.objects.live().filter(user__isnull=False).order_by().values("user"))

    def one_step(self) -> "UserQuerySet":
        """Returns the users without two-step verification."""
        return self.filter(~models.Exists(authenticator_apps()))

    def never_back(self) -> "UserQuerySet":
        """Returns the users who joined more than a day ago, and have never signed in, or not again since they joined.

        Whoever made their account within a day has had no reason to come back.
        """
        return self.filter(NEVER_BACK, id__lt=earliest(timezone.now() - timedelta(days=1)))

    def read_ways_in(self, people: "Iterable[User]") -> None:
        """Reads, in four statements for all of `people`, how they can sign in and how many live sessions they have.

        Sets `sessions_now`, `has_google`, `has_app` and `is_verified` on each.
        """
        listed = list(people)
        theirs = {"user__in": [person.pk for person in listed]}
        live = Session.objects.live().filter(**theirs).order_by().values_list("user")
        sessions = dict(live.annotate(models.Count("pk")))
        google = set(SocialAccount.objects.filter(**theirs, provider=PROVIDER).values_list("user", flat=True))
        apps = set(Authenticator.objects.filter(**theirs, type=Authenticator.Type.TOTP).values_list("user", flat=True))
        verified = set(EmailAddress.objects.filter(**theirs, verified=True).values_list("user", flat=True))
        for person in listed:
            person.sessions_now = sessions.get(person.pk, 0)
            person.has_google, person.has_app = person.pk in google, person.pk in apps
            person.is_verified = person.pk in verified

    def sign_out(self, **detail: Any) -> int:
        """Ends all sessions of these users, and records it in the history of each. Returns how many sessions were live.

        `detail` goes into the events, such as by="staff".
        """
        live = Session.objects.live().filter(user=models.OuterRef("pk")).order_by().values("user")
        count = models.Subquery(live.annotate(number=models.Count("pk")).values("number"))
        with transaction.atomic():
            self._void_sessions()
            numbers = dict(self.order_by().values_list("pk", count))
            Event.objects.bulk_create(Event(kind=Event.Kind.SIGNED_OUT, user_id=key, detail=detail) for key in numbers)
        self._delete_sessions()
        return sum(number or 0 for number in numbers.values())

    def end_sessions(self) -> int:
        """Ends all sessions of these users, and announces it to other services. Returns how many users they are.

        Costs two statements, however many users they are. The first ends the sessions; the second only deletes their
        rows, after the commit: nobody should wait for that.
        """
        with transaction.atomic():
            ended = self._void_sessions()
        self._delete_sessions()
        return ended

    def _void_sessions(self) -> int:
        """Ends all sessions of these users by a new epoch, and announces it. Returns how many users they are."""
        counted_up = {"session_epoch": models.F("session_epoch") + 1}
        statement = OneStatement()
        try:
            update = PreparedUpdate(lambda: (self.order_by(), counted_up)).with_values()
            statement.add(Write(f"{update.sql} RETURNING id", update.values), "voided")
            OutboxEvent.objects.add_each_to(statement, "session.revoked", self, user="pk", all=models.Value(True))
            ended_sessions.add_to(statement, Write("SELECT id FROM voided"))
        except EmptyResultSet:  # Django knows without a query that there are no such users
            return 0
        (ended,) = statement.execute("(SELECT count(*) FROM voided)")
        return int(ended)

    def _delete_sessions(self) -> None:
        Session.objects.filter(user__in=self.order_by()).delete()


def names_of_groups() -> models.QuerySet[Any, Any]:
    """Returns a subquery: the names of the groups that the user in the outer query is in."""
    return Group.objects.filter(user=models.OuterRef("pk")).values("name")


def google_connections() -> models.QuerySet[Any]:
    """Returns a subquery: the connection to Google of the user in the outer query."""
    return SocialAccount.objects.filter(user=models.OuterRef("pk"), provider=PROVIDER)


def authenticator_apps() -> models.QuerySet[Any]:
    """Returns a subquery: the authenticator app of the user in the outer query, who has two-step verification by it."""
    return Authenticator.objects.filter(user=models.OuterRef("pk"), type=Authenticator.Type.TOTP)


def login_column(typed: str) -> tuple[str, str]:
    """Returns the column of a login, "email" or "username", and its value; `typed` is as people type and paste it.

    A text that holds an "@" is taken for an address: no username holds one.
    """
    login = addresses.key(typed)
    return "email" if "@" in login else "username", login
