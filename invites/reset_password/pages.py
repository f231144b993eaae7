"""The page that a reset link opens: choosing a new password."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.models import Superseded
from accounts.password.forms import ResetForm
from accounts.session import sessions
from invites import purposes
from invites.link import dead, elsewhere, opened
from invites.models import MagicLink, Unavailable
from invites.reset_password import reset
from kit import tokens
from kit.page import bind_form


@opened.opened_by_link(purposes.RESET, secret=("password",))
def choose(request: HttpRequest, link: MagicLink) -> HttpResponse:
    """Shows a form for a new password. Its POST saves it, ends every session and leads to the sign-in page.

    In another browser than the one that asked for the link, the page first shows a code to type there, see
    invites.link.elsewhere. An address without an account is led to the sign-up form. An account that is turned off
    (403), and a link that works no longer or is from before all sessions of the account ended, or before its owner
    signed in (410), get pages that say so. With `?show` the password is displayed as typed. Raises Limited after too
    many presses or bad tokens.
    """
    show = "show" in request.GET
    try:
        account = reset.owner(link)
        form = bind_form(ResetForm, request, user=account, show_password=show)
        first = elsewhere.first_page(request, link, purposes.RESET)
        if first or not form.is_valid():
            return first or reset_page(request, link, form, show=show)
        reset.save(request, link, account, form.encoded)
    except reset.NoAccount:
        return redirect(tokens.path(purposes.SIGNUP, link.pk))
    except reset.TurnedOff:
        return sessions.inactive(request)
    except Superseded:
        if not MagicLink.objects.pending().filter(pk=link.pk).exists():
            raise Unavailable from None  # by the first press of this very double click, perhaps
        return dead.expired_page(request, link, purposes.RESET)
    except reset.SignedInSince:
        return dead.signed_in_since_page(request, link)
    return dead.to_login_with_new_password(request)


def reset_page(request: HttpRequest, link: MagicLink, form: ResetForm, *, show: bool) -> HttpResponse:
    """Returns the page with the form for a new password. `show` says whether the password is displayed as typed."""
    here = elsewhere.own_path(request, link, purposes.RESET)
    context = {
        "link": link,
        "form": form,
        "token": tokens.sign(purposes.RESET, link.pk),
        "show": show,
        "show_url": f"{here}&show=1",
        "hide_url": here,
    }
    return render(request, "invites/reset_password/choose.html", context)
