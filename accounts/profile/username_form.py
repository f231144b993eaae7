"""The form for another username."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.models import User
from kit import addresses
from kit.form import VERBATIM, Form


class UsernameForm(Form):
    """The form for another username of `user`; their present one is valid, too."""

    username = forms.CharField(
        label=_("New username"),
        required=False,  # names.normalize says what is missing
        help_text=_("Other people can see it"),
        widget=forms.TextInput(attrs=VERBATIM | {"autocomplete": "nickname"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_username(self) -> str:
        """Returns the normalized username.

        Raises ValidationError if it is missing, malformed, too short or long, or reserved, or if another user has it;
        then its message offers a free one.
        """
        if addresses.key(self.cleaned_data["username"]) == self.user.username:
            return self.user.username  # it may be older than a rule of today
        name = names.normalize(self.cleaned_data["username"])
        if User.objects.is_taken(name):
            raise names.taken_error(User.objects.free_name(name))
        return name
