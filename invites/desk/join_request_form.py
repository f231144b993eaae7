"""The form in which staff say what goes with their answers to requests to join."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from invites.desk.compose_form import group_choices
from kit import plain_line
from kit.form import Form


class AnswerForm(Form):
    """A form for the groups of those who are invited, and a line to those who are declined."""

    groups = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Groups they join"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "invalid_choice": gettext_lazy("A group you chose is gone, or isn’t yours to give. Look at them again")
        },
    )
    reason = forms.CharField(
        label=gettext_lazy("A line to those you decline (optional)"),
        required=False,
        help_text=gettext_lazy("Plain text, no links, up to 200 characters"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, by: User, *args: Any, **kwargs: Any) -> None:
        """Makes the form of a member of staff, whose rights say which groups it offers."""
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["groups"].choices = group_choices(by)

    def clean_reason(self) -> str:
        """Returns the line. Raises ValidationError if it is too long, has a link or is no plain text."""
        return plain_line.plain(self.cleaned_data["reason"], what=_("The line"))
