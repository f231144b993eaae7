"""Inviters at the desk: the tree of people and those they invited, and a button that pauses one inviter."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts import power
from accounts.models import Event, User
from invites.desk.person import ALLOWED, PAUSED
from invites.models import Inviter
from invites.models.inviter import COUNTED, DEPTH, PEOPLE
from kit.long_list import ReadOnly, whole_list

MAY_SEE = ("accounts.view_user", "invites.view_invite")


@admin.register(Inviter)
class InviterAdmin(ReadOnly):
    """The admin pages of inviters, for anyone who may view both users and invitations."""

    def get_urls(self) -> list[URLPattern]:
        """Returns three URLs: the form that finds a user, the tree around one, and the button that pauses one.

        The rows are users, whose own pages at the desk are in the room accounts.
        """
        guarded = self.admin_site.admin_view
        return [
            path("", guarded(self.changelist_view), name="invites_inviter_changelist"),
            path("<str:object_id>/", guarded(self.tree_view), name="invites_inviter_change"),
            path("<str:object_id>/pause/", guarded(self.pause_view), name="invites_inviter_pause"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Shows a form that finds a user by their whole name or address, and leads to the tree around them.

        A query with anything else leads to the empty form, as in the lists. Raises PermissionDenied for a person who
        may not see inviters.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not request.GET.keys() <= {"q", ERROR_FLAG}:
            return whole_list(request)
        typed = request.GET.get("q", "").strip()
        person = User.objects.by_login(typed) if typed else None
        if person:
            return redirect("admin:invites_inviter_change", person.pk)
        context = {"title": capfirst(self.opts.verbose_name_plural), "typed": typed}
        return self.render(request, "change_list.html", context)

    def tree_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Shows one user in the tree of inviters: who invited them, and whom they invited.

        Raises PermissionDenied for a person who may not see inviters, and Http404 for an unknown user or a malformed
        id.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        person = find_inviter(object_id)
        try:
            tree = person.tree()
        except Inviter.DoesNotExist:
            raise Http404 from None
        context = {
            "title": _("Whom %(name)s invited") % {"name": person.shown_name},
            "tree": tree,
            "may_pause": self.has_pause_permission(request),
            "depth": DEPTH,
            "people": PEOPLE,
            "counted": COUNTED,
        }
        return self.render(request, "tree.html", context)

    def pause_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Leads to the tree of an inviter. A POST pauses them first or, without "paused", lets them invite again.

        The tree is that of the posted id "tree", on whose page the button was pressed, or else of the inviter. Raises
        PermissionDenied for a person who may not pause inviters, or for an inviter above them, Http404 for an unknown
        inviter or tree.
        """
        # The desk's log files changes by model, so those of a person must be of a User.
        person = User.objects.get(pk=find_inviter(object_id).pk)
        if not self.has_pause_permission(request) or not self.is_below(request, person):
            raise PermissionDenied
        if request.method == "POST":
            paused = bool(request.POST.get("paused"))
            with transaction.atomic():
                said = self.pause(person) if paused else self.allow(person)
                kind = Event.Kind.INVITES_PAUSED if paused else Event.Kind.INVITES_ALLOWED
                power.record_acts(request, kind, [person])
            messages.success(request, said)
            self.log_change(request, person, PAUSED if paused else ALLOWED)
        return redirect("admin:invites_inviter_change", find_inviter(request.POST.get("tree", "") or object_id).pk)

    def pause(self, person: User) -> str:
        """Keeps a user from inviting others. Returns the message that says so."""
        Inviter.objects.filter(pk=person.pk).pause()
        return _("%(name)s can’t invite anybody until you allow it again.") % {"name": person.shown_name}

    def allow(self, person: User) -> str:
        """Lets a user invite others again. Returns the message that says so."""
        Inviter.objects.filter(pk=person.pk).allow()
        return _("%(name)s can invite again.") % {"name": person.shown_name}

    def render(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        context |= self.admin_site.each_context(request) | {"opts": self.opts, "title": context["title"]}
        return TemplateResponse(request, f"admin/invites/inviter/{template}", context)

    def has_view_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return request.user.has_perms(MAY_SEE)

    def has_pause_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("accounts.change_user")

    def is_below(self, request: HttpRequest, person: User) -> bool:
        """Returns whether the signed-in user may act on `person`: on staff and superusers, only superusers may."""
        return bool(request.user.is_superuser) or not (person.is_staff or person.is_superuser)


def find_inviter(object_id: str) -> Inviter:
    """Returns the inviter with this id. Raises Http404 if there is none, or the id is malformed."""
    try:
        return Inviter.objects.get(pk=UUID(object_id))
    except (ValueError, Inviter.DoesNotExist):
        raise Http404 from None
