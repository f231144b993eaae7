"""Another address, while its code is awaited."""

from django.db import IntegrityError
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.api import proof
from accounts.email_change import change
from accounts.email_change.change import Change
from accounts.email_change.forms import CodeForm, EmailForm, taken
from accounts.session.account_page import PersonRequest
from accounts.who import changes, signed_in, who
from kit.json_door import Fields, Invalid, Refused, door, message


@door("GET", guard=signed_in)
def show(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Where a code was mailed and until when it works; nulls where none is awaited."""
    waiting = change.waiting(request)
    return JsonResponse({"to": waiting and waiting.to, "ends_at": waiting and waiting.ends_at})


@door("POST", limits.POST_PER_NETWORK, guard=changes)
def ask(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Mails a code to another `email`."""
    form = EmailForm(request, sent)
    proof.check(form)
    change.mail_code(request, form.cleaned_data["email"])
    return message(_("We sent a code to %(email)s.") % {"email": form.cleaned_data["email"]}, 202)


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def cancel(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Gives the change up."""
    if change.waiting(request) is None:
        raise Refused(404, "none", _("No change of address waits for its code. Nothing has changed."))
    change.cancel(request)
    return message(_("Your address stays %(email)s.") % {"email": request.person.email})


@door("POST", limits.POST_PER_NETWORK, guard=signed_in)
def confirm(request: PersonRequest, sent: Fields) -> HttpResponse:
    """Takes the `code` from the mail."""
    waiting = awaited(request)
    form = CodeForm(request, sent, change=waiting)
    try:
        if not form.is_valid():
            raise Invalid(form)
        change.finish(request, waiting)
    except change.TooManyTries:
        raise Refused(410, "over", _(change.TOO_MANY), "code", next=reverse("api_email_change")) from None
    except IntegrityError:
        form.add_error("code", taken())
        raise Invalid(form, {"code": "email"}, taken=409) from None
    return who(request)


@door("POST", limits.POST_PER_NETWORK, guard=signed_in)
def again(request: PersonRequest, _sent: Fields) -> HttpResponse:
    """Mails another code; only the newest works."""
    change.mail_code(request, awaited(request).to)
    return message(_("We sent another code. Only the newest one works."), 202)


def awaited(request: PersonRequest) -> Change:
    """The change whose code is awaited; counts one more try at it. Raises Limited, or Refused where there is none."""
    limits.CODE_PER_USER.check(request, request.person.pk.hex)
    waiting = change.waiting(request)
    if waiting is None:
        said = _("No code is awaited any more, and nothing has changed. Give the new address again.")
        raise Refused(410, "over", said, "code", next=reverse("api_email_change"))
    return waiting
