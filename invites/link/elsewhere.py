"""The page of a link that is opened in another browser than the one that asked for it.

The mail is opened on the phone, the form waits on the laptop. So the page shows a code, to be typed where the link was
asked for (invites/ask_for_link/typed_code.py), and below it the way on in this browser. To be led astray takes more
than a press:

- Whoever asks for a link to somebody else's address needs the code, which only the reader of the mailbox sees, and
  which the page says to type on this site alone. It stands in no mail, so no lock screen shows it.
- No button of this page lets in another browser.
- A mail scanner that presses every button signs nobody in: a box must be ticked first, or a password typed.
"""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from invites.link import browser
from invites.models import BY_NOBODY, MagicLink
from kit import short_code, tokens, visitor
from kit.form import Form
from kit.page import bind_form
from kit.tokens import Purpose

SALT = "relay"  # of the codes
HERE = "here"  # in the query of a page where somebody has chosen to carry on in this browser


class HereForm(Form):
    """A box for whoever wants to sign in on this device: people tick it, mail scanners only press.

    `asked` says whether somebody has asked for the link.
    """

    here = forms.BooleanField(
        error_messages={"required": gettext_lazy("Tick the box to sign in on this device. Nothing has been used up")},
    )

    def __init__(self, *args: Any, asked: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wants, wanted = _("I want to sign in on this device"), _("I asked for this, and want to sign in on this device")
        self.fields["here"].label = wanted if asked else wants


def first_page(request: HttpRequest, link: MagicLink, purpose: Purpose) -> HttpResponse | None:
    """Returns the page that goes before a form for `purpose`, or None if it goes before nothing.

    It does not once somebody has chosen to carry on in this browser, or has filled in the form here.
    """
    chosen = HERE in request.GET or request.method == "POST"
    return None if chosen or not browser.is_other(request, link) else page(request, link, purpose)


def goes_first(request: HttpRequest, link: MagicLink, account: User) -> bool:
    """Returns whether the page goes before the button that signs in to `account`; another browser asked for the link.

    It does not for whoever has ticked its box, nor for an owner who only joins groups by the link, and is signed in.
    """
    ticked = request.method == "POST" and HERE in request.POST
    joins = link.invite and link.invite.promised and request.user == account
    return not ticked and not joins


def own_path(request: HttpRequest, link: MagicLink, purpose: Purpose) -> str:
    """Returns the path of the link's page for `purpose`, with HERE in its query if that of the request has it."""
    chosen = f"&{HERE}=1" if HERE in request.GET else ""
    return f"{tokens.path(purpose, link.pk)}{chosen}"


def show_code(link: MagicLink) -> str:
    """Returns the code that lets in the browser which asked for this link; "" if nobody has, or says so."""
    asked = link.asked_in not in {"", BY_NOBODY}
    return short_code.show(SALT, subject(link), timezone.now()) if asked else ""


def fits(link: MagicLink, typed: str) -> bool:
    """Returns whether `typed` is a code that show_code() has returned for this link in the last 15 minutes."""
    return short_code.fits(typed, SALT, subject(link), timezone.now())


def subject(link: MagicLink) -> str:
    """Returns what a code stands for: this link, and the browser that asked for it."""
    return f"{link.pk} {link.asked_in}"


def page(request: HttpRequest, link: MagicLink, purpose: Purpose, account: User | None = None) -> HttpResponse:
    """Returns the page with the code, and the way on in this browser to the page for `purpose`.

    For a link that signs in to `account` that is a form of one box, whose POST has the field "here"; else it is a link,
    which has it in its query.
    """
    form = bind_form(HereForm, request) if account else None
    context = {
        "link": link,
        "code": show_code(link),
        "device": visitor.device_in_words(link.device),
        "account": account,
        "form": form,
        "token": tokens.sign(purpose, link.pk),
        "here_url": f"{tokens.path(purpose, link.pk)}&{HERE}=1",
        "sets_password": purpose.page == "account_reset_password_from_key",
        "other_user": request.user.get_username() if request.user != account else "",
    }
    return render(request, "invites/link/elsewhere.html", context)
