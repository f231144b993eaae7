"""Who is signed in to which app, from which session: the row on which every code and token of an app hangs."""

import hashlib
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import User
from accounts.session.arrival import SHOWN_FACTORS
from kit.exact import ExactField
from kit.one_statement import OneStatement, Write
from sso.models import ending
from sso.models.alive import is_alive
from sso.models.app import App

CODE_LASTS = timedelta(seconds=60)
KEPT = timedelta(days=30)  # after its end
UNSPENT_KEPT = timedelta(days=1)


class LoginQuerySet(models.QuerySet["Login"]):
    def alive(self) -> "LoginQuerySet":
        """Returns the logins that are good now: codes and tokens that hang on any other are worth nothing.

        A login is alive while nobody has ended it, the person is active and has not ended all sessions since, the app
        is on and still lets them in, and the session that it came from goes on; without a session, an offline one lasts
        alive.OFFLINE_LASTS, unless its app may have none any more. All that is asked of PostgreSQL, so it holds with
        Redis away.
        """
        return self.filter(is_alive())

    def lock(self) -> "Login | None":
        """Returns the one login, locked, with its person and `is_alive`, for whoever is about to give tokens out.

        To be called in a transaction. Whoever waits for the lock reads what the one before has left in the row. The
        person is locked first, as whoever ends sessions or deletes the account does.
        """
        people = User.objects.select_for_update(no_key=True).filter(pk__in=self.values("person"))
        list(people.values_list("pk"))
        alive = models.Case(models.When(is_alive(), then=True), default=False, output_field=models.BooleanField())
        return self.select_for_update(of=("self",)).select_related("person").annotate(is_alive=alive).first()

    def by_token(self, kind: str, hashed: str) -> "LoginQuerySet":
        """Returns the login of the token of this kind and hash that is not over, alive or not; none without one.

        It comes with its person, and with the `token_type`, `token_scopes`, `token_made` and `token_ends` of the token.
        """
        valid = Q(bound__token__expires_at=None) | Q(bound__token__expires_at__gt=timezone.now())
        rows = self.filter(valid, bound__token__type=kind, bound__token__hash=hashed).select_related("person")
        return rows.annotate(
            token_type=F("bound__token__type"),
            token_scopes=F("bound__token__scopes"),
            token_made=F("bound__token__created_at"),
            token_ends=F("bound__token__expires_at"),
        )

    def prunable(self) -> "LoginQuerySet":
        """Returns the logins to prune: ended KEPT ago, or begun with a code that nobody has spent within a day."""
        now = timezone.now()
        return self.filter(Q(ended_at__lte=now - KEPT) | Q(used_at=None, made_at__lte=now - UNSPENT_KEPT))

    def open(self) -> "LoginQuerySet":
        """Returns the logins that nobody has ended; whether they are alive is another question."""
        return self.filter(ended_at=None)

    def dead(self) -> "LoginQuerySet":
        """Returns the logins that are not alive, though nobody has ended them.

        PostgreSQL asks it of each open one by itself: a list of all that are alive would outgrow its memory.
        """
        return self.open().exclude(is_alive())

    def end(self, *, skip_locked: bool = False) -> int:
        """Ends those of these logins that are open, in one statement (`ending`), and returns their number.

        With `skip_locked`, logins that others have locked just now are passed over.
        """
        # Locked in one order, as in `ending`.
        rows = self.open().select_for_update(skip_locked=skip_locked, of=("self",)).order_by("pk").values("pk")
        with transaction.atomic():
            statement = OneStatement()
            try:
                ended = ending.end(statement, Write(*rows.query.sql_with_params()))
            except EmptyResultSet:  # Django knows without a query that there are no such logins
                return 0
            (number,) = statement.execute(f"(SELECT count(*) FROM {ended})")  # noqa: S608 the name of a part
        return int(number)


class Login(models.Model):
    """One person in one app, from one session. It begins with a code, and ends with the session or before."""

    app = models.ForeignKey(App, models.CASCADE, related_name="logins")
    # Whoever deletes their account is forgotten here. What the app must still be told stands in a LogoutCall.
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="app_logins", db_index=False)
    sid = models.CharField(max_length=64)  # a hash of handle and app: apps can't compare people's sessions
    handle = models.CharField(max_length=32)  # of the session
    epoch = models.IntegerField()  # of the person, when the login began
    way = models.CharField(max_length=20, blank=True)  # how they signed in (accounts.session.sessions)
    factor = models.CharField(max_length=20, blank=True)  # the second factor that they showed, "" for none
    auth_time = models.DateTimeField()
    scopes = models.JSONField(default=list)
    offline = models.BooleanField(default=False)
    made_at = models.DateTimeField(default=timezone.now)
    # The code: its hash, what the engine needs of it, and when it was spent.
    code_hash = ExactField(max_length=64, null=True, unique=True)
    code = models.JSONField(default=dict)
    used_at = models.DateTimeField(null=True)
    refreshed_at = models.DateTimeField(null=True)
    # Refresh tokens: the hash of what all of this login have in common, by which a spent one is known for ever, and of
    # the last one that was spent, which works a little longer (sso.tokens.refresh).
    family = ExactField(max_length=64, null=True, unique=True)
    former_refresh = ExactField(max_length=64, blank=True, default="")
    twins = models.BooleanField(default=False)  # the former one was used again meanwhile: more than one works
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[LoginQuerySet] = LoginQuerySet.as_manager()  # type: ignore[assignment]

    # Set by LoginQuerySet.lock() alone.
    is_alive: bool
    # Set by LoginQuerySet.by_token() alone.
    token_type: str
    token_scopes: str
    token_made: datetime
    token_ends: datetime | None

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["person", "handle"], name="login_by_session"),
            models.Index(fields=["made_at"], name="login_open", condition=Q(ended_at=None)),
            models.Index(fields=["ended_at"], name="login_ended", condition=Q(ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.sub} in {self.app_id}"

    @property
    def sub(self) -> str:
        """The person, as all apps know them."""
        return str(self.person_id)

    @staticmethod
    def sid_of(handle: str, client_id: str) -> str:
        """Returns the name of a session for one app: no two apps get the same (OpenID Connect Back-Channel §2.1)."""
        return hashlib.sha256(f"{handle}:{client_id}".encode()).hexdigest()

    @property
    def acr(self) -> str:
        """How sure we are, as a URI of ours: the last word says by how many factors (docs/apps.md)."""
        return f"{settings.SITE_URL}/acr/{'two-factors' if self.has_code else 'one-factor'}"

    @property
    def has_code(self) -> bool:
        """True if a second factor was shown in the session."""
        return self.factor in SHOWN_FACTORS

    @property
    def amr(self) -> list[str]:
        """How the person has signed in, in the words of RFC 8176; [] for a mailed link or Google alone."""
        return (["pwd"] if self.way == "password" else []) + (["otp", "mfa"] if self.has_code else [])
