"""The lists of the desk that its home leads to: the URL of each, and who may see it."""

from typing import NamedTuple

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import Event, User
from invites.models import Batch, Funnel, Invite, JoinRequest
from outbox.models import OutboxMessage, Webhook
from sso.models import App


class Place(NamedTuple):
    """A list of the desk, by its model, perhaps filtered by a query."""

    model: type[Model]
    query: str = ""

    @property
    def url(self) -> str:
        """The path of the list, with its query."""
        opts = admin.site.get_model_admin(self.model).opts
        path = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        return f"{path}?{self.query}" if self.query else path

    def is_open_to(self, request: HttpRequest) -> bool:
        """Returns whether the signed-in person may see the list. Its own admin class decides."""
        return admin.site.get_model_admin(self.model).has_view_permission(request)


INVITATIONS = Place(Invite)
WAITING = Place(Invite, "state=pending")
UNDELIVERED = Place(Invite, "state=undelivered")
ENDING = Place(Invite, "state=ending")
ACCEPTED = Place(Invite, "state=accepted")
HISTORY = Place(Event)
FUNNEL = Place(Funnel)
REQUESTS = Place(JoinRequest)
PEOPLE = Place(User)
MAIL = Place(OutboxMessage)
MAIL_GIVEN_UP = Place(OutboxMessage, "status=given_up")
WEBHOOKS = Place(Webhook)
APPS = Place(App)


def may_steer(request: HttpRequest) -> bool:
    """Returns whether the signed-in person may remind, correct, send again, extend and withdraw invitations."""
    return INVITATIONS.is_open_to(request) and request.user.has_perm("invites.change_invite")


def may_invite(request: HttpRequest) -> bool:
    """Returns whether the signed-in person may use the page that invites people."""
    return admin.site.get_model_admin(Batch).has_add_permission(request)
