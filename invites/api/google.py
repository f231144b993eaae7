"""On to Google: a browser sends a form here and follows where it is sent."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts.limits import GOOGLE_PER_NETWORK
from invites import purposes
from invites.google import trip
from invites.link import opened
from kit import tokens
from kit.form import same_site
from kit.json_door import Fields, Refused, door


@door("POST", GOOGLE_PER_NETWORK, form=True)
def start(request: HttpRequest, sent: Fields) -> HttpResponse:
    """To Google, and back to `next`; with the `token` of a mailed link to accept its invitation."""
    if not settings.GOOGLE_CLIENT_ID:
        raise Refused(404, "off", _("Google is not offered here."))
    next_url, link = same_site(sent.get("next", "")), opened.find_pending(request)
    if request.user.is_authenticated:  # in another tab, perhaps as another than the one who was invited
        return redirect(tokens.path(purposes.SIGNUP, link.pk) if link else next_url or "account")
    return trip.begin(request, next_url, link)
