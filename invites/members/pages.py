"""The pages on which members invite other people, and see and change their invitations."""

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
from kit.addresses import readable
from kit.page import bind_form

SHOWN = 50  # newest invitations on the page

View = Callable[..., HttpResponseBase]


def for_members(view: View) -> View:
    """Returns a page for signed-in users: anyone else is led to the sign-in page.

    The page raises Http404 unless the setting MEMBERS_INVITE is on, and Limited when a network has posted too often.
    """
    inner = account_page()(view)

    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponseBase:
        if not settings.MEMBERS_INVITE:
            raise Http404
        return inner(request)

    return wrapper


@for_members
def invites(request: PersonRequest) -> HttpResponse:
    """Shows the form and the member's invitations. Its POST invites a person, and leads back here with a message.

    A form that can't be sent is shown again with its errors. Raises Http404 where members may not invite, and Limited
    when a network has posted too often.
    """
    form = bind_form(InvitePersonForm, request)
    if not form.is_valid():
        return invites_page(request, form)
    given = {"note": form.cleaned_data["note"], "language": get_language() or ""}
    try:
        invite = of_member(request).send(form.cleaned_data["email"], **given)
    except ValidationError as error:
        form.add_error("email", error)
        return invites_page(request, form)
    messages.success(request, _("We’ve emailed an invitation to %(email)s.") % {"email": readable(invite.email)})
    return redirect("member_invites")


@for_members
def resend(request: PersonRequest) -> HttpResponse:
    """Mails the invitation again whose id is posted as `invite`, and leads back to the list with a message.

    If it is over, or may not be mailed now, the message says so. A GET leads to the list. Raises Http404 if the
    invitation is not this member's, the id is malformed, or members may not invite here; and Limited when a network has
    posted too often.
    """
    return press(request, MemberInvites.resend, _("We’ve sent the invitation to %(email)s again."))


@for_members
def withdraw(request: PersonRequest) -> HttpResponse:
    """Withdraws the invitation whose id is posted as `invite`, and leads back to the list with a message.

    If it is over, the message says so. A GET leads to the list. Raises Http404 if the invitation is not this member's,
    the id is malformed, or members may not invite here; and Limited when a network has posted too often.
    """
    said = _("The invitation to %(email)s is withdrawn. Its link no longer works.")
    return press(request, MemberInvites.withdraw, said)


def press(request: PersonRequest, verb: Callable[[MemberInvites, Invite], None], done: str) -> HttpResponse:
    """Applies `verb` to the invitation whose id is posted as `invite`, and leads back to the list with message `done`.

    If the verb raises Invite.DoesNotExist (the invitation is over) or ValidationError, the message says that. A GET
    leads to the list. Raises Http404 if the invitation is not this member's, or the id is malformed.
    """
    if request.method != "POST":
        return redirect("member_invites")
    invite = find_invite(request)
    try:
        verb(of_member(request), invite)
    except Invite.DoesNotExist:
        messages.info(request, _("That invitation is over already. Nothing was changed."))
    except ValidationError as error:
        messages.warning(request, error.messages[0])
    else:
        messages.success(request, done % {"email": readable(invite.email)})
    return redirect("member_invites")


def find_invite(request: PersonRequest) -> Invite:
    """Returns the invitation whose id was posted. Raises Http404 if it is not this member's, or the id is malformed."""
    try:
        pk = UUID(request.POST.get("invite", ""))
        return of_member(request).sent().get(pk=pk)
    except (ValueError, Invite.DoesNotExist):
        raise Http404 from None


def of_member(request: PersonRequest) -> MemberInvites:
    return MemberInvites(request.person)


def invites_page(request: PersonRequest, form: InvitePersonForm) -> HttpResponse:
    """Returns the page with this form, the member's newest invitations, and how many more they may send."""
    mine = of_member(request)
    left, until = mine.left()
    context: dict[str, Any] = {
        "form": form,
        "left": left,
        "until": until,
        "quota": settings.MEMBERS_INVITE_QUOTA,
        "paused": mine.member.invites_paused_at,
        "invites": mine.sent()[:SHOWN],
        "most_sends": MEMBER_SENDS,
    }
    return render(request, "invites/members/list.html", context)
