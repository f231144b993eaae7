"""Pages for a signed-in user, and the answers to anyone else."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import UpdateError
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import asking, limits
from accounts.models import Superseded, User
from accounts.session import sessions
from kit import rate_limit, visitor
from kit.page import page
from kit.rate_limit import PerNetwork

View = Callable[..., HttpResponseBase]

NEEDED = gettext_noop("Sign in to open that page.")
LOST = gettext_noop("Your session had ended, so nothing was changed. If you pressed twice, the first press counts.")


class PersonRequest(HttpRequest):
    """A request of a signed-in user, as for_person() hands it to a view."""

    person: User
    trace: dict[str, Any]  # where the request comes from: "ip" and "device", as events store them


def to_sign_in(request: HttpRequest, *, ended: bool) -> HttpResponse:
    """Redirects to the sign-in page, which leads back to this page, with a message that says why.

    `ended` says that the visitor came with the cookie of a session that has ended; if they posted, the message says
    that nothing was changed.
    """
    lost = ended and request.method == "POST"
    messages.info(request, _(LOST if lost else sessions.ENDED if ended else NEEDED))
    return redirect_to_login(request.get_full_path())


def account_page(
    limit: PerNetwork = limits.POST_PER_NETWORK,
    *,
    secret: tuple[str, ...] = (),
    safe_only: bool = False,
    changes: bool = False,
    asks: bool = True,
    refuse: Callable[..., HttpResponse] = to_sign_in,
) -> Callable[[View], View]:
    """Returns a decorator that makes a page for signed-in users of a view of PersonRequest.

    `limit` counts POSTs by network; with `changes` each also counts by person towards CHANGE_PER_USER. Beyond either
    the page raises Limited. The posted fields in `secret` are left out of error reports; `safe_only` forbids POST
    (405). With `asks`, what the site must ask of the user is asked first. `refuse(request, ended=…)` answers anyone who
    is not signed in, or no longer: see for_person().
    """

    def decorator(view: View) -> View:
        inner = changing(view) if changes else view
        inner = asking_first(inner) if asks else inner
        return page(limit, secret=secret, safe_only=safe_only)(for_person(inner, refuse))

    return decorator


def asking_first(view: View) -> View:
    """Returns a view that leads a GET of a user to the page that asks for what is missing, which leads back here.

    A POST is let through: what was typed must not be lost. Only for views behind sign-in.
    """

    @wraps(view)
    def wrapper(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST" and asking.is_asked(request.person):
            return redirect(sessions.to_gate(request.get_full_path()))
        return view(request, *args, **kwargs)

    return wrapper


def changing(view: View) -> View:
    """Returns a view that calls `view`, and raises Limited after more changes by a person than CHANGE_PER_USER.

    Requests count that may change something: all but GET, HEAD and OPTIONS. Only for views behind sign-in.
    """
    return rate_limit.per_user(limits.CHANGE_PER_USER)(view)


def for_person[Answer](
    view: Callable[..., Answer], refuse: Callable[..., HttpResponse]
) -> Callable[..., Answer | HttpResponse]:
    """Returns a view that hands `view` a PersonRequest. `refuse(request, ended=…)` answers anyone who is not signed in.

    It also answers, with `ended` true, a user who was signed out on another device, or whose account was deleted, while
    `view` ran: so Superseded and UpdateError never pass through, and DatabaseError only if the account still exists.
    """

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> Answer | HttpResponse:
        if not request.user.is_authenticated:
            return refuse(request, ended=settings.SESSION_COOKIE_NAME in request.COOKIES)
        asked = cast("PersonRequest", request)
        asked.person, asked.trace = request.user, visitor.trace(request)
        pk = asked.person.pk  # read now, because deleting the account takes its pk away
        try:
            sessions.sync_preferences(request)
            return view(asked, *args, **kwargs)
        except (Superseded, UpdateError):
            pass
        except (DatabaseError, User.DoesNotExist):  # perhaps because the account was deleted meanwhile
            if User.objects.filter(pk=pk).exists():
                raise
        logout(request)
        return refuse(request, ended=True)

    return wrapper
