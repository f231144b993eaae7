"""The fields that an event has on its way to the broker and on its way to a webhook."""

import json

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone


class Announcement(models.Model):
    """One event on its way. `message_id` is the same in every copy, so that a receiver knows an event it has had."""

    message_id: models.UUIDField
    name = models.CharField(max_length=40)
    payload = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.name} {self.message_id}"

    def as_json(self) -> bytes:
        """Returns the JSON object that receivers get: id, event, occurred_at, and the fields of the payload."""
        told = {"id": self.message_id, "event": self.name, "occurred_at": self.created_at, **self.payload}
        return json.dumps(told, cls=DjangoJSONEncoder).encode()
