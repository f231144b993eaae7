"""What people who leave have begun, and a colleague can take over: the room that knows of it says how."""

from collections.abc import Callable
from dataclasses import dataclass

from accounts.models import User


@dataclass(frozen=True)
class Handover:
    """How something is handed over that people have begun, and that ends if nobody takes it."""

    count: Callable[[User], int]  # how much of it the person has
    may_take: Callable[[User, User], bool]  # whether the person may hand it to this colleague
    settle: Callable[[User, User | None], None]  # hands it to the colleague, or ends it


HANDOVERS: list[Handover] = []


def add(handover: Handover) -> None:
    """Has this handed over, or ended, whenever somebody leaves; called once at start."""
    HANDOVERS.append(handover)


def count(user: User) -> int:
    """Returns how many things the user can hand over."""
    return sum(one.count(user) for one in HANDOVERS)


def find_colleague(user: User, typed: str) -> User | None:
    """Returns the colleague with this username or address who may take over what the user has begun, or None."""
    found = User.objects.usable().exclude(pk=user.pk).by_login(typed)
    return found if found and all(one.may_take(user, found) for one in HANDOVERS) else None


def settle(user: User, colleague: User | None) -> None:
    """Hands over what the user has begun, or ends it without a colleague. To be called in a transaction.

    It also ends if the colleague has left meanwhile: that account is locked, so that it stays until the commit.
    """
    rows = User.objects.usable().select_for_update(no_key=True)
    held = rows.filter(pk=colleague.pk).first() if colleague else None
    for one in HANDOVERS:
        one.settle(user, held)
