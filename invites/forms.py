"""The address form on the start page, and the sign-up form."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import addresses, names
from accounts.forms import VERBATIM, Form, NextField
from accounts.models import User


class EmailForm(Form):
    email = forms.CharField(
        label=gettext_lazy("Email address"),
        required=False,  # addresses.normalize says what is missing
        help_text=gettext_lazy("We only use it for your account. No newsletters"),
        widget=forms.EmailInput(attrs=VERBATIM | {"autocomplete": "email", "enterkeyhint": "send"}),
    )
    # People never see this field, and no browser knows what it might be; whoever fills it in is a program.
    leave_empty = forms.CharField(
        label=gettext_lazy("Leave this field empty"),
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )
    # The address whose typo was pointed out; typed again, it goes through.
    sure = forms.CharField(required=False, widget=forms.HiddenInput)
    next = NextField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.is_bound:  # else what there is to say about it has the focus
            self.fields["email"].widget.attrs["autofocus"] = True

    def clean_email(self) -> str:
        return addresses.normalize(self.cleaned_data["email"])

    def doubt(self) -> str:
        """The address that was probably meant, once; then "" for the same typed address."""
        email = self.cleaned_data["email"]
        return "" if self.cleaned_data["sure"] == email else addresses.suggestion(email)


class SignupForm(Form):
    username = forms.CharField(
        label=gettext_lazy("Create a username"),
        required=False,  # names.normalize says what is missing
        help_text=gettext_lazy("Other people can see it. You can change it later"),
        widget=forms.TextInput(attrs=VERBATIM | {"autocomplete": "nickname"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Create a password"),
        strip=False,
        error_messages={"required": gettext_lazy("Enter a password")},
        widget=forms.PasswordInput(attrs=VERBATIM | {"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, show_password: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        hint = _("%(min)s characters or more, like four random words")
        password = self.fields["password"]
        password.help_text = hint % {"min": settings.PASSWORD_MIN_LENGTH}
        password.widget.attrs["passwordrules"] = f"minlength: {settings.PASSWORD_MIN_LENGTH}; allowed: unicode;"
        if show_password:
            password.widget.input_type = "text"

    def clean_username(self) -> str:
        name = names.normalize(self.cleaned_data["username"])
        if User.objects.filter(username=name).exists():
            raise taken(name)
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if "password" in cleaned:
            try:
                validate_password(cleaned["password"], User(username=cleaned.get("username", ""), email=self.email))
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


def taken(name: str) -> ValidationError:
    return ValidationError(
        _("That username is taken. %(suggestion)s is free"), params={"suggestion": free_name(name)}, code="taken"
    )


def free_name(wish: str) -> str:
    """A free username near a wish or an address; one query, however many are taken."""
    near = names.candidates(wish)
    return names.first_free(near, User.objects.filter(username__in=near).values_list("username", flat=True))
