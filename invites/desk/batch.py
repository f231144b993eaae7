"""Batches at the desk: the list of them, and the form that checks a list and makes a batch of it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import groups
from invites.desk import batch_words as words
from invites.desk.batch_form import ListForm
from invites.desk.batch_pages import BatchPages, staff
from invites.models import Batch


@admin.register(Batch)
class BatchAdmin(BatchPages):
    """The admin of batches. Anyone who may add invitations may use it; BatchPages has the pages of one batch."""

    form = ListForm
    add_form_template = "admin/invites/batch/add.html"
    change_list_template = "admin/invites/batch/list.html"
    list_display = ("created_at", "created_by", "state", "people", "sent_at")
    list_select_related = ("created_by",)
    actions = None

    def get_queryset(self, request: HttpRequest) -> Any:
        """Returns the batches that the person may see, without the columns of the lists, which may be long."""
        return self.visible(request).defer("entries", "refused", "remarks")

    @admin.display(description=gettext_lazy("state"))
    def state(self, batch: Batch) -> str:
        return words.state(batch)

    @admin.display(description=gettext_lazy("invitations"))
    def people(self, batch: Batch) -> int:
        return batch.people

    def get_form(self, request: HttpRequest, obj: Batch | None = None, change: bool = False, **kwargs: Any) -> Any:
        """Returns a form class that accepts the names of the groups which the person may give."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.groups = groups.named(request.user)
        return form

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Shows the form for a list. Its POST stores the checked list, and leads to the page of the batch."""
        return super().add_view(request, form_url, {"title": _("Invite many people")} | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: Batch, form: Any, change: bool) -> None:
        """Checks the list of a valid form and stores it as a batch, whose id goes into `obj`. Sends nothing."""
        given = {name: form.cleaned_data[name] for name in ("note", "language", "next")}
        obj.pk = Batch.objects.check_list(form.lines, staff(request), remarks=form.remarks, **given).pk

    def response_add(self, request: HttpRequest, obj: Batch, post_url_continue: str | None = None) -> HttpResponse:
        """Leads to the page of the new batch, which shows what sending would do."""
        return self.page_of(obj)

    def has_view_permission(self, request: HttpRequest, obj: Batch | None = None) -> bool:
        return request.user.has_perm("invites.add_invite")

    has_add_permission = has_module_permission = has_view_permission
