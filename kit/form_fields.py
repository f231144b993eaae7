"""Fields that a site adds to its forms by a form class of its own; each keeps a text, as those of a setting do."""

from collections.abc import Collection
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import widgets
from django.utils.choices import CallableChoiceIterator
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from kit.own_fields import NAME, OwnField

YES = "yes"  # stored for a box that is ticked; "" for another
# What browsers, programs and lists say of a box.
BOXES = dict.fromkeys("1 true yes on да".split(), YES) | dict.fromkeys(["", *"0 false no off нет".split()], "")
KINDS = {
    forms.ChoiceField: "choice",
    forms.BooleanField: "box",
    forms.DateField: "date",
    forms.URLField: "url",
    forms.IntegerField: "number",  # as are those for decimals
}
# One line of text, one choice of a list or one box; other fields hold more than a text.
ONE_TEXT = (
    *(widgets.TextInput, widgets.EmailInput, widgets.URLInput, widgets.NumberInput, widgets.TelInput),
    *(widgets.Select, widgets.CheckboxInput),
)
MORE = (widgets.SelectMultiple, widgets.NullBooleanSelect)


class Box(widgets.CheckboxInput):
    """A box whose value is text: what a program has sent, or "on"."""

    def value_from_datadict(self, data: Any, _files: Any, name: str) -> Any:
        return data.get(name, "")


@dataclass(frozen=True)
class FormField(OwnField):
    """A field of a form class: its checks, label, hint and widget count. Choices and boxes are stored as text, too."""

    field: Any = None  # a forms.Field

    @property
    def label(self) -> str:
        """What people read: the label that the form gives, or else that of any field with this name."""
        return str(self.field.label or super().label)

    @property
    def hint(self) -> str:
        return str(self.field.help_text)

    @property
    def choices(self) -> dict[str, str]:
        """The labels of the values among which people choose, by value; {} if it is no choice."""
        if self.kind != "choice":
            return {}
        groups = (
            label if isinstance(label, (list, tuple)) else [(value, label)] for value, label in self.field.choices
        )
        pairs = (pair for group in groups for pair in group)
        return {str(value): str(label) for value, label in pairs if value not in {"", None}}

    @property
    def described(self) -> dict[str, Any]:
        return super().described | ({"choices": list(self.choices)} if self.kind == "choice" else {})

    def clean(self, typed: str) -> str:
        """Returns a typed value as it is stored; a choice may be typed as its value or its label.

        Raises ValidationError as OwnField.clean() does, and what the field itself raises; for "" nothing.
        """
        said = self.line(typed)
        if self.kind == "box":
            return ticked(said)
        if not said:
            return ""
        choices = self.choices
        if said not in choices:
            named = {label.casefold(): value for value, label in choices.items()}
            said = named.get(said.casefold(), said)
        return self.line(str(self.field.prepare_value(self.field.clean(said))))

    def keeps(self, value: str) -> bool:
        """Returns whether a value is stored as it is."""
        try:
            return self.line(value) == value
        except ValidationError:
            return False

    def shown(self, value: str) -> str:
        """Returns a stored value as people read it: the label of a choice, yes for a box, a date in words."""
        if self.kind == "box":
            return _("Yes") if value else ""
        return self.choices.get(value) or super().shown(value)

    def widget(self) -> forms.Widget:
        """Returns the widget of the form. One that offers choices offers none as well, which is chosen first."""
        if self.kind == "box":
            return Box(attrs=self.field.widget.attrs)
        widget: Any = deepcopy(self.field.widget)
        widget.attrs.pop("maxlength", None)  # browsers would cut what is pasted, and say nothing
        if self.kind == "choice":
            widget.choices = [("", "–"), *(pair for pair in self.field.choices if pair[0] not in {"", None})]
        return widget


def ticked(said: str) -> str:
    """Returns what is stored of what was said of a box: YES or "". Raises ValidationError if it says neither."""
    if said.lower() not in BOXES:
        raise ValidationError(_("Write “yes” or “no”"), code="invalid")
    return BOXES[said.lower()]


def read(path: str, reserved: Collection[str]) -> list[FormField]:
    """Returns the fields of the form class at this dotted path; [] for "".

    Raises ValueError, with a sentence that names what is wrong: there is no such form, it has checks of its own, or a
    field with a name that is malformed or `reserved`, or one that is no line of text, choice or box, or a choice of
    something else than lines of text.
    """
    if not path:
        return []
    try:
        form = import_string(path)
    except ImportError as error:
        raise ValueError(f"there is no {path!r}: {error}.") from None
    except Exception as error:  # noqa: BLE001 the code of the operator may fail in any way
        said = " ".join(str(error).split())
        raise ValueError(f"{path!r} can't be loaded: {type(error).__name__}: {said}.") from None
    if not (isinstance(form, type) and issubclass(form, forms.Form)):
        raise ValueError(f"{path!r} is no class of django.forms.Form.")  # noqa: TRY004 said as the others
    checks = ["clean"] if form.clean is not forms.Form.clean else []
    checks += [name for name in dir(form) if name.removeprefix("clean_") in form.base_fields and "clean_" in name]
    if checks:
        raise ValueError(f"{path!r} has {checks[0]}(), which nobody would call. Give the field validators instead.")
    return [read_one(name, field, reserved) for name, field in form.base_fields.items()]


def read_one(name: str, field: forms.Field, reserved: Collection[str]) -> FormField:
    """Returns a field of the form class. Raises ValueError as read() does."""
    if not NAME.fullmatch(name) or name in reserved:
        raise ValueError(f"{name!r} has a meaning of its own, or is no name of a-z, 0-9 and _. Choose another name.")
    is_more = isinstance(field, forms.ModelChoiceField) or isinstance(field.widget, MORE)
    if is_more or not isinstance(field.widget, ONE_TEXT):
        raise ValueError(f"{name!r} is no line of text, choice or box, so it can't be kept.")
    kind = next((kind for of, kind in KINDS.items() if isinstance(field, of)), "text")
    made = FormField(name, field.required, kind, field)
    # Choices that a function returns are not asked for at start: they may come from the database.
    if isinstance(field, forms.ChoiceField) and not isinstance(field.choices, CallableChoiceIterator):
        strange = next((value for value in made.choices if not made.keeps(value)), None)
        if strange is not None:
            raise ValueError(f"{name!r} offers {strange!r}, which is no plain line of text, so it can't be kept.")
    return made
