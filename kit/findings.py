"""Checks of the running site: what they find, in words, and how they run so that none stops the others."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from django.db import InterfaceError, OperationalError, ProgrammingError, connection, transaction

SLOWEST = "5s"  # for one statement of a check, as PostgreSQL writes it
PATIENCE = 15.0  # seconds for a check that talks to another host


class State(StrEnum):
    """How bad a finding is; the values are for JSON."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True)
class Finding:
    """The result of one check: a state, a sentence in `said`, and in `advice` what to do, if anything.

    `name` is the name of the check; examine() fills it in.
    """

    state: State
    said: str
    advice: str = ""
    name: str = ""

    def as_dict(self) -> dict[str, str]:
        """Returns the finding for JSON: "name", "state", "said" and "advice", all of them strings."""
        return {"name": self.name} | {key: str(value) for key, value in asdict(self).items() if key != "name"}


def ok(said: str, advice: str = "") -> Finding:
    """Returns a finding that all is well: `said` in a sentence, and `advice`, if there is any."""
    return Finding(State.OK, said, advice)


def warning(said: str, advice: str) -> Finding:
    """Returns a finding that something may work but needs a look: `said` in a sentence, `advice` on what to do."""
    return Finding(State.WARNING, said, advice)


def failure(said: str, advice: str) -> Finding:
    """Returns a finding that something does not work: `said` in a sentence, `advice` on what to do."""
    return Finding(State.FAILURE, said, advice)


Check = Callable[[], Finding | None]


def examine(checks: Mapping[str, Check]) -> list[Finding]:
    """Runs the checks and returns their findings, each with its name, in the order of `checks`.

    A check that returns None had nothing to check, and is left out. An exception of a check becomes a finding, too.
    """
    found = {name: run_check(check) for name, check in checks.items()}
    return [Finding(it.state, it.said, it.advice, name) for name, it in found.items() if it]


def run_check(check: Check) -> Finding | None:
    """Runs one check and returns its finding, or None if there was nothing to check.

    Any exception of the check becomes a finding: a warning if the database is away or slow, or lacks a table; a failure
    for anything else.
    """
    try:
        return check()
    except (OperationalError, InterfaceError, ProgrammingError) as error:  # it is away or slow, or lacks a table
        said = str(error).partition("\n")[0]
        return warning(f"Not checked, as the database says: {said}", "First see to the database and its migrations.")
    except Exception as error:  # noqa: BLE001 one broken check must not stop the others
        return failure(f"The check itself failed: {type(error).__name__}: {one_line(error)}", "Look at what it says.")


def with_statement_timeout(check: Check) -> Check:
    """Returns a check that runs `check` in a transaction, where no statement may take longer than SLOWEST.

    If one does, the new check raises OperationalError; run_check() makes a finding of it.
    """

    def bounded() -> Finding | None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{SLOWEST}'")
            return check()

    return bounded


def with_deadline(check: Check) -> Check:
    """Returns a check that runs `check` in a thread and waits at most PATIENCE seconds for it.

    After that it returns a failure and abandons the thread; an exception becomes a finding, as in run_check(). Use it
    for a check that talks to another host, which may never answer.
    """

    def bounded() -> Finding | None:
        found: list[Finding | None] = []
        thread = threading.Thread(target=lambda: found.append(run_check(check)), daemon=True)
        thread.start()
        thread.join(PATIENCE)
        late = failure(f"No answer within {PATIENCE:g} seconds.", "Look for a firewall or a name server between.")
        return found[0] if found else late

    return bounded


def one_line(error: BaseException) -> str:
    """Returns the message of an error on one line, or its repr() if it has none."""
    return " ".join(str(error).split()) or repr(error)
