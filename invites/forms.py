"""The address form on the start page, and the sign-up forms."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.models import User
from accounts.password.forms import NewPasswordField, WithNewPassword
from kit import addresses, plain_line
from kit.form import VERBATIM, Form, NextField


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


class SignupForm(WithNewPassword):
    username = forms.CharField(
        label=gettext_lazy("Create a username"),
        required=False,  # names.normalize says what is missing
        help_text=gettext_lazy("Other people can see it. You can change it later"),
        widget=forms.TextInput(attrs=VERBATIM | {"autocomplete": "nickname"}),
    )
    password = NewPasswordField(gettext_lazy("Create a password"))

    def __init__(self, *args: Any, email: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = email

    def owner(self) -> User:
        return User(username=self.cleaned_data.get("username", ""), email=self.address)

    def clean_username(self) -> str:
        name = names.normalize(self.cleaned_data["username"])
        if User.objects.filter(username=name).exists():
            raise names.taken(User.objects.free_name(name))
        return name


class RegisterForm(SignupForm, EmailForm):
    """Everything at once; a typo is pointed out by the mail that does not come."""

    field_order = ("email", "username", "password")
    sure = None  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs.pop("autofocus", None)  # there is more to read here than one field

    def owner(self) -> User:
        self.address = self.cleaned_data.get("email", "")
        return super().owner()


class InvitePersonForm(Form):
    """What a member sends."""

    email = forms.CharField(
        label=gettext_lazy("Their email address"),
        required=False,  # addresses.normalize says what is missing
        widget=forms.EmailInput(attrs=VERBATIM | {"autocomplete": "off"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Note (optional)"),
        required=False,
        strip=False,
        help_text=gettext_lazy("One line that stands in the email, 200 characters or less, without links"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    # The address whose typo was pointed out; sent again, it goes through.
    sure = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean_email(self) -> str:
        return addresses.normalize(self.cleaned_data["email"])

    def clean_note(self) -> str:
        return plain_line.plain(self.cleaned_data["note"])

    def clean(self) -> None:
        """Points out what looks like a typo, once."""
        email = self.cleaned_data.get("email")
        if not email or self.errors or self.cleaned_data["sure"] == email:
            return
        if meant := addresses.suggestion(email):
            said = _("Did you mean %(meant)s? If not, press the button again.")
            self.add_error("email", ValidationError(said, params={"meant": meant}, code="typo"))
            self.data = {**self.data, "email": email, "note": self.cleaned_data["note"], "sure": email}
