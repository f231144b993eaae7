"""Which people there are, and making an account."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection, models, transaction
from django.utils import timezone

from accounts import names
from accounts.models.event import Event
from accounts.models.google import PROVIDER
from accounts.models.session import Session
from kit import addresses
from outbox.models import NewEvent, OutboxEvent, new_event

if TYPE_CHECKING:
    from accounts.models.user import User


class Superseded(Exception):
    """Every session of the account has ended since this request began."""


# Asked with every request of somebody signed in: Django would take longer to write it than PostgreSQL to answer.
IN_SESSION = """
    SELECT person.*, session.session_data, session.expire_date AS session_ends
    FROM accounts_user person JOIN accounts_session session ON session.user_id = person.id
    WHERE session.session_key = %s
"""


class UserQuerySet(models.QuerySet["User"]):
    def by_login(self, typed: str) -> "User | None":
        """Whoever signs in with this name or address; a name cannot hold an "@"."""
        login = typed.strip().lower()
        return self.filter(**{"email" if "@" in login else "username": login}).first()

    def by_google(self, uid: str) -> "User | None":
        """Whoever has connected the Google account of this id."""
        return self.filter(socialaccount__provider=PROVIDER, socialaccount__uid=uid).first()

    def free_name(self, wish: str) -> str:
        """A free username near a wish or an address; one query, however many are taken."""
        near = names.candidates(wish)
        return names.first_free(near, self.filter(username__in=near).values_list("username", flat=True))

    def with_password(self) -> "UserQuerySet":
        return self.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)

    def without_password(self) -> "UserQuerySet":
        return self.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX)

    def with_google(self) -> "UserQuerySet":
        return self.filter(models.Exists(google_connections()))

    def without_google(self) -> "UserQuerySet":
        return self.filter(~models.Exists(google_connections()))

    def read_ways_in(self, people: "Iterable[User]") -> None:
        """Reads how each of these gets in and how many sessions it has now, in four statements for all."""
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
        """The same as end_sessions, and says so in the history of each; gives how many sessions have ended."""
        sessions = Session.objects.live().filter(user__in=self.order_by()).count()
        keys = list(self.values_list("pk", flat=True))
        Event.objects.bulk_create([Event(kind=Event.Kind.SIGNED_OUT, user_id=key, detail=detail) for key in keys])
        self.end_sessions()
        return sessions

    def end_sessions(self) -> int:
        """Signs all of them out everywhere; gives how many they are. Three statements, however many.

        Not in one transaction: the first does it, and nobody should wait for the house-keeping.
        """
        with transaction.atomic():
            ended = self.update(session_epoch=models.F("session_epoch") + 1)
            if ended:
                OutboxEvent.objects.announce_each("session.revoked", self, user="pk", all=models.Value(True))
        Session.objects.filter(user__in=self.order_by()).delete()
        return ended


def google_connections() -> models.QuerySet[Any]:
    """Of one person, in a larger query."""
    return SocialAccount.objects.filter(user=models.OuterRef("pk"), provider=PROVIDER)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def by_session_key(self, key: str) -> "User | None":
        """Whose session has this key, as its row says, with `session_data` and `session_ends` of it; it may be over."""
        return next(iter(self.raw(IN_SESSION, [key])), None)

    def lock_first_owner(self) -> bool:
        """Whether there is no superuser yet. Transactions that ask wait for each other, so that only one becomes it."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('frontdoor.owner'))")
        return not self.filter(is_superuser=True).exists()

    def store_new(
        self,
        user: "User",
        *,
        way: str = "",
        accepted: UUID | None = None,
        events: Sequence[NewEvent] = (),
        **trace: Any,
    ) -> None:
        """Stores a new account, whichever door it is made by; `trace` is from where, or by whom.

        `way` is how its owner comes in by the same press, which is its first sign-in; "" where they sign in later.
        `accepted` is the invitation that it accepts, `events` what other services hear of that. There is no savepoint:
        after an IntegrityError the caller's own transaction can't go on.
        """
        with transaction.atomic(savepoint=False):
            user.last_login = timezone.now() if way else None
            user.save(force_insert=True)
            user.address.add_first()
            Event.objects.record_beginning(user, accepted=accepted, way=way, **trace)
            created = new_event("user.created", user=user.pk, username=user.username, email=user.email)
            OutboxEvent.objects.announce_many([created, *events])

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
        """Makes an account with one verified primary address.

        The caller has proof of the address, or answers for it. The password is given as typed, or `encoded` as a
        hasher made it; `beginning` is as store_new takes it. Raises ValidationError for a malformed name or
        address, IntegrityError for a taken one, after which the caller's own transaction can't go on.
        """
        user: User = self.model(username=names.normalize(username), email=addresses.normalize(email), **fields)
        if encoded:
            user.password = encoded
        else:
            user.set_password(password)
        self.store_new(user, **(beginning or {}))
        return user

    def create_superuser(self, username: str, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(username, email, password, is_staff=True, is_superuser=True, **fields)
