"""JSON doors to a change of address, which waits for its code."""

from django.db import IntegrityError
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.api import proof
from accounts.email_change import change
from accounts.email_change.change import Change
from accounts.email_change.forms import CodeForm, EmailForm, taken_error
from accounts.session.account_page import PersonRequest
from accounts.who import changes, signed_in, who
from kit.addresses import readable
from kit.json_door import Fields, Invalid, Refused, door, message


@door("GET", guard=signed_in)
def show(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Answers with the address `to` where a code was mailed, and `ends_at`, until when the code works.

    Both are null if no change of address waits for its code. Answers 401 to anyone not signed in.
    """
    waiting = change.find_pending(request)
    return JsonResponse({"to": waiting and waiting.to, "ends_at": waiting and waiting.ends_at})


@door("POST", limits.POST_PER_NETWORK, guard=changes)
def ask(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Mails a code to the new address `email`, and answers with a message (202). The address does not change yet.

    If another account has `email`, its owner gets a warning instead, and the answer is the same. Needs `password`,
    unless the user has proven ownership in the last 15 minutes. Answers 403 without either, 400 for a malformed
    address, the user's own, or a wrong password, 429 after too many requests or mails, and 401 to anyone not signed in.
    """
    form = EmailForm(request, sent)
    proof.check(form)
    change.mail_code(request, form.cleaned_data["email"])
    return message(_("We sent a code to %(email)s.") % {"email": readable(form.cleaned_data["email"])}, 202)


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def cancel(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Gives up the change of address that waits for its code, and answers with a message.

    Answers 404 if no change waits, 429 after too many requests, and 401 to anyone not signed in.
    """
    if change.find_pending(request) is None:
        raise Refused(404, "none", _("No change of address waits for its code. Nothing has changed."))
    change.cancel(request)
    return message(_("Your address stays %(email)s.") % {"email": readable(request.person.email)})


@door("POST", limits.POST_PER_NETWORK, guard=signed_in)
def confirm(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Changes the address with the `code` from the mail, mails the old address, and answers who is signed in.

    Answers 400 for a wrong code, 410 after too many wrong ones or if no change waits, 409 if another account has taken
    the address meanwhile, 429 after too many requests, and 401 to anyone not signed in, or whose sessions have all
    ended meanwhile.
    """
    waiting = awaited(request)
    form = CodeForm(request, sent, change=waiting)
    try:
        if not form.is_valid():
            raise Invalid(form)
        change.finish(request, waiting)
    except change.TooManyTries:
        raise Refused(410, "over", _(change.TOO_MANY), "code", next=reverse("api_email_change")) from None
    except IntegrityError:
        form.add_error("code", taken_error())
        raise Invalid(form, {"code": "email"}, taken=409) from None
    return who(request)


@door("POST", limits.POST_PER_NETWORK, guard=signed_in)
def again(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Mails another code to the same new address, and answers with a message (202). Only the newest code works.

    Answers 410 if no change of address waits for a code, 429 after too many requests or mails, and 401 to anyone not
    signed in.
    """
    change.mail_code(request, awaited(request).to)
    return message(_("We sent another code. Only the newest one works."), 202)


def awaited(request: PersonRequest) -> Change:
    """Returns the change of address that waits for its code, and counts this request towards CODE_PER_USER.

    Raises Limited after too many such requests, and Refused (410) if no change waits.
    """
    limits.CODE_PER_USER.check(request, request.person.pk.hex)
    waiting = change.find_pending(request)
    if waiting is None:
        said = _("No code is awaited any more, and nothing has changed. Give the new address again.")
        raise Refused(410, "over", said, "code", next=reverse("api_email_change"))
    return waiting
