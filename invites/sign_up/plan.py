"""Plans an account before its address is proven: the plan is stored with the mailed link, for this browser alone."""

from django.http import HttpRequest

from invites.ask_for_link.asked import LinkRequest
from invites.link import browser
from invites.models import MagicLink
from invites.sign_up.forms import RegisterForm


def plan_account(request: HttpRequest, form: RegisterForm) -> dict[str, str]:
    """Returns the plan as arguments of MagicLink.objects.issue(). Only this browser can open it, by its cookie.

    The form must be valid: it has hashed the password for every address, known or not, so the time tells nothing.
    """
    typed = form.cleaned_data
    return {
        "username": typed["username"],
        "password": form.encoded,
        "seal": browser.lasting_seal(request),
        "details": form.details().pack(),
    }


def link_request(form: RegisterForm) -> LinkRequest:
    """Returns what a valid sign-up form asks for: a link to confirm the address, and where it leads."""
    return LinkRequest(form.cleaned_data["email"], MagicLink.Purpose.REGISTER, form.cleaned_data["next"])
