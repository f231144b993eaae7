"""What a site asks people about themselves besides their account, as fields of forms and as values.

The settings PROFILE_FIELDS and PROFILE_FORM say what that is.

The field "name" is the name of the account, with a column of its own; all others are kept in User.settings.
"""

import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import display_names
from kit.form_fields import FormField
from kit.form_fields import read as form_fields_of
from kit.own_fields import MOST, OwnField

if TYPE_CHECKING:
    from accounts.models import User

NAME = "name"
PREFIX = "profile_"  # of a field's name in a form, where other fields may be called the same
NAME_HINT = gettext_lazy("Other people see it in place of your username")
KEY = "profile"  # of User.settings, and in JSON


def every() -> list[OwnField]:
    """Returns the fields of the site: those of PROFILE_FIELDS, and then those of PROFILE_FORM."""
    return [*settings.PROFILE_FIELDS, *of_form(settings.PROFILE_FORM)]


@cache
def of_form(path: str) -> list[FormField]:
    """Returns the fields of PROFILE_FORM. Raises ValueError as form_fields.read() does."""
    return form_fields_of(path, {NAME, *settings.PROFILE_RESERVED})


def check_form() -> None:
    """Ends the process with one line if PROFILE_FORM can't be read. To be called at start."""
    try:
        names = [field.name for field in every()]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"{twice!r} is in PROFILE_FIELDS, too.")  # noqa: TRY301 said as the others
        if len(names) > MOST:
            raise ValueError(f"with PROFILE_FIELDS it has {len(names)} fields. At most {MOST} are possible.")  # noqa: TRY301
    except ValueError as error:
        sys.exit(f"PROFILE_FORM can't be read: {error}")


def own() -> list[OwnField]:
    """Returns the fields of the site, without that for the name of the account."""
    return [field for field in every() if field.name != NAME]


def the_name() -> OwnField | None:
    """Returns the field for the name of the account, None where the site does not ask for it at sign-up."""
    return next((field for field in settings.PROFILE_FIELDS if field.name == NAME), None)


def by_form_name() -> dict[str, OwnField]:
    """Returns the fields of the site, without that for the name, by what forms and lists of people call them."""
    return {PREFIX + field.name: field for field in own()}


def of_site(stored: Mapping[str, Any]) -> dict[str, str]:
    """Returns what is stored for each field of the site, by name; "" for nothing. Other values are left out."""
    return {field.name: str(stored.get(field.name, "")) for field in own()}


def held(user: "User") -> dict[str, str]:
    """Returns what the account holds for each field of the site, by name; "" for nothing."""
    return of_site(user.settings.get(KEY, {}))


def fitting(stored: Mapping[str, Any]) -> dict[str, str]:
    """Returns those of these stored values that a field of the site takes today, by name.

    A box is left out: nobody but the person ticks it.
    """
    found = {}
    for field in (field for field in own() if field.kind != "box"):
        with suppress(ValidationError):
            found[field.name] = field.clean(str(stored.get(field.name, "")))
    return found


def missing(user: "User") -> list[OwnField]:
    """Returns the required fields, with that for the name, for which the account holds nothing. Costs no query."""
    values = held(user) | {NAME: user.name}
    return [field for field in every() if field.required and not values[field.name]]


class NameField(forms.CharField):
    """A field for the name that others read."""

    def __init__(self, *, required: bool = False, hint: Any = "", optional: bool = False) -> None:
        super().__init__(
            label=gettext_lazy("Your name (optional)") if optional else gettext_lazy("Name"),
            help_text=hint,
            required=required,
            widget=forms.TextInput(attrs={"autocomplete": "name", "dir": "auto", "spellcheck": "false"}),
            error_messages={"required": gettext_lazy("Enter your name")},
        )

    def clean(self, value: Any) -> str:
        """Returns the name with single spaces in it. Raises ValidationError if it breaks a rule of display_names."""
        return display_names.normalize(super().clean(value))


class ProfileField(forms.CharField):
    """A form's field for a field of the site; unless `strict`, it may be empty though it is required."""

    def __init__(self, field: OwnField, *, strict: bool = True) -> None:
        self.field = field
        label = (
            field.label if field.required or field.kind == "box" else _("%(label)s (optional)") % {"label": field.label}
        )
        super().__init__(label=label, required=field.required and strict, widget=field.widget())
        self.help_text = field.hint

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Returns whether something else would be stored: for a box, data is no text."""
        try:
            return self.field.clean(str(data or "")) != (initial or "")
        except ValidationError:
            return True

    def clean(self, value: Any) -> str:
        """Returns the value as it is stored. Raises ValidationError for none where one is needed, or a bad one."""
        found = self.field.clean(str(value or ""))
        if self.required and not found:
            said = _("Fill in “%(label)s”") % {"label": self.field.label}
            raise ValidationError(said, code="required")
        return found


def form_fields(asked: Iterable[OwnField] | None = None, *, strict: bool = True) -> dict[str, forms.Field]:
    """Returns the fields of a form for those that are `asked`, by default all of the site but that for the name.

    The form calls them with PREFIX. Unless `strict`, all may be empty.
    """
    fields = own() if asked is None else asked
    return {PREFIX + field.name: ProfileField(field, strict=strict) for field in fields if field.name != NAME}


def name_fields() -> dict[str, forms.Field]:
    """Returns the field of a form for the name, if the site asks for it at sign-up."""
    asked = the_name()
    if asked is None:
        return {}
    return {NAME: NameField(required=asked.required, optional=not asked.required, hint=NAME_HINT)}


def first_values(stored: Mapping[str, Any]) -> dict[str, str]:
    """Returns what is stored for the fields of the site, as first values of form_fields()."""
    return {PREFIX + name: value for name, value in of_site(stored).items()}


def values(cleaned: Mapping[str, Any]) -> dict[str, str]:
    """Returns the values of form_fields() among the cleaned data of a form, by the names that the site gives."""
    return {field.name: cleaned[name] for name, field in by_form_name().items() if name in cleaned}


def settings_of(values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Returns these values as User.settings holds them; {} for none."""
    given = {name: value for name, value in values.items() if value}
    return {KEY: given} if given else {}


def from_json(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what was sent to a JSON door as the data of a form: with the texts of the object "profile" as fields."""
    return {**sent, **{PREFIX + name: value for name, value in sent.get(KEY, {}).items() if value is not None}}


def json_names() -> dict[str, str]:
    """Returns what JSON doors call the form's fields in their errors: "profile.job"."""
    return {name: f"{KEY}.{field.name}" for name, field in by_form_name().items()}
