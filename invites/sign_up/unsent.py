"""The page that an invitation opens, before the invitation is sent or even stored."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts import preferences
from accounts.models import User
from invites.models import Invite, MagicLink
from invites.sign_up.forms import SignupForm

NOWHERE = "#"  # where the links of the page lead, and what stands there for a token


def show(request: HttpRequest, invite: Invite) -> HttpResponse:
    """Returns the page in the language of `invite`, as a browser shows it that nobody is signed in to."""
    link = MagicLink(email=invite.email, expires_at=invite.expires_at, invite=invite)
    with preferences.override({}, invite.language):
        form = SignupForm(link=link, initial={"username": User.objects.free_name(invite.email)})
        context: dict[str, Any] = {"link": link, "invite": invite, "account": None, "form": form}
        context |= {"token": NOWHERE, "decline_url": NOWHERE}
        return render(request, "invites/sign_up/signup.html", context)
