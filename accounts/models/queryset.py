"""Queries for users, and the ways to make an account."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import EmptyResultSet
from django.db import connection, models, transaction
from django.db.models.expressions import RawSQL
from django.db.models.lookups import LessThan
from django.utils import timezone

from accounts import limits, names
from accounts.models.event import Event
from accounts.models.google import PROVIDER
from accounts.models.session import Session, stored_key
from kit import addresses, word_search
from kit.one_statement import OneStatement, Write
from kit.prepared import Given, Prepared, PreparedUpdate
from outbox.models import NewEvent, OutboxEvent, Suppression, new_event

if TYPE_CHECKING:
    from accounts.models.user import User


class Superseded(Exception):
    """The session, or every session of the account, has ended meanwhile, so the request must not go on."""


# What wrong passwords have come to. The index event_by_guess has these rows, so that a long history takes no longer.
SINCE = Given("since", models.DateTimeField())
IS_SHUT = RawSQL(
    """EXISTS (
    SELECT FROM accounts_event WHERE user_id = accounts_user.id AND kind = 'failed' AND NOT detail ? 'known'
    AND at > GREATEST(accounts_user.joined_at, accounts_user.last_login, accounts_user.password_changed_at)
    OFFSET %s LIMIT 1
)""",
    (limits.LOGIN_IN_A_ROW - 1,),
    models.BooleanField(),
)
IS_GUESSED_AT = RawSQL(
    """EXISTS (
    SELECT FROM accounts_event WHERE user_id = accounts_user.id AND kind = 'failed' AND at > %s OFFSET %s LIMIT 1
) AND NOT EXISTS (
    SELECT FROM accounts_event WHERE user_id = accounts_user.id AND kind = 'guessed' AND at > %s
)""",
    (SINCE, limits.LOGIN_TOLD_AFTER - 2, SINCE),
    models.BooleanField(),
)


# True for a user who has never signed in, or not again since the session with which the account began.
NEVER_BACK = models.Q(last_login=None) | models.Q(
    LessThan(models.F("last_login") - models.F("joined_at"), models.Value(timedelta(hours=12)))
)
WORDS = word_search.Words("username", "email")


class UserQuerySet(models.QuerySet["User"]):
    def by_login(self, typed: str) -> "User | None":
        """Returns the user with this username or address, or None; `typed` is as people type and paste it."""
        column, login = login_column(typed)
        return self.filter(**{column: login}).first()

    def found_by(self, typed: str) -> "UserQuerySet":
        """Returns those of these users whom a search for a username or an address finds; see kit.word_search."""
        return word_search.find(self, WORDS, typed)

    def by_google(self, uid: str) -> "User | None":
        """Returns the user who has connected the Google account with this id, or None."""
        return self.filter(socialaccount__provider=PROVIDER, socialaccount__uid=uid).first()

    def free_name(self, wish: str) -> str:
        """Returns a free username made from `wish`, a name or an address; "" if all its candidates are taken.

        Costs one query, however many are taken. Another request may still take the name first.
        """
        near = names.candidates(wish)
        return names.first_free(near, self.filter(username__in=near).values_list("username", flat=True))

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
        apps = Authenticator.objects.filter(user=models.OuterRef("pk"), type=Authenticator.Type.TOTP)
        return self.filter(~models.Exists(apps))

    def never_back(self) -> "UserQuerySet":
        """Returns the users who have never signed in, or not again since the day on which they joined."""
        return self.filter(NEVER_BACK)

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
            statement.add(Write(f"{update.sql} RETURNING 1", update.values), "voided")
            OutboxEvent.objects.add_each_to(statement, "session.revoked", self, user="pk", all=models.Value(True))
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


def login_column(typed: str) -> tuple[str, str]:
    """Returns the column of a login, "email" or "username", and its value; `typed` is as people type and paste it.

    A text that holds an "@" is taken for an address: no username holds one.
    """
    login = addresses.key(typed)
    return "email" if "@" in login else "username", login


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def by_session_key(self, key: str, *, groups: bool = False) -> "User | None":
        """Returns the user of the session with this key, read from its row, or None. The session may have expired.

        Sets `session_data` and `session_ends` on the user, from the row, and with `groups` also `group_names`.
        """
        prepared = self._in_session_with_groups if groups else self._in_session
        return next(iter(prepared.read(key=stored_key(key))), None)

    @cached_property
    def _in_session(self) -> "Prepared[User]":
        return Prepared(self._of_session)

    @cached_property
    def _in_session_with_groups(self) -> "Prepared[User]":
        return Prepared(lambda: self._of_session().with_groups())

    def _of_session(self) -> UserQuerySet:
        rows = self.filter(sessions__session_key=Given("key", models.CharField()))
        of_session = {"session_data": "sessions__session_data", "session_ends": "sessions__expire_date"}
        found: UserQuerySet = rows.annotate(**{name: models.F(path) for name, path in of_session.items()})
        return found

    def with_guesses(self, **by: Any) -> "User | None":
        """Returns the user with this `email`, `username` or `id`, and what wrong passwords have come to, or None.

        `is_shut`: devices that the account has not been used on have entered LOGIN_IN_A_ROW since the owner last signed
        in or chose a password. `is_guessed_at`: the next one makes LOGIN_TOLD_AFTER within a day, which the owner has
        not been told in that day. Neither looks at more rows than that. `has_app`: two-step verification is on.
        """
        ((column, value),) = by.items()
        since = timezone.now() - timedelta(days=1)
        return next(iter(self._with_guesses[column].read(value=value, since=since)), None)

    @cached_property
    def _with_guesses(self) -> "dict[str, Prepared[User]]":
        """The queries of with_guesses(), by the name of the column that finds the user."""
        app = Authenticator.objects.filter(user=models.OuterRef("pk"), type=Authenticator.Type.TOTP)
        rows = self.annotate(is_shut=IS_SHUT, is_guessed_at=IS_GUESSED_AT, has_app=models.Exists(app))

        def by(column: str) -> "Prepared[User]":
            value = Given("value", self.model._meta.get_field(column))  # noqa: SLF001 the public way to a column
            return Prepared(lambda: rows.filter(**{column: value}))

        return {column: by(column) for column in ("email", "username", "id")}

    def lock_first_owner(self) -> bool:
        """Returns True if there is no superuser yet. To be called in a transaction.

        Each transaction that asks waits until the one before has ended, so that only one makes the first superuser.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('frontdoor.owner'))")
        return not self.filter(is_superuser=True).exists()

    def store_new(
        self,
        user: "User",
        *,
        conditions: Sequence[Write] = (),
        way: str = "",
        accepted: UUID | None = None,
        groups: Sequence[str] = (),
        events: Sequence[NewEvent] = (),
        **trace: Any,
    ) -> None:
        """Stores a new account with its verified address and first events, and announces it to other services.

        All in one statement, which first runs `conditions`. `way` is how the owner signs in by the same press, "" if
        they do not. `accepted` is the id of the invitation that the account accepts, `groups` are the names of the
        groups that it is put into by that, right after this, and `events` the announcements about it. `trace` is ip and
        device, or by="staff". Raises Unmet if a condition is not met, and IntegrityError for a taken name or address;
        the caller's own transaction can't go on then (no savepoint).
        """
        user.last_login = timezone.now() if way else None
        username, email = user.username, user.email
        created = new_event("user.created", user=user.pk, username=username, email=email, groups=list(groups))
        statement = OneStatement(conditions)
        statement.insert(user, user.address.first(), *Event.beginning(user, accepted=accepted, way=way, **trace))
        statement.add(Suppression.objects.opt_out_undone(user.email))  # the owner must hear of the account
        OutboxEvent.objects.add_to(statement, [created, *events])
        with transaction.atomic(savepoint=False):
            statement.execute()

    def create_user(
        self,
        username: str,
        email: str,
        password: str | None = None,
        *,
        encoded: str = "",
        beginning: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> "User":
        """Stores an account with one verified address, which the caller has proof of or answers for, and returns it.

        `password` is as typed, None for an account without one; `encoded` is a hash of it, made before. `beginning`
        holds arguments of store_new(), `fields` other columns. Raises ValidationError for a malformed name or address,
        and IntegrityError for a taken one; the caller's own transaction can't go on then.
        """
        user: User = self.model(username=names.normalize(username), email=addresses.normalize(email), **fields)
        if encoded:
            user.password = encoded
        else:
            user.set_password(password)
        self.store_new(user, **(beginning or {}))
        return user

    def create_superuser(self, username: str, email: str, password: str | None = None, **fields: Any) -> "User":
        """Stores a superuser, who is staff too, and returns it; the arguments are those of create_user().

        Raises ValidationError for a malformed name or address, or a password against the site's rules: manage.py
        createsuperuser offers to pass them by, and does not look at one from the environment. Raises IntegrityError for
        a taken name or address.
        """
        if password is not None:
            validate_password(password, self.model(username=username, email=email))
        return self.create_user(username, email, password, is_staff=True, is_superuser=True, **fields)
