"""The form for what others read of a user, and what the site asks about them."""

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts import profile_fields, terms
from accounts.profile_fields import NAME, NAME_HINT, NameField
from kit.form import Form

HINT = _("Other people see it in place of your username. Leave it empty to have none")


class ProfileForm(Form):
    """The form for the name that others read, and the fields that the site adds.

    `only` names those that are asked; the terms are not asked without.
    """

    def __init__(self, *args: Any, only: Collection[str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        asked = profile_fields.the_name()
        required = bool(asked and asked.required)
        name = NameField(required=required, hint=NAME_HINT if required else HINT)
        fields = {NAME: name, **profile_fields.form_fields()}
        fields |= terms.form_fields() if only else {}
        self.fields |= {name: field for name, field in fields.items() if only is None or name in only}
