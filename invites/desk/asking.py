"""The page that asks before many people are reminded, or are sent their invitation again, and what its button does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from invites import mails
from invites.models import Invite, InviteQuerySet, Outcome, in_step, lifetimes
from invites.models.joining import accounts_of
from invites.models.reminders import LONGER
from invites.models.states import FAILED
from kit import plain_line, times
from kit.form import Form
from kit.long_list import with_separators
from kit.page import SHOW_AGAIN
from outbox import replies_in_words
from outbox.mail.compose import render_parts
from outbox.models import OutboxMessage

SHOWN = 10  # people that the page names
CONFIRMED = "confirmed"  # the name of the button that mails


class AskForm(Form):
    """What somebody may add to a reminder."""

    note = forms.CharField(
        label=gettext_lazy("Add a line (optional)"),
        required=False,
        help_text=gettext_lazy("Plain text, no links, up to 200 characters"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    longer = forms.BooleanField(label=gettext_lazy("Give everybody 7 more days"), required=False)

    def clean_note(self) -> str:
        """Returns the line on one line. Raises ValidationError if it is too long, has a link or is no plain text."""
        return plain_line.plain(" ".join(self.cleaned_data["note"].split()))


@dataclass
class Asked:
    """What the page asks about: to mail the people of these invitations, in the name of `by`."""

    rows: InviteQuerySet
    by: User
    note: str = ""
    longer: bool = False
    names_skipped: bool = False  # whether the page names the first of those who are left out; for a few people only

    takes_words: ClassVar[bool]

    def act(self, *, dry_run: bool = False) -> Outcome:
        """Mails those of the people who may be mailed. Returns the outcome. With `dry_run` nothing is done."""
        raise NotImplementedError

    def mail(self, invite: Invite, account: User | None) -> OutboxMessage:
        """Returns the mail to the person of `invite`, who has this account, if any. It is not stored."""
        raise NotImplementedError

    @staticmethod
    def words(count: int) -> tuple[str, str, str]:
        """Returns the title of the page, the words of its button and those when it was pressed, for `count` people."""
        raise NotImplementedError


class Reminding(Asked):
    takes_words = True

    def act(self, *, dry_run: bool = False) -> Outcome:
        given: dict[str, Any] = {"note": self.note, "longer": self.longer, "dry_run": dry_run}
        return self.rows.remind_by_hand(self.by, leaving=in_step(), **given)

    def mail(self, invite: Invite, account: User | None) -> OutboxMessage:
        if self.longer and invite.source != Invite.Source.MEMBER:
            invite.expires_at = lifetimes.lengthened(invite.expires_at, LONGER)
        return mails.reminder(invite, account, self.note)

    @staticmethod
    def words(count: int) -> tuple[str, str, str]:
        return (
            ngettext("Remind %(count)s person", "Remind %(count)s people", count),
            ngettext("Send %(count)s reminder", "Send %(count)s reminders", count),
            ngettext("%(count)s reminder is on its way.", "%(count)s reminders are on their way.", count),
        )


class Resending(Asked):
    takes_words = False

    def act(self, *, dry_run: bool = False) -> Outcome:
        return self.rows.resend(self.by, leaving=in_step(), dry_run=dry_run)

    def mail(self, invite: Invite, account: User | None) -> OutboxMessage:
        invite.expires_at = max(invite.expires_at, invite.end_if_mailed(account, timezone.now()))
        return mails.invitations([invite], None, {account.email: account} if account else {})[0]

    @staticmethod
    def words(count: int) -> tuple[str, str, str]:
        return (
            ngettext("Send again to %(count)s person", "Send again to %(count)s people", count),
            ngettext("Send %(count)s invitation again", "Send %(count)s invitations again", count),
            ngettext("%(count)s invitation is on its way.", "%(count)s invitations are on their way.", count),
        )


def ask(
    model_admin: Any,
    request: HttpRequest,
    what: Asked,
    *,
    back: str,
    hidden: Sequence[tuple[str, str]] = (),
    **more: Any,
) -> HttpResponse | None:
    """Returns the page that says who would be mailed and what, and has the button. Mails nobody.

    If that button was pressed and what was typed can be sent, mails those who may be mailed by now, says in a message
    how many these were and why others were left out, and returns None. `back` is the URL that the form posts to and to
    which "No" leads, `hidden` are names and values to post beside it, `more` is for the template.
    """
    form = AskForm(request.POST if CONFIRMED in request.POST or SHOW_AGAIN in request.POST else None)
    if form.is_valid():
        what.note, what.longer = form.cleaned_data["note"], form.cleaned_data["longer"]
        if CONFIRMED in request.POST:
            outcome = what.act()
            said = what.words(len(outcome.done))[2] % {"count": with_separators(len(outcome.done))}
            model_admin.report(
                request, said if outcome.done else _("Nothing was sent."), len(outcome.done), outcome.reasons
            )
            return None
    page = context(what) | {"form": form, "back": back, "hidden": hidden}
    common = {**model_admin.admin_site.each_context(request), "opts": model_admin.opts}
    return TemplateResponse(
        request, "admin/invites/invite/ask.html", common | page | more, headers={"Cache-Control": "no-store"}
    )


def context(what: Asked) -> dict[str, Any]:
    """Returns what the page says: how many get the mail, who is first, why others do not, and the mail to the first."""
    outcome = what.act(dry_run=True)
    count, everybody = len(outcome.done), len(outcome.done) + len(outcome.skipped)
    numbers = {"count": with_separators(count), "all": with_separators(everybody)}
    title, press, _done = (words % numbers for words in what.words(count))
    people = first(outcome)
    return {
        "title": title,
        "subtitle": _("Nothing is sent until you press the button."),
        "press": press,
        "who": _("%(count)s of the %(all)s chosen.") % numbers,
        "skipped": [(with_separators(number), reason) for reason, number in outcome.reasons.items()],
        "people": [(invite.email, standing(invite)) for invite in people],
        "left_out": list(left_out(what, outcome)) if what.names_skipped else [],
        "more": max(count - len(people), 0),
        "takes_words": what.takes_words,
        "has_members": Invite.objects.filter(pk__in=outcome.done, source=Invite.Source.MEMBER).exists(),
        "letter": letter(what, people[0]) if people else None,
    }


def first(outcome: Outcome) -> list[Invite]:
    """Returns the first SHOWN invitations that would be mailed."""
    rows = Invite.objects.filter(pk__in=outcome.done[:SHOWN]).with_groups()
    people = list(rows.select_related("invited_by").order_by("pk"))
    OutboxMessage.objects.attach_newest(people)
    return people


def left_out(what: Asked, outcome: Outcome) -> Iterator[tuple[Invite, str]]:
    """Yields the first SHOWN invitations that would not be mailed, each with what became of its newest mail."""
    rows = Invite.objects.filter(pk__in=what.rows.values("pk")).exclude(pk__in=outcome.done)
    invites = list(rows.order_by("pk")[:SHOWN])
    OutboxMessage.objects.attach_newest(invites)
    for invite in invites:
        yield invite, replies_in_words.delivery(invite.newest_mail) if invite.newest_mail else ""


def standing(invite: Invite) -> str:
    """Returns as HTML why its newest mail did not arrive; else whether and when it was opened, and when it ends."""
    if invite.newest_mail and invite.delivery in FAILED:
        return replies_in_words.delivery(invite.newest_mail)
    if invite.opened_at is None:
        return format_html(_("not opened, ends {end}"), end=times.brief_html(invite.expires_at))
    opened, end = times.brief_html(invite.opened_at), times.brief_html(invite.expires_at)
    return format_html(_("opened {opened}, ends {end}"), opened=opened, end=end)


def letter(what: Asked, invite: Invite) -> dict[str, Any]:
    """Returns subject and text of the mail that the person of this invitation would get, without a link that works."""
    mail = what.mail(invite, accounts_of([invite.email]).get(invite.email))
    leads_nowhere = dict.fromkeys(mail.parts["links"], f"{settings.SITE_URL}/…")
    facts = mail.parts | {"links": {}, "one_click": [], "context": mail.parts["context"] | leads_nowhere}
    return render_parts(mail.kind, mail.recipient, **facts) | {"email": invite.email}
