"""/dev/mail/: pages of the development mailbox. They exist only where DEV_MAILBOX is set and mail never leaves."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape, urlize
from django.utils.safestring import mark_safe
from django.views.decorators.csp import csp_override

from kit.page import page
from outbox.dev_mailbox import mailbox as box
from outbox.mail.shown import AS_MAIL


@page(safe_only=True)
def mailbox(request: HttpRequest) -> HttpResponse:
    """Shows the list of the newest letters, each with a link to its page. GET only."""
    return render(request, "outbox/dev_mailbox/list.html", {"mails": box.letters()})


@page(safe_only=True)
def letter(request: HttpRequest, name: str) -> HttpResponse:
    """Shows one letter: its headers and its plain text, with links for its URLs. GET only.

    Raises Http404 if there is no letter with this name.
    """
    mail = letter_or_404(name)
    text = mark_safe(urlize(escape(mail.text)))  # noqa: S308 escaped just before
    return render(request, "outbox/dev_mailbox/mail.html", {"mail": mail, "text": text})


@csp_override(AS_MAIL | {"sandbox": ["allow-top-navigation"]})
@page(safe_only=True)
def letter_html(request: HttpRequest, name: str) -> HttpResponse:
    """Shows the HTML part of a letter as a mail program would: with its own styles, without scripts. GET only.

    The page is empty if the letter has no HTML. Raises Http404 if there is no letter with this name.
    """
    return HttpResponse(letter_or_404(name).html)


def letter_or_404(name: str) -> box.Letter:
    """Returns the letter with this name. Raises Http404 if there is none."""
    mail = box.find(name)
    if mail is None:
        raise Http404
    return mail
