"""Admin actions on invitations, for ticked rows of the list and for the page of one invitation."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User
from invites.batch import exports
from invites.desk import asking, batch_words
from invites.link import opens
from invites.models import Invite, InviteQuerySet, Outcome, Reason, in_step
from invites.models.queryset import WORDS
from invites.models.reminders import RemindByHand
from invites.models.steps import Extend, Known, Resend, Revoke, Verb
from kit import csv_lines
from kit.found_by_words import FoundByWords
from kit.long_list import means_all
from kit.one_row import EVERYWHERE

TICKED = 500  # ids that the confirming form repeats at most; more rows can be chosen only as all that the list finds
RENEWING = {"resend", "extend"}  # actions by which an invitation lasts longer
NAMED = 200  # addresses that the confirming page shows at most


class Steering(FoundByWords):
    """A list of invitations with the actions that change or export them. Each shows a message with the outcome."""

    words = WORDS
    actions = ("remind", "resend", "extend", "export", "revoke")

    def asks_proof(self, request: HttpRequest) -> bool:
        """Returns whether this POST renews the promise of a group that grants permissions.

        Of all rows that the list finds it is not known yet which they are: then it is enough that there are any.
        """
        posted: Any = getattr(request, "POST", QueryDict())
        # On the list, or on a page. Of several that were posted, Django may run any.
        asked = {*posted.getlist("action"), *posted.getlist("CHANGE_FORM-action")}
        if not asked & RENEWING and not ("remind" in asked and "longer" in posted):
            return False
        powerful = Invite.objects.into_power()
        return (powerful if means_all(request) else powerful.filter(pk__in=chosen(request))).exists()

    @admin.action(description=gettext_lazy("Remind"), permissions=["steer"], location=EVERYWHERE)
    def remind(self, request: HttpRequest, queryset: InviteQuerySet) -> HttpResponse | None:
        """Shows a page that says who of these people would be reminded, and asks; see asking.ask().

        Returns that page or, when its button was pressed, None to go back to the list.
        """
        return self.ask_to_mail(request, asking.Reminding(queryset, cast("User", request.user)), "remind")

    @admin.action(description=gettext_lazy("Send again"), permissions=["steer"], location=EVERYWHERE)
    def resend(self, request: HttpRequest, queryset: InviteQuerySet) -> HttpResponse | None:
        """Shows a page that says who of these people would be sent their invitation again, and asks; see asking.ask().

        Returns that page or, when its button was pressed, None to go back to the list.
        """
        return self.ask_to_mail(request, asking.Resending(queryset, cast("User", request.user)), "resend")

    def ask_to_mail(self, request: HttpRequest, what: asking.Asked, action: str) -> HttpResponse | None:
        """Returns the page that asks, which posts `action` for the same rows; None when its button was pressed."""
        return asking.ask(self, request, what, back=request.get_full_path(), hidden=repeating(request, action))

    @admin.action(description=gettext_lazy("Extend"), permissions=["steer"], location=EVERYWHERE)
    def extend(self, request: HttpRequest, queryset: InviteQuerySet) -> None:
        """Lengthens each of these by its own lifetime, without a mail, and shows how many were extended and skipped."""
        outcome = queryset.extend(by=cast("User", request.user))
        said = ngettext(
            "%(count)s invitation extended by as long as it was to last.",
            "%(count)s invitations extended, each by as long as it was to last.",
            len(outcome.done),
        )
        self.tell(request, said % {"count": len(outcome.done)}, outcome)

    @admin.action(description=gettext_lazy("Withdraw"), permissions=["steer"], location=EVERYWHERE)
    def revoke(self, request: HttpRequest, queryset: InviteQuerySet) -> HttpResponse | None:
        """Shows a page that lists these invitations and asks, as this can't be undone. Its POST withdraws them.

        Returns that page, or None to go back to the list. If the number of invitations has changed since the page was
        shown, withdraws nothing and says so in a message.
        """
        count = queryset.order_by().count()
        if "confirmed" not in request.POST:
            return self.ask(request, queryset, count)
        if request.POST["confirmed"] != str(count):  # invitations were added or erased since the person read the list
            said = _("The list has changed meanwhile. Nothing was withdrawn. Look at it again.")
            self.message_user(request, said, messages.WARNING)
            return None
        outcome = queryset.revoke(by=cast("User", request.user))
        said = _("%(count)s withdrawn. Their links no longer work.") % {"count": len(outcome.done)}
        self.tell(request, said if outcome.done else _("Nothing was withdrawn."), outcome)
        return None

    def ask(self, request: HttpRequest, queryset: InviteQuerySet, count: int) -> HttpResponse:
        """Returns the page that lists these `count` invitations and asks whether to withdraw them."""
        context = {
            **self.admin_site.each_context(request),
            "title": batch_words.question(count),
            "opts": self.opts,
            "emails": queryset.order_by("-id").values_list("email", flat=True)[:NAMED],
            "more": max(count - NAMED, 0),
            "count": count,
            "hidden": repeating(request, "revoke"),
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/invites/invite/withdraw.html", context)

    @admin.action(description=gettext_lazy("Export"), permissions=["view"])
    def export(self, request: HttpRequest, queryset: InviteQuerySet) -> StreamingHttpResponse:
        """Returns these invitations as a CSV file to download; no link or token is in it."""
        opens.gather()
        return csv_lines.download(exports.lines(queryset), "invitations")

    def has_steer_permission(self, request: HttpRequest, obj: Invite | None = None) -> bool:
        return request.user.has_perm("invites.change_invite")

    def tell(self, request: HttpRequest, done: str, outcome: Outcome) -> None:
        """Shows the message `done`, with the number of skipped invitations for each reason."""
        self.report(request, done, len(outcome.done), outcome.reasons)


def chosen(request: HttpRequest) -> list[UUID]:
    """Returns the ids of the invitations that a posted action is for: the ticked ones, and that of the page."""
    match = request.resolver_match
    posted = [*request.POST.getlist(helpers.ACTION_CHECKBOX_NAME), *(match.kwargs.values() if match else ())]
    found = []
    for value in posted:
        with suppress(ValueError):  # no action is run for an id that can't be read
            found.append(UUID(str(value)))
    return found


def repeating(request: HttpRequest, action: str) -> list[tuple[str, str]]:
    """Returns names and values by which a form posts `action` for the rows that this POST has chosen.

    These are the first TICKED of the ticked rows, or all that the list finds.
    """
    ticked = request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)[:TICKED]
    across = [("select_across", "on")] if means_all(request) else []
    named = [(name, action) for name in ("action", "CHANGE_FORM-action")]
    return [*((helpers.ACTION_CHECKBOX_NAME, pk) for pk in ticked), *across, *named]


def applicable(invite: Invite) -> list[str]:
    """Returns the names of the actions that would change this invitation, now or in a minute (TOO_SOON)."""
    known = Known([invite])
    verbs: dict[str, Callable[[list[Invite], Known], Verb]] = {
        "remind": partial(RemindByHand, leaving=in_step()),
        "resend": Resend,
        "extend": Extend,
        "revoke": Revoke,
    }
    return [name for name, verb in verbs.items() if verb([invite], known).refusal(invite) in {None, Reason.TOO_SOON}]
