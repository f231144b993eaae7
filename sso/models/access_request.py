"""Who asks to be let into an app. The answer that is yes is an invitation; the row has only the one that is no."""

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sso.models.alive import there_is
from sso.models.app import App

if TYPE_CHECKING:
    from accounts.models import User

DECLINED_KEPT = timedelta(days=7)  # after which the person may ask again
WAITING_KEPT = timedelta(days=90)


class AccessRequestQuerySet(models.QuerySet["AccessRequest"]):
    def ask(self, app: App, person: "User", words: str) -> bool:
        """Stores that the person asks to be let in, in these words. Returns whether that is new.

        It is not while they wait, nor within DECLINED_KEPT of a no.
        """
        row, is_new = self.get_or_create(app=app, person=person, defaults={"words": words})
        if is_new:
            return True
        now = timezone.now()
        former = self.filter(pk=row.pk, declined_at__lte=now - DECLINED_KEPT)
        return bool(former.update(asked_at=now, declined_at=None, words=words))

    def has_asked(self, app: App, person: "User") -> bool:
        """Returns whether the person has asked, and may not ask again yet. Whoever was declined sees no difference."""
        return self.filter(self._stands(), app=app, person=person).exists()

    def waiting(self) -> "AccessRequestQuerySet":
        """Returns the requests that nobody has answered, oldest first, of people whom the app does not let in yet."""
        mine = App.groups.through.objects.filter(app=OuterRef("app"), group__user=OuterRef("person"))
        shut = Q(app__is_active=True, app__everybody=False, person__is_active=True)
        return self.filter(shut, declined_at=None).exclude(there_is(mine)).order_by("asked_at", "pk")

    def decline(self) -> int:
        """Answers with a no those that nobody has answered yet, and returns their number."""
        return self.filter(declined_at=None).update(declined_at=timezone.now())

    def prunable(self) -> "AccessRequestQuerySet":
        """Returns the requests to prune: declined DECLINED_KEPT ago, or made WAITING_KEPT ago and never answered."""
        old = Q(declined_at=None, asked_at__lte=timezone.now() - WAITING_KEPT)
        return self.filter(old | ~self._stands())

    def _stands(self) -> Q:
        return Q(declined_at=None) | Q(declined_at__gt=timezone.now() - DECLINED_KEPT)


class AccessRequest(models.Model):
    """Somebody with an account asks to be let into an app."""

    app = models.ForeignKey(App, models.CASCADE, related_name="access_requests")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="access_requests")
    words = models.CharField(_("their words"), max_length=200, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    declined_at = models.DateTimeField(null=True)

    objects: ClassVar[AccessRequestQuerySet] = AccessRequestQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["app", "person"], name="access_request_once")
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["asked_at"], name="access_request_waiting", condition=Q(declined_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.person_id} for {self.app_id}"
