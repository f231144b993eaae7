"""An account that is planned with its link: only the browser that planned it can open it."""

from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from invites.ask_for_link.ask import Asked
from invites.link import browser
from invites.models import MagicLink
from invites.sign_up.forms import RegisterForm


def plan_account(request: HttpRequest, form: RegisterForm) -> tuple[str, dict[str, str]]:
    """The secret for this browser's cookie, and what MagicLink.objects.issue keeps of a valid form.

    The password is hashed for every address, known or not.
    """
    secret, typed = browser.own_secret(request), form.cleaned_data
    account = {
        "username": typed["username"],
        "password": make_password(typed["password"]),
        "seal": browser.seal_of(secret),
    }
    return secret, account


def asked_by(form: RegisterForm) -> Asked:
    return Asked(form.cleaned_data["email"], MagicLink.Purpose.REGISTER, form.cleaned_data["next"])
