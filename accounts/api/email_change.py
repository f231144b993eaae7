"""Another address, while its code is awaited."""

from typing import cast

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import limits
from accounts.api import proof
from accounts.email_change import change
from accounts.email_change.change import Change
from accounts.email_change.forms import CodeForm, EmailForm, taken
from accounts.models import User
from accounts.who import signed_in, who
from kit.json_door import Fields, Invalid, Refused, door, message


@door("GET", guard=signed_in)
def show(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """Where a code was mailed and until when it works; nulls where none is awaited."""
    waiting = change.waiting(request)
    return JsonResponse({"to": waiting and waiting.to, "ends_at": waiting and waiting.ends_at})


@door("POST", limits.POST_PER_NETWORK, guard=signed_in)
def ask(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Mails a code to another `email`."""
    user = cast("User", request.user)
    limits.CHANGE_PER_USER.check(request, user.pk.hex)
    form = EmailForm(request, sent)
    proof.check(form)
    change.mail_code(request, user, form.cleaned_data["email"])
    return message(_("We sent a code to %(email)s.") % {"email": form.cleaned_data["email"]}, 202)


@door("DELETE", limits.POST_PER_NETWORK, guard=signed_in)
def cancel(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """Gives the change up."""
    if change.waiting(request) is None:
        raise Refused(404, "none", _("No change of address waits for its code. Nothing has changed."))
    change.cancel(request)
    return message(_("Your address stays %(email)s.") % {"email": cast("User", request.user).email})


@door("POST", limits.POST_PER_NETWORK, guard=signed_in)
def confirm(request: HttpRequest, sent: Fields) -> HttpResponse:
    """Takes the `code` from the mail."""
    user, waiting = cast("User", request.user), awaited(request)
    form = CodeForm(request, waiting, sent)
    try:
        if not form.is_valid():
            raise Invalid(form)
        change.finish(request, user, waiting)
    except change.TooManyTries:
        raise Refused(410, "over", _(change.TOO_MANY), "code", next=reverse("api_email_change")) from None
    except IntegrityError:
        form.add_error("code", taken())
        raise Invalid(form, {"code": "email"}, taken=409) from None
    return who(request)


@door("POST", limits.POST_PER_NETWORK, guard=signed_in)
def again(request: HttpRequest, _sent: Fields) -> HttpResponse:
    """Mails another code; only the newest works."""
    change.mail_code(request, cast("User", request.user), awaited(request).to)
    return message(_("We sent another code. Only the newest one works."), 202)


def awaited(request: HttpRequest) -> Change:
    """The change whose code is awaited; counts one more try at it. Raises Limited, or Refused where there is none."""
    limits.CODE_PER_USER.check(request, cast("User", request.user).pk.hex)
    waiting = change.waiting(request)
    if waiting is None:
        said = _("No code is awaited any more, and nothing has changed. Give the new address again.")
        raise Refused(410, "over", said, "code", next=reverse("api_email_change"))
    return waiting
