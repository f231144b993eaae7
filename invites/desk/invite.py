"""Invitations at the desk: all of them, in any state. No page shows a token or a link."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from invites.desk.actions import Steering, applicable
from invites.desk.filters import (
    BatchFilter,
    CreatedFilter,
    DeliveryFilter,
    EndFilter,
    InviterFilter,
    LanguageFilter,
    SourceFilter,
    StateFilter,
)
from invites.desk.invite_form import InviteForm
from invites.desk.timeline import timeline
from invites.link import opens
from invites.models import Entry, Invite, Reason, in_step
from kit import addresses
from kit.long_list import ago, exact
from outbox.models import OutboxMessage

MAILS_SHOWN = 20  # newest mails on the page of an invitation


@admin.register(Invite)
class InviteAdmin(Steering):
    """The admin of invitations: the list, the form that invites one person, and the page of one with its history."""

    form = InviteForm
    list_display = ("address", "state_badge", "delivery", "inviter", "source", "sent", "end")
    list_filter = (
        StateFilter,
        EndFilter,
        DeliveryFilter,
        CreatedFilter,
        SourceFilter,
        LanguageFilter,
        InviterFilter,
        BatchFilter,
    )
    list_select_related = ("invited_by",)
    search_fields = ("email__exact",)
    search_help_text = gettext_lazy("A whole address")
    readonly_fields = ("state_badge", "end", "inviter", "source", "in_batch", "name", "into", "next", "decline_reason")

    @admin.display(description=gettext_lazy("email address"))
    def address(self, invite: Invite) -> str:
        return readable(invite.email)

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, invite: Invite) -> str:
        return format_html('<span class="badge {}">{}</span>', invite.state, invite.state.label)

    @admin.display(description=gettext_lazy("delivery"), empty_value="–")
    def delivery(self, invite: Invite) -> str:
        return delivery_in_words(invite.newest_mail)

    @admin.display(description=gettext_lazy("invited by"), empty_value="–")
    def inviter(self, invite: Invite) -> str:
        if invite.invited_by is None:
            return "–"
        query = urlencode({InviterFilter.parameter_name: invite.invited_by_id})
        return list_link(query, invite.invited_by.username)

    @admin.display(description=gettext_lazy("batch"), empty_value="–")
    def in_batch(self, invite: Invite) -> str:
        return list_link(urlencode({BatchFilter.parameter_name: invite.batch}), invite.batch) if invite.batch else "–"

    @admin.display(description=gettext_lazy("groups"))
    def into(self, invite: Invite) -> str:
        return ", ".join(invite.groups.order_by("name").values_list("name", flat=True)) or "–"

    @admin.display(description=gettext_lazy("last sent"), empty_value="–")
    def sent(self, invite: Invite) -> str:
        """Returns how long ago the invitation was last mailed, and how often in all if more than once."""
        if invite.sent_at is None:
            return ""
        often = f" (×{invite.sends})" if invite.sends > 1 else ""
        return format_html("{}{}", ago(invite.sent_at), often)

    @admin.display(description=gettext_lazy("ends"))
    def end(self, invite: Invite) -> str:
        day = date_format(timezone.localtime(invite.expires_at), _("j M Y"))
        return format_html('<time title="{}">{}</time>', exact(invite.expires_at), day)

    def complete(self, rows: Any) -> None:
        OutboxMessage.objects.attach_newest(rows)

    def get_fields(self, request: HttpRequest, obj: Invite | None = None) -> Any:
        """Returns the fields of the form for a new invitation, or the lines of fields on the page of one."""
        if obj is None:
            return InviteForm.Meta.fields
        lines: list[Any] = [
            ("email", "state_badge", "end"),
            ("inviter", "source", "in_batch"),
            ("name", "language", "into", "next"),
            "note",
        ]
        return [*lines, "decline_reason"] if obj.decline_reason else lines

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """Shows an invitation, its history and mails, and a button for each action that would change it.

        A POST runs the action that it names, and leads back to the page or shows the action's own. An unknown id leads
        to the start of the desk. Raises PermissionDenied for a person who may not view invitations and for a POST
        without an action.
        """
        invite = self.get_object(request, object_id)
        if invite and request.method == "GET":
            opens.gather()
            invite.refresh_from_db(fields=["opened_at"])
            mails = list(invite.mails[:MAILS_SHOWN])
            shown = {
                "mails": mails,
                "moments": timeline(invite, mails, traces=request.user.has_perm("accounts.view_event")),
                "verbs": self.buttons(request, invite),
            }
            kwargs["extra_context"] = shown | (kwargs.get("extra_context") or {})
        return super().change_view(request, object_id, *args, **kwargs)

    def buttons(self, request: HttpRequest, invite: Invite) -> list[tuple[str, str]]:
        """Returns name and label of each action that this person may do and that would change this invitation."""
        offered: dict[str, Any] = self.get_actions(request, action_location=admin.ActionLocation.CHANGE_FORM)
        names = applicable(invite) if offered else []
        return [(name, str(offered[name].description)) for name in names]

    def save_model(self, request: HttpRequest, obj: Invite, form: Any, change: bool) -> None:
        """Invites the person of a valid form, by a mail, and sets `obj.pk` to the id of the pending invitation.

        If the address can't be invited any more since the form was checked, a message says why. If that is because
        another person has just invited it, `obj.pk` is the id of that invitation, which is left as it is; else None.
        """
        entry = Entry(**{name: form.cleaned_data[name] for name in ("email", "note", "language")})
        given: dict[str, Any] = {"source": Invite.Source.ADMIN, "invited_by": request.user}
        outcome = Invite.objects.issue_many([entry], **given, leaving=in_step(), beside_members=True)
        for _email, reason in outcome.skipped:
            self.message_user(request, self.why_not(reason), messages.WARNING)
        standing = Invite.objects.pending().filter(email=entry.email).exclude(source=Invite.Source.MEMBER)
        obj.pk = outcome.done[0] if outcome.done else standing.order_by("-id").values_list("pk", flat=True).first()

    def why_not(self, reason: Reason) -> str:
        """Returns the message that an address, which could be invited when the form was checked, was not."""
        if reason == Reason.INVITED:
            return _("Somebody has just invited this address. Nothing more was sent.")
        return _("Nothing was sent: %(reason)s.") % {"reason": reason.label}

    def log_addition(self, request: HttpRequest, obj: Invite, message: Any) -> Any:
        """Writes the desk's log, unless nobody was invited."""
        return super().log_addition(request, obj, message) if obj.pk else None

    def response_add(self, request: HttpRequest, obj: Invite, post_url_continue: str | None = None) -> HttpResponse:
        """Leads on as Django does or, if nobody was invited, to the list."""
        if obj.pk is None:
            return redirect("admin:invites_invite_changelist")
        return super().response_add(request, obj, post_url_continue)

    def has_change_permission(self, request: HttpRequest, obj: Invite | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invite | None = None) -> bool:
        return False


def readable(email: str) -> str:
    """Returns the address with its domain in Unicode, and as stored in the tooltip, if it is stored in ASCII (IDNA)."""
    read = addresses.readable(email)
    return email if read == email else format_html('<span title="{}">{}</span>', email, read)


def delivery_in_words(mail: OutboxMessage | None) -> str:
    """Returns the status of a mail, with the number of tries if it took several; "" for None."""
    label = str(mail.status.label) if mail else ""
    if mail is None or mail.attempts < 2:
        return label
    return _("%(status)s, tries: %(tries)s") % {"status": label, "tries": mail.attempts}


def list_link(query: str, words: str) -> str:
    """Returns an HTML link to the list of invitations with this query."""
    return format_html('<a href="{}?{}">{}</a>', reverse("admin:invites_invite_changelist"), query, words)
