"""Inviting others, where members may."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.session.account_page import PersonRequest, account_page
from invites.members.form import InvitePersonForm
from invites.members.invitations import MEMBER_SENDS, MemberInvites
from invites.models import Invite
from kit.page import bind_form

SHOWN = 50  # of the newest

View = Callable[..., HttpResponseBase]


def for_members(view: View) -> View:
    """For pages of somebody signed in, which are not there unless members may invite."""
    inner = account_page()(view)

    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponseBase:
        if not settings.MEMBERS_INVITE:
            raise Http404
        return inner(request)

    return wrapper


@for_members
def invites(request: PersonRequest) -> HttpResponse:
    """The form, and what this member has sent."""
    form = bind_form(InvitePersonForm, request)
    if not form.is_valid():
        return invites_page(request, form)
    given = {"note": form.cleaned_data["note"], "language": get_language() or ""}
    try:
        invite = of_member(request).send(form.cleaned_data["email"], **given)
    except ValidationError as error:
        form.add_error("email", error)
        return invites_page(request, form)
    messages.success(request, _("We’ve emailed an invitation to %(email)s.") % {"email": invite.email})
    return redirect("member_invites")


@for_members
def resend(request: PersonRequest) -> HttpResponse:
    return press(request, MemberInvites.resend, _("We’ve sent the invitation to %(email)s again."))


@for_members
def withdraw(request: PersonRequest) -> HttpResponse:
    said = _("The invitation to %(email)s is withdrawn. Its link no longer works.")
    return press(request, MemberInvites.withdraw, said)


def press(request: PersonRequest, verb: Callable[[MemberInvites, Invite], None], done: str) -> HttpResponse:
    """Does one thing to one of this member's own invitations, and leads back to them."""
    if request.method != "POST":
        return redirect("member_invites")
    invite = chosen(request)
    try:
        verb(of_member(request), invite)
    except Invite.DoesNotExist:
        messages.info(request, _("That invitation is over already. Nothing was changed."))
    except ValidationError as error:
        messages.warning(request, error.messages[0])
    else:
        messages.success(request, done % {"email": invite.email})
    return redirect("member_invites")


def chosen(request: PersonRequest) -> Invite:
    """The one that was pressed. Raises Http404 for what is not this member's."""
    try:
        pk = UUID(request.POST.get("invite", ""))
        return of_member(request).sent().get(pk=pk)
    except (ValueError, Invite.DoesNotExist):
        raise Http404 from None


def of_member(request: PersonRequest) -> MemberInvites:
    return MemberInvites(request.person)


def invites_page(request: PersonRequest, form: InvitePersonForm) -> HttpResponse:
    mine = of_member(request)
    left, until = mine.left()
    context: dict[str, Any] = {
        "form": form,
        "left": max(left, 0),
        "until": until,
        "quota": settings.MEMBERS_INVITE_QUOTA,
        "paused": mine.member.invites_paused_at,
        "invites": mine.sent()[:SHOWN],
        "most_sends": MEMBER_SENDS,
    }
    return render(request, "invites/members/list.html", context)
