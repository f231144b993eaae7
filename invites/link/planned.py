"""Makes the account that was planned on the sign-up form, for the page and the JSON door alike.

The form does not say whether a name is taken, or anybody could ask that of any name. Whoever opens the mail is told.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts import names, profile_fields
from accounts.models import User
from accounts.terms import Acceptance
from invites import purposes
from invites.link import opened
from invites.models import MagicLink, Unavailable
from kit.form import VERBATIM, Form


@dataclass(frozen=True)
class Details:
    """What a person has said besides username and password: name (None: not asked), profile, terms agreed to."""

    name: str | None = None
    profile: dict[str, str] = field(default_factory=dict)
    terms: list[Acceptance] = field(default_factory=list)

    def columns(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the columns of a new account that hold it; `chosen` are the settings that it begins with."""
        settings = {**chosen, **profile_fields.settings_of(self.profile)}
        name = {} if self.name is None else {"name": self.name}
        return {"settings": settings, "terms": self.terms, **name}

    def pack(self) -> str:
        """Returns it as MagicLink.details stores it; "" if nothing was asked."""
        return json.dumps(asdict(self)) if self != Details() else ""

    @classmethod
    def unpack(cls, packed: str) -> "Details":
        """Returns what pack() has packed."""
        return cls(**json.loads(packed)) if packed else cls()


class HasAccount(Exception):
    """The link's address has an account by now, which was made without this link."""


class UsernameForm(Form):
    """A form for the username of a new account."""

    username = forms.CharField(
        label=gettext_lazy("Create a username"),
        required=False,  # names.normalize refuses an empty one, in our words
        help_text=gettext_lazy("Other people can see it. You can change it later"),
        widget=forms.TextInput(attrs=VERBATIM | {"autocomplete": "nickname"}),
    )

    def clean_username(self) -> str:
        """Returns the normalized username. Raises ValidationError for a missing, malformed, reserved or taken one."""
        name = names.normalize(self.cleaned_data["username"])
        if User.objects.is_taken(name):
            raise names.taken_error(User.objects.free_name(name))
        return name


class NameRefused(Exception):
    """The username can't be had. `form` asks for another one: with its errors if the name was typed there."""

    def __init__(self, form: UsernameForm) -> None:
        super().__init__()
        self.form = form


def check_name(link: MagicLink) -> None:
    """Raises NameRefused if the planned username can't be had at the moment."""
    if not UsernameForm({"username": link.username}).is_valid():
        raise refuse(link.username)


def refuse(name: str) -> NameRefused:
    """Returns the NameRefused whose form offers a free username that is near to `name`."""
    return NameRefused(UsernameForm(initial={"username": User.objects.free_name(name)}))


def make(request: HttpRequest, link: MagicLink, sent: Mapping[str, Any]) -> User:
    """Uses the link to make the account that was planned in this browser. Returns the user, and signs nobody in.

    The username is that in `sent`, or else the planned one; the password is as planned. Raises NameRefused if the name
    can't be had, HasAccount when the address has an account by now, NotInvited where an invitation is needed,
    Unavailable when another press was faster, and DatabaseError if the database fails.
    """
    name = read_name(link, sent) if "username" in sent else link.username
    try:
        started = opened.sign_up_args(request, purposes.CONFIRM)
        typed = Details.unpack(link.details).columns(started.pop("settings"))
        return link.sign_up(name, encoded=link.password, **typed, **started)
    except (IntegrityError, ValidationError):
        if User.objects.filter(email=link.email).exists():
            raise HasAccount from None
        raise refuse(name) from None


def read_name(link: MagicLink, sent: Mapping[str, Any]) -> str:
    """Returns the username in `sent`, normalized. Raises NameRefused if it can't be had, and Unavailable as make()."""
    form = UsernameForm({"username": sent["username"]})
    if form.is_valid():
        return str(form.cleaned_data["username"])
    if not MagicLink.objects.pending().filter(pk=link.pk).exists():
        raise Unavailable  # the first press of this very double click may have taken the name
    raise NameRefused(form)
