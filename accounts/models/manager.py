"""The ways to find one user among all, and to make an account."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.password_validation import validate_password
from django.db import connection, models, transaction
from django.db.models.expressions import RawSQL
from django.utils import timezone

from accounts import limits, names
from accounts.models import held_name, read_along
from accounts.models.event import Event
from accounts.models.queryset import UserQuerySet, authenticator_apps
from accounts.models.session import stored_key
from kit import addresses
from kit.one_statement import OneStatement, Write
from kit.prepared import Given, Prepared
from outbox.models import NewEvent, OutboxEvent, Suppression, new_event

if TYPE_CHECKING:
    from accounts.models.user import User

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


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def by_session_key(self, key: str, *, groups: bool = False) -> "User | None":
        """Returns the user of the session with this key, read from its row, or None. The session may have expired.

        Sets `session_data` and `session_ends` on the user, from the row, and with `groups` also `group_names`, or else
        what other rooms read along.
        """
        prepared = self._in_session_with_groups if groups else self._in_session
        return next(iter(prepared.read(key=stored_key(key))), None)

    @cached_property
    def _in_session(self) -> "Prepared[User]":
        return Prepared(lambda: self._of_session().annotate(**read_along.facts))

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
        rows = self.annotate(is_shut=IS_SHUT, is_guessed_at=IS_GUESSED_AT, has_app=models.Exists(authenticator_apps()))

        def by(column: str) -> "Prepared[User]":
            value = Given("value", self.model._meta.get_field(column))  # noqa: SLF001 the public way to a column
            return Prepared(lambda: rows.filter(**{column: value}))

        return {column: by(column) for column in ("email", "username", "id")}

    def lock_first_owner(self) -> bool:
        """Returns True if there is no superuser yet. To be called in a transaction.

        Each transaction that asks waits until the one before has ended, so that only one makes the first superuser.
        """
        self._lock_owners()
        return not self.filter(is_superuser=True).exists()

    def lock_last_owner(self, user: "User") -> bool:
        """Returns True if `user` is the only superuser whose account can be used. To be called in a transaction.

        Each transaction that asks of a superuser waits until the one before has ended, so that one of two stays.
        """
        if not user.is_superuser:
            return False
        self._lock_owners()
        return not self.usable().filter(is_superuser=True).exclude(pk=user.pk).exists()

    @staticmethod
    def _lock_owners() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('frontdoor.owner'))")

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
        created = new_event(
            "user.created",
            user=user.pk,
            username=user.username,
            name=user.name,
            email=user.email,
            groups=list(groups),
        )
        statement = OneStatement(conditions)
        statement.add(held_name.refusing(user.username, after=statement.met))
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
