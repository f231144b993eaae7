"""The way on to a product on another host."""

from django.conf import settings
from django.http import Http404, HttpResponse

from accounts.session.account_page import PersonRequest, account_page
from kit.onward import refresh_answer


@account_page(safe_only=True)
def onward(request: PersonRequest) -> HttpResponse:
    """Leads whoever is signed in on to SIGNED_IN_URL, on another host; raises Http404 without one.

    By a page, not by a redirect, because it stands between a form and the other host.
    """
    there = settings.SIGNED_IN_URL
    if not there or there.startswith("/"):
        raise Http404
    return refresh_answer(request, there, settings.PRODUCT_NAME)
