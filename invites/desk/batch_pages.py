"""The pages of one batch: its preview, sending it, its progress, and withdrawing its invitations."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts import groups, power
from accounts.models import User
from invites.batch import exports
from invites.desk import batch_words as words
from invites.link import opens
from invites.models import Batch, Outcome, entries
from invites.models.batch_queryset import BatchQuerySet
from kit.long_list import LongList, ReadOnly
from kit.page import BY_ITSELF

STEER = "invites.change_invite"
REFRESHED = 10  # seconds after which the page of progress loads again, while mails wait


class BatchPages(ReadOnly, LongList):
    """The pages of one batch. They show all batches to people who may view invitations.

    People who may only add invitations see the batches they have made.
    """

    def asks_proof(self, request: HttpRequest) -> bool:
        """Returns whether this POST sends a list that names a group which grants permissions."""
        match = getattr(request, "resolver_match", None)
        if match is None or match.url_name != "invites_batch_send":
            return False
        return groups.grant_power(entries.groups(self.find_batch(request, match.kwargs["batch_id"]).entries))

    def get_urls(self) -> list[URLPattern]:
        files = {"unread": self.unread, "people": self.everybody}
        pages = {"send": self.send, **files, "undo": self.undo, "withdraw": self.withdraw}
        ours = [
            path(f"<path:batch_id>/{name}/", self.admin_site.admin_view(page), name=f"invites_batch_{name}")
            for name, page in pages.items()
        ]
        return ours + super().get_urls()

    @method_decorator(require_safe)
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Shows the preview of a batch that was not sent yet, with a button to send it; else its progress. Has no POST.

        While mails wait, the page of progress loads itself again, unless "still" is in the query. Raises
        PermissionDenied for a person who may not invite, Http404 for a batch that this person may not see.
        """
        batch = self.find_batch(request, object_id)
        if batch.begun_at is None:
            context = words.preview(batch)
            context["again"] = context["again"] if request.user.has_perm(STEER) else 0
            return self.render(request, "preview", batch, context)
        opens.gather()
        context = words.progress(batch)
        context["is_moving"] = context["is_moving"] and "still" not in request.GET
        response = self.render(request, "progress", batch, context | {"refreshed": REFRESHED})
        if context["is_moving"]:
            # Whoever has left the screen is not there because the page loads itself.
            response["Refresh"] = f"{REFRESHED}; url=?{BY_ITSELF}"
        return response

    @method_decorator(require_POST)
    def send(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """By a POST invites everyone left in the list, each only once, and leads to the page of the batch.

        With "again" also mails people invited already, with "doubted" also likely typos. If the list names groups, this
        is recorded and mailed to the other superusers. Sends nothing, and says so, if a new check of the list finds
        changes or nobody would be mailed. Raises PermissionDenied for a person who may not invite or, with
        "again", not change invitations, Http404 for a batch they may not see, Batch.DoesNotExist if it was just
        deleted.
        """
        batch = self.find_batch(request, batch_id)
        chosen = {name: name in request.POST for name in ("again", "doubted")}
        if chosen["again"] and not request.user.has_perm(STEER):
            raise PermissionDenied
        if batch.begun_at is None and (refusal := self.refusal(request, batch, chosen)):
            self.message_user(request, refusal, messages.WARNING)
            return self.page_of(batch)
        with transaction.atomic():
            if batch.claim_for(staff(request), **chosen):
                record_groups(request, batch.groups(doubted=chosen["doubted"]))
        outcome = batch.send()
        self.tell(request, words.queued(outcome), outcome)
        return self.page_of(batch)

    def refusal(self, request: HttpRequest, batch: Batch, chosen: dict[str, bool]) -> str:
        """Returns the reason why the batch must not be sent yet, or not by this person, in words, or "".

        `chosen` are the arguments of Batch.has_any(). Only a superuser may give groups that grant permissions. A list
        that was checked more than 15 minutes ago is checked again, which saves its counts; if these have changed, the
        person must look at them first.
        """
        if not request.user.is_superuser and groups.grant_power(entries.groups(batch.entries)):
            return words.not_theirs()
        if batch.is_stale and batch.look_again():
            return words.changed()
        return "" if batch.has_any(**chosen) else words.nobody()

    @method_decorator(require_safe)
    def unread(self, request: HttpRequest, batch_id: str) -> StreamingHttpResponse:
        """Returns a CSV file, to be corrected, of the lines that could not be read or look mistyped.

        Raises PermissionDenied for a person who may not invite, Http404 for a batch that this person may not see.
        """
        batch = self.find_batch(request, batch_id)
        return as_file(f"{batch.pk}-bad-lines.csv", [words.unread_header(), *words.unread(batch)])

    @method_decorator(require_safe)
    def everybody(self, request: HttpRequest, batch_id: str) -> StreamingHttpResponse:
        """Returns a CSV file of everyone in a list that was not sent yet, and what would become of each.

        Raises PermissionDenied for a person who may not invite, Http404 for a batch that this person may not see.
        """
        batch = self.find_batch(request, batch_id)
        return as_file(f"{batch.pk}.csv", words.people(batch))

    def undo(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """Shows whose mail has not left, and asks. Its POST withdraws their invitations and leads to the batch.

        Raises PermissionDenied for a person who may not invite, or who neither made the batch nor may change
        invitations; Http404 for a batch that this person may not see.
        """
        batch = self.find_to_withdraw(request, batch_id)
        if request.method != "POST":
            return self.render(request, "confirm", batch, words.confirm_undo(batch))
        return self.report_withdrawn(request, batch, batch.undo(staff(request)))

    def withdraw(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """Shows the open invitations, and asks. Its POST withdraws them and leads to the page of the batch.

        Raises PermissionDenied for a person who may not invite, or who neither made the batch nor may change
        invitations; Http404 for a batch that this person may not see.
        """
        batch = self.find_to_withdraw(request, batch_id)
        if request.method != "POST":
            return self.render(request, "confirm", batch, words.confirm_withdraw(batch))
        return self.report_withdrawn(request, batch, batch.withdraw(staff(request)))

    def report_withdrawn(self, request: HttpRequest, batch: Batch, outcome: Outcome) -> HttpResponse:
        """Shows how many invitations were withdrawn and skipped, and returns a redirect to the page of the batch."""
        self.tell(request, words.withdrawn(outcome), outcome)
        return self.page_of(batch)

    def find_batch(self, request: HttpRequest, batch_id: str) -> Batch:
        """Returns the batch with this id, as admin URLs quote it, with the person who made it.

        Raises PermissionDenied for a person who may not invite, Http404 for no batch that this person may see.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        key = unquote(batch_id)
        batch = self.visible(request).select_related("created_by").filter(pk=key).first() if key.isprintable() else None
        if batch is None:
            raise Http404
        return batch

    def find_to_withdraw(self, request: HttpRequest, batch_id: str) -> Batch:
        """Returns the batch with this id, if it is the person's own or they may change invitations.

        Raises PermissionDenied if neither is so or the person may not invite, Http404 for no batch that this person may
        see.
        """
        batch = self.find_batch(request, batch_id)
        if batch.created_by != request.user and not request.user.has_perm(STEER):
            raise PermissionDenied
        return batch

    def visible(self, request: HttpRequest) -> BatchQuerySet:
        """Returns all batches, or only their own for a person who may not view all invitations."""
        rows = Batch.objects.all()
        return rows if request.user.has_perm("invites.view_invite") else rows.filter(created_by=staff(request))

    def render(self, request: HttpRequest, page: str, batch: Batch, context: dict[str, Any]) -> HttpResponse:
        """Returns the page about `batch` from the template admin/invites/batch/`page`.html, filled with `context`.

        Browsers must not store the page.
        """
        common = {**self.admin_site.each_context(request), "opts": self.opts, "batch": batch, "key": quote(batch.pk)}
        headers = {"Cache-Control": "no-store"}
        return TemplateResponse(request, f"admin/invites/batch/{page}.html", common | context, headers=headers)

    def page_of(self, batch: Batch) -> HttpResponse:
        """Returns a redirect to the page of the batch."""
        return redirect("admin:invites_batch_change", quote(batch.pk))

    def tell(self, request: HttpRequest, done: str, outcome: Outcome) -> None:
        """Shows the message `done`, with the number of skipped people for each reason."""
        self.report(request, done, len(outcome.done), outcome.reasons)


def record_groups(request: HttpRequest, counted: dict[str, int]) -> None:
    """Records that the visitor sends invitations into groups, how many into each, and mails the other superusers.

    `counted` are the names of groups and the numbers of people. Leaves out groups that grant no permission.
    """
    powerful = set(groups.with_rights().filter(name__in=counted).values_list("name", flat=True))
    if powerful:
        named = ", ".join(f"{name} × {count}" for name, count in counted.items() if name in powerful)
        power.record(request, format_lazy("{} ({})", gettext_lazy("Invitations into groups"), named), done="added")


def as_file(name: str, rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """Returns the rows as a CSV file to download, with the byte order mark by which Excel recognizes UTF-8."""
    body = ("\ufeff" * (not number) + exports.line(row) for number, row in enumerate(rows))
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(body, content_type="text/csv; charset=utf-8", headers=headers)


def staff(request: HttpRequest) -> User:
    return cast("User", request.user)
