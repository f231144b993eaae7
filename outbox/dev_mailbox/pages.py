"""/dev/mail/: reading the development mailbox. Mounted only where DEV_MAILBOX says that mail never leaves."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.csp import CSP
from django.utils.html import escape, urlize
from django.utils.safestring import mark_safe
from django.views.decorators.csp import csp_override

from kit.page import page
from outbox.dev_mailbox import mailbox as box


@page(safe_only=True)
def mailbox(request: HttpRequest) -> HttpResponse:
    return render(request, "outbox/dev_mailbox/list.html", {"mails": box.letters()})


@page(safe_only=True)
def letter(request: HttpRequest, name: str) -> HttpResponse:
    mail = found(name)
    text = mark_safe(urlize(escape(mail.text)))  # noqa: S308 escaped just before
    return render(request, "outbox/dev_mailbox/mail.html", {"mail": mail, "text": text})


@csp_override({"default-src": [CSP.NONE], "style-src": [CSP.UNSAFE_INLINE], "sandbox": ["allow-top-navigation"]})
@page(safe_only=True)
def letter_html(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML part as a mail program would show it: its own styles, and nothing that runs."""
    return HttpResponse(found(name).html)


def found(name: str) -> box.Letter:
    mail = box.find(name)
    if mail is None:
        raise Http404
    return mail
