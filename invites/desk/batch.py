"""Batches at the desk: the list of them, and the form that checks whom to invite and makes a batch of it."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from invites.desk import compose_again
from invites.desk.batch_pages import staff
from invites.desk.compose_form import ComposeForm
from invites.desk.sent_lists import SentLists
from invites.models import Batch


@admin.register(Batch)
class BatchAdmin(SentLists):
    """The admin of batches. Anyone who may add invitations may use it; its bases have the pages of one batch."""

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Shows the form for whom to invite. Its POST stores the checked list, leads to its preview and sends nothing.

        With "email" in the query the form has this address, with "group" a tick at the group with this id, with "app"
        the app with this id; with "from", the id of a list that was checked, all that was typed for it. Raises
        PermissionDenied for a person who may not invite, Http404 for a list that this person may not see.
        """
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_sent = request.method == "POST"
        given: dict[str, Any] = {"data": request.POST, "files": request.FILES} if is_sent else {}
        form = ComposeForm(staff(request), **given, initial={} if is_sent else self.first_values(request))
        if form.is_valid():
            named = form.cleaned_data["name"]
            batch = Batch.objects.check_list(
                form.lines, staff(request), name=named, remarks=form.remarks, **form.common
            )
            return self.page_of(batch)
        context = {**self.admin_site.each_context(request), "opts": self.opts, "form": form}
        context["title"] = _("Invite people")
        return TemplateResponse(request, "admin/invites/batch/add.html", context, headers={"Cache-Control": "no-store"})

    def first_values(self, request: HttpRequest) -> dict[str, Any]:
        """Returns what the form has at first, by the query of the page."""
        if earlier := request.GET.get("from"):
            return compose_again.values(self.find_batch(request, earlier))
        return {
            "pasted": request.GET.get("email", ""),
            "groups": request.GET.getlist("group"),
            "app": request.GET.get("app", ""),
        }

    def has_view_permission(self, request: HttpRequest, obj: Batch | None = None) -> bool:
        return request.user.has_perm("invites.add_invite")

    has_add_permission = has_module_permission = has_view_permission
