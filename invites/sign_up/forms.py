"""The sign-up forms: for an address that a mailed link has proven, and for one that a mail must still prove."""

from typing import Any

from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import display_names, names, profile_fields, terms
from accounts.models import User
from accounts.password.forms import NewPasswordField, WithNewPassword
from invites import who_may_join
from invites.ask_for_link.form import EmailForm, address_field
from invites.link.planned import Details, UsernameForm
from invites.models import MagicLink
from kit import addresses


class SignupForm(UsernameForm, WithNewPassword):
    """A form for the username and the password of a new account; `link` is the one that has proven its address."""

    password = NewPasswordField(gettext_lazy("Create a password"))

    def __init__(self, *args: Any, link: MagicLink | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = link.email if link else ""
        self.fields |= profile_fields.name_fields() | profile_fields.form_fields() | terms.form_fields()
        invite = link.invite if link else None
        if invite:
            self.initial.setdefault(profile_fields.NAME, display_names.fitting(invite.name))
            known = profile_fields.fitting(invite.profile)
            self.initial = {**self.initial, **profile_fields.first_values(known)}
        inviter = invite.invited_by if invite else None
        self.inviter_name = inviter.shown_name if inviter else ""

    def clean_username(self) -> str:
        """Returns the normalized username. Raises ValidationError for a missing, malformed or reserved one.

        Whether it is taken, the database says when the account is made (invites/sign_up/join.py).
        """
        return names.normalize(self.cleaned_data["username"])

    @property
    def about(self) -> list[BoundField]:
        """The fields for what the site asks about people, with that for the name."""
        own = (profile_fields.NAME, profile_fields.PREFIX)
        return [self[name] for name in self.fields if name.startswith(own)]

    def details(self) -> Details:
        """Returns what was typed about the person, and the terms agreed to. The form must be valid."""
        typed = self.cleaned_data
        agreed = [terms.acceptance(typed[terms.KEY])] if terms.KEY in typed else []
        return Details(typed.get(profile_fields.NAME), profile_fields.values(typed), agreed)

    def account(self) -> dict[str, Any]:
        """Returns columns of the new account that take the place of the link's; here none."""
        return {}

    def owner(self) -> User:
        """Returns the user whose password it will be, with the typed username; not stored."""
        typed = self.cleaned_data
        user = User(username=typed.get("username", ""), name=typed.get(profile_fields.NAME, ""), email=self.address)
        user.inviter_name = self.inviter_name
        return user


class OwnerForm(SignupForm):
    """A form for the first account of a site, which also asks for its address, as the owner link names none.

    Nothing proves the address but the terminal that showed the link.
    """

    email = address_field(gettext_lazy("Where mail to you goes. Enter your real address"))
    field_order = ("email", "username", "password")

    def clean_email(self) -> str:
        """Returns the normalized address.

        Raises ValidationError for a missing or malformed one, and for that of an account.
        """
        email = addresses.normalize(self.cleaned_data["email"])
        if User.objects.filter(email=email).exists():
            raise ValidationError(_("This address has an account already. Enter another one."))
        return email

    def owner(self) -> User:
        """Returns the user whose password it will be, with the typed username and address; not stored."""
        self.address = self.cleaned_data.get("email", "")
        return super().owner()

    def account(self) -> dict[str, Any]:
        """Returns the address of the new account. The form must be valid."""
        return {"email": self.cleaned_data["email"]}


class RegisterForm(SignupForm, EmailForm):
    """A form for address, username and password at once.

    Unlike EmailForm it points out no probable typo: the user sees that no mail comes. Unlike SignupForm it does not say
    that a name is taken: anyone could ask for any name here. The page behind the mail says so.
    """

    field_order = ("email", "username", "password")
    sure = None  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget.attrs.pop("autofocus", None)  # this page has more to read than one field

    def clean_email(self) -> str:
        """Returns the normalized address. Raises ValidationError for a missing or malformed one.

        Also for one whose domain needs an invitation, whoever has it: its owner would come in by the start page alone.
        """
        email = super().clean_email()
        if refusal := who_may_join.refusal_by_domain(email):
            said = _("If it has an account or an invitation, get a link by email instead.")
            raise ValidationError(f"{refusal} {said}", code="closed")
        return email

    @property
    def is_refused(self) -> bool:
        """Whether the domain of the address needs an invitation."""
        return self.has_error("email", "closed")

    def owner(self) -> User:
        """Returns the user whose password it will be, with the typed username and address; not stored."""
        self.address = self.cleaned_data.get("email", "")
        return super().owner()
