"""Records what staff do with power at the desk, for whoever did it and whoever it was done to, and mails both."""

from typing import Any, cast

from django.db import transaction
from django.http import HttpRequest
from django.utils import translation
from django.utils.functional import Promise
from django.utils.text import format_lazy

from accounts import notices
from accounts.models import Event, User
from kit import visitor

MOST_TOLD = 100  # superusers, mailed about one change

# The fields of a person whose change at the desk is an event of its own.
KINDS = {"email": Event.Kind.EMAIL_CHANGED, "username": Event.Kind.USERNAME_CHANGED, "is_active": Event.Kind.TURNED_OFF}
RIGHTS = ("is_staff", "is_superuser", "groups")


def by(request: HttpRequest) -> dict[str, Any]:
    """Returns what an event says of the member of staff who caused it at the desk: by="staff" and their name."""
    return {"by": "staff", "staff": cast("User", request.user).username}


@transaction.atomic
def record_person(request: HttpRequest, person: User, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Records what the visitor has changed of a person at the desk, and mails the person about it.

    `before` and `after` have the values of the changed fields, among those in KINDS and RIGHTS; "groups" is a list of
    names. A new address and new rights are recorded for the visitor as well, and mailed to all other superusers. The
    mails are stored in the outbox. Does nothing if `before` is empty.
    """
    rights = [name for name in RIGHTS if name in before]
    for name in before.keys() - set(rights):
        kind = Event.Kind.TURNED_ON if name == "is_active" and person.is_active else KINDS[name]
        Event.objects.record(kind, person, before=before[name], **by(request))
    if rights:
        changed = {name: [before[name], after[name]] for name in rights}
        Event.objects.record(Event.Kind.RIGHTS_CHANGED, person, told=person.email, changed=changed, **by(request))
    if before:
        notices.mail_staff_changes(person, before, after)
    if rights or "email" in before:
        record(request, person.username, {name: [before[name], after[name]] for name in before}, whom=person)


@transaction.atomic
def record(
    request: HttpRequest,
    what: "str | Promise",
    changed: dict[str, list[Any]] | None = None,
    *,
    done: str = "changed",
    whom: User | None = None,
) -> None:
    """Records in the visitor's history what they have done at the desk, and mails all other superusers about it.

    `what` names the thing, in the language of whoever reads it, or the person `whom` it was done to; `changed` has the
    former and the present value of each changed field; `done` is "added", "changed" or "deleted". The mails are stored
    in the outbox. The event names a person by their id alone: once their account is deleted, no history says whose it
    was.
    """
    who, changed = cast("User", request.user), changed or {}
    with translation.override("en"):
        about: dict[str, Any] = {"whom": str(whom.pk)} if whom else {"what": str(what)}
    event = Event.objects.record(
        Event.Kind.POWER_USED, who, **visitor.trace(request), **about, done=done, changed=list(changed)
    )
    concerned = [who.pk, *([whom.pk] if whom else [])]  # whom it was done to is mailed anyway
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk__in=concerned).order_by("pk")
    notices.mail_power_used(others[:MOST_TOLD], event, what, changed)


def hear(request: HttpRequest, model_admin: Any, rows: Any, done: str) -> None:
    """Records what staff have done to things that give power, such as groups and webhooks (a listener of the desk).

    People are passed over: record_person() says more of them.
    """
    if model_admin.model is User or not model_admin.asks_proof(request):
        return
    for row in rows:
        record(request, format_lazy("{} {}", model_admin.opts.verbose_name, str(row)), done=done)
