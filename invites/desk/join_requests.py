"""Requests to join at the desk: the queue, on which one or many are invited or declined."""

from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import groups
from invites.desk import batch_words
from invites.desk.batch_pages import staff
from invites.desk.join_request_form import AnswerForm
from invites.desk.join_request_lines import asking_for_apps, lines
from invites.desk.preview_pages import record_groups
from invites.models import JoinRequest
from kit.list_filter import COUNTED, capped_in_words
from kit.long_list import LongList, ReadOnly, whole_list, with_separators

SHOWN = 50  # requests that wait; the others follow when these are answered
DECLINED_SHOWN = 20
TICKED = "ticked"  # the value of a button that answers those with a tick; else it is the id of one


@admin.register(JoinRequest)
class JoinRequestAdmin(ReadOnly, LongList):
    """The page of the requests whose address is proven, for anyone who may add invitations."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Shows the requests that wait, and those that were declined lately. Its POST answers one, or all ticked.

        Raises PermissionDenied for a person who may not invite.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not request.GET.keys() <= {ERROR_FLAG}:
            return whole_list(request)
        form = AnswerForm(staff(request), request.POST if request.method == "POST" else None)
        if form.is_valid() and self.answer(request, form):
            return redirect("admin:invites_joinrequest_changelist")
        return self.queue(request, form)

    def queue(self, request: HttpRequest, form: AnswerForm) -> HttpResponse:
        """Returns the page, with the form as it is."""
        waiting = JoinRequest.objects.waiting()
        count = waiting.order_by()[: COUNTED + 1].count()
        said = ngettext(
            "%(count)s person has proved their address and waits for an answer.",
            "%(count)s people have proved their address and wait for an answer.",
            count,
        )
        ticked = set(form.data.getlist("one")) if form.is_bound else set()  # type: ignore[attr-defined]
        context = self.admin_site.each_context(request) | {
            "title": _("Requests to join"),
            "subtitle": said % {"count": capped_in_words(count)} if count else "",
            "opts": self.opts,
            "form": form,
            "lines": lines(waiting[:SHOWN], ticked),
            "more": count > SHOWN,
            "declined": JoinRequest.objects.declined().select_related("answered_by")[:DECLINED_SHOWN],
            "apps": asking_for_apps() if request.user.has_perm("sso.view_app") else [],
        }
        template = "admin/invites/joinrequest/change_list.html"
        return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})

    def answer(self, request: HttpRequest, form: AnswerForm) -> bool:
        """Answers what the pressed button names, and says in a message what was done. Returns False for nobody."""
        no = "no" in request.POST
        pressed = request.POST.get("no" if no else "yes", "")
        ids = read_ids(request.POST.getlist("one") if pressed == TICKED else [pressed])
        if not ids:
            form.add_error(None, _("Tick at least one request first. Nothing was changed."))
            return False
        if no:
            self.decline(request, ids, form.cleaned_data["reason"])
        elif staff(request).invites_paused_at:
            self.message_user(request, batch_words.paused(), messages.WARNING)
        else:
            self.invite(request, ids, form.cleaned_data["groups"])
        return True

    def invite(self, request: HttpRequest, ids: list[UUID], into: list[int]) -> None:
        """Invites the people of these requests into groups. Groups that grant permissions are told to superusers."""
        with transaction.atomic():
            outcome = JoinRequest.objects.filter(pk__in=ids).invitable().invite(staff(request), into)
            named = {name: len(outcome.done) for _pk, name, _grants in groups.names(into)} if into else {}
            if outcome.done and named:
                record_groups(request, named)
        done, missed = len(outcome.done), len(ids) - len(outcome.done) - len(outcome.skipped)
        said = ngettext("%(count)s invitation is on its way.", "%(count)s invitations are on their way.", done)
        skipped = {**outcome.reasons, **({_("answered already or taken back"): missed} if missed else {})}
        self.report(request, said % {"count": with_separators(done)} if done else "", done, skipped)

    def decline(self, request: HttpRequest, ids: list[UUID], reason: str) -> None:
        """Declines these requests, with a reason that is mailed."""
        done = JoinRequest.objects.filter(pk__in=ids).waiting().decline(staff(request), reason)
        said = ngettext("%(count)s request was declined.", "%(count)s requests were declined.", done)
        missed = len(ids) - done
        skipped = {_("answered already or taken back"): missed} if missed else {}
        self.report(request, said % {"count": with_separators(done)} if done else "", done, skipped)

    def asks_proof(self, request: HttpRequest) -> bool:
        """Returns whether this POST invites people into a group that grants permissions."""
        posted = cast("QueryDict", getattr(request, "POST", QueryDict()))
        sent = posted.getlist("groups") if "yes" in posted else []
        return groups.grant_power([int(one) for one in sent if one.isascii() and one.isdecimal() and len(one) < 10])

    def has_view_permission(self, request: HttpRequest, obj: JoinRequest | None = None) -> bool:
        return request.user.has_perm("invites.add_invite")

    has_module_permission = has_view_permission


def read_ids(sent: Iterable[str]) -> list[UUID]:
    """Returns the first SHOWN of these ids, each once; what is none is left out."""
    found = {}
    for text in sent:
        try:
            found[UUID(text)] = True
        except ValueError:
            continue
    return list(found)[:SHOWN]
