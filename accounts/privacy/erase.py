"""What is forgotten when an account goes."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.signals import pre_delete

from accounts.models import Event, Session, User
from outbox.models import OutboxEvent, OutboxMessage, Suppression

FORGETTING: list[Callable[[User], None]] = []


def hear_deletions() -> None:
    """Called once at start: whichever door deletes an account, what stays of its history names nobody."""
    pre_delete.connect(_forget, sender=get_user_model(), dispatch_uid="accounts.privacy.erase")


def before(forget: Callable[[User], None]) -> None:
    """Has another room forget what it holds, while it is still known which addresses the person had."""
    FORGETTING.append(forget)


def forget_at_the_desk(rows: QuerySet[Any]) -> None:
    """Takes the names of these rows from the desk's own log, which says who changed what."""
    kept = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(rows.model))
    kept.filter(object_id__in=[str(pk) for pk in rows.values_list("pk", flat=True)]).update(object_repr="")


def _forget(instance: User, **_kwargs: Any) -> None:
    for forget in FORGETTING:
        forget(instance)
    keys, _rows = instance.sessions.keys_and_rows()
    transaction.on_commit(lambda: Session.forget_copies(keys))
    _forget_mail(instance)
    Suppression.objects.filter(recipient__in=instance.address.all_own()).delete()
    # Those that staff have lifted are gone, but were called by their addresses.
    lifted = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(Suppression))
    lifted.filter(object_repr__in=instance.address.all_own()).update(object_repr="")
    forget_at_the_desk(User.objects.filter(pk=instance.pk))
    Event.objects.forget(instance)
    _announce(instance)


def _forget_mail(user: User) -> None:
    # A former address may still wait for word of a change; nothing but the farewell is for who has left.
    stays = ~Q(recipient=user.email) | Q(kind="deleted")
    OutboxMessage.objects.filter(recipient__in=user.address.all_own()).exclude(
        stays, sent_at=None, given_up_at=None
    ).withdraw()


def _announce(user: User) -> None:
    # An address that is forgotten goes out no more; and who heard of the account after its end would keep it for ever.
    OutboxEvent.objects.withdraw(user=user.pk)
    OutboxEvent.objects.announce("session.revoked", user=user.pk, all=True)
    OutboxEvent.objects.announce("user.deleted", user=user.pk)
