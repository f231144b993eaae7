"""The form for what a user must still answer."""

from typing import Any

from django.forms import BoundField

from accounts import profile_fields, terms
from accounts.models import User
from accounts.profile_fields import NAME, NameField
from kit.form import Form, NextField


class GateForm(Form):
    """The form for what `user` must still answer: the terms, and the required fields that are empty.

    `next` is where to go then.
    """

    next = NextField()

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        missing = profile_fields.missing(user)
        if terms.are_asked(user):
            self.fields |= terms.form_fields(terms.TICK_OR_LEAVE)
        if any(field.name == NAME for field in missing):
            self.fields[NAME] = NameField(required=True, hint=profile_fields.NAME_HINT)
        self.fields |= profile_fields.form_fields(missing)

    @property
    def about(self) -> list[BoundField]:
        """The fields about the user: all but the box for the terms."""
        return [field for field in self.visible_fields() if field.name != terms.KEY]
