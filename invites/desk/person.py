"""Actions and tables that this room adds to people at the desk: password reset links, pausing, invitations."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import desk_offers, power
from accounts.desk_offers import NEWEST, Panel
from accounts.models import Event, User
from invites.models import Invite, InviteQuerySet, Inviter, MagicLink, Reason
from invites.models.inviter import InviterQuerySet
from invites.models.steps import SENT_JUST_NOW
from kit.addresses import readable
from kit.one_row import EVERYWHERE, Fact
from kit.times import brief_html
from outbox.models import Suppression

MAILED_AT_ONCE = 500  # people: each takes several statements
# For the desk's log of changes. They name nobody, because names must be erased when the person leaves.
PAUSED, ALLOWED = "Invitations paused", "Invitations allowed"


@admin.action(description=gettext_lazy("Mail a reset link"), permissions=["change"], location=EVERYWHERE)
def mail_reset(modeladmin: Any, request: HttpRequest, queryset: Any) -> None:
    """Mails each of these people a link for a new password; the mail says that the site has asked for it.

    Skips people above the person who acts, accounts that are turned off or left, suppressed addresses, and people who
    were mailed such a link less than a minute ago, and shows how many. Mails nobody, and says so, if these are more
    than MAILED_AT_ONCE people.
    """
    if modeladmin.refuses_many(request, queryset, MAILED_AT_ONCE):
        return
    people, skipped = modeladmin.sift(request, queryset)
    suppressed = Suppression.objects.among(person.email for person in people)
    active = [person for person in people if person.is_usable]
    able = [person for person in active if person.email not in suppressed]
    chosen = [person for person in able if mail_one_reset(request, person)]
    skipped[_("turned off or leaving")] += len(people) - len(active)
    skipped[_("no mail goes to the address")] += len(active) - len(able)
    skipped[str(Reason.TOO_SOON.label)] += len(able) - len(chosen)
    modeladmin.log(request, chosen, "Password reset link mailed")
    modeladmin.report(request, _("%(queued)s queued.") % {"queued": len(chosen)}, len(chosen), skipped)


@transaction.atomic
def mail_one_reset(request: HttpRequest, person: User) -> bool:
    """Mails a person a link for a new password, and records who had it mailed. Returns whether it did.

    It does not if such a link was mailed to them less than SENT_JUST_NOW ago, as with "Send again" of an invitation,
    or if the account was deleted meanwhile. It locks the account, so that two presses at once send one mail.
    """
    held = User.objects.select_for_update(no_key=True).filter(pk=person.pk).first()
    since = timezone.now() - SENT_JUST_NOW
    reset = MagicLink.Purpose.RESET
    if held is None or MagicLink.objects.filter(email=held.email, purpose=reset, sent_at__gt=since).exists():
        return False
    MagicLink.objects.issue(held.email, reset, device=settings.SITE_NAME)
    power.record_acts(request, Event.Kind.RESET_MAILED, [held])
    return True


@admin.action(description=gettext_lazy("Pause their invitations"), permissions=["change"], location=EVERYWHERE)
@transaction.atomic
def pause(modeladmin: Any, request: HttpRequest, queryset: Any) -> None:
    """Keeps these people from inviting others, and shows how many were paused and skipped.

    Skips people above the person who acts, and those paused already.
    """
    people, skipped = modeladmin.sift(request, queryset)
    inviting = [person for person in people if not person.invites_paused_at]
    skipped[_("paused already")] += len(people) - len(inviting)
    inviters(inviting).pause()
    power.record_acts(request, Event.Kind.INVITES_PAUSED, inviting)
    modeladmin.log(request, inviting, PAUSED)
    modeladmin.report(request, _("%(count)s may not invite now.") % {"count": len(inviting)}, len(inviting), skipped)


@admin.action(description=gettext_lazy("Allow their invitations again"), permissions=["change"], location=EVERYWHERE)
@transaction.atomic
def allow(modeladmin: Any, request: HttpRequest, queryset: Any) -> None:
    """Lets these people invite others again, and shows how many were allowed and skipped.

    Skips people above the person who acts, and those not paused.
    """
    people, skipped = modeladmin.sift(request, queryset)
    paused = [person for person in people if person.invites_paused_at]
    skipped[_("not paused")] += len(people) - len(paused)
    inviters(paused).allow()
    power.record_acts(request, Event.Kind.INVITES_ALLOWED, paused)
    modeladmin.log(request, paused, ALLOWED)
    modeladmin.report(request, _("%(count)s may invite again.") % {"count": len(paused)}, len(paused), skipped)


def inviters(people: list[User]) -> InviterQuerySet:
    return Inviter.objects.filter(pk__in=[person.pk for person in people])


def received(request: HttpRequest, person: User) -> Panel | None:
    """Returns the table of invitations to a person's address; None if the reader may not view invitations."""
    if not may_see(request):
        return None
    invites = Invite.objects.filter(email=person.email).select_related("invited_by")
    panel = Panel("invited", _("Invitations to this address"), [_("When"), _("From"), _("State")])
    panel.rows = [row(invite, invite.invited_by.shown_name if invite.invited_by else "") for invite in newest(invites)]
    panel.more = list_url(q=person.email)
    return panel


def sent(request: HttpRequest, person: User) -> Panel | None:
    """Returns the table of invitations that a person has sent; None if the reader may not view invitations."""
    if not may_see(request):
        return None
    invites = Invite.objects.filter(invited_by=person)
    panel = Panel("inviting", _("Invited by this person"), [_("When"), _("Address"), _("State")])
    panel.rows = [row(invite, readable(invite.email)) for invite in newest(invites)]
    panel.more = list_url(invited_by=person.pk)
    return panel


def came_in(request: HttpRequest, person: User) -> list[Fact]:
    """Returns by which invitation a person came in, and where the tree of those they brought is.

    Returns nothing if the reader may not view invitations.
    """
    if not may_see(request):
        return []
    tree = format_html(
        '<a href="{}">{}</a>', reverse("admin:invites_inviter_change", args=[person.pk]), _("see the tree")
    )
    first = Invite.objects.filter(accepted_by=person).select_related("invited_by").order_by("id").first()
    return [*([Fact(_("Came in by"), by_which(first))] if first else []), Fact(_("Brought in"), tree)]


def by_which(invite: Invite) -> str:
    """Returns whose invitation it is, as a link to its page."""
    words = _("an invitation")
    if invite.invited_by:
        words = _("an invitation of %(who)s") % {"who": invite.invited_by.shown_name}
    url = reverse("admin:invites_invite_change", args=[invite.pk])
    return format_html('<a href="{}">{}</a>, {}', url, words, brief_html(invite.accepted_at or invite.created_at))


def may_see(request: HttpRequest) -> bool:
    return request.user.has_perm("invites.view_invite")


def newest(invites: InviteQuerySet) -> InviteQuerySet:
    return invites.order_by("-id")[:NEWEST]


def list_url(**query: Any) -> str:
    """Returns the URL of the list of invitations with this query."""
    return f"{reverse('admin:invites_invite_changelist')}?{urlencode(query)}"


def row(invite: Invite, other: str) -> list[Any]:
    """Returns the cells for one invitation: its time as a link to its page, `other`, and its state.

    `other` is the other party: the name of the inviter, or the address invited.
    """
    url = reverse("admin:invites_invite_change", args=[invite.pk])
    state = _("Waiting") if invite.state == Invite.State.PENDING else invite.state.label
    return [format_html('<a href="{}">{}</a>', url, brief_html(invite.created_at)), other, state]


desk_offers.add_panel(received)
desk_offers.add_panel(sent)
desk_offers.add_facts(came_in)
desk_offers.add_action(mail_reset, after="end_sessions", applies=lambda person: person.is_usable)
desk_offers.add_action(pause, applies=lambda person: not person.invites_paused_at)
desk_offers.add_action(allow, applies=lambda person: bool(person.invites_paused_at))
