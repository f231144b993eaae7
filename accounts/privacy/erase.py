"""What is erased when an account is deleted."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.signals import pre_delete

from accounts.models import Event, HeldName, Session, User, ended_sessions
from kit.one_statement import OneStatement, Write
from outbox.models import OutboxEvent, OutboxMessage, Suppression, new_event

FORGETTING: list[Callable[[User], None]] = []


def hear_deletions() -> None:
    """Connects _forget() to the deletion of accounts, whatever deletes them. To be called once, at start."""
    pre_delete.connect(_forget, sender=get_user_model(), dispatch_uid="accounts.privacy.erase")


def before(forget: Callable[[User], None]) -> None:
    """Has `forget(user)` called before an account is deleted, to erase what another room has stored about the user.

    It runs in the transaction of the deletion. At that moment it is still known which addresses the user had.
    """
    FORGETTING.append(forget)


def forget_at_the_desk(rows: QuerySet[Any]) -> None:
    """Empties the names of these rows in the desk's log of changes; the log still says that they were changed."""
    kept = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(rows.model))
    kept.filter(object_id__in=[str(pk) for pk in rows.values_list("pk", flat=True)]).update(object_repr="")


def _forget(instance: User, **_kwargs: Any) -> None:
    """Receives Django's signal that the account `instance` is about to be deleted; erases what would name its owner.

    The rooms' own functions, see before(), run first. Copies of sessions in Redis are deleted after the commit. The
    username is held: nobody is to be taken for whoever has left.
    """
    for forget in FORGETTING:
        forget(instance)
    keys = instance.sessions.newest_keys()
    transaction.on_commit(lambda: Session.forget_copies(keys))
    _forget_mail(instance)
    Suppression.objects.filter(recipient__in=instance.address.all_own()).delete()
    # Suppressions that staff have lifted are gone, but the desk's log still names their addresses.
    lifted = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(Suppression))
    lifted.filter(object_repr__in=instance.address.all_own()).update(object_repr="")
    forget_at_the_desk(User.objects.filter(pk=instance.pk))
    Event.objects.forget(instance)
    HeldName.objects.hold(instance.username)
    _announce(instance)


def _forget_mail(user: User) -> None:
    # Mail that waits for a former address may tell its owner of a change, and stays. Of the mail to the present address
    # only the farewell stays.
    stays = ~Q(recipient=user.email) | Q(kind="deleted")
    OutboxMessage.objects.filter(recipient__in=user.address.all_own()).exclude(
        stays, sent_at=None, given_up_at=None
    ).withdraw()


def _announce(user: User) -> None:
    # Events that have not left may hold the erased address. A service that heard of them after "user.deleted" would
    # keep the account for ever.
    OutboxEvent.objects.withdraw(user=user.pk)
    told = [new_event("session.revoked", user=user.pk, all=True), new_event("user.deleted", user=user.pk)]
    statement = OneStatement()
    OutboxEvent.objects.add_to(statement, told)
    ended_sessions.add_to(statement, Write("SELECT %s::uuid AS id", [user.pk]))
    statement.execute()
