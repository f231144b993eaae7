"""The numbers that a batch stores about the people in its list."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from django.db import models

from invites.models.outcome import Outcome


@dataclass
class Counts:
    """How many people of a batch would be invited or left out, and what became of those already handled."""

    # From the last check of the list:
    new: int = 0  # will be invited
    joins: int = 0  # will be invited into a group, as they have an account
    doubted: int = 0  # would be invited too, but their addresses may be typos
    repeated: int = 0  # lines that name a person whom an earlier line names
    unreadable: int = 0  # lines, not people
    has_account: int = 0
    invited: int = 0  # by an earlier invitation
    declined: int = 0  # an earlier invitation
    suppressed: int = 0
    # From sending the list:
    done: int = 0
    skipped: dict[str, int] = field(default_factory=dict)  # by their Reason

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        return cls(**stored)

    def as_json(self) -> dict[str, Any]:
        """Returns the numbers that are not zero, by name, as from_json() reads them."""
        return {name: value for name, value in asdict(self).items() if value}

    def add(self, outcome: Outcome) -> None:
        """Adds the outcome of inviting some of the people to `done` and `skipped`."""
        self.done += len(outcome.done)
        for _address, reason in outcome.skipped:
            self.skipped[reason.value] = self.skipped.get(reason.value, 0) + 1


class CountsField(models.JSONField):
    """A model field that holds Counts, stored as JSON."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Counts:
        return Counts.from_json(super().from_db_value(value, expression, connection))

    def to_python(self, value: Any) -> Counts:
        return value if isinstance(value, Counts) else Counts.from_json(value)

    def value_to_string(self, obj: Any) -> Any:
        return self.value_from_object(obj).as_json()

    def get_prep_value(self, value: Counts) -> Any:
        return super().get_prep_value(value.as_json())

    def deconstruct(self) -> Any:
        """Returns the field as a plain JSONField for migrations, so that these do not import this class."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs | {"default": dict}
