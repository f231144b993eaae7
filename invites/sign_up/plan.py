"""Plans an account before its address is proven: the plan is stored with the mailed link, for this browser alone."""

from django.http import HttpRequest

from invites.ask_for_link.ask import LinkRequest
from invites.link import browser
from invites.models import MagicLink
from invites.sign_up.forms import RegisterForm


def plan_account(request: HttpRequest, form: RegisterForm) -> tuple[str, dict[str, str]]:
    """Returns the secret for this browser's cookie, and the plan as arguments of MagicLink.objects.issue().

    The form must be valid: it has hashed the password for every address, known or not, so the time tells nothing.
    """
    secret, typed = browser.own_secret(request), form.cleaned_data
    account = {
        "username": typed["username"],
        "password": form.encoded,
        "seal": browser.seal_of(secret),
        "details": form.details().pack(),
    }
    return secret, account


def link_request(form: RegisterForm) -> LinkRequest:
    """Returns what a valid sign-up form asks for: a link to confirm the address, and where it leads."""
    return LinkRequest(form.cleaned_data["email"], MagicLink.Purpose.REGISTER, form.cleaned_data["next"])
