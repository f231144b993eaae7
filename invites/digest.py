"""The mail that tells an inviter, at most once a day, what became of their invitations. Needs no request."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import preferences
from accounts.models import User
from invites.models import AT_ONCE, Invite
from invites.models.states import FAILED
from kit.addresses import readable
from outbox.mail.write import post
from outbox.models import OutboxMessage

KIND = "inviter_digest"
# Between two such mails to one person. A timer that runs once a day must not miss a day by being a minute early.
EVERY = timedelta(hours=23)
NAMED = 20  # people that each list of the mail names


def next_inviter(after: UUID | None) -> UUID | None:
    """Returns the id of the first person after `after` who has something to be told; None if there is nobody."""
    rows = Invite.objects.with_news()
    beyond = rows.filter(invited_by__gt=after) if after else rows
    return beyond.order_by("invited_by").values_list("invited_by", flat=True).first()


@transaction.atomic
def tell(pk: UUID) -> bool:
    """Mails this person what became of their invitations since the last such mail. Returns whether it did.

    Tells of AT_ONCE invitations at most; the next mail tells of the others. What is told is marked in the transaction
    that stores the mail, so that it is told once. Nobody is mailed twice within EVERY, nor while another process is
    about it; and nobody whose account is turned off, who is leaving or who wants no such mail: for them it only counts
    as told.
    """
    inviter = User.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=pk).first()
    if inviter is None or has_been_told(inviter):
        return False
    rows = Invite.objects.with_news().filter(invited_by=inviter).order_by("pk")
    invites = list(rows.select_for_update(no_key=True)[:AT_ONCE])
    Invite.objects.filter(pk__in=[invite.pk for invite in invites]).update(has_news=False)
    if not inviter.is_usable or not inviter.settings.get("digest", True):
        return False
    accepted, declined, back = sort(invites)
    if accepted or declined or back:
        mail(inviter, accepted, declined, back)
    return bool(accepted or declined or back)


def has_been_told(inviter: User) -> bool:
    """Returns whether this person was sent such a mail within EVERY, at any address."""
    since = timezone.now() - EVERY
    return OutboxMessage.objects.filter(about=inviter.pk, kind=KIND, created_at__gt=since).exists()


def sort(invites: Sequence[Invite]) -> tuple[list[Invite], list[Invite], list[Invite]]:
    """Returns those of these invitations that are accepted, those declined, and those whose newest mail came back.

    Leaves out people who have left. Mail that did not arrive is kept from members: they see no delivery status.
    """
    known = [invite for invite in invites if invite.email]
    accepted = [invite for invite in known if invite.state == Invite.State.ACCEPTED]
    declined = [invite for invite in known if invite.state == Invite.State.DECLINED]
    over = {Invite.State.ACCEPTED, Invite.State.DECLINED, Invite.State.REVOKED}
    rest = [invite for invite in known if invite.state not in over and invite.source != Invite.Source.MEMBER]
    OutboxMessage.objects.attach_newest(rest)
    return accepted, declined, [invite for invite in rest if invite.delivery in FAILED]


def mail(inviter: User, accepted: Sequence[Invite], declined: Sequence[Invite], back: Sequence[Invite]) -> None:
    """Stores the mail to `inviter` in the caller's transaction. It names the first NAMED people of each kind."""
    with preferences.override(inviter.settings) as language:
        context = {
            "accepted": lines(accepted),
            "accepted_count": len(accepted),
            "declined": lines(declined),
            "declined_count": len(declined),
            "back": lines(back),
            "back_count": len(back),
            "url": page_of(inviter),
            "settings_url": f"{settings.SITE_URL}{reverse('account_settings')}",
        }
        # It is found by the inviter's id, not by the address, which may change meanwhile.
        post(KIND, inviter.email, context, language=language, about=inviter.pk)


def lines(invites: Sequence[Invite]) -> list[str]:
    """Returns a line for each of the first NAMED invitations, and one that counts the others, if there are any."""
    named, more = [line(invite) for invite in invites[:NAMED]], len(invites) - NAMED
    if more <= 0:
        return named
    return [*named, ngettext("and %(count)s more", "and %(count)s more", more) % {"count": more}]


def line(invite: Invite) -> str:
    """Returns the address of an invitation, after the name that its inviter gave, and why it was declined.

    If it was accepted under another address, that stands there, too.
    """
    email = readable(invite.email)
    if invite.accepted_as:
        email = _("%(invited)s, as %(address)s") % {"invited": email, "address": readable(invite.accepted_as)}
    named = f"{invite.name} ({email})" if invite.name else email
    reason = invite.decline_reason
    return _("%(person)s: “%(reason)s”") % {"person": named, "reason": reason} if reason else named


def page_of(inviter: User) -> str:
    """Returns the URL of the page where this person sees their invitations; that of the site for whoever sees none."""
    if inviter.has_perm("invites.view_invite") and inviter.is_staff:
        query = urlencode({"invited_by": inviter.pk})
        return f"{settings.SITE_URL}{reverse('admin:invites_invite_changelist')}?{query}"
    return f"{settings.SITE_URL}{reverse('member_invites')}" if settings.MEMBERS_INVITE else settings.SITE_URL
