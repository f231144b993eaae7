"""The door to Google: a browser posts a form here and follows the redirect."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.limits import GOOGLE_PER_NETWORK
from accounts.session import sessions
from invites import purposes
from invites.google import trip
from invites.link import opened
from kit import tokens
from kit.form import safe_path
from kit.json_door import Fields, Refused, door


@door("POST", GOOGLE_PER_NETWORK, form=True)
def start(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Redirects (303) to Google, from where the visitor comes back and is led to `next`.

    With the `token` of a mailed link, its invitation is accepted by that. The body is a form, as a browser sends it. A
    person who is signed in is redirected to the link's page, or to `next`. Answers 404 where Google is not offered, and
    429 after too many requests or bad tokens.
    """
    if not settings.GOOGLE_CLIENT_ID:
        raise Refused(404, "off", _("Google is not offered here."))
    next_url, link = safe_path(sent.get("next", "")), opened.find_pending(request)
    if request.user.is_authenticated:  # in another tab, and perhaps not as the person who was invited
        return redirect(tokens.path(purposes.SIGNUP, link.pk) if link else sessions.landing(request.user, next_url))
    return trip.begin(request, next_url, link)
