"""The forms of pages that are shown with made-up facts."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

from django.http import HttpRequest

from accounts.email_change.change import Change
from accounts.email_change.forms import CodeForm as AddressForm
from accounts.gate.form import GateForm
from accounts.models import User
from accounts.password.forms import ResetForm, WithProof
from accounts.password.login_form import LoginForm
from accounts.second_factor.forms import AppForm, CodeForm, WithCode
from accounts.session.account_page import PersonRequest
from accounts.session.proof import Missing
from invites.join_requests.form import PleaForm
from invites.link import as_me
from invites.link.decline_form import DeclineForm
from invites.link.elsewhere import HereForm
from invites.models import Invite, MagicLink
from invites.sign_up.forms import OwnerForm, RegisterForm, SignupForm
from kit.form import Form
from sso.access import AskForm

# What somebody typed into a form with errors. A form tries a password only if all its fields are filled in.
WRONG = {"login": "grace", "email": "grace@example", "username": "g", "password": ""}
ALL = Missing(first=True, code=True)  # a form that asks for every proof


def form(request: HttpRequest, name: str, link: MagicLink, person: User) -> Form | None:
    """Returns the form of the page of this name, or None if it has none. `request` is of whoever sees it.

    `link` has opened the page of a visitor, and `person` is whom it is about.
    """
    seen = cast("PersonRequest", request)
    if request.user.is_authenticated:
        seen.person = request.user
    first = {"username": person.username}
    forms: dict[str, Callable[[], Form]] = {
        "login-errors": lambda: LoginForm(request, WRONG),
        "login-code": lambda: CodeForm(request, user=person),
        "signup-errors": lambda: RegisterForm(WRONG),
        "owner": lambda: OwnerForm(link=link),
        "invitation": lambda: SignupForm(link=link, initial=first),
        "gate": lambda: GateForm(user=person),
        "ask": PleaForm,
        "decline": DeclineForm,
        "as-me": lambda: as_me.CodeForm(invite=Invite(), person=person),
        "elsewhere": HereForm,
        "no-access": AskForm,
        "password": lambda: ResetForm(user=person),
        "email-code": lambda: AddressForm(request, change=Change("", link.email, "", datetime.now(UTC))),
        "again": lambda: WithProof(seen, missing=ALL),
        "app": lambda: AppForm(seen, missing=ALL, secret="", replaces=False),
        "new-recovery-codes": lambda: WithCode(seen, missing=ALL),
        "factor-off": lambda: WithCode(seen, missing=ALL),
        "google-connect": lambda: WithProof(seen, missing=ALL),
        "google-disconnect": lambda: WithProof(seen, missing=ALL),
    }
    return forms[name]() if name in forms else None
