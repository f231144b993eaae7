"""The desk's actions on people. Only a superuser may act on staff and superusers."""

from collections import Counter
from contextlib import suppress
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts import desk_offers, notices, people_csv, power
from accounts.models import Superseded, User
from accounts.models.queryset import WORDS
from kit import csv_lines
from kit.found_by_words import FoundByWords
from kit.one_row import EVERYWHERE

ONE_BY_ONE = 500  # people, at most, in an action that takes several statements for each


class PersonActions(FoundByWords):
    """The actions of the desk's list of people, and the button on a person's page that ends one session."""

    words = WORDS
    actions = desk_offers.ACTIONS

    @admin.action(description=gettext_lazy("Export"), permissions=["view"])
    def export(self, request: HttpRequest, queryset: Any) -> StreamingHttpResponse:
        """Returns these people as a CSV file to download; no password, key or session is in it."""
        return csv_lines.download(people_csv.lines(queryset), "people")

    @admin.action(description=gettext_lazy("End sessions"), permissions=["change"], location=EVERYWHERE)
    def end_sessions(self, request: HttpRequest, queryset: Any) -> None:
        """Ends all sessions of the chosen people, records it, and says in a message how many.

        Skips the visitor, and people whom the visitor may not change; the message counts them.
        """
        people, skipped = self.sift(request, queryset, oneself=False)
        chosen = User.objects.filter(pk__in=[person.pk for person in people])
        numbers = {"sessions": chosen.sign_out(**power.by(request)), "users": len(people)}
        self.report(request, _("%(sessions)s sessions ended for %(users)s people.") % numbers, len(people), skipped)

    @admin.action(description=gettext_lazy("Turn off"), permissions=["change"], location=EVERYWHERE)
    def turn_off(self, request: HttpRequest, queryset: Any) -> None:
        """Deactivates the chosen people, ends their sessions and mails them; says in a message how many.

        Skips the visitor, people whom the visitor may not change, and those turned off already; the message counts them
        by reason. All other superusers are mailed once about the staff and superusers among them. Does nothing, and
        says so, if more than ONE_BY_ONE people are chosen.
        """
        if self.refuses_many(request, queryset, ONE_BY_ONE):
            return
        people, skipped = self.sift(request, queryset, oneself=False)
        active = [person for person in people if person.is_active]
        skipped[_("turned off already")] += len(people) - len(active)
        number = self.switch(request, active, on=False)
        self.report(request, _("%(count)s turned off.") % {"count": number}, number, skipped)

    @admin.action(
        description=gettext_lazy("Turn on"), permissions=["change"], location=admin.ActionLocation.CHANGE_FORM
    )
    def turn_on(self, request: HttpRequest, queryset: Any) -> None:
        """Turns the chosen accounts on that are off, records it, mails their owners, and says in a message how many.

        Skips people whom the visitor may not change; the message counts them.
        """
        people, skipped = self.sift(request, queryset)
        number = self.switch(request, [person for person in people if not person.is_active], on=True)
        self.report(request, _("%(count)s turned on.") % {"count": number}, number, skipped)

    @admin.action(
        description=gettext_lazy("Keep the account"),
        permissions=["keep"],
        location=admin.ActionLocation.CHANGE_FORM,
    )
    def keep(self, request: HttpRequest, queryset: Any) -> None:
        """Lets the accounts stay of the chosen people who are leaving, records it and mails them; says how many.

        All other superusers are mailed once about the staff and superusers among them.
        """
        kept: list[User] = []
        for person in queryset:
            with suppress(Superseded):  # deleted meanwhile
                if person.leaving.come_back(**power.by(request)):
                    kept.append(person)
        power.record_on(request, list(filter(power.is_powerful, kept)), {})
        self.report(request, _("%(count)s kept.") % {"count": len(kept)}, len(kept), Counter())

    def has_keep_permission(self, request: HttpRequest) -> bool:
        """Returns whether the visitor may keep accounts that their owners have left: superusers alone may."""
        return bool(request.user.is_superuser)

    def switch(self, request: HttpRequest, people: list[User], *, on: bool) -> int:
        """Turns these accounts on or off, records it, and mails their owners. Returns how many were not deleted before.

        All other superusers are told once of the staff and superusers among them, also if an error ends it halfway.
        """
        done: list[User] = []
        try:
            for person in people:
                with suppress(User.NotUpdated), transaction.atomic():  # deleted meanwhile
                    turn = person.turn_on if on else person.turn_off
                    turn(**power.by(request))
                    notices.mail_staff_changes(person, {"is_active": not on}, {"is_active": on})
                    done.append(person)
        finally:
            power.record_on(request, list(filter(power.is_powerful, done)), {"is_active": [not on, on]})
        return len(done)

    def sift(self, request: HttpRequest, queryset: Any, *, oneself: bool = True) -> tuple[list[User], Counter[str]]:
        """Returns the people in `queryset` whom the visitor may change, and how many it skips, by reason in words.

        It skips the visitor, too, if `oneself` is false.
        """
        people, skipped = [], Counter[str]()
        for person in queryset:
            if not oneself and person == request.user:
                skipped[_("yourself: that is done on your own account page")] += 1
            elif not self.has_change_permission(request, person):
                skipped[_("above you")] += 1
            else:
                people.append(person)
        return people, skipped

    def log(self, request: HttpRequest, people: list[User], message: str) -> None:
        """Adds `message` to the desk's log of changes, once for each of these people."""
        if people:
            LogEntry.objects.log_actions(str(request.user.pk), people, CHANGE, message)

    def get_urls(self) -> list[Any]:
        """Returns the URLs of the pages of people, with that of end_session(), which answers POST (405 for others)."""
        end = self.admin_site.admin_view(require_POST(self.end_session))
        return [path("<uuid:pk>/sessions/end", end, name="accounts_user_end_session"), *super().get_urls()]

    def end_session(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Ends the live session whose handle is posted as "session", of the person `pk`; records it.

        Leads back to the person's page, where a message names the device, or says that the session had ended already.
        Raises Http404 if there is no such person, and PermissionDenied if the visitor may not change them.
        """
        person = get_object_or_404(User, pk=pk)
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        session = person.sessions.end(request.POST.get("session", ""), **power.by(request))
        if session is None:
            self.message_user(request, _("That session had already ended."), messages.INFO)
        else:
            self.message_user(
                request, _("Session ended: %(device)s.") % {"device": session.device_or_unknown}, messages.SUCCESS
            )
        return redirect("admin:accounts_user_change", person.pk)
