"""Pages that save preferences: the form of all, and the choice of a language."""

from contextlib import suppress
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.i18n import set_language

from accounts import limits
from accounts.models import Event, Superseded
from accounts.password import again
from accounts.profile.preferences_form import SettingsForm
from accounts.session import sessions
from accounts.session.account_page import PersonRequest, account_page
from kit.page import bind_form, page


@account_page()
def choose(request: PersonRequest) -> HttpResponse:
    """Shows the user's language, time zone, theme and notices. Its POST saves them and leads back here.

    The POST also sets the language cookie. Turning the notices of new devices off asks for proof first, unless it is
    there, and is mailed to the owner. Raises Limited (the 429 page) after too many POSTs.
    """
    user = request.person
    chosen = {"language": get_language(), "notices": True, "digest": True, "requests": True} | user.settings
    may_answer = user.is_staff and user.has_perm("invites.add_invite")
    form = bind_form(SettingsForm, request, initial=chosen, may_answer=may_answer)
    if not form.is_valid():
        return render(request, "accounts/profile/preferences.html", {"form": form})
    told = user.settings.get("notices", True)
    silences = told and not form.cleaned_data["notices"]  # whoever does this may have something to hide from the owner
    doing = _("Turn off emails about sign-ins on new devices")
    if silences and (asked := again.ask(request, doing, request.path)):
        return asked
    with transaction.atomic():
        user.save_preferences(**form.cleaned_data)
        if silences:
            user.record_and_notify(Event.Kind.NOTICES_OFF, **request.trace)
    sessions.sync_preferences(request)
    messages.success(request, _("Settings saved."))
    response = redirect("account_settings")
    return set_language_cookie(response, form.cleaned_data["language"])


@page(limits.POST_PER_NETWORK)
def language(request: HttpRequest) -> HttpResponse:
    """Saves, on POST, the posted `language`: in a cookie, and in the account of a user who is signed in.

    Another language than one of LANGUAGES changes nothing. Leads to the posted `next`, or else to the page the visitor
    came from; a GET leads to the entry page. Raises Limited (the 429 page) after too many POSTs.
    """
    if request.method != "POST":
        return redirect("entry")
    code = request.POST.get("language", "")
    if code not in dict(settings.LANGUAGES):
        # Django would set the cookie for every language that it knows itself.
        request.POST = QueryDict(urlencode({"next": request.POST.get("next", "")}))
    elif request.user.is_authenticated:
        with suppress(Superseded):  # the account was deleted just now: the cookie still has the language
            request.user.save_preferences(language=code)
            sessions.sync_preferences(request)
    return set_language(request)


def set_language_cookie(response: HttpResponse, code: str) -> HttpResponse:
    """Sets the language cookie on `response`, so that this browser keeps its language after sign-out.

    Returns `response`.
    """
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME, code, httponly=True, samesite="Lax", secure=settings.LANGUAGE_COOKIE_SECURE
    )
    return response
