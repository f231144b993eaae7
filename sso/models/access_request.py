"""Who asks to be let into an app. A yes is an invitation and a no a mail: the row has only when it was answered."""

from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from django.conf import settings
from django.db import connection, models
from django.db.models import OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sso.models.alive import there_is
from sso.models.app import App

if TYPE_CHECKING:
    from accounts.models import User

ANSWERED_KEPT = timedelta(days=7)  # after which the person may ask again
WAITING_KEPT = timedelta(days=90)

ANSWER = """
UPDATE sso_accessrequest SET answered_at = %s FROM unnest(%s::text[], %s::uuid[]) invited (app, person)
WHERE app_id = invited.app AND person_id = invited.person AND answered_at IS NULL
"""


class AccessRequestQuerySet(models.QuerySet["AccessRequest"]):
    def ask(self, app: App, person: "User", words: str) -> bool:
        """Stores that the person asks to be let in, in these words. Returns whether that is new.

        It is not while they wait, nor within ANSWERED_KEPT of an answer.
        """
        row, is_new = self.get_or_create(app=app, person=person, defaults={"words": words})
        if is_new:
            return True
        now = timezone.now()
        former = self.filter(pk=row.pk, answered_at__lte=now - ANSWERED_KEPT)
        return bool(former.update(asked_at=now, answered_at=None, words=words))

    def has_asked(self, app: App, person: "User") -> bool:
        """Returns whether the person has asked, and may not ask again yet. An answer makes no difference to it."""
        return self.filter(self._stands(), app=app, person=person).exists()

    def waiting(self) -> "AccessRequestQuerySet":
        """Returns the requests that nobody has answered, oldest first, of people whom a group would let in."""
        mine = App.groups.through.objects.filter(app=OuterRef("app"), group__user=OuterRef("person"))
        shut = Q(app__is_active=True, app__everybody=False, person__is_active=True, person__leaves_at=None)
        fit = Q(app__staff_only=False) | Q(person__is_staff=True) | Q(person__is_superuser=True)
        return self.filter(shut, fit, answered_at=None).exclude(there_is(mine)).order_by("asked_at", "pk")

    def answer(self) -> int:
        """Notes of those that nobody has answered yet that they are answered now, and returns their number."""
        return self.filter(answered_at=None).update(answered_at=timezone.now())

    @staticmethod
    def answer_by_invitations(invited: "Collection[tuple[str, UUID]]") -> None:
        """Notes that these requests are answered: each person of these pairs is invited to the app with this id.

        Takes one statement, none without pairs.
        """
        if invited:
            with connection.cursor() as cursor:
                cursor.execute(ANSWER, [timezone.now(), *(list(column) for column in zip(*invited, strict=True))])

    def prunable(self) -> "AccessRequestQuerySet":
        """Returns the requests to prune: answered ANSWERED_KEPT ago, or made WAITING_KEPT ago and never answered."""
        old = Q(answered_at=None, asked_at__lte=timezone.now() - WAITING_KEPT)
        return self.filter(old | ~self._stands())

    def _stands(self) -> Q:
        return Q(answered_at=None) | Q(answered_at__gt=timezone.now() - ANSWERED_KEPT)


class AccessRequest(models.Model):
    """Somebody with an account asks to be let into an app."""

    app = models.ForeignKey(App, models.CASCADE, related_name="access_requests")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="access_requests")
    words = models.CharField(_("their words"), max_length=200, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)

    objects: ClassVar[AccessRequestQuerySet] = AccessRequestQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["app", "person"], name="access_request_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["asked_at"], name="access_request_waiting", condition=Q(answered_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.person_id} for {self.app_id}"
