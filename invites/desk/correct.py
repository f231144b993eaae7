"""The page on which staff correct an invitation: its address, the name or the note."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
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
from invites.link import readdressing
from invites.models import Invite, Unavailable
from invites.models.joining import accounts_of, lacks
from kit import addresses, plain_line, sure
from kit.sure import SureField
from outbox.models import Suppression

SEND = "send"  # the name of the button that sends to the address that was typed


class CorrectForm(forms.ModelForm):
    """The form that corrects an open invitation: the address, the name and the note."""

    email = forms.CharField(
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("If you change it, the old link stops working, and the new address gets a new one."),
    )
    name = forms.CharField(label=gettext_lazy("Name"), required=False)
    note = forms.CharField(label=gettext_lazy("Note"), required=False)
    sure = SureField()
    may_give_rights = False  # whether the person may send an invitation that gives rights to another address

    class Meta:
        model = Invite
        fields = ("email", "name", "note", "sure")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""

    def clean_email(self) -> str:
        """Returns the normalized address. Raises ValidationError if it is malformed or a likely typo.

        Also for another address than before that can't be invited, or not into these groups by this person.
        """
        email = addresses.normalize(self.cleaned_data["email"])
        if email == self.initial["email"]:
            return email
        if refusal := self.refusal(email):
            raise ValidationError(refusal)
        sure.ask(self, email)
        return email

    def refusal(self, email: str) -> str:
        """Returns why the invitation can't be sent to this address, or ""."""
        into = self.instance.group_ids
        account = accounts_of([email]).get(email)
        if account and not lacks(account, into):
            return _("This address already has an account")
        # What a member has sent there does not count: it grants less.
        if Invite.objects.pending().exclude(source=Invite.Source.MEMBER).filter(email=email).exists():
            return _("This address is invited already. Withdraw one of the two invitations")
        if suppression := Suppression.objects.of(email):
            said = _("No mail goes there: %(why)s. See “Addresses we don’t write to”")
            return said % {"why": suppression.explanation.rstrip(".")}
        if not self.may_give_rights and groups.grant_power(into):
            return _("It leads into a group with rights at the desk. Only a superuser may send it to another address")
        return ""

    def clean_name(self) -> str:
        """Returns the name. Raises ValidationError if it is too long, has a link or is not one line of plain text."""
        return plain_line.plain(self.cleaned_data["name"], 100, _("The name"))

    def clean_note(self) -> str:
        """Returns the note. Raises ValidationError if it is too long, has a link or is not one line of plain text."""
        return plain_line.plain(self.cleaned_data["note"])

    def validate_constraints(self) -> None:
        """Skips the check of unique constraints: an expired invitation to the address is replaced."""


class Correcting(Steering):
    """The part of the desk of invitations that corrects one."""

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.correct)
        return [path("<uuid:pk>/correct/", page, name="invites_invite_correct"), *super().get_urls()]

    def asks_proof(self, request: HttpRequest) -> bool:
        """Returns whether this POST corrects an invitation that gives rights, to another address perhaps.

        Of other POSTs the list knows it.
        """
        match = getattr(request, "resolver_match", None)
        if match is None or match.url_name != "invites_invite_correct":
            return super().asks_proof(request)
        invite = Invite.objects.filter(pk=match.kwargs["pk"]).first()
        return invite is not None and groups.grant_power(invite.group_ids)

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
        form = CorrectForm(request.POST if request.method == "POST" else None, instance=invite)
        form.may_give_rights = bool(request.user.is_superuser)
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
        That staff have sent rights to another address is recorded, and told to the other superusers.
        """
        said = {name: form.cleaned_data[name] for name in ("email", "name", "note")}
        try:
            corrected = readdressing.correct(Invite.objects.get(pk=pk), by=cast("User", request.user), **said)
        except Unavailable:
            return self.refuse(request, pk)
        if corrected.pk == pk and SEND in request.POST:
            outcome = Invite.objects.filter(pk=pk).resend(by=cast("User", request.user))
            number = len(outcome.done)
            done = _("Sent to the same address again.") if number else _("Nothing was sent.")
            self.report(request, done, number, outcome.reasons)
            return redirect("admin:invites_invite_change", pk)
        if corrected.pk == pk:
            done = _("Saved. The next mail has it; mail that is already written stays as it is.")
        else:
            self.record_rights(request, corrected)
            done = _("1 invitation is on its way to %(email)s. The old link works no longer.")
            done %= {"email": addresses.readable(corrected.email)}
        self.message_user(request, done, messages.SUCCESS)
        return redirect("admin:invites_invite_change", corrected.pk)

    def record_rights(self, request: HttpRequest, invite: Invite) -> None:
        """Records, and tells the other superusers, that rights at the desk went to another address."""
        names = groups.with_rights().filter(pk__in=invite.group_ids).values_list("name", flat=True)
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
