"""What people have agreed that an app learns about them."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from sso.models.app import App


class Consent(models.Model):
    """A person has agreed that an app learns what these scopes name. One row for each person and app."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="consents", db_index=False)
    app = models.ForeignKey(App, models.CASCADE, related_name="consents")
    scopes = models.JSONField(default=list)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "app"], name="one_consent"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} to {self.app_id}"

    def covers(self, scopes: set[str]) -> bool:
        """Returns whether the person has agreed to all of these scopes."""
        return scopes <= set(self.scopes)
