"""People, as far as Frontdoor has told of them, and their notes."""

from datetime import datetime
from uuid import UUID, uuid4

from django.db import models
from django.utils import timezone

import frontdoor_client

EDITORS = "Editors"  # the group whose members may change everybody's notes


class PersonQuerySet(models.QuerySet["Person"]):
    def remember(self, pk: UUID, name: str) -> "Person":
        """Returns the person who is signed in, and has this name now."""
        now = timezone.now()
        person, _is_new = self.get_or_create(pk=pk, defaults={"name": name, "named_at": now})
        if person.name != name:
            self.rename(pk, name, now)
        return person

    def rename(self, pk: UUID, name: str, when: datetime) -> None:
        """Stores the name that a person had at that time, if we know them and know of no later name.

        Events come in any order: one about somebody who has left, too, may be late.
        """
        self.filter(pk=pk, has_left=False, named_at__lt=when).update(name=name, named_at=when)

    def forget(self, pk: UUID, when: datetime) -> None:
        """Deletes the notes of a person, and their name. The id stays: events about it may still be on their way."""
        self.update_or_create(pk=pk, defaults={"name": "", "named_at": when, "has_left": True})
        Note.objects.filter(writer=pk).delete()


class Person(models.Model):
    """Somebody by the id of their account, which never changes and is never used twice."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200)
    named_at = models.DateTimeField()
    has_left = models.BooleanField(default=False)

    objects = PersonQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Note(models.Model):
    """A few lines that one person has written and all can read."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    writer = models.ForeignKey(Person, models.CASCADE)
    text = models.TextField(max_length=2000)
    written_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-written_at",)

    def __str__(self) -> str:
        return self.text[:50]

    def may_be_changed_by(self, person: frontdoor_client.Person) -> bool:
        """Returns whether the person may change and delete this note: its writer, and the Editors."""
        return person.id == self.writer_id or EDITORS in person.groups
