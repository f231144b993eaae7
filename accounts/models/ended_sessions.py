"""What other rooms do where sessions end before their time: in the very statement that ends them."""

from collections.abc import Callable

from kit.one_statement import OneStatement, Write

Part = Callable[[OneStatement, str, str], None]

PARTS: list[Part] = []


def add(part: Part) -> None:
    """Has `part(statement, users, handle)` called wherever sessions end before their time, to add writes of its own.

    `statement` is the one that ends them, and is run after that. `users` is the name of a part of it, from whose column
    `id` SQL can read the accounts whose sessions it really ends: a write that reads them there happens only if they
    end, and together with that. `handle` names the one session that ends; it is "" where all of each account end. Where
    an account is deleted, its row is still there, but nothing that is written then may refer to it. To be called once,
    at start.
    """
    PARTS.append(part)


def add_to(statement: OneStatement, users: Write, handle: str = "") -> None:
    """Adds what other rooms do to a statement that ends sessions: all of accounts, or the one called `handle`.

    `users` is a SELECT of the accounts that returns a column `id`, without a row if no session ends. Nothing is added
    if no other room has asked for it.
    """
    if PARTS:
        name = statement.add(users, "signed_out")
        for part in PARTS:
            part(statement, name, handle)
