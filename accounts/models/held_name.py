"""Usernames of people who have left: for a while nobody else can have one, and be taken for them."""

from collections.abc import Collection, Iterable
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from kit.exact import ExactField
from kit.one_statement import Write

HELD = timedelta(days=30)

# Fails as a second account of the name would: it stores one key twice. In the snapshot of one statement an account that
# is just being deleted is still there, or its name is held already; so the name can't be taken in between.
REFUSE_TAKEN = """
INSERT INTO accounts_heldname (digest, until) SELECT %s, now() FROM generate_series(1, 2)
WHERE (
    EXISTS (SELECT FROM accounts_user WHERE username = %s)
    OR EXISTS (SELECT FROM accounts_heldname WHERE digest = ANY(%s) AND until > now())
)
"""


def digests(username: str) -> list[str]:
    """Returns under which keys the name may be held: by SECRET_KEY, and by those of before."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    salt = "frontdoor.accounts.held-name"
    return [salted_hmac(salt, username, secret=key, algorithm="sha256").hexdigest() for key in keys]


class HeldNameQuerySet(models.QuerySet["HeldName"]):
    def hold(self, username: str) -> None:
        """Keeps everybody from this name for HELD from now on."""
        held = self.model(digest=digests(username)[0], until=timezone.now() + HELD)
        self.bulk_create([held], update_conflicts=True, unique_fields=["digest"], update_fields=["until"])

    def among(self, keys: Iterable[str]) -> "HeldNameQuerySet":
        """Returns the names among those with these digests that are held now."""
        return self.filter(digest__in=list(keys), until__gt=timezone.now())

    def prunable(self) -> "HeldNameQuerySet":
        """Returns the names to let go."""
        return self.filter(until__lte=timezone.now())


class HeldName(models.Model):
    """A username of somebody who has left, as a keyed hash: nothing here says who that was."""

    digest = ExactField(primary_key=True, max_length=64)
    until = models.DateTimeField(db_index=True)

    objects = HeldNameQuerySet.as_manager()

    def __str__(self) -> str:
        return self.digest


def refusing(username: str, after: str = "") -> Write:
    """Returns the write that raises IntegrityError if an account has this username, or if it is held.

    With `after`, the name of a part of the statement that it belongs to, it does so only if that part has a row.
    """
    also = f"AND EXISTS (TABLE {after})" if after else ""
    return Write(REFUSE_TAKEN + also, [digests(username)[0], username, digests(username)])


def among(usernames: Collection[str]) -> tuple[dict[str, str], HeldNameQuerySet]:
    """Returns these names by all their digests, and a query for the names among them that are held."""
    named = {key: name for name in usernames for key in digests(name)}
    return named, HeldName.objects.among(named)
