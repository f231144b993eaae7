"""Records what staff do with power at the desk, for whoever did it and whoever it was done to, and mails both."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import translation
from django.utils.functional import Promise
from django.utils.text import format_lazy

from accounts import notices
from accounts.models import Event, User
from kit import visitor
from outbox.models import OutboxMessage

MOST_TOLD = 100  # superusers, mailed about one change
NAMED = 20  # things, or people, that one mail names
MEMBERS = 500  # of groups that are deleted at once, at most: each is told

# The fields of a person whose change at the desk is an event of its own.
KINDS = {
    "email": Event.Kind.EMAIL_CHANGED,
    "username": Event.Kind.USERNAME_CHANGED,
    "name": Event.Kind.NAME_CHANGED,
    "is_active": Event.Kind.TURNED_OFF,
}
RIGHTS = ("is_staff", "is_superuser", "groups")


def by(request: HttpRequest) -> dict[str, Any]:
    """Returns what an event says of the member of staff who caused it at the desk: by="staff" and their name."""
    return {"by": "staff", "staff": cast("User", request.user).username}


@transaction.atomic
def record_person(request: HttpRequest, person: User, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Records what the visitor has changed of a person at the desk, and mails the person about it.

    `before` and `after` have the values of the changed fields, among those in KINDS and RIGHTS and the site's own;
    "groups" is a list of names. A new address and new rights, and any change of staff or a superuser, are recorded for
    the visitor as well, and mailed to all other superusers; new groups are announced to other services. The mails are
    stored in the outbox. Does nothing if `before` is empty.
    """
    rights = [name for name in RIGHTS if name in before]
    for name in KINDS.keys() & before.keys():
        kind = Event.Kind.TURNED_ON if name == "is_active" and person.is_active else KINDS[name]
        Event.objects.record(kind, person, before=before[name], **by(request))
    if rights:
        changed = {name: [before[name], after[name]] for name in rights}
        Event.objects.record(Event.Kind.RIGHTS_CHANGED, person, told=person.email, changed=changed, **by(request))
    if "groups" in rights:
        person.announce_update("groups")
    if before.keys() - set(rights):
        notices.mail_staff_changes(person, before, after)
    elif rights:
        changed = {name: [before[name], after[name]] for name in rights}
        notices.rights_changed(person, changed, cast("User", request.user)).save()
    if before and (rights or "email" in before or is_powerful(person)):
        record_on(request, [person], {name: [before[name], after[name]] for name in before})


@transaction.atomic
def dissolve(request: HttpRequest, groups: QuerySet[Group]) -> None:
    """Deletes these groups. Records it in the history of each member, mails them, and announces it to other services.

    Takes a fixed number of statements. The mails are stored in the outbox. Invitations go on without the groups.
    """
    # Locked: whoever is just joining one of them has joined it before, and is told, or finds it gone.
    gone = set(groups.select_for_update().order_by("pk").values_list("name", flat=True))
    rows = User.objects.filter(pk__in=User.groups.through.objects.filter(group__in=groups).values("user"))
    members = list(rows.with_groups().order_by("pk"))
    Group.objects.filter(name__in=gone).delete()
    events, mails = [], []
    for member in members:
        before = sorted(member.group_names)
        changed = {"groups": [before, [name for name in before if name not in gone]]}
        told = {"told": member.email, "changed": changed, **by(request)}
        events.append(Event.objects.compose(Event.Kind.RIGHTS_CHANGED, member, **told))
        mails.append(notices.rights_changed(member, changed, cast("User", request.user)))
    Event.objects.bulk_create(events)
    OutboxMessage.objects.bulk_create(mails)
    if members:
        User.objects.filter(pk__in=[member.pk for member in members]).announce_updates("groups")


def too_many_members(groups: QuerySet[Group]) -> bool:
    """Returns whether these groups together have more members than dissolve() may tell at once."""
    members = User.groups.through.objects.filter(group__in=groups).values("user").distinct()
    return members[: MEMBERS + 1].count() > MEMBERS


def is_powerful(person: User) -> bool:
    """Returns whether whoever holds this account, or shuts it, has or takes power: that of staff or of a superuser."""
    return person.is_staff or person.is_superuser


def record_acts(request: HttpRequest, kind: Event.Kind, people: Iterable[User]) -> None:
    """Records in the history of each of these people what the visitor has done to them at the desk, and mails nobody.

    Takes one statement, however many people they are.
    """
    Event.objects.bulk_create([Event(kind=kind, user=person, detail=by(request)) for person in people])


def record_on(request: HttpRequest, people: Sequence[User], changed: dict[str, list[Any]]) -> None:
    """Records in the visitor's history that they have changed these people at the desk, in one event.

    Mails it to all other superusers but these people, who are mailed anyway; the mail names the first NAMED of them.
    `changed` is that of record(). Does nothing if `people` is empty.
    """
    if people:
        record(request, listed([person.username for person in people]), changed, whom=people)


def listed(names: Sequence[str]) -> str:
    """Returns the first NAMED names, separated by commas, and "… (50)", the number of all, if there are more."""
    more = f" … ({len(names)})" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


@transaction.atomic
def record(
    request: HttpRequest,
    what: "str | Promise",
    changed: dict[str, list[Any]] | None = None,
    *,
    done: str = "changed",
    whom: Sequence[User] = (),
) -> None:
    """Records in the visitor's history what they have done at the desk, and mails all other superusers about it.

    `what` names the thing, in the language of whoever reads it, or the people `whom` it was done to; `changed` has the
    former and the present value of each changed field; `done` is "added", "changed" or "deleted". The mails are stored
    in the outbox. The event names people by their ids alone: once an account is deleted, no history says whose it was.
    """
    who, changed = cast("User", request.user), changed or {}
    with translation.override("en"):
        about: dict[str, Any] = {"whom": ", ".join(str(one.pk) for one in whom)} if whom else {"what": str(what)}
    event = Event.objects.record(
        Event.Kind.POWER_USED, who, **visitor.trace(request), **about, done=done, changed=list(changed)
    )
    tell_superusers(event, what, changed, but=[who, *whom])


def record_command(people: Sequence[User], changed: dict[str, list[Any]]) -> None:
    """Records that a command has changed these staff or superusers, in nobody's history, and mails other superusers.

    `changed` is that of record(). To be called in a transaction. Does nothing if `people` is empty.
    """
    if people:
        about = {"by": "command", "whom": ", ".join(str(one.pk) for one in people), "done": "changed"}
        event = Event.objects.record(Event.Kind.POWER_USED, None, **about, changed=list(changed))
        tell_superusers(event, listed([person.username for person in people]), changed, but=people)


@transaction.atomic
def record_command_on(what: "str | Promise", done: str) -> None:
    """Records that a command has changed a thing that gives power, in nobody's history, and mails all superusers.

    `what` and `done` are those of record().
    """
    with translation.override("en"):
        about = {"by": "command", "what": str(what), "done": done}
    event = Event.objects.record(Event.Kind.POWER_USED, None, **about, changed=[])
    tell_superusers(event, what, {}, but=[])


def tell_superusers(event: Event, what: "str | Promise", changed: dict[str, list[Any]], but: Sequence[User]) -> None:
    """Mails superusers about a use of power; `but` are those who did it, and those it was done to: they know already.

    The mails are stored in the outbox. `what` and `changed` are those of record().
    """
    others = User.objects.usable().filter(is_superuser=True).exclude(pk__in=[one.pk for one in but])
    notices.mail_power_used(others.order_by("pk")[:MOST_TOLD], event, what, changed)


def hear(request: HttpRequest, model_admin: Any, rows: Any, done: str) -> None:
    """Records what staff have done to things that give power, such as groups and webhooks (a listener of the desk).

    It is one event and one mail to each other superuser, however many things. People are passed over: record_person()
    says more of them.
    """
    if model_admin.model is User or not model_admin.asks_proof(request):
        return
    names = [str(row) for row in rows]
    kind = model_admin.opts.verbose_name if len(names) == 1 else model_admin.opts.verbose_name_plural
    if names:
        record(request, format_lazy("{} {}", kind, listed(names)), done=done)
