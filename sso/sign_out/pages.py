"""The address to which apps send people who have signed out of them, and the answer of these people."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from accounts import limits
from accounts.session import arrival, sessions
from kit.page import page
from sso.authorize.asked import LONGEST_QUERY, Unreadable, as_query
from sso.authorize.redirects import to_app
from sso.models import Login
from sso.sign_out import wish
from sso.sign_out.wish import Wish

STAY = "stay"  # the name of the button by which the person stays signed in here


@csrf_exempt
@page(limits.POST_PER_NETWORK)
def logout(request: HttpRequest) -> HttpResponse:
    """Asks whoever is signed in whether to sign out here, too; anybody else is led on at once.

    A form that an app has sent becomes a query, as at authorize(). It changes nothing, so it needs no CSRF token.
    """
    if request.method != "POST":
        return ask(request)
    query = as_query(request.POST, wish.HEEDED)
    return redirect(f"{reverse('sso_logout')}?{query}") if len(query) <= LONGEST_QUERY else unreadable(request)


@page(limits.POST_PER_NETWORK)
def answered(request: HttpRequest) -> HttpResponse:
    """Ends this session, or with STAY only its logins in the app that asks. Leads on to the app, if it wants that.

    A GET, as by a reload, is as one of logout().
    """
    if request.method != "POST" or not request.user.is_authenticated:
        return ask(request)
    try:
        asked = wish.read(request.GET)
    except Unreadable:
        return unreadable(request)
    if STAY not in request.POST:
        sessions.end(request)
        messages.success(request, _("You’re signed out on this device."))
        return lead_on(asked, "account_login")
    if asked.app:
        here = {"person": request.user.pk, "handle": arrival.read(request).handle}
        Login.objects.open().filter(app=asked.app, **here).end()
    return lead_on(asked, "entry")


def ask(request: HttpRequest) -> HttpResponse:
    """Returns the page that asks; leads on whoever is not signed in."""
    try:
        asked = wish.read(request.GET)
    except Unreadable:
        return unreadable(request)
    if not request.user.is_authenticated:
        return lead_on(asked, "account_login")
    context = {"wish": asked, "app": asked.app, "email": request.user.email}
    return render(request, "sso/sign_out/ask.html", context)


def lead_on(asked: Wish, otherwise: str) -> HttpResponse:
    """Redirects to the address of the app; if there is none, to our page of the name `otherwise`."""
    return to_app(asked.there, asked.app) if asked.app and asked.there else redirect(otherwise)


def unreadable(request: HttpRequest) -> HttpResponse:
    """Returns the 400 page for what an app has garbled."""
    return render(request, "sso/authorize/unknown.html", status=400)
