"""What a check of the running site has found, in words, and how checks are run so that none stops the others."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from django.db import InterfaceError, OperationalError, ProgrammingError, connection, transaction

SLOWEST = "5s"  # one statement of a check
PATIENCE = 15.0  # seconds for a check that talks to somebody over the network


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True)
class Finding:
    """What is so, and what to do about it, if anything."""

    state: State
    said: str
    advice: str = ""
    name: str = ""

    def as_dict(self) -> dict[str, str]:
        return {"name": self.name} | {key: str(value) for key, value in asdict(self).items() if key != "name"}


def well(said: str, advice: str = "") -> Finding:
    return Finding(State.OK, said, advice)


def odd(said: str, advice: str) -> Finding:
    return Finding(State.WARNING, said, advice)


def broken(said: str, advice: str) -> Finding:
    return Finding(State.FAILURE, said, advice)


Check = Callable[[], Finding | None]


def examine(checks: Mapping[str, Check]) -> list[Finding]:
    """What each check finds, in their order; None where there is nothing to check."""
    found = {name: found_by(check) for name, check in checks.items()}
    return [Finding(it.state, it.said, it.advice, name) for name, it in found.items() if it]


def found_by(check: Check) -> Finding | None:
    """What it finds, whatever goes wrong with it."""
    try:
        return check()
    except (OperationalError, InterfaceError, ProgrammingError) as error:  # away, slow, or without that table
        said = str(error).partition("\n")[0]
        return odd(f"Not checked, as the database says: {said}", "First see to the database and its migrations.")
    except Exception as error:  # noqa: BLE001 the others must be run all the same
        return broken(f"The check itself failed: {type(error).__name__}: {one_line(error)}", "Look at what it says.")


def of_database(check: Check) -> Check:
    """A check that asks the database, and waits for no answer longer than SLOWEST."""

    def bounded() -> Finding | None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{SLOWEST}'")
            return check()

    return bounded


def of_network(check: Check) -> Check:
    """A check that talks to somebody who may not answer; it is left behind then."""

    def bounded() -> Finding | None:
        found: list[Finding | None] = []
        thread = threading.Thread(target=lambda: found.append(found_by(check)), daemon=True)
        thread.start()
        thread.join(PATIENCE)
        late = broken(f"No answer within {PATIENCE:g} seconds.", "Look for a firewall or a name server between.")
        return found[0] if found else late

    return bounded


def one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or repr(error)
