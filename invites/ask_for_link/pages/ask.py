"""The pages where a mailed link is asked for: to get in, for a new password, or as proof in place of the password."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from accounts.session.account_page import PersonRequest, account_page
from accounts.session.notes import CHOSEN
from invites import limits, who_may_join
from invites.ask_for_link.ask import log
from invites.ask_for_link.asked import LinkRequest, remember
from invites.ask_for_link.form import EmailForm
from invites.ask_for_link.sent import ask_or_wait
from invites.models import MagicLink
from kit import plain_page, visitor
from kit.addresses import readable
from kit.form import STORED, login_hint, safe_path
from kit.page import bind_form, page
from kit.rate_limit import Due
from outbox.mail import lateness
from sso.launch import tiles


@page(Due(limits.ASK_PER_NETWORK))
def entry(request: HttpRequest) -> HttpResponse:
    """Shows a form for one address. Its POST mails a link there, and leads to the page that says where it went.

    Nothing depends on whose the address is. A person who is signed in gets a page that says so, without the form. When
    the address was mailed too often, the page says when to ask again (429). Raises Limited when a network has posted
    too often.
    """
    next_url = safe_path(request.GET.get("next", ""))
    if request.user.is_authenticated:
        return home(request, request.user, next_url)
    return take_address(request, "invites/ask_for_link/entry.html", MagicLink.Purpose.LINK, next_url)


def home(request: HttpRequest, user: User, next_url: str) -> HttpResponse:
    """Returns the start page of somebody who is signed in: their apps, and the ways on."""
    apps = tiles.open_apps(user)
    # Of one app alone, its tile is the main button, unless another way on goes before it.
    only = apps[0] if len(apps) == 1 and not (next_url or user.is_staff) else None
    person = {"username": user.get_username(), "email": readable(user.email), "apps": tiles.tiles(apps)}
    person |= {"app": only.name, "app_link": tiles.link(only)} if only else {}
    context = {"next": next_url, "is_staff": user.is_staff, "has_apps": bool(apps), "is_only": bool(only)}
    theme = (request.session.get(CHOSEN) or {}).get("theme", "")
    template, varies = "invites/ask_for_link/signed_in.html", (theme, user.is_staff, bool(apps), bool(only))
    return plain_page.show(request, template, lambda: context, *varies, person=person)


@page(Due(limits.ASK_PER_NETWORK))
def reset(request: HttpRequest) -> HttpResponse:
    """Shows a form for one address. Its POST mails a link for a new password, and leads to the page that says so.

    Nothing depends on whose the address is. When the address was mailed too often, the page says when to ask again
    (429). Raises Limited when a network has posted too often.
    """
    return take_address(request, "invites/ask_for_link/reset.html", MagicLink.Purpose.RESET)


def take_address(request: HttpRequest, template: str, purpose: str, next_url: str = "") -> HttpResponse:
    """Returns the page with the address form; a valid POST mails a link and leads to the page that says where it went.

    `template` is that of the page, `purpose` that of the link, `next_url` the form's first value for where the link
    leads; that for the address is what the query says (kit.form.login_hint). A probable typo is pointed out once, and
    nothing is mailed until the address is sent again. A program that fills in the hidden field gets the usual answer,
    but no mail is sent.
    """
    if request.method != "POST":
        first = {"next": next_url, "email": login_hint(request)}
        return entry_page(request, template, lambda: bind_form(EmailForm, request, initial=first))
    form = bind_form(EmailForm, request)
    if not form.is_valid():
        return entry_page(request, template, lambda: form)
    email = form.cleaned_data["email"]
    asked = LinkRequest(email, purpose, form.cleaned_data["next"])
    if suggestion := form.doubt():
        form.data = {**form.data.dict(), "sure": email}  # type: ignore[attr-defined]
        return entry_page(request, template, lambda: form, suggestion)
    if form.cleaned_data["leave_empty"]:
        log.warning("a program asked for a link ip=%s", visitor.ip(request))
        return remember(request, redirect("invite_sent"), asked)
    return ask_or_wait(request, asked)


def entry_page(
    request: HttpRequest, template: str, form: Callable[[], EmailForm], suggestion: str = ""
) -> HttpResponse:
    """Returns the page `template` with the form for an address that `form` makes.

    `suggestion` is the address that was probably meant, or "".
    """
    late = lateness.minutes()
    context = {"suggestion": suggestion, "minutes_late": late, "condition": who_may_join.condition()}
    context |= {"closed": who_may_join.is_by_invitation(), "asks": settings.SIGNUP == "request"}
    return plain_page.show(request, template, lambda: context | {"form": form()}, late)


@account_page(Due(limits.ASK_PER_NETWORK), asks=False)
def prove(request: PersonRequest) -> HttpResponse:
    """Mails a link to the signed-in person, as proof in place of their password; it leads back to the page in `next`.

    A POST leads to the page that says where the mail went, or returns it (429) when the address was mailed too often. A
    GET leads to the account page. Raises Limited when a network has posted too often.
    """
    if request.method != "POST":
        return redirect("account")
    next_url = safe_path(request.POST.get("next", ""), STORED)
    return ask_or_wait(request, LinkRequest(request.person.email, MagicLink.Purpose.PROOF, next_url))
