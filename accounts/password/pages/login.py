"""Signing in with a password."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts import limits
from accounts.password import breaches
from accounts.password.login_form import LoginForm
from accounts.session import sessions
from accounts.session.notes import GOOGLE_IDENTITY
from kit import plain_page
from kit.form import STORED, login_hint, safe_path
from kit.page import bind_form, page, typed
from kit.rate_limit import Due


@page(Due(limits.LOGIN_PER_NETWORK), secret=("password",))
def login(request: HttpRequest) -> HttpResponse:
    """Shows the sign-in form; its POST signs in, or leads to the page that asks for a code.

    Both lead on to `next` or, without it, where landing() says; a user who is signed in already is led there at once.
    Raises Limited (the 429 page) after too many tries.
    """
    if request.user.is_authenticated:  # perhaps by another tab, whose sign-in has made this form out of date
        sent = typed(request) or request.POST or request.GET
        return redirect(sessions.landing(request.user, safe_path(sent.get("next", ""))))
    if request.method != "POST":
        return show_form(request, lambda: bind_form(LoginForm, request, initial=known_before(request)))
    form = bind_form(LoginForm, request, initial=known_before(request))
    if form.is_valid() and form.user:
        answer = sessions.start(request, form.user, form.cleaned_data["next"], sessions.PASSWORD)
        breaches.note(request, form.user, form.cleaned_data["password"])
        breaches.warn(request)
        return answer
    return show_form(request, lambda: form)


def show_form(request: HttpRequest, form: Callable[[], LoginForm]) -> HttpResponse:
    """Returns the page with the sign-in form that `form` makes.

    Its ways by mail lead on to `mailed_next` of the query, if there is one: a mail may be read in another browser, in
    which nobody knows what began here.
    """
    mailed_next = safe_path(request.GET.get("mailed_next", ""), STORED)
    context = {"closed": settings.SIGNUP in {"invited", "request"}, "mailed_next": mailed_next}
    return plain_page.show(request, "accounts/password/login.html", lambda: {"form": form(), **context})


def known_before(request: HttpRequest) -> dict[str, str]:
    """Returns the first values of the sign-in form: `next` from the query, and `login`, whom the site expects, or "".

    It is the address of an account to which a Google account will be connected after this sign-in, or else what the
    query says (kit.form.login_hint), whether there is such an account or not.
    """
    seen = GOOGLE_IDENTITY.read(request)
    expected = seen["email"] if seen.get("to_connect") else login_hint(request)
    return {"next": safe_path(request.GET.get("next", "")), "login": expected}
