"""The page of one invitation at the desk: what happened to it, what can be done now, and what it says."""

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from accounts import profile_fields
from invites import state_in_words
from invites.desk.actions import applicable
from invites.desk.correct import Correcting, can_be_corrected
from invites.desk.correct_form import CorrectForm, app_name
from invites.desk.timeline import timeline
from invites.link import opens
from invites.models import Batch, Invite
from invites.models.states import FAILED
from kit import times
from kit.addresses import readable
from kit.one_row import Button, Fact, OneRow
from outbox import replies_in_words
from outbox.models import OutboxMessage, Suppression
from outbox.models.message import NOT_SENT

if TYPE_CHECKING:
    from accounts.models import User

MAILS_SHOWN = 20  # newest mails
DANGEROUS = "revoke"  # the action whose button stands apart


class InvitePage(Correcting, OneRow):
    """The page of one invitation, with a button for each action that would change it. It shows no link."""

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """Shows an invitation, its history and mails, and a button for each action that would change it.

        A POST runs the action that it names, and leads back to the page or shows the action's own. An unknown id leads
        to the start of the desk. Raises PermissionDenied for a person who may not view invitations and for a POST
        without an action.
        """
        invite = self.get_object(request, object_id)
        if invite and self.shows(request, invite):
            opens.gather()
            invite.refresh_from_db(fields=["opened_at"])
            return self.show(request, "admin/invites/invite/page.html", invite, self.shown(request, invite))
        return super().change_view(request, object_id, *args, **kwargs)

    def shown(self, request: HttpRequest, invite: Invite) -> dict[str, Any]:
        """Returns what the template of the page shows."""
        mails = list(invite.mails[:MAILS_SHOWN])
        invite.newest_mail = mails[0] if mails else None
        buttons = self.buttons(request, invite)
        correctable = self.has_steer_permission(request) and can_be_corrected(invite)
        lost = invite.newest_mail if is_lost(invite) else None
        return {
            "title": readable(invite.email) or _("An erased address"),
            "state": state_in_words.tag(invite),
            "since": since(invite),
            "moments": timeline(invite, mails, traces=request.user.has_perm("accounts.view_event")),
            "mails": [(mail, replies_in_words.answer(mail)) for mail in mails],
            "facts": facts(invite),
            "buttons": [button for button in buttons if button.name != DANGEROUS],
            "last": [button for button in buttons if button.name == DANGEROUS],
            "again_url": again_url(request, invite),
            "can_correct": correctable,
            "lost": lost,
            "lost_why": loss(lost) if lost else "",
            "suppressed": Suppression.objects.of(invite.email) if lost else None,
            "mend": CorrectForm(cast("User", request.user), instance=invite) if lost and correctable else None,
            "is_open": invite.state in {invite.State.PENDING, invite.State.EXPIRED} and not invite.replaced_at,
        }

    def buttons(self, request: HttpRequest, row: Invite) -> list[Button]:
        """Returns a button for each action that this person may do and that would change this invitation."""
        offered = super().buttons(request, row)
        names = applicable(row) if offered else []
        return [button for button in offered if button.name in names]


def again_url(request: HttpRequest, invite: Invite) -> str:
    """Returns the URL of the form that invites the person of an invitation that is over; "" if none is to be offered.

    That is so for a person who may not invite, and where another invitation has taken its place.
    """
    is_over = invite.state in {invite.State.REVOKED, invite.State.DECLINED, invite.State.EXPIRED}
    has_other = invite.replaced_at or (invite.state == invite.State.REVOKED and invite.readdress_to)
    if not is_over or has_other or not invite.email or not request.user.has_perm("invites.add_invite"):
        return ""
    return f"{reverse('admin:invites_batch_add')}?{urlencode({'email': invite.email})}"


def is_lost(invite: Invite) -> bool:
    """Returns whether the newest mail of an invitation that nobody has answered did not arrive."""
    unanswered = invite.state in {invite.State.PENDING, invite.State.EXPIRED} and not invite.replaced_at
    return unanswered and invite.delivery in FAILED


def loss(mail: OutboxMessage) -> str:
    """Returns in words why a mail did not arrive, and who says so."""
    if mail.last_answer.startswith(NOT_SENT):
        return replies_in_words.delivery(mail)
    domain = readable(mail.recipient).rpartition("@")[2]
    return _("%(domain)s says: %(why)s") % {"domain": domain, "why": replies_in_words.answer(mail)}


def since(invite: Invite) -> str:
    """Returns in HTML what stands beside the state of an invitation that is waited for, or ""."""
    if invite.state != invite.State.PENDING or is_lost(invite):
        return ""
    if invite.opened_at:
        said = _("%(when)s, not accepted yet") % {"when": "{}"}  # beside the tag, which says "Opened"
        return format_html(said, times.brief_html(invite.opened_at))
    return replies_in_words.delivery(invite.newest_mail) if invite.newest_mail else ""


def facts(invite: Invite) -> list[Fact]:
    """Returns what the invitation says and of whom it is, without what it does not say."""
    languages, said = dict(settings.LANGUAGES), profile_fields.of_site(invite.profile)
    known = [
        Fact(_("Name"), invite.name),
        *(Fact(field.label, field.shown(said[field.name])) for field in profile_fields.own()),
        Fact(_("Groups"), ", ".join(invite.groups.order_by("name").values_list("name", flat=True))),
        Fact(_("App"), app_name(invite.app) if invite.app else ""),
        Fact(_("Leads to"), invite.next),
        Fact(_("From"), inviter(invite)),
        Fact(_("Made"), invite.get_source_display()),
        Fact(_("Works until"), times.until(invite.expires_at)),
        Fact(_("Language"), languages.get(invite.language, "")),
        Fact(_("Part of"), in_list(invite)),
        Fact(_("Note"), invite.note),
        Fact(_("Reason for declining"), invite.decline_reason),
    ]
    return [fact for fact in known if fact.value]


def inviter(invite: Invite) -> str:
    """Returns the name of the inviter, as a link to the list of their invitations; "" if there is none any more."""
    if invite.invited_by is None:
        return ""
    return list_link({"invited_by": invite.invited_by_id}, invite.invited_by.shown_name)


def in_list(invite: Invite) -> str:
    """Returns the name of the list that the invitation was sent with, as a link to those of the list; "" if alone."""
    if not invite.batch:
        return ""
    batch = Batch.objects.filter(pk=invite.batch).first()
    return list_link({"batch": invite.batch}, str(batch) if batch else _("a list"))


def list_link(query: dict[str, Any], words: str) -> str:
    """Returns an HTML link to the list of invitations with this query."""
    return format_html('<a href="{}?{}">{}</a>', reverse("admin:invites_invite_changelist"), urlencode(query), words)
