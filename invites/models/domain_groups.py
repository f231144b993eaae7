"""Groups that people are put into when they join, by the domain of the address that they have proven."""

from collections.abc import Mapping

from django.conf import settings

from accounts import groups
from accounts.models import Event, User
from kit import domains


def hold(email: str) -> dict[int, str]:
    """Returns the names of the groups, by id, that DOMAIN_GROUPS has for this normalized address.

    Left out are groups that are not there, or that grant permissions: a mailbox alone must open no desk. The others
    can't be deleted until the caller's transaction ends. Costs no statement if the domain has none, else one.
    """
    named = {group for domain in domains.fitting(domains.domain_of(email)) for group in of_domain(domain)}
    return groups.hold_without_rights(named) if named else {}


def of_domain(pattern: str) -> tuple[str, ...]:
    """Returns the names of the groups that DOMAIN_GROUPS has for this very domain, or pattern of domains."""
    return settings.DOMAIN_GROUPS.get(pattern, ())


def join(user: User, held: Mapping[int, str], before: list[str]) -> None:
    """Puts a user, who is in the groups with the names `before`, into the groups of hold(), and records that.

    To be called in the transaction of hold(). Costs no statement if nothing changes, else two.
    """
    after = sorted({*before, *held.values()})
    if after == before:
        return
    membership = User.groups.through
    membership.objects.bulk_create((membership(user=user, group_id=group) for group in held), ignore_conflicts=True)
    user.group_names = after
    Event.objects.record(Event.Kind.RIGHTS_CHANGED, user, changed={"groups": [before, after]}, by="domain")
