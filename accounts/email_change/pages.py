"""Changing the address: a mailed code proves the new one, so that no unproven address is ever stored."""

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import limits
from accounts.email_change import change
from accounts.email_change.change import Change
from accounts.email_change.forms import CodeForm, PageForm, taken_error
from accounts.session.account_page import PersonRequest, account_page
from kit.addresses import readable
from kit.page import bind_form


@account_page(secret=("password", "code"), changes=True)
def ask(request: PersonRequest) -> HttpResponse:
    """Asks for the new address and proof of ownership. Its POST mails a code there and leads to the page for it.

    A likely typo is pointed out once before. If another account has that address, its owner is mailed a warning instead
    of the code. Raises Limited (the 429 page) after too many passwords, mails or changes.
    """
    form = bind_form(PageForm, request)
    if not form.is_valid():
        return render(request, "accounts/email_change/ask.html", {"form": form})
    change.mail_code(request, form.cleaned_data["email"])
    return redirect("account_email_code")


@account_page()
def code(request: PersonRequest) -> HttpResponse:
    """Asks for the mailed code; its POST changes the address and leads to the account page.

    With `action=resend` it mails another code and leads back here. After too many wrong codes it leads to the form for
    the address, and so it does if no change waits for a code. An address that another account has by now is an error of
    the form. Raises Limited (the 429 page) after too many codes or mails.
    """
    waiting = change.find_pending(request)
    if waiting is None:
        return redirect("account_email")
    if request.method == "POST":
        limits.CODE_PER_USER.check(request, request.person.pk.hex)
    if request.POST.get("action") == "resend":
        change.mail_code(request, waiting.to)
        messages.success(request, _("We sent another code. Only the newest one works."))
        return redirect("account_email_code")
    form = bind_form(CodeForm, request, change=waiting)
    try:
        if form.is_valid():
            return finish(request, waiting)
    except change.TooManyTries:
        messages.warning(request, _(change.TOO_MANY))
        return redirect("account_email")
    except IntegrityError:
        form.add_error("code", taken_error())
    return render(request, "accounts/email_change/code.html", {"form": form, "email": waiting.to})


def finish(request: PersonRequest, waiting: Change) -> HttpResponse:
    """Changes the address to that of `waiting`, and redirects to the account page; to be called after a right code.

    Raises Superseded if all sessions of the account have ended since the request began, and IntegrityError if another
    account has the address by now.
    """
    change.finish(request, waiting)
    messages.success(request, _("Your email address is now %(email)s.") % {"email": readable(waiting.to)})
    return redirect("account")
