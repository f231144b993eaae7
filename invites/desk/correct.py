"""The page on which staff correct an invitation: its address, the name, the note or the app."""

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import groups, power
from accounts.models import User
from invites.desk.actions import Steering
from invites.desk.correct_form import CorrectForm
from invites.link import readdressing
from invites.models import Invite, Unavailable
from kit import addresses
from sso.models import App

SEND = "send"  # the name of the button that sends to the address that was typed


class Correcting(Steering):
    """The part of the desk of invitations that corrects one."""

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.correct)
        return [path("<uuid:pk>/correct/", page, name="invites_invite_correct"), *super().get_urls()]

    def asks_proof(self, request: HttpRequest) -> bool:
        """Returns whether this POST corrects an invitation that gives rights, or chooses an app whose group does.

        Of other POSTs the list knows it.
        """
        match = getattr(request, "resolver_match", None)
        if match is None or match.url_name != "invites_invite_correct":
            return super().asks_proof(request)
        invite = Invite.objects.filter(pk=match.kwargs["pk"]).first()
        if invite is None:
            return False
        named = App.objects.by_id(request.POST.get("app", "")).exclude(pk=invite.app_id)
        return groups.grant_power([*invite.group_ids, *named.exclude(groups=None).values_list("groups", flat=True)])

    def correct(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Shows the form that corrects an invitation. Its POST leads to the page of the invitation, or of the new one.

        For an invitation that can't be corrected it leads to its page, which says so. Raises PermissionDenied for staff
        who may not change invitations, and Http404 if there is no such invitation.
        """
        if not self.has_steer_permission(request):
            raise PermissionDenied
        invite = self.get_queryset(request).filter(pk=pk).first()
        if invite is None:
            raise Http404
        if not can_be_corrected(invite):
            return self.refuse(request, pk)
        by = cast("User", request.user)
        form = CorrectForm(by, request.POST if request.method == "POST" else None, instance=invite)
        if form.is_valid():
            return self.store(request, pk, form)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Correct the invitation"),
            "invite": Invite.objects.get(pk=pk),  # that of the form holds what was typed
            "form": form,
        }
        return TemplateResponse(request, "admin/invites/invite/correct.html", context)

    def store(self, request: HttpRequest, pk: Any, form: CorrectForm) -> HttpResponse:
        """Corrects the invitation as a valid form says, and leads to its page or, with a new address, to the new one.

        If the button was to send it and the address is as before, it is sent there again, unless the rules forbid it.
        That staff have sent rights to another address, or by another app, is recorded, and told to other superusers.
        """
        by, before = cast("User", request.user), Invite.objects.get(pk=pk)
        had = before.group_ids
        try:
            corrected = readdressing.correct(before, by=by, groups=form.into, **form.said)
        except Unavailable:
            return self.refuse(request, pk)
        moved = corrected.pk != pk
        self.record_rights(request, form.into if moved else set(form.into).difference(had))
        if not moved and SEND in request.POST:
            outcome = Invite.objects.filter(pk=pk).resend(by=by)
            number = len(outcome.done)
            done = _("Sent to the same address again.") if number else _("Nothing was sent.")
            self.report(request, done, number, outcome.reasons)
            return redirect("admin:invites_invite_change", pk)
        done = _("Saved. The next mail has it; mail that is already written stays as it is.")
        if moved:
            done = _("1 invitation is on its way to %(email)s. The old link works no longer.")
            done %= {"email": addresses.readable(corrected.email)}
        self.message_user(request, f"{done} {form.changes_of_groups}".strip(), messages.SUCCESS)
        return redirect("admin:invites_invite_change", corrected.pk)

    def record_rights(self, request: HttpRequest, into: Iterable[int]) -> None:
        """Records, and tells the other superusers, that an invitation now gives the rights of these groups."""
        names = groups.with_rights().filter(pk__in=into).values_list("name", flat=True)
        if named := ", ".join(f"{name} × 1" for name in names):
            power.record(request, format_lazy("{} ({})", gettext_lazy("Invitations into groups"), named))

    def refuse(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Leads to the page of an invitation that can't be corrected, with a message that says so."""
        said = _("This invitation can’t be corrected: it is answered or over, or from a member. Nothing was changed.")
        self.message_user(request, said, messages.WARNING)
        return redirect("admin:invites_invite_change", pk)


def can_be_corrected(invite: Invite) -> bool:
    """Returns whether staff may correct it: it is open, and not from a member, who would see what became of it."""
    is_open = invite.state in {invite.State.PENDING, invite.State.EXPIRED} and not invite.replaced_at
    return is_open and invite.source != invite.Source.MEMBER
