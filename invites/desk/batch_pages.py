"""The pages of one batch that was sent: its progress, and withdrawing its invitations."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from invites.desk import asking, sent_list
from invites.desk import batch_words as words
from invites.link import opens
from invites.models import Batch, Outcome
from invites.models.batch_queryset import BatchQuerySet
from kit import plain_line
from kit.form import Form
from kit.long_list import LongList, ReadOnly
from kit.page import BY_ITSELF, bind_form

STEER = "invites.change_invite"
REFRESHED = 10  # seconds after which the page of progress loads again, while mails wait


class NameForm(Form):
    """The name of a list."""

    name = forms.CharField(
        label=gettext_lazy("Name of this list"),
        required=False,
        help_text=gettext_lazy("Without one it is called by its day and time"),
    )

    def clean_name(self) -> str:
        """Returns the name. Raises ValidationError if it is too long or no line of plain text."""
        return plain_line.plain(self.cleaned_data["name"], 100, _("The name"))


class BatchPages(ReadOnly, LongList):
    """The pages of one batch. They show all batches to people who may view invitations.

    People who may only add invitations see the batches they have made.
    """

    def asks_proof(self, request: HttpRequest) -> bool:
        """Returns whether this POST lets people join groups that grant permissions for longer."""
        match = getattr(request, "resolver_match", None)
        if match is None or "batch_id" not in match.kwargs:
            return False
        if "longer" not in getattr(request, "POST", {}) and match.url_name != "invites_batch_resend_lost":
            return False
        return self.find_batch(request, match.kwargs["batch_id"]).invites.into_power().exists()

    def get_urls(self) -> list[URLPattern]:
        """Returns the addresses of these pages, before Django's own."""
        pages = {"undo": self.undo, "withdraw": self.withdraw, "rename": self.rename}
        # Each is a method: the desk's guards must find whose page it is.
        reminding = {"remind_unopened": self.remind_unopened, "remind_opened": self.remind_opened}
        return self.paths(pages | reminding | {"resend_lost": self.resend_lost}) + super().get_urls()

    def paths(self, pages: dict[str, Any]) -> list[URLPattern]:
        """Returns the addresses of pages of one batch, by the last part of their paths."""
        return [
            path(
                f"<path:batch_id>/{name.replace('_', '/')}/",
                self.admin_site.admin_view(page),
                name=f"invites_batch_{name}",
            )
            for name, page in pages.items()
        ]

    def progress(self, request: HttpRequest, batch: Batch) -> HttpResponse:
        """Returns the page that shows what became of a batch whose sending has begun.

        While mails wait, it loads itself again, unless "still" is in the query.
        """
        opens.gather()
        context = sent_list.context(request, batch) | {"may_steer": self.may_steer(request, batch)}
        seconds = REFRESHED if context["is_moving"] and "still" not in request.GET else 0
        if context["is_moving"]:
            context["subtitle"] = sent_list.still_to_leave(context["unsent"], seconds)
        response = self.render(request, "sent", batch, context)
        if seconds:
            # Whoever has left the screen is not there because the page loads itself.
            response["Refresh"] = f"{seconds}; url=?{BY_ITSELF}"
        return response

    def remind_unopened(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """Shows who of those who have not opened the link would be reminded; see remind()."""
        return self.remind(request, batch_id, "unopened")

    def remind_opened(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """Shows who of those who have opened the link and stopped would be reminded; see remind()."""
        return self.remind(request, batch_id, "opened")

    def remind(self, request: HttpRequest, batch_id: str, name: str) -> HttpResponse:
        """Shows who of those would be reminded that Batch.progress counts as `name`, and asks; see ask_about()."""
        return self.ask_about(request, batch_id, name, asking.Reminding)

    def resend_lost(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """Shows who of those whose mail did not arrive would be mailed again, and asks; see ask_about().

        Also names those who would not be, and why no mail reached them.
        """
        return self.ask_about(request, batch_id, "lost", partial(asking.Resending, names_skipped=True))

    def ask_about(
        self, request: HttpRequest, batch_id: str, name: str, asked: Callable[..., asking.Asked]
    ) -> HttpResponse:
        """Returns the page that asks before those are mailed whom Batch.progress counts as `name`; see asking.ask().

        Its POST mails them and leads to the page of the batch. Raises PermissionDenied for a person who may not
        invite, or who neither made the batch nor may change invitations; Http404 for a batch that this person may not
        see.
        """
        batch = self.find_to_steer(request, batch_id)
        opens.gather()
        page = reverse("admin:invites_batch_change", args=[quote(batch.pk)])
        what = asked(batch.standing(name), staff(request))
        return asking.ask(self, request, what, back=page, batch=batch) or redirect(page)

    def rename(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """Shows a field with the name of the batch. Its POST stores the name, and leads to the page of the batch.

        Raises PermissionDenied for a person who may not invite, or who neither made the batch nor may change
        invitations; Http404 for a batch that this person may not see.
        """
        batch = self.find_to_steer(request, batch_id)
        form = bind_form(NameForm, request, initial={"name": batch.name})
        if not form.is_valid():
            return self.render(request, "rename", batch, {"title": _("Rename this list"), "form": form})
        batch.rename(form.cleaned_data["name"])
        return self.page_of(batch)

    def undo(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """Shows whose mail has not left, and asks. Its POST stops these mails, as Batch.undo(), and leads to the batch.

        Raises PermissionDenied for a person who may not invite, or who neither made the batch nor may change
        invitations; Http404 for a batch that this person may not see.
        """
        batch = self.find_to_steer(request, batch_id)
        if request.method != "POST":
            return self.render(request, "confirm", batch, words.confirm_undo(batch))
        withdrawn, kept = batch.undo(staff(request))
        changed = len(withdrawn.done) + len(kept.done) + len(batch.entries)
        self.report(request, words.stopped(batch, withdrawn, kept), changed, {})
        return self.page_of(batch)

    def withdraw(self, request: HttpRequest, batch_id: str) -> HttpResponse:
        """Shows the open invitations, and asks. Its POST withdraws them and leads to the page of the batch.

        Raises PermissionDenied for a person who may not invite, or who neither made the batch nor may change
        invitations; Http404 for a batch that this person may not see.
        """
        batch = self.find_to_steer(request, batch_id)
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

    def find_to_steer(self, request: HttpRequest, batch_id: str) -> Batch:
        """Returns the batch with this id, if it is the person's own or they may change invitations.

        Raises PermissionDenied if neither is so or the person may not invite, Http404 for no batch that this person may
        see.
        """
        batch = self.find_batch(request, batch_id)
        if not self.may_steer(request, batch):
            raise PermissionDenied
        return batch

    def may_steer(self, request: HttpRequest, batch: Batch) -> bool:
        """Returns whether this person may remind people of the batch, withdraw it and rename it."""
        return batch.created_by == request.user or request.user.has_perm(STEER)

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


def staff(request: HttpRequest) -> User:
    return cast("User", request.user)
